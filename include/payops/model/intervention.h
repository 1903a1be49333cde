// Interventions: typed, reversible, expiring actions on the traffic of a scope.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "payops/core/fields.h"
#include "payops/model/dimensions.h"

namespace payops {

// The built-in types. The type is text because a team may register its own (decision/planner.h).
namespace action_type {
inline constexpr std::string_view kNoAction = "no_action";
inline constexpr std::string_view kAlertOps = "alert_ops";
inline constexpr std::string_view kAdjustRetry = "adjust_retry";  // params: delay_ms
inline constexpr std::string_view kReduceRetryAttempts =
    "reduce_retry_attempts";                                            // params: max_attempts
inline constexpr std::string_view kSuppressPath = "suppress_path";      // strength = share kept off
inline constexpr std::string_view kRerouteTraffic = "reroute_traffic";  // params: to_gateway
}  // namespace action_type

// How much harm a wrong one can do: `none` touches nothing, `low` only retries, `medium` moves
// traffic between paths, `high` keeps customers from something or needs a person for other reasons.
enum class RiskClass : uint8_t { none, low, medium, high };
template <>
inline constexpr EnumNames<4> enum_names<RiskClass>{"none", "low", "medium", "high"};

// The message on payops.actions, and the contract with a router. A lease: the router ends it alone
// at expires_ts_ms. `inverse_of` set means: undo that action now.
struct Action {
  std::string action_id;    // "act-" + 16 hex
  std::string decision_id;  // "dec-" + 16 hex
  std::string type;
  Scope scope;
  std::map<std::string, std::string> params;
  double strength = 0.0;  // share of the scope's customers treated, (0, 1]
  double holdout = 0.0;   // share of the selected customers left untreated, for comparison, [0, 1)
  int64_t issued_ts_ms = 0;
  int64_t expires_ts_ms = 0;
  bool forced = false;     // taken by the minimum-action-frequency rule
  std::string inverse_of;  // action_id, or empty
  uint64_t epoch = 0;      // of the lease under which it was issued
  uint64_t revision = 0;   // rises per key; consumers drop lower (epoch, revision)
  static constexpr auto fields() {
    return std::make_tuple(
        field("action_id", &Action::action_id), field("decision_id", &Action::decision_id),
        field("type", &Action::type), field("scope", &Action::scope),
        field("params", &Action::params), field("strength", &Action::strength),
        field("holdout", &Action::holdout), field("issued_ts_ms", &Action::issued_ts_ms),
        field("expires_ts_ms", &Action::expires_ts_ms), field("forced", &Action::forced),
        field("inverse_of", &Action::inverse_of), field("epoch", &Action::epoch),
        field("revision", &Action::revision));
  }
  // The record key on the compacted topic: "type|issuer|method|gateway".
  [[nodiscard]] std::string key() const { return type + "|" + to_string(scope); }
};

// Which arm a customer falls into under an action, and with what probability: by a hash of the
// action and the user, so that every router and the simulator agree without talking.
//   u = share_of(action_id, user_id) in [0, 1)
//   u >= strength                          none    (not selected)
//   u <  strength × holdout                holdout
//   otherwise                              treated
[[nodiscard]] double share_of(std::string_view action_id, std::string_view user_id);

}  // namespace payops
