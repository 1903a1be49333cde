#include "payops/simulators/latent.h"

#include <algorithm>
#include <cmath>

#include "payops/core/check.h"
#include "payops/core/codec.h"

namespace payops::simulators {
namespace {

constexpr uint64_t kDrawDrift = 2;
constexpr double kSuccessLow = 0.02, kSuccessHigh = 0.998;
constexpr double kRetryHigh = 0.98;
constexpr double kStormRetry = 0.97;  // propensity in a full retry storm
constexpr double kStormLoss = 0.5;    // the stumble that sets a full one off
constexpr double kFatigueGivesUp = 0.3;

// A merchant's own mistake comes back as an error of whatever gateway it is made to.
DeclineClass culprit(const Fault& fault) {
  if (fault.stage == AttemptStage::authenticated) return DeclineClass::authentication;
  if (fault.merchant != "*" || fault.upstream != "*") return DeclineClass::gateway;
  if (fault.region != "*") return DeclineClass::network;
  const Scope& scope = fault.scope;
  if (scope.issuer != "*") return DeclineClass::issuer_technical;
  return scope.gateway != "*" ? DeclineClass::gateway : DeclineClass::network;
}

bool bends_arrivals(FaultKind kind) {
  return kind == FaultKind::traffic_mix || kind == FaultKind::fraud_burst ||
         kind == FaultKind::volume_drop;
}

bool stands_on(const Scenario& scenario, const std::string& gateway, const std::string& upstream) {
  if (upstream == "*") return true;
  return std::any_of(
      scenario.upstreams.begin(), scenario.upstreams.end(), [&](const UpstreamSpec& u) {
        return u.name == upstream &&
               std::find(u.gateways.begin(), u.gateways.end(), gateway) != u.gateways.end();
      });
}

// Of all payments: popularity is a uniform draw, squared.
double share_of_merchant(uint32_t merchant, uint32_t merchants) {
  const double n = merchants;
  return std::sqrt((merchant + 1) / n) - std::sqrt(merchant / n);
}

}  // namespace

OrnsteinUhlenbeck::OrnsteinUhlenbeck(double mean, double theta, double sigma, double step)
    : mean_(mean),
      decay_(std::exp(-theta * step)),
      noise_(sigma * std::sqrt(-std::expm1(-2.0 * theta * step) / (2.0 * theta))),
      stationary_sigma_(sigma / std::sqrt(2.0 * theta)) {
  PAYOPS_CHECK(theta > 0.0 && sigma >= 0.0 && step > 0.0);
}

double PathHealth::success_now() const {
  double probability = success;
  for (uint32_t i = 0; i < loss_count; ++i)
    probability *= 1.0 - losses[i].share * losses[i].probability;
  return probability;
}

bool in_scope(const Scope& scope, std::string_view issuer, std::string_view method,
              std::string_view gateway) {
  return (scope.issuer == "*" || scope.issuer == issuer) &&
         (scope.method == "*" || scope.method == method) &&
         (scope.gateway == "*" || scope.gateway == gateway);
}

Latent::Latent(const Scenario& scenario, uint64_t seed)
    : scenario_(scenario),
      random_(seed),
      methods_(scenario.methods.size()),
      gateways_(scenario.gateways.size()),
      levels_(scenario.faults.size(), 0.0) {
  for (const IssuerSpec& issuer : scenario.issuers) {
    for (const MethodSpec& method : scenario.methods) {
      for (const GatewaySpec& gateway : scenario.gateways) {
        Drift drift = scenario.drift;
        double median = method.latency_ms * gateway.latency_factor;
        for (const PathSpec& spec : scenario.paths) {
          if (!in_scope(spec.scope, issuer.name, method.name, gateway.name)) continue;
          drift.theta = spec.theta.value_or(drift.theta);
          drift.sigma = spec.sigma.value_or(drift.sigma);
          drift.mean_success = spec.mean_success.value_or(drift.mean_success);
          median *= spec.latency_factor;
        }
        const double step = 1.0 / drift.time_unit_s;
        const double retry = scenario.retry.propensity;
        paths_.push_back({{drift.mean_success, drift.theta, drift.sigma, step},
                          {0.0, drift.theta, drift.latency_sigma, step},
                          {retry, drift.theta, drift.retry_sigma, step},
                          drift.mean_success,
                          0.0,
                          retry,
                          median});
      }
    }
  }
  health_.resize(paths_.size());
  faults_of_path_.resize(paths_.size());
  for (std::size_t i = 0; i < scenario_.faults.size(); ++i) assign_fault(i);
  step(0);
}

void Latent::assign_fault(std::size_t fault) {
  const Fault& f = scenario_.faults[fault];
  if (bends_arrivals(f.kind)) return;
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const Scope path = scope(i);
    if (in_scope(f.scope, path.issuer, path.method, path.gateway) &&
        stands_on(scenario_, path.gateway, f.upstream)) {
      faults_of_path_[i].push_back(fault);
    }
  }
}

void Latent::add_fault(const Fault& fault) {
  scenario_.faults.push_back(fault);
  levels_.push_back(0.0);
  assign_fault(scenario_.faults.size() - 1);
}

