#include "terms.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "payops/core/text.h"

namespace payops::safety {

bool is_advisory(std::string_view type) {
  return type == action_type::kNoAction || type == action_type::kAlertOps;
}

bool is_retry(std::string_view type) {
  return type == action_type::kAdjustRetry || type == action_type::kReduceRetryAttempts;
}

bool is_diverting(std::string_view type) { return !is_advisory(type) && !is_retry(type); }

RiskClass risk_of(const Option& option) {
  const RiskClass own = is_advisory(option.type) ? RiskClass::none
                        : is_retry(option.type)  ? RiskClass::low
                                                 : RiskClass::medium;
  return std::max(own, option.risk);
}

namespace {
bool admits(const std::string& pattern, const std::string& name) {
  return pattern == "*" || pattern == name;
}
bool meets(const std::string& a, const std::string& b) { return admits(a, b) || b == "*"; }
}  // namespace

bool covers(const Scope& outer, const Scope& inner) {
  return admits(outer.issuer, inner.issuer) && admits(outer.method, inner.method) &&
         admits(outer.gateway, inner.gateway);
}

bool overlaps(const Scope& a, const Scope& b) {
  return meets(a.issuer, b.issuer) && meets(a.method, b.method) && meets(a.gateway, b.gateway);
}

std::string key_of(const Option& option) { return option.type + "|" + to_string(option.scope); }

std::string target_gateway(const std::map<std::string, std::string>& params) {
  const auto it = params.find("to_gateway");
  return it == params.end() ? std::string() : it->second;
}

bool in_force(const Intervention& i, int64_t ts_ms) {
  return (i.state == InterventionState::approved || i.state == InterventionState::active) &&
         i.action.inverse_of.empty() && i.action.expires_ts_ms > ts_ms;
}

bool was_issued(const Intervention& i) {
  return i.action.inverse_of.empty() &&
         (i.state == InterventionState::approved || i.state == InterventionState::active ||
          i.state == InterventionState::ended || i.state == InterventionState::rolled_back);
}

// What was undone because its cause had gone is no failure; what did harm is, however it ended.
bool failed(const Intervention& i) {
  return i.state == InterventionState::rejected || i.outcome.result == OutcomeResult::worse;
}

double normal_below_zero(double mean, double sigma) {
  if (!(sigma > 0.0)) return mean < 0.0 ? 1.0 : mean > 0.0 ? 0.0 : 0.5;
  return 0.5 * std::erfc(mean / sigma * M_SQRT1_2);
}

double poisson_below(double mean, uint64_t n) {
  if (n == 0) return 0.0;
  if (!(mean > 0.0)) return 1.0;
  double term = std::exp(-mean);
  double sum = term;
  for (uint64_t k = 1; k < n && k < 10'000; ++k) {
    term *= mean / static_cast<double>(k);
    sum += term;
  }
  return std::min(1.0, sum);
}

double live_tps(const PathStats& path) {
  return std::isfinite(path.payments_per_s) ? std::max(0.0, path.payments_per_s) : 0.0;
}

double live_value(const PathStats& path) {
  const double value = live_tps(path) * path.amount_minor_mean;
  return std::isfinite(value) ? std::max(0.0, value) : 0.0;
}

double blast_of(const Option& option, const Assessment& assessment) {
  if (is_advisory(option.type)) return 0.0;
  double touched = 0.0, all = 0.0;
  for (const PathStats& path : assessment.paths) {
    const double value = live_value(path);
    all += value;
    if (!covers(option.scope, path.path)) continue;
    const double rate = std::isfinite(path.success_rate) ? path.success_rate : 0.0;
    touched += is_retry(option.type) ? value * std::clamp(1.0 - rate, 0.0, 1.0) : value;
  }
  const double measured = all > 0.0 ? option.strength * touched / all : 0.0;
  return std::max(option.blast_radius, measured);
}

double target_tps(const Option& option, const Assessment& assessment) {
  const std::string gateway = target_gateway(option.params);
  double there = 0.0, beside = 0.0, same_issuer = 0.0;
  for (const PathStats& p : assessment.paths) {
    if (p.path.gateway == gateway) there += live_tps(p);
    if (covers(option.scope, p.path)) continue;
    beside += live_tps(p);
    if (p.path.issuer == option.scope.issuer) same_issuer += live_tps(p);
  }
  if (!gateway.empty()) return there;
  return same_issuer > 0.0 ? same_issuer : beside;
}

double concurrent_blast(const std::vector<Intervention>& ledger, const std::string& key,
                        int64_t ts_ms) {
  double sum = 0.0;
  for (const Intervention& i : ledger) {
    if (!in_force(i, ts_ms) || is_advisory(i.action.type) || i.action.key() == key) continue;
    sum += i.option.blast_radius;
  }
  return sum;
}

double hourly_blast(const std::vector<Intervention>& ledger, const std::string& key,
                    int64_t ts_ms) {
  std::map<std::string, double> largest;
  for (const Intervention& i : ledger) {
    if (!was_issued(i) || is_advisory(i.action.type)) continue;
    if (i.action.issued_ts_ms <= ts_ms - kHourMs && !in_force(i, ts_ms)) continue;
    const std::string other = i.action.key();
    if (other == key) continue;
    double& blast = largest[other];
    blast = std::max(blast, i.option.blast_radius);
  }
  double sum = 0.0;
  for (const auto& [other, blast] : largest) sum += blast;
  return sum;
}

double residual_of_others(const Option& option, const std::vector<Intervention>& ledger,
                          const Evidence& evidence) {
  const std::string key = key_of(option);
  std::vector<const Intervention*> others;
  for (const Intervention& i : ledger) {
    if (!in_force(i, evidence.ts_ms) || !is_diverting(i.action.type)) continue;
    if (i.action.key() != key && overlaps(i.action.scope, option.scope)) others.push_back(&i);
  }
  double smallest = 1.0;
  for (const PathStats& path : evidence.assessment.paths) {
    if (!covers(option.scope, path.path)) continue;
    double left = 1.0;
    for (const Intervention* i : others) {
      if (!covers(i->action.scope, path.path)) continue;
      left *= 1.0 - i->action.strength * (1.0 - i->action.holdout);
    }
    smallest = std::min(smallest, left);
  }
  return smallest;
}

namespace {

bool is_share(double value) { return value >= 0.0 && value <= 1.0; }

bool is_name(const std::string& name) {
  return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '|' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

bool is_estimate(const Estimate& e) {
  return std::isfinite(e.mean) && std::isfinite(e.sigma) && e.sigma >= 0.0;
}

}  // namespace

std::string invalid_because(const Option& option, const Limits& limits) {
  if (!is_name(option.type)) return "its type is not a name";
  const Scope& scope = option.scope;
  if (!is_name(scope.issuer) || !is_name(scope.method) || !is_name(scope.gateway)) {
    return "its scope has a part that is not a name";
  }
  if (!is_share(option.confidence)) return "its confidence is not within [0, 1]";
  if (!is_share(option.blast_radius)) return "its blast radius is not within [0, 1]";
  if (!is_estimate(option.effect)) return "its effect is not a number";
  const Predicted& total = option.nrv.total;
  const Estimate moments{.mean = total.mean, .sigma = total.sigma};
  if (!is_estimate(moments) || !std::isfinite(total.low) || !std::isfinite(total.high)) {
    return "its value is not a number";
  }
  for (const NrvItem& item : option.nrv.items) {
    if (!std::isfinite(item.amount_minor))
      return "its value item \"" + item.name + "\" is not a number";
  }
  if (!is_share(option.strength)) return "its strength is not within [0, 1]";
  if (!(option.holdout >= 0.0 && option.holdout < 1.0)) return "its holdout is not within [0, 1)";
  if (!(option.duration_s >= 0.0 && option.duration_s <= limits.max_duration_s)) {
    return "its duration is not within [0, " + fixed(limits.max_duration_s, 0) + "] s";
  }
  if (is_advisory(option.type)) return "";
  if (option.strength == 0.0) return "its strength is zero";
  if (option.duration_s * 1000.0 < 1.0) return "its duration is zero";
  return "";
}

std::string percent(double share) { return fixed(100.0 * share, share < 0.1 ? 1 : 0) + " %"; }

}  // namespace payops::safety
