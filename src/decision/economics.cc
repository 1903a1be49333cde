#include "payops/decision/economics.h"

#include <algorithm>
#include <cmath>

namespace payops::decision {
namespace {

Status within(std::string_view key, double value, double low, double high) {
  if (value >= low && value <= high) return {};  // false for NaN
  return fail(ErrorCode::config, "\"" + std::string(key) + "\" is out of range");
}

constexpr double kLarge = 1e15;

Status check_terms(const std::string& key, const GatewayTerms& terms) {
  for (const double amount : {terms.attempt_fee_minor, terms.fee_bps, terms.amount_min_minor,
                              terms.amount_max_minor, terms.max_payments_per_s}) {
    if (const Status s = within(key, amount, 0.0, kLarge); !s) return s;
  }
  if (terms.amount_max_minor > 0.0 && terms.amount_max_minor < terms.amount_min_minor) {
    return fail(ErrorCode::config, "\"" + key + "\": amount_max_minor is below amount_min_minor");
  }
  return within(key + ".portable_share", terms.portable_share, 0.0, 1.0);
}

Status check_ramp(const std::vector<RampStep>& ramp, double first_max) {
  if (ramp.empty()) return fail(ErrorCode::config, "\"ramp\" needs at least one step");
  double last = 0.0;
  for (const RampStep& step : ramp) {
    if (!(step.strength > last && step.strength <= 1.0)) {
      return fail(ErrorCode::config, "\"ramp\": strengths must rise within (0, 1]");
    }
    if (!(step.holdout >= 0.0 && step.holdout < 1.0)) {
      return fail(ErrorCode::config, "\"ramp\": a holdout must be in [0, 1)");
    }
    last = step.strength;
  }
  if (!(first_max >= ramp.front().strength)) {
    return fail(ErrorCode::config, "\"ramp_first_max\" is below the ramp's first step");
  }
  return {};
}

}  // namespace

Status Economics::validate() const {
  struct Bound {
    std::string_view key;
    double value, low, high;
  };
  const Bound bounds[] = {
      {"margin_share", margin_share, 0.0, 1.0},
      {"amount_cv", amount_cv, 0.0, 100.0},
      {"retry_fee_minor", retry_fee_minor, 0.0, kLarge},
      {"friction_minor", friction_minor, 0.0, kLarge},
      {"latency_minor_per_s", latency_minor_per_s, 0.0, kLarge},
      {"execution_minor", execution_minor, 0.0, kLarge},
      {"switch_acceptance", switch_acceptance, 0.0, 1.0},
      {"switch_acceptance_sd", switch_acceptance_sd, 0.0, 1.0},
      {"switch_alone", switch_alone, 0.0, 1.0},
      {"retry_abandon_per_s", retry_abandon_per_s, 0.0, 1.0},
      {"storm_relief", storm_relief, 0.0, 1.0},
      {"storm_feedback", storm_feedback, 0.0, kLarge},
      {"value_error", value_error, 0.0, 1.0},
      {"ops_repair_share", ops_repair_share, 0.0, 1.0},
      {"horizon_s", horizon_s, 1.0, 7.0 * 86'400.0},
      {"fault_mean_s", fault_mean_s, 1.0, kLarge},
      {"fault_sd_s", fault_sd_s, 0.1 * fault_mean_s, 100.0 * fault_mean_s},
      {"recovery_notice_s", recovery_notice_s, 0.0, kLarge},
      {"headroom_multiple", headroom_multiple, 0.0, 1000.0},
      {"posterior_min", posterior_min, 0.0, 1.0},
      {"attempts_min", attempts_min, 0.0, kLarge},
      {"warming_max", warming_max, 0.0, 1.0},
      {"healthy_share", healthy_share, 0.0, 1.0},
      {"outage_share", outage_share, 0.0, healthy_share},
      {"ramp_memory_s", ramp_memory_s, 0.0, kLarge},
      {"renew_share", renew_share, 0.0, 1.0},
  };
  for (const Bound& b : bounds) {
    if (const Status s = within(b.key, b.value, b.low, b.high); !s) return s;
  }
  for (const auto& [type, cost] : execution_minor_by_type) {
    if (const Status s = within("execution_minor_by_type." + type, cost, 0.0, kLarge); !s) return s;
  }
  if (const Status s = check_terms("default_gateway", default_gateway); !s) return s;
  for (const auto& [name, gateway] : gateways) {
    if (const Status s = check_terms("gateways." + name, gateway); !s) return s;
  }
  return check_ramp(ramp, ramp_first_max);
}

const GatewayTerms& Economics::terms(std::string_view gateway) const {
  const auto it = gateways.find(std::string(gateway));
  return it == gateways.end() ? default_gateway : it->second;
}

double Economics::execution(std::string_view type) const {
  const auto it = execution_minor_by_type.find(std::string(type));
  return it == execution_minor_by_type.end() ? execution_minor : it->second;
}

bool Economics::supports(std::string_view method, std::string_view gateway) const {
  const auto it = method_gateways.find(std::string(method));
  return it == method_gateways.end() ||
         std::find(it->second.begin(), it->second.end(), gateway) != it->second.end();
}

bool Economics::share_upstream(std::string_view a, std::string_view b) const {
  if (a == b) return true;
  const auto of_a = upstreams.find(std::string(a)), of_b = upstreams.find(std::string(b));
  if (of_a == upstreams.end() || of_b == upstreams.end()) return false;
  return std::any_of(of_a->second.begin(), of_a->second.end(), [&](const std::string& upstream) {
    return std::find(of_b->second.begin(), of_b->second.end(), upstream) != of_b->second.end();
  });
}

double Economics::acceptable_share(std::string_view gateway, double amount_mean_minor) const {
  const GatewayTerms& t = terms(gateway);
  if (!t.currencies.empty() && std::find(t.currencies.begin(), t.currencies.end(),
                                         reporting_currency) == t.currencies.end()) {
    return 0.0;
  }
  if (amount_mean_minor <= 0.0) return t.portable_share;
  const double above_min = std::exp(-t.amount_min_minor / amount_mean_minor);
  const double above_max =
      t.amount_max_minor > 0.0 ? std::exp(-t.amount_max_minor / amount_mean_minor) : 0.0;
  return t.portable_share * (above_min - above_max);
}

}  // namespace payops::decision
