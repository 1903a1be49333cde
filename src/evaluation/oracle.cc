#include "oracle.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "payops/core/digest.h"
#include "payops/core/text.h"

namespace payops::evaluation {
namespace {

using simulators::Fault;
using simulators::FaultKind;

// A path this far below its own mean is in trouble, scripted or not.
constexpr double kDriftedShare = 0.85;
constexpr double kNoticeS = 8.0;  // a cycle: how long an action outlives its fault

// A method not held loses so many times more customers than one held (simulators/world_routes.cc).
constexpr double kNewMethodFriction = 4.0;

struct Seen {
  Cause cause;
  Pattern pattern;
};

Seen place(const Scope& scope) {
  if (scope.issuer != "*") return {Cause::issuer_down, Pattern::issuer_outage};
  if (scope.gateway != "*") return {Cause::gateway_down, Pattern::gateway_failure};
  if (scope.method != "*") return {Cause::method_wide, Pattern::method_fatigue};
  return {Cause::network, Pattern::network_failure};
}

// What acting could answer; nothing for a fault that harms no payment an action could help.
std::optional<Seen> seen(const Fault& fault) {
  // No action can be for one region or merchant, and none helps at authentication.
  if (fault.region != "*" || fault.merchant != "*" || fault.stage != AttemptStage::authorised) {
    return std::nullopt;
  }
  if (fault.upstream != "*") return Seen{Cause::upstream_down, Pattern::upstream_failure};
  switch (fault.kind) {
    case FaultKind::outage:
    case FaultKind::slow_ramp:
    case FaultKind::flapping:
      return place(fault.scope);
    case FaultKind::gateway_failure:
      return Seen{Cause::gateway_down, Pattern::gateway_failure};
    case FaultKind::method_fatigue:
      return Seen{Cause::method_wide, Pattern::method_fatigue};
    case FaultKind::retry_storm:
      return Seen{Cause::retry_storm, Pattern::retry_storm};
    case FaultKind::latency_spike:
      return Seen{Cause::latency, Pattern::latency_spike};
    default:
      return std::nullopt;
  }
}

template <class Specs>
std::size_t index_in(const Specs& specs, const std::string& name) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].name == name) return i;
  }
  return specs.size();
}

}  // namespace

TrueState::TrueState(const simulators::Scenario& scenario, uint64_t seed, int64_t start_ms)
    : scenario_(scenario),
      start_ms_(start_ms),
      latent_(scenario, seed),
      population_(scenario, seed) {}

void TrueState::move_to(int64_t ts_ms) {
  const int64_t second = (ts_ms - start_ms_) / 1000;
  while (second_ < second) latent_.step(++second_);
}

std::vector<TrueState::Trouble> TrueState::troubles() const {
  std::vector<Trouble> found;
  const auto now_s = static_cast<double>(second_);
  for (std::size_t i = 0; i < scenario_.faults.size(); ++i) {
    const Fault& fault = scenario_.faults[i];
    const auto what = seen(fault);
    if (!what || latent_.level(i) <= 0.0) continue;
    double began_s = fault.start_s, ends_s = fault.start_s + fault.duration_s;
    if (fault.kind == FaultKind::flapping) {
      began_s = now_s - std::fmod(now_s - fault.start_s, fault.period_s);
      ends_s = std::min(ends_s, began_s + fault.period_s / 2);
    }
    found.push_back({fault.scope, what->cause, what->pattern, began_s, ends_s});
  }
  for (std::size_t i = 0; i < latent_.size(); ++i) {
    const simulators::PathHealth& health = latent_[i];
    if (health.success >= kDriftedShare * health.expected_base) continue;
    // An Ornstein-Uhlenbeck process forgets at the rate theta.
    const double memory_s = scenario_.drift.time_unit_s / scenario_.drift.theta;
    found.push_back(
        {latent_.scope(i), Cause::gateway_down, Pattern::gateway_failure, now_s, now_s + memory_s});
  }
  return found;
}

bool TrueState::rises(int64_t second) {
  move_to(second * 1000);
  std::vector<Scope> now;
  for (const Trouble& trouble : troubles()) now.push_back(trouble.scope);
  const bool rose = std::any_of(now.begin(), now.end(), [&](const Scope& scope) {
    return std::find(known_.begin(), known_.end(), scope) == known_.end();
  });
  known_ = std::move(now);
  return rose;
}

