#include "payops/decision/nrv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace payops::decision {
namespace {

double share(double p) { return std::clamp(p, 0.0, 1.0); }

// Survival of a log-normal duration with the configured mean and standard deviation.
class FaultLength {
 public:
  explicit FaultLength(const Economics& e) {
    const double variance = std::log1p(std::pow(e.fault_sd_s / e.fault_mean_s, 2));
    sigma_ = std::sqrt(variance);
    mu_ = std::log(e.fault_mean_s) - variance / 2.0;
  }
  [[nodiscard]] double survival(double t_s) const {
    if (t_s <= 0.0) return 1.0;
    return 0.5 * std::erfc((std::log(t_s) - mu_) / (sigma_ * std::numbers::sqrt2));
  }

 private:
  double mu_ = 0.0;
  double sigma_ = 1.0;
};

// What a treated payment of one path gains, and its money terms.
struct PerPayment {
  double margin = 0.0;
  double fees = 0.0;
  double retry_fees = 0.0;
  double latency = 0.0;
  [[nodiscard]] double net() const { return margin - fees - retry_fees - latency; }
};

double fees(const Outlook& o, double conversion, double amount_minor, const Economics& e) {
  const GatewayTerms& t = e.terms(o.gateway);
  return o.first_attempts * t.attempt_fee_minor + conversion * amount_minor * t.fee_bps * 1e-4;
}

double retry_fees(const Outlook& o, const Economics& e) {
  return o.retries * (e.terms(o.gateway).attempt_fee_minor + e.retry_fee_minor);
}

PerPayment per_payment(const Outlook& nothing, const Outlook& action, double conversion,
                       double amount_minor, const Economics& e) {
  return {.margin = (conversion - nothing.conversion) * amount_minor * e.margin_share,
          .fees = fees(action, conversion, amount_minor, e) -
                  fees(nothing, nothing.conversion, amount_minor, e),
          .retry_fees = retry_fees(action, e) - retry_fees(nothing, e),
          .latency = (action.wait_s - nothing.wait_s) * e.latency_minor_per_s};
}

double learnt_conversion(const PathChange& c, double factor) {
  return share(c.nothing.conversion + factor * (c.action.conversion - c.nothing.conversion));
}

// Variance of one path's result from what is not common to all: measured rates and luck.
double path_variance(const PathChange& c, double payments, const EffectPosterior& factor,
                     const Economics& e) {
  const double bps = e.terms(c.action.gateway).fee_bps * 1e-4;
  const double worth = c.amount_minor * (e.margin_share - bps);
  const double p = learnt_conversion(c, factor.mean), q = share(c.nothing.conversion);
  const double rates = std::pow(factor.mean, 2) * (std::pow(c.action.conversion_sigma, 2) +
                                                   std::pow(c.nothing.conversion_sigma, 2));
  // A customer whom the intervention does not change fares alike in both worlds: the outcomes of
  // |p − q| of the payments differ, no more.
  const double luck = std::abs(p - q);
  return std::pow(payments * worth, 2) * rates +
         payments * worth * worth * (1.0 + e.amount_cv * e.amount_cv) * luck;
}

// The learnt factor where it works at all: a normal times an indicator of probability `belief`.
EffectPosterior believed(const Stakes& stakes) {
  EffectPosterior f = stakes.factor;
  const double b = share(stakes.belief);
  f.sigma = std::sqrt(b * f.sigma * f.sigma + b * (1.0 - b) * f.mean * f.mean);
  f.mean *= b;
  return f;
}

double flow(const Stakes& stakes, const PathChange& c) {
  return c.payments_per_s * stakes.strength * (1.0 - stakes.holdout);
}

}  // namespace

Overlap overlap(const Economics& economics, double age_s, double duration_s, double replaced_s,
                double replaced_share, const Takeover& takeover) {
  const FaultLength fault(economics);
  const double notice_s = economics.recovery_notice_s;
  const double alive = fault.survival(age_s);
  Overlap sum;
  double during2 = 0.0;
  // A fault that lasts `left_s` more, and an intervention that ends by itself at `end_s`.
  const auto add = [&](double probability, double left_s, double end_s) {
    const double until_s = std::clamp(replaced_s, 0.0, end_s);
    const auto during = [&](double end) { return std::min(left_s, end); };
    const auto after = [&](double end) { return std::min(left_s + notice_s, end) - during(end); };
    const double d = during(end_s) - replaced_share * during(until_s);
    const double a = after(end_s) - replaced_share * after(until_s);
    sum.mean_s += probability * d;
    sum.after_s += probability * a;
    during2 += probability * d * d;
  };
  const auto add_either = [&](double probability, double left_s) {
    const bool may = takeover.chance > 0.0 && takeover.after_s < std::min(left_s, duration_s);
    const double taken = may ? takeover.chance : 0.0;
    if (taken > 0.0) add(probability * taken, left_s, takeover.after_s);
    if (taken < 1.0) add(probability * (1.0 - taken), left_s, duration_s);
  };
  // Beyond all experience a fault goes on.
  double lasting = alive < 1e-12 ? 0.0 : 1.0;
  constexpr int kCells = 64;
  const double h = duration_s / kCells;
  for (int i = 0; i < kCells && lasting > 0.0; ++i) {
    const double still = fault.survival(age_s + h * (i + 1)) / alive;
    add_either(lasting - still, h * (i + 0.5));
    lasting = still;
  }
  add_either(alive < 1e-12 ? 1.0 : lasting, std::numeric_limits<double>::infinity());
  sum.sigma_s = std::sqrt(std::max(0.0, during2 - sum.mean_s * sum.mean_s));
  return sum;
}

