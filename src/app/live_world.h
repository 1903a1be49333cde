// The payment world as a process on Kafka: publishes attempts and truth, reads actions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/simulators/books.h"
#include "payops/simulators/scenario.h"
#include "payops/simulators/world.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct LiveWorldSpec {
  simulators::Scenario scenario;
  streaming::StreamingConfig streaming;
  uint64_t seed = 1;
  std::optional<int64_t> start_ms;  // absent: so that it ends about now
  std::optional<double> rate_tps;
  double speed = 1.0;       // simulated seconds per second; 0 = as fast as possible
  double duration_s = 0.0;  // simulated; 0 = until told to stop (needs speed 1)
  double warm_up_s = 0.0;   // of the duration, published at once before time begins to run
  std::string out;          // a file of events instead of Kafka
  std::function<bool()> stop = [] { return false; };
  // Before each look at actions: may disturb the world, or change its speed.
  std::function<void(simulators::World&, double& speed)> on_turn = [](simulators::World&, double&) {
  };
  std::function<void(const std::vector<simulators::TruthEvent>&)> on_truth =
      [](const std::vector<simulators::TruthEvent>&) {};
  std::function<void(int64_t simulated_ms, uint64_t attempts)> on_progress = [](int64_t, uint64_t) {
  };
  std::function<void(const std::string&)> on_trouble = [](const std::string&) {};
};

struct LiveWorldResult {
  std::string scenario;
  uint64_t seed = 0;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  uint64_t attempts = 0;         // published
  uint64_t actions_applied = 0;  // messages from payops.actions, tombstones aside
  simulators::Books books;
  int64_t net_revenue_minor = 0;
  static constexpr auto fields() {
    return std::make_tuple(
        field("scenario", &LiveWorldResult::scenario), field("seed", &LiveWorldResult::seed),
        field("start_ms", &LiveWorldResult::start_ms), field("end_ms", &LiveWorldResult::end_ms),
        field("attempts", &LiveWorldResult::attempts),
        field("actions_applied", &LiveWorldResult::actions_applied),
        field("books", &LiveWorldResult::books),
        field("net_revenue_minor", &LiveWorldResult::net_revenue_minor));
  }
};

// Lives until its duration is over or it is told to stop. A world that runs faster than time starts
// early enough to end by now. Errors: config; unavailable when Kafka (or the file) is.
[[nodiscard]] Result<LiveWorldResult> run_live_world(const LiveWorldSpec& spec);

}  // namespace payops::app
