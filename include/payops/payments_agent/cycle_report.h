// One turn of the graph as it will be shown, logged and explained: what was seen, what was
// weighed, what was concluded. The audit log's "decision" record is this struct.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/payments_agent/complaints.h"
#include "payops/safety/safety.h"

namespace payops::payments_agent {

// Counts since the state began, and the money as far as the agent itself can see it.
struct Totals {
  int64_t attempts = 0;
  int64_t late = 0;
  int64_t duplicates = 0;
  int64_t dead_letters = 0;
  int64_t cycles = 0;
  int64_t alarms = 0;
  int64_t actions = 0;
  double saved_minor = 0.0;  // sum of concluded outcomes' values
  bool operator==(const Totals&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(
        field("attempts", &Totals::attempts), field("late", &Totals::late),
        field("duplicates", &Totals::duplicates), field("dead_letters", &Totals::dead_letters),
        field("cycles", &Totals::cycles), field("alarms", &Totals::alarms),
        field("actions", &Totals::actions), field("saved_minor", &Totals::saved_minor));
  }
};

// What became of a person's command.
struct VerdictResult {
  std::string proposal_id;  // or "kill", "learned", "mode", "manual", an incident's id
  std::string verdict;
  std::string by;
  int64_t ts_ms = 0;   // when it was given, by its signature
  std::string result;  // granted, rejected, ignored, or why it did not count
  std::string why;     // in a sentence
  static constexpr auto fields() {
    return std::make_tuple(field("proposal_id", &VerdictResult::proposal_id),
                           field("verdict", &VerdictResult::verdict),
                           field("by", &VerdictResult::by), field("ts_ms", &VerdictResult::ts_ms),
                           field("result", &VerdictResult::result),
                           field("why", &VerdictResult::why));
  }
};

// An intervention that a person asked for, as it was priced and judged: now a proposal.
struct Asked {
  std::string action_id;
  std::string by;
  safety::Judgement judgement;
  static constexpr auto fields() {
    return std::make_tuple(field("action_id", &Asked::action_id), field("by", &Asked::by),
                           field("judgement", &Asked::judgement));
  }
};

struct CycleReport {
  uint64_t step = 0;
  std::string trigger;
  std::string decision_id;              // "dec-" + 16 hex
  int64_t at_ms = 0;                    // event time
  std::string observe_only;             // why nothing may be done, or empty
  std::vector<VerdictResult> verdicts;  // that came in since the last cycle
  std::vector<SeriesStatus> statuses;
  std::vector<Alarm> alarms;
  std::vector<Hypothesis> hypotheses;
  std::vector<Option> options;                // ranked, best first
  std::vector<safety::Judgement> considered;  // in the order in which they came to the gate
  std::string action_id;                      // what was decided on, or empty
  bool forced = false;
  std::vector<Asked> asked;                  // by people, this cycle
  std::string conclusion;                    // in a sentence
  std::vector<Incident> incidents;           // that changed in this cycle
  std::vector<Intervention> outcomes;        // judged in this cycle
  std::vector<ComplaintReading> complaints;  // what customers complain of
  Totals totals;
  static constexpr auto fields() {
    return std::make_tuple(
        field("step", &CycleReport::step), field("trigger", &CycleReport::trigger),
        field("decision_id", &CycleReport::decision_id), field("at_ms", &CycleReport::at_ms),
        field("observe_only", &CycleReport::observe_only),
        field("verdicts", &CycleReport::verdicts), field("statuses", &CycleReport::statuses),
        field("alarms", &CycleReport::alarms), field("hypotheses", &CycleReport::hypotheses),
        field("options", &CycleReport::options), field("considered", &CycleReport::considered),
        field("action_id", &CycleReport::action_id), field("forced", &CycleReport::forced),
        field("asked", &CycleReport::asked), field("conclusion", &CycleReport::conclusion),
        field("incidents", &CycleReport::incidents), field("outcomes", &CycleReport::outcomes),
        field("complaints", &CycleReport::complaints), field("totals", &CycleReport::totals));
  }
};

}  // namespace payops::payments_agent
