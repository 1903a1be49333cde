// What many runs of policies say together: gains over doing nothing, the share of the oracle's gain
// that each policy reaches, and comparisons, all with intervals by a bootstrap clustered by seed
// (Cameron, Gelbach and Miller 2008: what shares a seed is drawn together).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/evaluation/policies.h"

namespace payops::evaluation {

// A mean with its 95 % interval; money in minor units per run.
struct Interval {
  double mean = 0.0;
  double low = 0.0;
  double high = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("mean", &Interval::mean), field("low", &Interval::low),
                           field("high", &Interval::high));
  }
};

// One policy over a family: all runs of a scenario, or of all scenarios ("*").
struct FamilyPolicy {
  std::string family;
  std::string policy;
  uint64_t runs = 0;
  Interval gain_minor;            // over `nothing`, per run
  std::optional<Interval> share;  // of the oracle's gain; absent where the oracle gains nothing
  std::optional<Interval> lead_minor;        // the agent's gain less this policy's, per run
  double excess_failures = 0.0;              // per run
  double detected = 0.0;                     // share of runs with a fault in which it was noticed
  std::optional<double> detection_delay_ms;  // mean where it was
  double actions_per_week = 0.0;
  double false_actions_per_week = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(
        field("family", &FamilyPolicy::family), field("policy", &FamilyPolicy::policy),
        field("runs", &FamilyPolicy::runs), field("gain_minor", &FamilyPolicy::gain_minor),
        field("share", &FamilyPolicy::share), field("lead_minor", &FamilyPolicy::lead_minor),
        field("excess_failures", &FamilyPolicy::excess_failures),
        field("detected", &FamilyPolicy::detected),
        field("detection_delay_ms", &FamilyPolicy::detection_delay_ms),
        field("actions_per_week", &FamilyPolicy::actions_per_week),
        field("false_actions_per_week", &FamilyPolicy::false_actions_per_week));
  }
};

struct PolicySummary {
  uint64_t scenarios = 0;
  uint64_t seeds = 0;
  uint64_t draws = 0;                  // of the bootstrap
  std::vector<FamilyPolicy> total;     // family "*"
  std::vector<FamilyPolicy> families;  // by family, then in the order of the policies
  static constexpr auto fields() {
    return std::make_tuple(
        field("scenarios", &PolicySummary::scenarios), field("seeds", &PolicySummary::seeds),
        field("draws", &PolicySummary::draws), field("total", &PolicySummary::total),
        field("families", &PolicySummary::families));
  }
};

// A scenario's length, for rates per week.
struct FamilyLength {
  std::string scenario;
  double duration_s = 0.0;
  bool has_fault = false;
};

// REQUIRES: every (scenario, seed) of `runs` was run under the same policies, `nothing` among them.
[[nodiscard]] PolicySummary summarise(const std::vector<PolicyRun>& runs,
                                      const std::vector<FamilyLength>& lengths);

}  // namespace payops::evaluation
