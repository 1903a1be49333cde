// The payment world: customers who pay, retry, switch or give up, on paths whose health drifts and
// breaks. It lives in virtual time, reads interventions, and keeps the books.
//
//   World world(*load_scenario("issuer_outage"), seed, start_ms);
//   world.advance(start_ms + 60'000, [&](const SimulatedAttempt& a) { ... to_json(a, buffer) ...
//   }); world.apply(action);          // from now on
//
// All randomness is drawn from counters keyed by (seed, payment, attempt), so two worlds of one
// seed differ only by what their interventions changed: a payment's k-th attempt meets the same
// draw whichever path it takes. One thread per world.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/intervention.h"
#include "payops/simulators/attempt_event.h"
#include "payops/simulators/books.h"
#include "payops/simulators/scenario.h"

namespace payops::simulators {

enum class TruthKind : uint8_t { fault_began, fault_ended, latent };

// A path's true state, faults included, load aside.
struct PathTruth {
  Scope path;
  double success = 0.0;
  double latency_ms = 0.0;  // median
  double retry = 0.0;       // propensity
  static constexpr auto fields() {
    return std::make_tuple(field("path", &PathTruth::path), field("success", &PathTruth::success),
                           field("latency_ms", &PathTruth::latency_ms),
                           field("retry", &PathTruth::retry));
  }
};

// A message on simulator.truth.
struct TruthEvent {
  int64_t ts_ms = 0;
  TruthKind kind = TruthKind::latent;
  uint32_t fault_no = 0;  // from 1, in the scenario's order; 0 with kind latent
  std::string fault;      // its kind
  Scope scope;
  std::string region = "*";
  std::string merchant = "*";
  std::string upstream = "*";
  AttemptStage stage = AttemptStage::authorised;
  double severity = 0.0;
  std::vector<PathTruth> paths;  // with kind latent
  static constexpr auto fields() {
    return std::make_tuple(
        field("ts_ms", &TruthEvent::ts_ms), field("kind", &TruthEvent::kind),
        field("fault_no", &TruthEvent::fault_no), field("fault", &TruthEvent::fault),
        field("scope", &TruthEvent::scope), field("region", &TruthEvent::region),
        field("merchant", &TruthEvent::merchant), field("upstream", &TruthEvent::upstream),
        field("stage", &TruthEvent::stage), field("severity", &TruthEvent::severity),
        field("paths", &TruthEvent::paths));
  }
};

// Truth that nobody takes is dropped from the oldest beyond so many events.
inline constexpr std::size_t kMaxTruthEvents = 4096;

class World {
 public:
  using Sink = std::function<void(const SimulatedAttempt&)>;

  // rate_tps replaces the scenario's. REQUIRES: scenario.validate() succeeds.
  World(const Scenario& scenario, uint64_t seed, int64_t start_ms,
        std::optional<double> rate_tps = std::nullopt);
  ~World();
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;

  // Lives until just before until_ms and hands over every attempt published until then, in order
  // of publication, which is the order of ts_ms unless a data_delay fault holds some back. The
  // scenario's duration is advice: arrivals go on. A time that has passed does nothing.
  void advance(int64_t until_ms, const Sink& sink);

  // An intervention (or, with inverse_of set, the end of one) takes effect from now_ms() on.
  void apply(const Action& action);
  // A tombstone for that key.
  void end(const std::string& key);

  // A fault more, from the next second on for its duration. Errors: config, as
  // Scenario::validate(); limit, when there are 255 already.
  [[nodiscard]] Status inject(Fault fault);
  // Payments a second from the next second on, before the daily rhythm. REQUIRES: above 0.
  void set_rate_tps(double rate_tps);

  [[nodiscard]] int64_t now_ms() const;
  [[nodiscard]] Books books() const;
  // What has become known to the simulator since the last call, oldest first.
  [[nodiscard]] std::vector<TruthEvent> take_truth();
  // The hidden state, exactly; the same with and without interventions.
  [[nodiscard]] std::string latent_bytes() const;
  [[nodiscard]] const Scenario& scenario() const;
  // The failure probability that the present load adds on a path (no "*"); 0 for unknown names.
  [[nodiscard]] double overload(const Scope& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The books of the same world left alone until until_ms: what doing nothing would have earned.
[[nodiscard]] Books books_without_actions(const Scenario& scenario, uint64_t seed, int64_t start_ms,
                                          int64_t until_ms,
                                          std::optional<double> rate_tps = std::nullopt);

}  // namespace payops::simulators

template <>
inline constexpr payops::EnumNames<3> payops::enum_names<payops::simulators::TruthKind>{
    "fault_began", "fault_ended", "latent"};
