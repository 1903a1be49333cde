#include "payops/decision/nrv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <utility>

namespace payops::decision {
namespace {

double share(double p) { return std::clamp(p, 0.0, 1.0); }

// Whole powers, by squaring: thousands are asked for in a cycle.
double power(double base, int exponent) {
  double result = 1.0;
  for (int left = exponent; left > 0; left /= 2, base *= base) {
    if (left % 2 != 0) result *= base;
  }
  return result;
}

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

// Variance of one path's result from what is not common to all: of measured rates, for payments
// squared; of luck, for payments.
struct PathVariance {
  double rates = 0.0;
  double luck = 0.0;
};

PathVariance path_variance(const PathChange& c, const EffectPosterior& factor, const Economics& e) {
  const double bps = e.terms(c.action.gateway).fee_bps * 1e-4;
  const double worth = c.amount_minor * (e.margin_share - bps);
  const double p = learnt_conversion(c, factor.mean), q = share(c.nothing.conversion);
  const double rates = std::pow(factor.mean, 2) * (std::pow(c.action.conversion_sigma, 2) +
                                                   std::pow(c.nothing.conversion_sigma, 2));
  // A customer whom the intervention does not change fares alike in both worlds: the outcomes of
  // |p − q| of the payments differ, no more.
  const double luck = std::abs(p - q);
  return {.rates = worth * worth * rates,
          .luck = worth * worth * (1.0 + e.amount_cv * e.amount_cv) * luck};
}

// The learnt factor where it works at all: a normal times an indicator of probability `belief`.
EffectPosterior believed(const Stakes& stakes) {
  EffectPosterior f = stakes.factor;
  const double b = share(stakes.belief);
  f.sigma = std::sqrt(b * f.sigma * f.sigma + b * (1.0 - b) * f.mean * f.mean);
  f.mean *= b;
  return f;
}

// When a step takes over, in parts of all cases and of the time it is expected to take.
constexpr std::pair<double, double> kTakeovers[] = {{0.25, 0.5}, {0.5, 1.0}, {0.25, 2.0}};

double flow(const Stakes& stakes, const PathChange& c) {
  return c.payments_per_s * stakes.strength * (1.0 - stakes.holdout);
}

// How much a storm may be relieved for those who are not treated: all of it at most. It mostly dies
// down or does not, and so by the cube of a number that is evenly distributed.
constexpr double kReliefs[] = {0.001, 0.027, 0.125, 0.343, 0.729};
constexpr double kReliefMean = 0.245;
double most_relief_minor_per_s(const Stakes& stakes, const Economics& e) {
  const double treated = stakes.strength * (1.0 - stakes.holdout);
  const double removed = share(e.storm_feedback * treated);
  return removed * (1.0 - treated) * share(stakes.belief) * stakes.relief.loss_minor_per_s;
}

// One of the ways that it may come.
struct Way {
  double chance = 0.0;
  double mean = 0.0;
  double sigma = 0.0;
};

constexpr double kFar = 4.0;  // standard deviations beyond which next to nothing comes: 3e-5

double chance_below(std::span<const Way> ways, double x) {
  double below = 0.0;
  for (const Way& way : ways) {
    const double z = x - way.mean;
    if (z > kFar * way.sigma) {
      below += way.chance;
    } else if (z > -kFar * way.sigma) {
      below += way.chance * 0.5 * std::erfc(-z / (way.sigma * std::numbers::sqrt2));
    }
  }
  return below;
}

// The `p` quantile of a mixture of normals between `low` and `high`: within a ten-thousandth of
// probability, or of what they lie apart. Regula falsi and halving, in turns.
double quantile(std::span<const Way> ways, double p, double low, double high) {
  const double near = 1e-4 * (high - low);
  double below = -p, above = 1.0 - p;  // what the ends miss of it
  bool halve = false;
  while (high - low > near) {
    const double part = halve ? 0.5 : std::clamp(-below / (above - below), 0.01, 0.99);
    const double x = low + part * (high - low);
    const double missed = chance_below(ways, x) - p;
    if (std::abs(missed) < 1e-4) return x;
    (missed < 0.0 ? low : high) = x;
    (missed < 0.0 ? below : above) = missed;
    halve = !halve;
  }
  return 0.5 * (low + high);
}

// The moments and quantiles of the mixture, but for the mean.
Predicted predicted(std::span<const Way> ways) {
  Predicted total;
  double whole = 0.0, square = 0.0, least = 0.0, most = 0.0;
  for (const Way& way : ways) {
    least =
        whole == 0.0 ? way.mean - kFar * way.sigma : std::min(least, way.mean - kFar * way.sigma);
    most = whole == 0.0 ? way.mean + kFar * way.sigma : std::max(most, way.mean + kFar * way.sigma);
    whole += way.chance;
    total.mean += way.chance * way.mean;
  }
  total.mean /= whole;
  for (const Way& way : ways) {
    square += way.chance * (way.sigma * way.sigma + std::pow(way.mean - total.mean, 2)) / whole;
  }
  total.sigma = std::sqrt(square);
  total.low = quantile(ways, 0.05 * whole, least, most);
  total.high = quantile(ways, 0.95 * whole, least, most);
  return total;
}

}  // namespace

Overlap overlap(const Economics& economics, double age_s, double duration_s, double replaced_s,
                double replaced_share, const Takeover& takeover) {
  const FaultLength fault(economics);
  const double notice_s = economics.recovery_notice_s;
  const double alive = fault.survival(age_s);
  Overlap sum;
  const auto last = static_cast<double>(sum.parts.size() - 1);
  // A fault that lasts `left_s` more, and an intervention that ends by itself at `end_s`.
  const auto add = [&](double probability, double left_s, double end_s) {
    const double until_s = std::clamp(replaced_s, 0.0, end_s);
    const auto during = [&](double end) { return std::min(left_s, end); };
    const auto after = [&](double end) { return std::min(left_s + notice_s, end) - during(end); };
    const double d = during(end_s) - replaced_share * during(until_s);
    const double a = after(end_s) - replaced_share * after(until_s);
    OverlapPart& part =
        sum.parts[static_cast<std::size_t>(std::clamp(d / duration_s * last, 0.0, last))];
    part.chance += probability;
    part.mean_s += probability * d;
    part.sigma_s += probability * d * d;  // the square, until all are in
    part.after_s += probability * a;
  };
  const auto add_either = [&](double probability, double left_s) {
    double never = 1.0;
    for (const auto& [part, times] : kTakeovers) {
      const double taken = takeover.chance * part, after_s = takeover.after_s * times;
      if (taken <= 0.0 || after_s >= std::min(left_s, duration_s)) continue;
      add(probability * taken, left_s, after_s);
      never -= taken;
    }
    if (never > 1e-9) add(probability * never, left_s, duration_s);
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
  double square = 0.0;
  for (OverlapPart& part : sum.parts) {
    sum.mean_s += part.mean_s;
    sum.after_s += part.after_s;
    square += part.sigma_s;
    if (part.chance <= 0.0) continue;
    part.mean_s /= part.chance;
    part.after_s /= part.chance;
    part.sigma_s = std::sqrt(std::max(0.0, part.sigma_s / part.chance - part.mean_s * part.mean_s));
  }
  sum.sigma_s = std::sqrt(std::max(0.0, square - sum.mean_s * sum.mean_s));
  return sum;
}

Nrv value(const Stakes& stakes, const Economics& e) {
  const Overlap span = overlap(e, stakes.fault_age_s, stakes.duration_s, stakes.replaced_s,
                               stakes.replaced_share, stakes.takeover);
  double margin = 0.0, fee = 0.0, retry = 0.0, latency = 0.0, friction = 0.0;
  double during_per_s = 0.0, after_per_s = 0.0, per_factor = 0.0, common = 0.0;
  double rates = 0.0, luck = 0.0;  // variances, for seconds squared and for seconds
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
    during_per_s += rate * (during.net() - c.asked * e.friction_minor);
    after_per_s += rate * (after.net() - c.asked * e.friction_minor);
    const double bps = e.terms(c.action.gateway).fee_bps * 1e-4;
    const double worth = rate * c.amount_minor * (e.margin_share - bps);
    per_factor += worth * (c.action.conversion - c.nothing.conversion);
    common += worth * c.common_sigma * factor.mean;
    const PathVariance variance = path_variance(c, factor, e);
    rates += rate * rate * variance.rates;
    luck += rate * variance.luck;
  }
  rates += std::pow(per_factor * factor.sigma, 2) + common * common +
           std::pow(e.value_error * during_per_s, 2);
  const double relief_per_s = most_relief_minor_per_s(stakes, e);
  margin += kReliefMean * relief_per_s * span.mean_s;
  const double chance = share(stakes.overload.chance);  // in place of the gain, then, comes a loss
  margin -= chance * (margin + stakes.overload.loss_minor);
  const double execution = e.execution(stakes.type);

  std::vector<Way> ways;
  const auto reliefs = std::span(kReliefs).first(relief_per_s > 0.0 ? std::size(kReliefs) : 1);
  ways.reserve(span.parts.size() * reliefs.size() + 1);
  for (const OverlapPart& part : span.parts) {
    if (part.chance <= 0.0) continue;
    for (const double relief : reliefs) {
      const double per_s = during_per_s + relief_per_s * relief;
      ways.push_back({.chance = (1.0 - chance) * part.chance / static_cast<double>(reliefs.size()),
                      .mean = part.mean_s * per_s + part.after_s * after_per_s - execution,
                      .sigma = std::sqrt(part.mean_s * part.mean_s * rates +
                                         std::max(0.0, part.mean_s) * luck +
                                         std::pow(part.sigma_s * per_s, 2))});
    }
  }
  if (chance > 0.0) {
    const double loss = stakes.overload.loss_minor;
    ways.push_back({.chance = chance, .mean = -loss - execution, .sigma = 0.5 * loss});
  }
  Nrv nrv;
  nrv.horizon_s = stakes.duration_s;
  nrv.total = predicted(ways);
  nrv.items = {{"conversion", margin},         {"fees", 0.0 - fee},
               {"retry_fees", 0.0 - retry},    {"latency", 0.0 - latency},
               {"execution", 0.0 - execution}, {"friction", 0.0 - friction}};
  nrv.total.mean = 0.0;
  for (const NrvItem& item : nrv.items) nrv.total.mean += item.amount_minor;
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
    return (1.0 - power(q, max_attempts)) / (1.0 - q);  // q <= 0.95
  };
  const auto conversion = [&](double s) { return share(s) * attempts(s); };
  const double s = share(success), made = attempts(s);
  const double low = share(s - 1e-4), high = share(s + 1e-4);
  const double slope = (conversion(high) - conversion(low)) / (high - low);
  return {.gateway = path.path.gateway,
          .conversion = share(share(s) * made),
          .conversion_sigma = std::abs(slope) * success_sigma,
          .first_attempts = 1.0,
          .retries = made - 1.0,
          .wait_s = made * path.latency_p95_ms / 1000.0};
}

}  // namespace payops::decision
