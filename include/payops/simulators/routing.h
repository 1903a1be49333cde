// Interventions as a router keeps them: which are in force, whom they cover, and what they do to a
// payment's way. An action is a lease on a key; a lower (epoch, revision) is dropped, an inverse, a
// tombstone or the expiry ends it, and after the end its effect leaves customer by customer, by
// hash, within the scenario's ramp_out_s.
//
// An action covers a payment whose way lies in its scope when the payment is first routed, and the
// payment stays in that arm for its retries: comparisons are by intention to treat.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payops/model/attempt.h"
#include "payops/model/intervention.h"
#include "payops/simulators/scenario.h"

namespace payops::simulators {

// Indices of the scenario's issuers, methods and gateways.
struct Way {
  uint8_t issuer = 0;
  uint8_t method = 0;
  uint8_t gateway = 0;
  bool operator==(const Way&) const = default;
};

// A scope in those indices; absent: any.
struct Ways {
  std::optional<uint8_t> issuer, method, gateway;
  bool unknown = false;  // names something this world does not have: covers nothing
  [[nodiscard]] bool cover(const Way& way) const;
};
[[nodiscard]] Ways resolve(const Scope& scope, const Scenario& scenario);

// In order of precedence: the first action that covers a payment gives its arm.
enum class Effect : uint8_t { suppress, reroute, reduce_retry, adjust_retry, none };

struct AppliedAction {
  Action action;
  uint64_t serial = 0;
  Effect effect = Effect::none;
  Ways ways;
  std::optional<uint8_t> to_gateway;
  uint32_t max_attempts = 1;
  double delay_ms = 0.0;
  int64_t end_ms = 0;
  bool superseded = false;  // a newer revision has taken over its customers

  // A reroute does not cover what already goes to its target.
  [[nodiscard]] bool covers(const Way& way) const;
  [[nodiscard]] Arm arm_of(std::string_view user_id) const;
  [[nodiscard]] double propensity(Arm arm) const;
};

class ActionsInForce {
 public:
  explicit ActionsInForce(const Scenario& scenario);

  void apply(const Action& action, int64_t now_ms);
  void end(const std::string& key, int64_t now_ms);

  // Those that may still have an effect, by precedence and then key.
  [[nodiscard]] const std::vector<const AppliedAction*>& ranked() const { return ranked_; }
  // Whether its effect reaches this customer at now_ms, ramp-out included.
  [[nodiscard]] bool reaches(const AppliedAction& applied, std::string_view user_id,
                             int64_t now_ms) const;
  // nullptr when it ended so long ago that it has been forgotten.
  [[nodiscard]] const AppliedAction* find(uint64_t serial) const;
  // Forgets what has ended; to be called now and then.
  void prune(int64_t now_ms);

 private:
  struct Seen {
    uint64_t epoch = 0, revision = 0;
    std::string action_id;
  };
  [[nodiscard]] AppliedAction interpret(const Action& action) const;
  [[nodiscard]] AppliedAction* active(const std::string& key);
  void rank(int64_t now_ms);

  Scenario scenario_;
  int64_t ramp_out_ms_;
  std::map<std::string, Seen> seen_;        // per key: the newest (epoch, revision)
  std::map<std::string, uint64_t> active_;  // per key: serial of the action in force
  std::deque<AppliedAction> applied_;       // by serial, from first_serial_ on
  uint64_t first_serial_ = 0;
  std::vector<const AppliedAction*> ranked_;
};

}  // namespace payops::simulators
