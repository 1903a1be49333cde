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
  bool operator==(const IncidentCare&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("acknowledged_by", &IncidentCare::acknowledged_by),
                           field("silenced_until_ms", &IncidentCare::silenced_until_ms),
                           field("notes", &IncidentCare::notes));
  }
};
inline constexpr std::size_t kNotesMax = 20;  // of an incident; more are refused
inline constexpr int64_t kSilenceMaxMinutes = 24 * 60;

class Incidents {
 public:
  // A person's "ack", "note" or "silence" (text: the note, or for how many minutes) on an incident
  // that lasts. Errors: not_found; usage for anything else that cannot be done, in a sentence.
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

  static constexpr auto fields() {
    return std::make_tuple(field("open", &Incidents::open_), field("care", &Incidents::care_),
                           field("told", &Incidents::told_));
  }

 private:
  std::map<std::string, Incident> open_;      // by alarm id; bounded by the alarms in force
  std::map<std::string, IncidentCare> care_;  // by incident id, of open ones
  std::vector<std::string> told_;  // ids that something was said of since the last update
};

}  // namespace payops::payments_agent