// Share of a scope's payments whose customer can, and will, pay by other means.
double TrueState::acceptance(const Scope& scope) const {
  constexpr std::size_t kLooked = 4000;
  double able = 0.0, all = 0.0;
  const auto inside = [&](const simulators::Instrument& held) {
    return simulators::in_scope(scope, scenario_.issuers[held.issuer].name,
                                scenario_.methods[held.method].name, scope.gateway);
  };
  for (std::size_t c = 0; c < std::min(kLooked, population_.honest()); ++c) {
    const simulators::Customer& customer = population_[c];
    if (!inside(customer.instruments[0])) continue;
    all += 1.0;
    for (uint8_t i = 1; i < customer.instrument_count; ++i) {
      if (inside(customer.instruments[i])) continue;
      able += 1.0;
      break;
    }
  }
  if (all <= 0.0) return 0.0;
  // Kept off a method only, the others are offered another method of their bank.
  const double offered =
      scope.method == "*" ? 0.0
                          : std::max(0.0, 1.0 - kNewMethodFriction * scenario_.steering.friction);
  able /= all;
  return able * (1.0 - scenario_.steering.friction) + (1.0 - able) * offered;
}

std::size_t TrueState::path_index(const Scope& path) const {
  const std::size_t issuer = index_in(scenario_.issuers, path.issuer);
  const std::size_t method = index_in(scenario_.methods, path.method);
  const std::size_t gateway = index_in(scenario_.gateways, path.gateway);
  const bool known = issuer < scenario_.issuers.size() && method < scenario_.methods.size() &&
                     gateway < scenario_.gateways.size();
  return known ? latent_.index(issuer, method, gateway) : latent_.size();
}

void TrueState::reveal(Assessment& assessment, decision::Economics& economics) {
  move_to(assessment.ts_ms);
  assessment.alarms.clear();
  assessment.rose.clear();
  assessment.ended.clear();
  assessment.hypotheses.clear();
  double left_s = 0.0, age_s = 0.0;
  for (const Trouble& trouble : troubles()) {
    const std::string name = std::string(name_of(trouble.cause)) + "|" + to_string(trouble.scope);
    const auto began_ms = start_ms_ + static_cast<int64_t>(trouble.began_s * 1000.0);
    const std::string id = hex64(hash64(name));
    assessment.alarms.push_back({.id = "alm-" + id,
                                 .scope = trouble.scope,
                                 .pattern = trouble.pattern,
                                 .started_ts_ms = began_ms,
                                 .raised_ts_ms = began_ms,
                                 .cause = trouble.cause,
                                 .certainty = 1.0});
    Hypothesis hypothesis;
    hypothesis.id = "hyp-" + id;
    hypothesis.cause = trouble.cause;
    hypothesis.scope = trouble.scope;
    hypothesis.prior = hypothesis.posterior = hypothesis.certainty = 1.0;
    assessment.hypotheses.push_back(std::move(hypothesis));
    const auto now_s = static_cast<double>(second_);
    if (trouble.ends_s - now_s > left_s) {
      left_s = trouble.ends_s - now_s;
      age_s = now_s - trouble.began_s;
      economics.switch_acceptance = acceptance(trouble.scope);
    }
  }
  if (left_s > 0.0) {
    economics.fault_mean_s = std::max(1.0, age_s + left_s);
    economics.fault_sd_s = 0.1 * economics.fault_mean_s;
    economics.recovery_notice_s = kNoticeS;
  }
  for (PathStats& path : assessment.paths) {
    const std::size_t index = path_index(path.path);
    if (index >= latent_.size()) continue;
    const simulators::PathHealth& health = latent_[index];
    const double overload = world_ == nullptr ? 0.0 : world_->overload(path.path);
    path.success_rate = health.success_now() * (1.0 - overload);
    path.success_sigma = 0.0;
    path.baseline_success = health.expected_base;
    const double again = (1.0 - path.success_rate) * health.retry;
    path.attempts_per_payment = 1.0 / std::max(0.05, 1.0 - again);
    path.latency_p95_ms = health.latency_ms * std::exp(1.645 * scenario_.latency.spread);
    path.warming_up = false;
  }
}

}  // namespace payops::evaluation
