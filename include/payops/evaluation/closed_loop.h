// The closed loop in one thread under virtual time: a simulated world, observation, the agent and
// the step protocol, with events going through their JSON form as they would over Kafka. Same
// inputs, same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "payops/observation/decline_table.h"
#include "payops/observation/field_mapping.h"
#include "payops/observation/observer.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/runtime/step.h"
#include "payops/simulators/books.h"
#include "payops/simulators/scenario.h"
#include "payops/simulators/world.h"

namespace payops::evaluation {

inline constexpr int64_t kStartMs = 1'772'438'400'000;  // 2026-03-02T08:00:00Z, a Monday

// A world and how long it is lived in. start_ms and end_ms are event time.
struct Stage {
  simulators::Scenario scenario;
  uint64_t seed = 1;
  int64_t start_ms = kStartMs;
  int64_t end_ms = kStartMs;
  std::optional<double> rate_tps = {};  // in place of the scenario's
};
// duration_s 0: the scenario's own.
[[nodiscard]] Stage stage_of(const simulators::Scenario& scenario, uint64_t seed,
                             double duration_s = 0.0, std::optional<double> rate_tps = {},
                             int64_t start_ms = kStartMs);

// How the agent is set up. `declines` is shared between loops and not copied.
struct AgentSetup {
  std::string build;  // version of the program, recorded with every step
  payments_agent::AgentConfig agent;
  observation::ObservationConfig observation;
  observation::FieldMapping mapping;
};

// Told of what passes, in order of event time.
struct Watcher {
  std::function<void(const payments_agent::CycleReport&)> cycle =
      [](const payments_agent::CycleReport&) {};
  std::function<void(const OutboxEntry&)> published = [](const OutboxEntry&) {};
  std::function<void(const std::vector<simulators::TruthEvent>&)> truth =
      [](const std::vector<simulators::TruthEvent>&) {};
  // Before each turn of the loop; what it publishes reaches the world at now_ms.
  std::function<void(int64_t now_ms)> turn = [](int64_t) {};
  // Once, before anything else; the world outlives the loop's other calls.
  std::function<void(const simulators::World&)> began = [](const simulators::World&) {};
  std::function<void(int64_t done_ms, int64_t all_ms)> progress = [](int64_t, int64_t) {};
  // After each turn; true ends the loop there, cleanly.
  std::function<bool()> stop = [] { return false; };
};

// Lives the stage with `agent` in charge, from its present state on, and gives the world's books at
// the end. Prices known to any payments team, margin and fees, are the world's (price_as);
// so is the topology, unless the agent has one.
// Errors: those of the step protocol (files not writable).
[[nodiscard]] Result<simulators::Books> run_closed_loop(const Stage& stage, const AgentSetup& setup,
                                                        const observation::DeclineTable& declines,
                                                        payments_agent::PaymentsAgent& agent,
                                                        StepFiles& files,
                                                        const Watcher& watcher = {});

// Puts what a payments team knows of its own contracts (margin, fees) from the simulated world into
// the agent's economics.
void price_as(const simulators::Scenario& scenario, payments_agent::AgentConfig& agent);

}  // namespace payops::evaluation
