#include "payops/evaluation/sweep.h"

#include <algorithm>
#include <filesystem>

#include "parallel.h"

namespace payops::evaluation {

Result<std::vector<PolicyRun>> run_sweep(const Sweep& sweep, const AgentSetup& setup,
                                         const observation::DeclineTable& declines) {
  std::vector<Stage> stages;
  for (const simulators::Scenario& scenario : sweep.scenarios) {
    for (uint64_t seed = sweep.first_seed; seed <= sweep.last_seed; ++seed) {
      stages.push_back(stage_of(scenario, seed, sweep.duration_s));
    }
  }
  // The longest first, so that no thread is left with one at the end.
  std::vector<std::size_t> order = in_order(stages.size());
  // The longest first, so that no thread is left with one at the end.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return stages[a].end_ms - stages[a].start_ms > stages[b].end_ms - stages[b].start_ms;
  });
  std::vector<Result<std::vector<PolicyRun>>> results(stages.size());
  in_parallel(
      sweep.jobs, order,
      [&](std::size_t i) { results[i] = price(stages[i], sweep.policies, setup, declines); },
      sweep.progress);
  std::vector<PolicyRun> runs;
  for (auto& result : results) {
    if (!result) return tl::make_unexpected(result.error());
    runs.insert(runs.end(), std::make_move_iterator(result->begin()),
                std::make_move_iterator(result->end()));
  }
  return runs;
}

std::vector<FamilyLength> lengths_of(const Sweep& sweep) {
  std::vector<FamilyLength> lengths;
  for (const simulators::Scenario& scenario : sweep.scenarios) {
    lengths.push_back({scenario.name,
                       sweep.duration_s > 0.0 ? sweep.duration_s : scenario.duration_s,
                       !scenario.faults.empty()});
  }
  return lengths;
}

Result<std::vector<simulators::Scenario>> load_scenarios(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    return fail(ErrorCode::not_found, folder + " is not a folder of scenarios");
  }
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  if (files.empty()) return fail(ErrorCode::not_found, "there is no *.yaml in " + folder);
  std::sort(files.begin(), files.end());
  std::vector<simulators::Scenario> scenarios;
  for (const std::string& file : files) {
    auto scenario = simulators::load_scenario(file, {});
    if (!scenario) return tl::make_unexpected(scenario.error());
    for (const simulators::Scenario& other : scenarios) {
      if (other.name != scenario->name) continue;
      return fail(ErrorCode::usage,
                  file + ": a scenario named \"" + scenario->name + "\" is there already");
    }
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

}  // namespace payops::evaluation
