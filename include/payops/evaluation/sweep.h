// Many worlds priced in parallel: every scenario under every seed. The result is in the order of
// scenarios and seeds, the same for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/evaluation/policies.h"
#include "payops/evaluation/policy_summary.h"

namespace payops::evaluation {

struct Sweep {
  std::vector<simulators::Scenario> scenarios;
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;   // inclusive
  double duration_s = 0.0;  // 0 = each scenario's own
  std::vector<Policy> policies;
  unsigned jobs = 1;
  // Called from the threads, one at a time.
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {};
};

// Errors: of the closed loop; the first in the order of the result.
[[nodiscard]] Result<std::vector<PolicyRun>> run_sweep(const Sweep& sweep, const AgentSetup& setup,
                                                       const observation::DeclineTable& declines);

[[nodiscard]] std::vector<FamilyLength> lengths_of(const Sweep& sweep);

// All *.yaml of a folder, by file name. Errors: not_found for a folder that is none, or holds no
// scenario; config with file, line and key; usage when two have one name.
[[nodiscard]] Result<std::vector<simulators::Scenario>> load_scenarios(const std::string& folder);

}  // namespace payops::evaluation
