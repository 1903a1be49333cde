// Shared by the built-in types: which hypotheses ask for which answer, and over which part of a
// hypothesis' scope an answer holds.
#pragma once

#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "payops/decision/planner.h"

namespace payops::decision {

// Options that one type proposes in a cycle at most.
inline constexpr std::size_t kProposalsMax = 256;
// What names beyond the dictionary's limit share (model/dimensions.h): no router knows it.
inline constexpr std::string_view kOtherName = "other";

// How likely a reroute's target gives way under `used` of its headroom: what it takes beyond all it
// has carried is thought to be 1.25 times as much, log-normally within a quarter.
[[nodiscard]] double overload_chance(double used);
// Of the headroom, what is carried in 49 cases of 50.
inline constexpr double kSurelyCarried = 0.75;

// What the alarms say of a scope: nothing, that all has recovered, or that something lasts.
enum class Trouble { none, over, lasts };
[[nodiscard]] Trouble trouble_at(const Assessment& assessment, const Scope& scope);

// Hypotheses of these causes that are likely enough to act on, most likely first.
[[nodiscard]] std::vector<const Hypothesis*> hypotheses_of(const Situation& situation,
                                                           std::initializer_list<Cause> causes);

// Whether an action's scope can say whom the hypothesis is about. It can name an upstream's
// gateways, but no region, merchant or band of amounts: everybody else that it would touch is well.
[[nodiscard]] inline bool reachable(const Hypothesis& h) {
  return h.slice.region == "*" && h.slice.merchant == "*" && h.slice.amount == "*";
}

// Payment-weighted success of the paths now, and at their baselines; 1 of nothing.
struct Health {
  double now = 1.0;
  double baseline = 1.0;
};
[[nodiscard]] Health health_of(const Paths& paths);

// Offers (scope, its paths) to `accept`, and where it declines, the scope's parts: by method, then
// by issuer.
using Accept = std::function<bool(const Scope&, const Paths&)>;
void refine(const Scope& scope, const Paths& paths, const Accept& accept);

// "41 %"
[[nodiscard]] std::string percent(double share);

[[nodiscard]] std::unique_ptr<InterventionType> alert_ops_type();
[[nodiscard]] std::unique_ptr<InterventionType> adjust_retry_type();
[[nodiscard]] std::unique_ptr<InterventionType> reduce_retry_attempts_type();
[[nodiscard]] std::unique_ptr<InterventionType> suppress_path_type();
[[nodiscard]] std::unique_ptr<InterventionType> reroute_traffic_type();

}  // namespace payops::decision
