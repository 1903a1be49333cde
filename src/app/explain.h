// A decision as a person would tell it, from the audit log alone: what was seen, what could have
// caused it, what could be done and was worth, what the pre-mortem feared, what the gate said, what
// was done and what came of it.
//
//   const auto found = find_decision("audit_logs", "act-0123456789abcdef");
//   if (found && *found) std::fputs(explanation_text(**found, terminal).c_str(), stdout);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/decision.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/runtime/step.h"
#include "terminal.h"

namespace payops::app {

// Where a record lies in the log.
struct LogPlace {
  uint64_t seq = 0;
  int64_t ts_ms = 0;
  std::string hash;
  std::string file;
  uint64_t line = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("seq", &LogPlace::seq), field("ts_ms", &LogPlace::ts_ms),
                           field("hash", &LogPlace::hash), field("file", &LogPlace::file),
                           field("line", &LogPlace::line));
  }
};

// Something that happened to an action of the decision, in a sentence.
struct ActionEvent {
  LogPlace place;
  std::string action_id;
  std::string text;
  static constexpr auto fields() {
    return std::make_tuple(field("place", &ActionEvent::place),
                           field("action_id", &ActionEvent::action_id),
                           field("text", &ActionEvent::text));
  }
};

struct Explanation {
  LogPlace place;  // of the decision's record
  payments_agent::CycleReport report;
  StepHead step;                      // whose input the decision was computed from
  std::vector<Intervention> actions;  // decided by it, and what undid them later
  std::vector<ActionEvent> events;    // in the order of the log
  std::optional<Outcome> outcome;     // the last one noted of its own action
  std::string build;
  std::string config_hash;
  std::string currency;
  double anomaly_threshold = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(
        field("place", &Explanation::place), field("decision", &Explanation::report),
        field("step", &Explanation::step), field("actions", &Explanation::actions),
        field("events", &Explanation::events), field("outcome", &Explanation::outcome),
        field("build", &Explanation::build), field("config_hash", &Explanation::config_hash),
        field("currency", &Explanation::currency),
        field("anomaly_threshold", &Explanation::anomaly_threshold));
  }
};

// `wanted`: a decision id, the id of an action that it decided, or "last": the last decision that
// touched payments, else the last that did anything, else the last of all. Nothing when the log has
// no such decision. Reads the log twice; memory is bounded by the decision. Errors: not_found when
// the folder holds no log; corrupt, naming the line that is none.
[[nodiscard]] Result<std::optional<Explanation>> find_decision(const std::string& directory,
                                                               const std::string& wanted);

[[nodiscard]] std::string explanation_text(const Explanation& explanation,
                                           const Terminal& terminal);

// Where the EWMA z-score (what marks a series as DEGRADED) and the change detector (what raises
// alarms) say different things, a sentence each.
[[nodiscard]] std::vector<std::string> disagreements(const payments_agent::CycleReport& report,
                                                     double anomaly_threshold);

}  // namespace payops::app
