// Policies priced in the simulated world: what each would have earned on the same payments. All of
// them act on the world through Action messages only; randomness is common, so two runs of a seed
// differ by what the policies did and nothing else.
//
//   nothing       leaves the world alone
//   zscore        the rule most teams start with (routers.h)
//   success_rate  a router that follows recent success per path (routers.h)
//   agent         payops, events as JSON and all
//   oracle        payops with the truth in place of its reasoning (oracle.h)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/evaluation/closed_loop.h"

namespace payops::evaluation {

enum class Policy : uint8_t { nothing, zscore, success_rate, agent, oracle };

// One policy in one world.
struct PolicyRun {
  std::string scenario;
  uint64_t seed = 0;
  std::string policy;
  int64_t net_revenue_minor = 0;
  // Payments lost beyond those of the same world without its faults, left alone.
  int64_t excess_failures = 0;
  // From the beginning of the scenario's first fault to the first alarm (for a policy without
  // alarms: the first act) after it whose scope overlaps the fault's. Absent without a fault, when
  // it was never noticed, and for a policy that has no notion of a fault.
  std::optional<int64_t> detection_delay_ms;
  uint64_t actions = 0;        // that touch traffic, each message that begins or changes one
  uint64_t false_actions = 0;  // of these, where no fault was live
  // What had been earned at the end of each simulated minute, for charts; not among the fields.
  std::vector<int64_t> earned_by_minute{};
  bool operator==(const PolicyRun&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("scenario", &PolicyRun::scenario), field("seed", &PolicyRun::seed),
                           field("policy", &PolicyRun::policy),
                           field("net_revenue_minor", &PolicyRun::net_revenue_minor),
                           field("excess_failures", &PolicyRun::excess_failures),
                           field("detection_delay_ms", &PolicyRun::detection_delay_ms),
                           field("actions", &PolicyRun::actions),
                           field("false_actions", &PolicyRun::false_actions));
  }
};

// Runs the policies in one world, in the order asked for. Errors: of the closed loop.
[[nodiscard]] Result<std::vector<PolicyRun>> price(const Stage& stage,
                                                   const std::vector<Policy>& policies,
                                                   const AgentSetup& setup,
                                                   const observation::DeclineTable& declines);

// "a, b and c" for messages; the names of the policies as the command line takes them.
[[nodiscard]] Result<std::vector<Policy>> parse_policies(std::string_view comma_separated);

}  // namespace payops::evaluation

template <>
inline constexpr payops::EnumNames<5> payops::enum_names<payops::evaluation::Policy>{
    "nothing", "zscore", "success-rate", "agent", "oracle"};
