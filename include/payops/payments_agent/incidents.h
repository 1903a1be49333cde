// Incidents: an alarm's life as the outside is told of it, from started to resolved.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"

namespace payops::payments_agent {

// What people have said of an incident that lasts.
struct IncidentCare {
  std::string acknowledged_by;     // who has taken it on, or empty
  int64_t silenced_until_ms = 0;   // event time; nobody is paged for it before then
  std::vector<std::string> notes;  // "asha: the bank knows", oldest first
  std::string confirmed_cause;     // what a person says it is, a Cause, or empty
  std::string confirmed_by;        // who
  bool operator==(const IncidentCare&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("acknowledged_by", &IncidentCare::acknowledged_by),
                           field("silenced_until_ms", &IncidentCare::silenced_until_ms),
                           field("notes", &IncidentCare::notes),
                           field("confirmed_cause", &IncidentCare::confirmed_cause),
                           field("confirmed_by", &IncidentCare::confirmed_by));
  }
};

// That an incident was of a cause: by a person's word, or by what was done for that cause.
struct Confirmation {
  std::string incident_id;
  Cause cause = Cause::none_of_these;
  double weight = 0.0;  // added to what is known of the cause; negative where it is taken back
  std::string by;       // the person, or the intervention that helped
  bool operator==(const Confirmation&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("incident_id", &Confirmation::incident_id),
                           field("cause", &Confirmation::cause),
                           field("weight", &Confirmation::weight), field("by", &Confirmation::by));
  }
};
// A person's word counts as one incident. Without one, an incident counts half if an intervention
// that was decided on for a cause of this posterior improved things for those treated: the outcome
// is evidence that the posterior was not made from.
inline constexpr double kSaidWeight = 1.0;
inline constexpr double kSeenWeight = 0.5;
inline constexpr double kConfirmedConfidence = 0.9;
inline constexpr std::size_t kPastMax = 64;   // incidents that are over and can still be named
inline constexpr std::size_t kNotesMax = 20;  // of an incident; more are refused
inline constexpr int64_t kSilenceMaxMinutes = int64_t{24} * 60;

class Incidents {
 public:
  // A person's "ack", "note", "silence" or "cause" (text: the note, for how many minutes, or what
  // it was) on an incident that lasts; the cause also of the kPastMax that ended last. Errors:
  // not_found; usage for anything else that cannot be done, in a sentence.
  [[nodiscard]] Status care(const std::string& incident_id, std::string_view verb,
                            const std::string& by, const std::string& text, int64_t ts_ms);
  // By incident id, of those that last.
  [[nodiscard]] const std::map<std::string, IncidentCare>& care() const { return care_; }
  // Brings the incidents up to the assessment and gives those that changed: a new alarm starts
  // one; a change of severity, leading cause or interventions updates it, at most once a cycle;
  // the alarm's end resolves and forgets it.
  [[nodiscard]] std::vector<Incident> update(const Assessment& assessment,
                                             const std::vector<Intervention>& interventions);
  [[nodiscard]] const std::map<std::string, Incident>& open() const { return open_; }
  // An intervention has been judged: what helped says something of the cause that it was for.
  void helped(const Intervention& intervention);
  // What has been confirmed since this was last asked, once. REQUIRES: asked in every step.
  [[nodiscard]] std::vector<Confirmation> take_confirmed();

  static constexpr auto fields() {
    return std::make_tuple(field("open", &Incidents::open_), field("care", &Incidents::care_),
                           field("told", &Incidents::told_), field("past", &Incidents::past_),
                           field("helped", &Incidents::helped_));
  }

 private:
  [[nodiscard]] Status name_cause(const std::string& incident_id, const std::string& by,
                                  const std::string& text);
  void settle_cause(const std::string& alarm_id, const Incident& over);

  // One that is over, and what of it has been counted.
  struct Past {
    Confirmation counted;
    Scope instrument;
    int64_t begin_ts_ms = 0;
    int64_t end_ts_ms = 0;
    static constexpr auto fields() {
      return std::make_tuple(
          field("counted", &Past::counted), field("instrument", &Past::instrument),
          field("begin_ts_ms", &Past::begin_ts_ms), field("end_ts_ms", &Past::end_ts_ms));
    }
  };
  std::vector<Past> past_;                      // oldest first; at most kPastMax
  std::map<std::string, Confirmation> helped_;  // by alarm id, of open ones
  std::vector<Confirmation> confirmed_;         // to be taken within the step
  std::map<std::string, Incident> open_;        // by alarm id; bounded by the alarms in force
  std::map<std::string, IncidentCare> care_;    // by incident id, of open ones
  std::vector<std::string> told_;  // ids that something was said of since the last update
};

}  // namespace payops::payments_agent
