// What interventions were expected to be worth, and what they were.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "bootstrap.h"
#include "parallel.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/evaluation/calibration.h"
#include "payops/runtime/in_memory.h"
#include "payops/safety/safety.h"

namespace payops::evaluation {
namespace {

// A message that reached the router, and when.
struct Delivered {
  int64_t at_ms = 0;
  std::string key;
  std::optional<Action> action;  // absent: a tombstone
};

struct Lived {
  simulators::Books books;
  std::vector<Delivered> delivered;
  std::map<std::string, Option> decided;  // by action id, those that touch payments
};

Result<Lived> live(const Stage& stage, const AgentSetup& setup,
                   const observation::DeclineTable& declines) {
  Lived lived;
  int64_t now_ms = stage.start_ms;
  Watcher watcher;
  watcher.cycle = [&](const payments_agent::CycleReport& report) {
    if (report.action_id.empty() || report.considered.empty()) return;
    const Option& option = report.considered.back().option;
    if (!safety::is_advisory(option.type) && !report.forced) {
      lived.decided[report.action_id] = option;
    }
  };
  watcher.published = [&](const OutboxEntry& entry) {
    if (entry.topic != "actions") return;
    Delivered one{.at_ms = now_ms, .key = entry.key, .action = {}};
    if (!entry.payload.empty()) {
      const auto action = from_json<Action>(Json::parse(entry.payload));
      if (!action) return;
      one.action = *action;
    }
    lived.delivered.push_back(std::move(one));
  };
  watcher.turn = [&](int64_t ts_ms) { now_ms = ts_ms; };
  payments_agent::PaymentsAgent agent;
  InMemoryFiles files(false);
  auto books = run_closed_loop(stage, setup, declines, agent, files, watcher);
  if (!books) return tl::make_unexpected(books.error());
  lived.books = *books;
  return lived;
}

// The same world with the same messages, but for those of `left_out`.
simulators::Books without(const Stage& stage, const std::vector<Delivered>& delivered,
                          const std::string& left_out) {
  simulators::World world(stage.scenario, stage.seed, stage.start_ms, stage.rate_tps);
  const auto ignore = [](const simulators::SimulatedAttempt&) {};
  for (const Delivered& one : delivered) {
    world.advance(one.at_ms, ignore);
    if (!one.action) {
      world.end(one.key);
    } else if (one.action->action_id != left_out && one.action->inverse_of != left_out) {
      world.apply(*one.action);
    }
  }
  world.advance(stage.end_ms, ignore);
  (void)world.take_truth();
  return world.books();
}

// When what was delivered stopped being in force.
int64_t end_of(const Delivered& started, const std::vector<Delivered>& delivered) {
  for (const Delivered& one : delivered) {
    if (one.key == started.key && one.at_ms > started.at_ms) {
      return std::min(one.at_ms, started.action->expires_ts_ms);
    }
  }
  return started.action->expires_ts_ms;
}

double execution_minor(const Nrv& nrv) {
  double sum = 0.0;
  for (const NrvItem& item : nrv.items) {
    if (item.name == "execution") sum += item.amount_minor;
  }
  return sum;
}

Result<std::vector<ValueCase>> cases_of(const Stage& stage, const AgentSetup& setup,
                                        const observation::DeclineTable& declines) {
  auto lived = live(stage, setup, declines);
  if (!lived) return tl::make_unexpected(lived.error());
  std::vector<ValueCase> cases;
  for (const Delivered& one : lived->delivered) {
    if (!one.action || !one.action->inverse_of.empty()) continue;
    const auto decided = lived->decided.find(one.action->action_id);
    // One whose lease outlives the run cannot be priced to its end.
    if (decided == lived->decided.end() || one.action->expires_ts_ms > stage.end_ms) continue;
    const Option& option = decided->second;
    const simulators::Books twin = without(stage, lived->delivered, one.action->action_id);
    ValueCase value;
    value.scenario = stage.scenario.name;
    value.seed = stage.seed;
    value.type = option.type;
    value.cause = option.cause;
    value.scope = option.scope;
    value.strength = one.action->strength;
    value.issued_s = static_cast<double>(one.at_ms - stage.start_ms) / 1000.0;
    value.lasted_s = static_cast<double>(end_of(one, lived->delivered) - one.at_ms) / 1000.0;
    value.expected_minor = option.nrv.total.mean;
    value.low_minor = option.nrv.total.low;
    value.high_minor = option.nrv.total.high;
    value.realised_minor =
        static_cast<double>(lived->books.net_revenue_minor() - twin.net_revenue_minor()) +
        execution_minor(option.nrv);
    value.covered =
        value.realised_minor >= value.low_minor && value.realised_minor <= value.high_minor;
    cases.push_back(std::move(value));
  }
  return cases;
}

}  // namespace

simulators::Scenario with_lengths(simulators::Scenario scenario, double spread, uint64_t seed) {
  double last_s = 0.0, drawn_last_s = 0.0;
  RandomStream draw = Random(seed).at(hash64(scenario.name));
  for (simulators::Fault& fault : scenario.faults) {
    last_s = std::max(last_s, fault.start_s + fault.duration_s);
    fault.duration_s =
        std::max(30.0, std::round(fault.duration_s * std::exp(spread * draw.normal())));
    fault.ramp_s = std::min(fault.ramp_s, fault.duration_s);
    drawn_last_s = std::max(drawn_last_s, fault.start_s + fault.duration_s);
  }
  scenario.duration_s += std::max(0.0, drawn_last_s - last_s);
  return scenario;
}

Result<ValueCalibration> calibrate_values(const ValueSweep& sweep, const AgentSetup& setup,
                                          const observation::DeclineTable& declines) {
  std::vector<Stage> stages;
  for (const simulators::Scenario& scenario : sweep.scenarios) {
    for (uint64_t seed = sweep.first_seed; seed <= sweep.last_seed; ++seed) {
      stages.push_back(stage_of(with_lengths(scenario, sweep.length_spread, seed), seed));
    }
  }
  std::vector<Result<std::vector<ValueCase>>> results(stages.size());
  in_parallel(
      sweep.jobs, in_order(stages.size()),
      [&](std::size_t i) { results[i] = cases_of(stages[i], setup, declines); }, sweep.progress);
  ValueCalibration result;
  std::map<uint64_t, Ratio> by_seed;
  for (auto& cases : results) {
    if (!cases) return tl::make_unexpected(cases.error());
    for (ValueCase& one : *cases) {
      ++result.actions;
      result.expected_minor += one.expected_minor;
      result.realised_minor += one.realised_minor;
      result.below += one.realised_minor < one.low_minor ? 1.0 : 0.0;
      result.above += one.realised_minor > one.high_minor ? 1.0 : 0.0;
      Ratio& ratio = by_seed[one.seed];
      ratio.part += one.covered ? 1.0 : 0.0;
      ratio.whole += 1.0;
      result.cases.push_back(std::move(one));
    }
  }
  const auto n = static_cast<double>(std::max<uint64_t>(1, result.actions));
  result.below /= n;
  result.above /= n;
  std::vector<Ratio> clusters;
  for (const auto& [seed, ratio] : by_seed) clusters.push_back(ratio);
  result.coverage = pooled_ratio(clusters);
  return result;
}

}  // namespace payops::evaluation