Nrv value(const Stakes& stakes, const Economics& e) {
  const Overlap span = overlap(e, stakes.fault_age_s, stakes.duration_s, stakes.replaced_s,
                               stakes.replaced_share, stakes.takeover);
  double margin = 0.0, fee = 0.0, retry = 0.0, latency = 0.0, friction = 0.0;
  double variance = 0.0, per_second = 0.0, per_factor = 0.0, common = 0.0;
  const EffectPosterior factor = believed(stakes);
  for (const PathChange& c : stakes.changes) {
    const double rate = flow(stakes, c);
    const double conversion = learnt_conversion(c, factor.mean);
    const PerPayment during = per_payment(c.nothing, c.action, conversion, c.amount_minor, e);
    const PerPayment after = per_payment(c.nothing_after, c.action_after,
                                         share(c.action_after.conversion), c.amount_minor, e);
    const double n = rate * span.mean_s, n_after = rate * span.after_s;
    margin += n * during.margin + n_after * after.margin;
    fee += n * during.fees + n_after * after.fees;
    retry += n * during.retry_fees + n_after * after.retry_fees;
    latency += n * during.latency + n_after * after.latency;
    friction += (n + n_after) * c.asked * e.friction_minor;
    per_second += rate * (during.net() - c.asked * e.friction_minor);
    const double bps = e.terms(c.action.gateway).fee_bps * 1e-4;
    const double worth = n * c.amount_minor * (e.margin_share - bps);
    per_factor += worth * (c.action.conversion - c.nothing.conversion);
    common += worth * c.common_sigma * factor.mean;
    variance += path_variance(c, n, factor, e);
  }
  variance += std::pow(per_factor * factor.sigma, 2) + common * common +
              std::pow(per_second * span.sigma_s, 2);
  Nrv nrv;
  nrv.horizon_s = stakes.duration_s;
  nrv.items = {{"conversion", margin},
               {"fees", 0.0 - fee},
               {"retry_fees", 0.0 - retry},
               {"latency", 0.0 - latency},
               {"execution", 0.0 - e.execution(stakes.type)},
               {"friction", 0.0 - friction}};
  for (const NrvItem& item : nrv.items) nrv.total.mean += item.amount_minor;
  nrv.total.sigma = std::sqrt(std::max(0.0, variance));
  return nrv;
}

double model_effect_of(const Stakes& stakes) {
  double total = 0.0, weight = 0.0;
  for (const PathChange& c : stakes.changes) {
    total += c.payments_per_s * (c.action.conversion - c.nothing.conversion);
    weight += c.payments_per_s;
  }
  return weight > 0.0 ? total / weight : 0.0;
}

Estimate effect_of(const Stakes& stakes) {
  double weight = 0.0, mean = 0.0, rates = 0.0, common = 0.0;
  const EffectPosterior factor = believed(stakes);
  for (const PathChange& c : stakes.changes) weight += c.payments_per_s;
  if (weight <= 0.0) return {};
  for (const PathChange& c : stakes.changes) {
    const double w = c.payments_per_s / weight;
    mean += w * (learnt_conversion(c, factor.mean) - c.nothing.conversion);
    rates +=
        w * w * (std::pow(c.action.conversion_sigma, 2) + std::pow(c.nothing.conversion_sigma, 2));
    common += w * c.common_sigma * factor.mean;
  }
  const double spread = model_effect_of(stakes) * factor.sigma;
  return {mean, std::sqrt(std::pow(factor.mean, 2) * rates + spread * spread + common * common)};
}

double treated_per_s(const Stakes& stakes) {
  double total = 0.0;
  for (const PathChange& c : stakes.changes) total += flow(stakes, c);
  return total;
}

double retry_propensity(const PathStats& path) {
  const double retries_per_attempt = 1.0 - 1.0 / std::max(1.0, path.attempts_per_payment);
  return std::clamp(retries_per_attempt / std::max(0.02, 1.0 - path.success_rate), 0.0, 0.95);
}

Outlook outlook(const PathStats& path, double success, double success_sigma, double retry,
                int max_attempts) {
  const auto attempts = [&](double s) {
    const double q = (1.0 - share(s)) * retry;
    return (1.0 - std::pow(q, max_attempts)) / (1.0 - q);  // q <= 0.95
  };
  const auto conversion = [&](double s) { return share(s) * attempts(s); };
  const double s = share(success);
  const double low = share(s - 1e-4), high = share(s + 1e-4);
  const double slope = (conversion(high) - conversion(low)) / (high - low);
  return {.gateway = path.path.gateway,
          .conversion = share(conversion(s)),
          .conversion_sigma = std::abs(slope) * success_sigma,
          .first_attempts = 1.0,
          .retries = attempts(s) - 1.0,
          .wait_s = attempts(s) * path.latency_p95_ms / 1000.0};
}

}  // namespace payops::decision
