// One run of the closed loop under virtual time (evaluation/closed_loop.h), with its audit log on
// disk if wanted, and its story.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app_config.h"
#include "payops/evaluation/closed_loop.h"
#include "payops/model/decision.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/simulators/books.h"
#include "payops/simulators/scenario.h"
#include "payops/simulators/world.h"

namespace payops::app {

struct VirtualRunSpec {
  simulators::Scenario scenario;
  uint64_t seed = 1;
  double duration_s = 0.0;  // 0 = the scenario's own
  std::optional<double> rate_tps;
  int64_t start_ms = evaluation::kStartMs;
  std::string audit_dir;  // empty = keep no audit log
  AppConfig config;
  std::function<void(const payments_agent::CycleReport&)> on_cycle =
      [](const payments_agent::CycleReport&) {};
  std::function<void(int64_t done_ms, int64_t all_ms)> on_progress = [](int64_t, int64_t) {};
  std::function<bool()> stop = [] { return false; };  // true ends the run where it is
};

struct AlarmNote {
  std::string id;
  std::string series;
  std::string pattern;
  int64_t ts_ms = 0;
  int64_t end_ms = 0;  // 0 when it still lasted at the end
  std::string where;   // in words: series and the part of it that is named
  static constexpr auto fields() {
    return std::make_tuple(field("id", &AlarmNote::id), field("series", &AlarmNote::series),
                           field("pattern", &AlarmNote::pattern), field("ts_ms", &AlarmNote::ts_ms),
                           field("end_ms", &AlarmNote::end_ms), field("where", &AlarmNote::where));
  }
};

struct OutcomeNote {
  std::string action_id;
  OutcomeResult result = OutcomeResult::pending;
  static constexpr auto fields() {
    return std::make_tuple(field("action_id", &OutcomeNote::action_id),
                           field("result", &OutcomeNote::result));
  }
};

struct RunResult {
  std::string scenario;
  uint64_t seed = 0;
  uint64_t cycles = 0;
  std::vector<AlarmNote> alarms;
  std::vector<Action> actions;
  std::vector<OutcomeNote> outcomes;
  int64_t net_revenue_minor = 0;      // what the world earned under the agent
  int64_t nothing_revenue_minor = 0;  // and the same world left alone
  static constexpr auto fields() {
    return std::make_tuple(field("scenario", &RunResult::scenario), field("seed", &RunResult::seed),
                           field("cycles", &RunResult::cycles), field("alarms", &RunResult::alarms),
                           field("actions", &RunResult::actions),
                           field("outcomes", &RunResult::outcomes),
                           field("net_revenue_minor", &RunResult::net_revenue_minor),
                           field("nothing_revenue_minor", &RunResult::nothing_revenue_minor));
  }
};

// What a run leaves behind besides its result, for the summary in words.
struct RunStory {
  RunResult result;
  std::vector<simulators::TruthEvent> faults;  // began and ended
  std::vector<Intervention> outcomes;
  payments_agent::Totals totals;
  simulators::Books books;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  bool interrupted = false;  // before the scenario was over
  std::string currency;
};

// Collects alarms, actions and outcomes from cycles as they pass, for run and demo alike.
class StoryTeller {
 public:
  void cycle(const payments_agent::CycleReport& report);
  void published(const OutboxEntry& entry);
  void truth(const std::vector<simulators::TruthEvent>& events);
  RunStory story;
};

// Errors: config; those of the step protocol (audit folder not writable).
[[nodiscard]] Result<RunStory> run_virtually(const VirtualRunSpec& spec);

// What broke, when it was noticed, what was done, what it saved.
[[nodiscard]] std::string story_text(const RunStory& story);

}  // namespace payops::app