void Latent::step(int64_t second) {
  if (second <= second_) return;
  PAYOPS_CHECK(second == second_ + 1);
  second_ = second;
  arrival_.clear();
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    levels_[i] = level_at(scenario_.faults[i], static_cast<double>(second));
    if (levels_[i] > 0.0 && bends_arrivals(scenario_.faults[i].kind)) {
      arrival_.push_back({scenario_.faults[i].kind, i, levels_[i]});
    }
  }
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    Path& path = paths_[i];
    if (second > 0) {
      RandomStream draw = random_.at(kDrawDrift, i, static_cast<uint64_t>(second));
      path.x_success = path.success.next(path.x_success, draw.normal());
      path.x_latency = path.latency.next(path.x_latency, draw.normal());
      path.x_retry = path.retry.next(path.x_retry, draw.normal());
    }
    PathHealth health;
    health.success = std::clamp(path.x_success, kSuccessLow, kSuccessHigh);
    health.expected_base = path.success.mean();
    health.latency_ms = path.median_latency_ms * std::exp(path.x_latency);
    health.retry = std::clamp(path.x_retry, 0.0, kRetryHigh);
    for (const std::size_t fault : faults_of_path_[i]) {
      if (levels_[fault] > 0.0) apply_fault(scenario_.faults[fault], levels_[fault], health);
    }
    health_[i] = health;
  }
}

double Latent::level_at(const Fault& fault, double second) const {
  const double t = second - fault.start_s;
  if (t < 0.0 || t >= fault.duration_s) return 0.0;
  switch (fault.kind) {
    case FaultKind::slow_ramp:
    case FaultKind::method_fatigue: {
      const double ramp = fault.ramp_s > 0.0 ? fault.ramp_s : fault.duration_s;
      return fault.severity * std::min(1.0, (t + 1.0) / ramp);
    }
    case FaultKind::flapping:
      return std::fmod(t, fault.period_s) < fault.period_s / 2 ? fault.severity : 0.0;
    case FaultKind::latency_spike:
    case FaultKind::data_delay:
      return 1.0;  // these have a size of their own
    default:
      return fault.severity;
  }
}

void Latent::add_loss(const Fault& fault, DeclineClass cause, double probability,
                      double timeout_share, PathHealth& health) const {
  if (health.loss_count == kMaxLosses) return;
  FaultLoss& loss = health.losses[health.loss_count++];
  loss = {.cause = cause,
          .probability = std::clamp(probability, 0.0, 1.0),
          .timeout_share = timeout_share,
          .stage = fault.stage};
  const auto region = std::find(kRegions.begin(), kRegions.end(), fault.region);
  if (region != kRegions.end()) {
    loss.region = static_cast<uint8_t>(region - kRegions.begin());
    loss.share /= static_cast<double>(kRegions.size());
  }
  loss.merchant = merchant_of(fault.merchant, scenario_.merchants);
  if (loss.merchant) loss.share *= share_of_merchant(*loss.merchant, scenario_.merchants);
}

void Latent::apply_fault(const Fault& fault, double level, PathHealth& health) const {
  switch (fault.kind) {
    case FaultKind::outage:
      return add_loss(fault, culprit(fault), level, 0.3, health);
    case FaultKind::slow_ramp:
      return add_loss(fault, culprit(fault), level, 0.1, health);
    case FaultKind::flapping:
      return add_loss(fault, culprit(fault), level, 0.2, health);
    case FaultKind::gateway_failure:
      return add_loss(
          fault,
          fault.stage == AttemptStage::authenticated ? culprit(fault) : DeclineClass::gateway,
          level, 0.2, health);
    case FaultKind::method_fatigue:
      health.retry *= 1.0 - kFatigueGivesUp * level;
      return add_loss(fault, DeclineClass::network, level, 0.15, health);
    case FaultKind::insufficient_funds:
      return add_loss(fault, DeclineClass::customer, level, 0.0, health);
    case FaultKind::retry_storm:
      health.storm = std::max(health.storm, level);
      health.retry += std::max(0.0, kStormRetry - health.retry) * level;
      return add_loss(fault, culprit(fault), kStormLoss * level, 0.0, health);
    case FaultKind::latency_spike:
      health.latency_ms *= fault.factor;
      return;
    case FaultKind::data_delay:
      health.publish_delay_ms =
          std::max(health.publish_delay_ms, static_cast<int64_t>(fault.delay_s * 1000.0));
      return;
    case FaultKind::traffic_mix:
    case FaultKind::fraud_burst:
    case FaultKind::volume_drop:
      return;
  }
}

Scope Latent::scope(std::size_t path) const {
  return {scenario_.issuers[path / gateways_ / methods_].name,
          scenario_.methods[path / gateways_ % methods_].name,
          scenario_.gateways[path % gateways_].name};
}

std::string Latent::bytes() const {
  std::string bytes;
  Encoder out(bytes);
  out.put(second_);
  out.put(levels_);
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    out.put(paths_[i].x_success);
    out.put(paths_[i].x_latency);
    out.put(paths_[i].x_retry);
    out.put(health_[i].success_now());
    out.put(health_[i].latency_ms);
    out.put(health_[i].retry);
    out.put(health_[i].publish_delay_ms);
  }
  return bytes;
}

}  // namespace payops::simulators
