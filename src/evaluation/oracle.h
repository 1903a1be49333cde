// Perfect knowledge for an agent that is otherwise unchanged: same cycle, ramp, holdout, probes,
// cooldowns, limits and gate. Private to the module.
#pragma once

#include <cstdint>
#include <vector>

#include "payops/payments_agent/agent.h"
#include "payops/simulators/latent.h"
#include "payops/simulators/population.h"
#include "payops/simulators/scenario.h"
#include "payops/simulators/world.h"

namespace payops::evaluation {

// The world's true state by second, from the same seed as the world itself (the latent state does
// not depend on what anybody does), and its scripted future.
class TrueState {
 public:
  TrueState(const simulators::Scenario& scenario, uint64_t seed, int64_t start_ms);

  // The world itself, for what load adds to it.
  void watch(const simulators::World& world) { world_ = &world; }
  // Did a fault begin that acting could answer? Called once per second, in order.
  [[nodiscard]] bool rises(int64_t second);
  // Puts the truth of the assessment's time into it: live faults as alarms, each with a hypothesis
  // that is certain; paths with their true success and retries, without error. Customers'
  // acceptance of another way and the time the faults still last go into `economics`.
  // Payments a second and amounts stay as measured.
  void reveal(Assessment& assessment, decision::Economics& economics);

 private:
  struct Trouble {
    Scope scope;
    Cause cause = Cause::none_of_these;
    Pattern pattern = Pattern::issuer_degradation;
    double began_s = 0.0;
    double ends_s = 0.0;
  };
  void move_to(int64_t ts_ms);
  [[nodiscard]] std::vector<Trouble> troubles() const;
  [[nodiscard]] double acceptance(const Scope& scope) const;
  [[nodiscard]] std::size_t path_index(const Scope& path) const;

  simulators::Scenario scenario_;
  int64_t start_ms_;
  simulators::Latent latent_;
  simulators::Population population_;
  const simulators::World* world_ = nullptr;
  int64_t second_ = 0;
  std::vector<Scope> known_;  // troubles of the last second
};

}  // namespace payops::evaluation
