// The hidden state of the world: how healthy each path is. It moves by drift and scripted faults
// alone, never by what an agent or a customer does, so its bytes are the same with and without
// interventions.
//
// Every path (issuer × method × gateway) carries three Ornstein-Uhlenbeck processes: success
// probability, logarithm of the latency multiplier, and retry propensity. They start at their
// means and step once a second by the exact discretisation (Gillespie 1996):
//   x' = mean + (x − mean) e^(−θΔ) + σ √((1 − e^(−2θΔ)) / 2θ) N(0, 1)
// The process itself is unbounded; success is clipped to [0.02, 0.998] and propensity to [0, 0.98]
// where they are used.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/random.h"
#include "payops/model/attempt.h"
#include "payops/simulators/scenario.h"

namespace payops::simulators {

class OrnsteinUhlenbeck {
 public:
  // step: Δ in the unit of theta and sigma. REQUIRES: theta > 0, sigma >= 0, step > 0.
  OrnsteinUhlenbeck(double mean, double theta, double sigma, double step);
  // The state after one step from x, given a standard normal draw.
  [[nodiscard]] double next(double x, double normal) const {
    return mean_ + (x - mean_) * decay_ + noise_ * normal;
  }
  [[nodiscard]] double mean() const { return mean_; }
  [[nodiscard]] double stationary_sigma() const { return stationary_sigma_; }

 private:
  double mean_, decay_, noise_, stationary_sigma_;
};

// A failure probability that a fault adds, and whose doing it is.
struct FaultLoss {
  DeclineClass cause = DeclineClass::issuer_technical;
  double probability = 0.0;
  double timeout_share = 0.0;                     // of these failures that end as timeouts
  std::optional<uint8_t> region{};                // whose customers it hits, of kRegions; none: all
  std::optional<uint32_t> merchant{};             // likewise
  AttemptStage stage = AttemptStage::authorised;  // at which they are lost
  double share = 1.0;                             // of the path's payments that it may hit
};
inline constexpr std::size_t kMaxLosses = 6;

// What a path is like during one second: all that an attempt's outcome depends on.
struct PathHealth {
  double success = 0.0;        // without faults, clipped
  double expected_base = 0.0;  // mean of the success process
  double latency_ms = 0.0;     // median, with faults
  double retry = 0.0;          // propensity, with faults
  std::array<FaultLoss, kMaxLosses> losses{};
  uint32_t loss_count = 0;
  double storm = 0.0;  // how far retries are out of hand, 0 to 1
  int64_t publish_delay_ms = 0;
  // Success probability of an attempt now, load aside.
  [[nodiscard]] double success_now() const;
};

// A share of arrivals that a fault bends (traffic_mix, volume_drop) or adds (fraud_burst).
struct ArrivalFault {
  FaultKind kind = FaultKind::traffic_mix;
  std::size_t fault = 0;  // index in the scenario
  double share = 0.0;
};

class Latent {
 public:
  Latent(const Scenario& scenario, uint64_t seed);

  // A fault more, as if the scenario had had it. REQUIRES: it begins at a second not taken yet.
  void add_fault(const Fault& fault);

  // Moves on to second `second` after the world's start; seconds are taken one by one from 0.
  void step(int64_t second);

  [[nodiscard]] std::size_t index(std::size_t issuer, std::size_t method,
                                  std::size_t gateway) const {
    return (issuer * methods_ + method) * gateways_ + gateway;
  }
  [[nodiscard]] std::size_t size() const { return health_.size(); }
  [[nodiscard]] const PathHealth& operator[](std::size_t path) const { return health_[path]; }
  [[nodiscard]] const std::vector<ArrivalFault>& arrival_faults() const { return arrival_; }
  // Severity of fault i now: 0 while it is not on.
  [[nodiscard]] double level(std::size_t fault) const { return levels_[fault]; }
  [[nodiscard]] Scope scope(std::size_t path) const;
  // Every number above, exactly.
  [[nodiscard]] std::string bytes() const;

 private:
  struct Path {
    OrnsteinUhlenbeck success, latency, retry;
    double x_success, x_latency, x_retry;
    double median_latency_ms;
  };
  void assign_fault(std::size_t fault);  // to the paths that it hits
  [[nodiscard]] double level_at(const Fault& fault, double second) const;
  void apply_fault(const Fault& fault, double level, PathHealth& health) const;
  void add_loss(const Fault& fault, DeclineClass cause, double probability, double timeout_share,
                PathHealth& health) const;

  Scenario scenario_;
  Random random_;
  std::size_t methods_, gateways_;
  int64_t second_ = -1;
  std::vector<Path> paths_;
  std::vector<PathHealth> health_;
  std::vector<double> levels_;
  std::vector<std::vector<std::size_t>> faults_of_path_;
  std::vector<ArrivalFault> arrival_;
};

// Whether names fall into a scope.
[[nodiscard]] bool in_scope(const Scope& scope, std::string_view issuer, std::string_view method,
                            std::string_view gateway);

}  // namespace payops::simulators
