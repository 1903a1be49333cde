// The two rules that payops is compared with. Each sees attempts as a router does, at once and
// without delay, and answers once a second with the actions it wants in force. Private to the
// module.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "payops/model/intervention.h"
#include "payops/simulators/attempt_event.h"
#include "payops/simulators/scenario.h"

namespace payops::evaluation {

class Router {
 public:
  virtual ~Router() = default;
  virtual void observe(const simulators::SimulatedAttempt& attempt) = 0;
  // What changes now, to be applied in this order.
  [[nodiscard]] virtual std::vector<Action> decide(int64_t now_ms) = 0;
  // Does an act of this router say that something is wrong?
  [[nodiscard]] virtual bool alarms() const = 0;
};

// z >= 2 over the last 50 first attempts of an issuer, a gateway or a path, against the long-run
// rate of what came before them. A gateway or path in trouble is rerouted to the gateway with the
// best window; an issuer in trouble is suppressed. 95 % of the traffic, for five minutes, again
// while z stays there.
[[nodiscard]] std::unique_ptr<Router> zscore_rule(const simulators::Scenario& scenario);

// Success rate of the last 125 outcomes per path, times an elimination score that every failure
// multiplies by 0.95 and every success lifts again as much, up to 1; payments of an issuer and
// method go to the gateway whose product is largest, but for 5 % of hedging. After the published
// behaviour of juspay/decision-engine.
[[nodiscard]] std::unique_ptr<Router> success_rate_router(const simulators::Scenario& scenario);

}  // namespace payops::evaluation
