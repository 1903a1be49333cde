#include <math.h>  // lgamma_r: std::lgamma writes a global

#include <algorithm>
#include <cmath>

#include "payops/core/digest.h"
#include "payops/learning/learning.h"

namespace payops::learning {
namespace {

bool is_over(InterventionState state) {
  switch (state) {
    case InterventionState::proposed:
    case InterventionState::approved:
    case InterventionState::active:
      return false;
    default:
      return true;
  }
}

double count(uint64_t n) { return static_cast<double>(n); }

// A payment begun before counting may convert while it runs: never more conversions than payments.
double converted(const ArmTotals& arm) { return count(std::min(arm.conversions, arm.payments)); }

// Variance of a share, with half a success and half a failure more so that 0 and 1 have one too.
double share_variance(double successes, double n) {
  const double p = (successes + 0.5) / (n + 1.0);
  return p * (1.0 - p) / n;
}

}  // namespace

Status LearningConfig::validate() const {
  struct Bound {
    std::string_view key;
    double value, low, high;
  };
  const Bound bounds[] = {
      {"alpha", alpha, 1e-6, 0.5},
      {"mixture_sd", mixture_sd, 1e-4, 1.0},
      {"missing_alpha", missing_alpha, 1e-9, 0.5},
      {"payments_min", count(payments_min), 1.0, 1e9},
      {"stabilise_s", stabilise_s, 0.0, 86'400.0},
      {"margin_share", margin_share, 0.0, 1.0},
      {"scope_sd", scope_sd, 1e-3, 100.0},
      {"prior_mean", prior_mean, -100.0, 100.0},
      {"prior_sd", prior_sd, 1e-3, 100.0},
      {"model_effect_min", model_effect_min, 1e-6, 1.0},
      {"memory_days", memory_days, 0.01, 36'500.0},
      {"scopes_max", count(scopes_max), 2.0, 1e6},
  };
  for (const Bound& b : bounds) {
    if (!(b.value >= b.low && b.value <= b.high)) {
      return fail(ErrorCode::config, "\"" + std::string(b.key) + "\" is out of range");
    }
  }
  return {};
}

ArmTotals& ArmTotals::operator+=(const ArmCell& cell) {
  payments += cell.payments;
  conversions += cell.conversions;
  attempts += cell.attempts;
  first_approvals += cell.first_approvals;
  amount_minor += cell.amount_minor;
  converted_amount_minor += cell.converted_amount_minor;
  propensity_ppm_sum += cell.propensity_ppm_sum;
  return *this;
}

int64_t counted_from_ms(const Action& action, const LearningConfig& config) {
  return action.issued_ts_ms + static_cast<int64_t>(config.stabilise_s * 1000.0);
}

Status OutcomeTracker::track(std::string_view action_id, int64_t from_ts_ms) {
  const uint64_t key = hash64(action_id);
  if (actions_.count(key) != 0) return {};
  if (actions_.size() >= kTrackedMax) {
    return fail(ErrorCode::limit, "outcomes of " + std::to_string(kTrackedMax) +
                                      " interventions are tracked already");
  }
  TrackedAction& tracked = actions_[key];
  tracked.action_id = std::string(action_id);
  tracked.from_ts_ms = from_ts_ms;
  return {};
}

void OutcomeTracker::observe(const ClosedBucket& bucket) {
  if (actions_.empty()) return;
  const int64_t from_ms = bucket.second * 1000;
  for (auto& [key, tracked] : actions_) {
    if (from_ms < tracked.from_ts_ms) continue;
    if (tracked.marks.empty() ||
        from_ms >= tracked.marks.back().ts_ms + TrackedAction::kMarkEveryMs) {
      if (tracked.marks.size() >= TrackedAction::kMarksMax) {
        tracked.marks.erase(tracked.marks.begin());
      }
      tracked.marks.push_back({from_ms, tracked.treated, tracked.holdout});
    }
    tracked.counted_to_ms = from_ms + 1000;
  }
  for (const ArmCell& cell : bucket.arms) {
    const auto it = actions_.find(cell.action);
    if (it == actions_.end() || bucket.second * 1000 < it->second.from_ts_ms) continue;
    switch (cell.arm) {
      case Arm::treated:
        it->second.treated += cell;
        break;
      case Arm::holdout:
        it->second.holdout += cell;
        break;
      case Arm::probe:
        it->second.probe += cell;
        break;
      case Arm::none:
        break;
    }
  }
}

Compared TrackedAction::until(int64_t ts_ms) const {
  if (ts_ms >= counted_to_ms) return {counted_to_ms, treated, holdout};
  if (ts_ms < from_ts_ms || marks.empty()) return {};
  const auto later =
      std::find_if(marks.begin(), marks.end(), [&](const Compared& m) { return m.ts_ms > ts_ms; });
  return later == marks.begin() ? marks.front() : *(later - 1);
}

void OutcomeTracker::note_improved(std::string_view action_id) {
  const auto it = actions_.find(hash64(action_id));
  if (it == actions_.end() || it->second.improved_to_ms != 0) return;
  it->second.improved_to_ms = it->second.counted_to_ms;
}

bool OutcomeTracker::tracks(std::string_view action_id) const {
  return actions_.count(hash64(action_id)) != 0;
}

const TrackedAction& OutcomeTracker::of(std::string_view action_id) const {
  static const TrackedAction kNothing;
  const auto it = actions_.find(hash64(action_id));
  return it == actions_.end() ? kNothing : it->second;
}

void OutcomeTracker::forget(std::string_view action_id) { actions_.erase(hash64(action_id)); }

double log_mixture_ratio(double difference, double variance, double mixture_sd) {
  const double tau2 = mixture_sd * mixture_sd;
  return 0.5 * std::log(variance / (variance + tau2)) +
         difference * difference * tau2 / (2.0 * variance * (variance + tau2));
}

double log_allocation_ratio(uint64_t a, uint64_t b, double p) {
  const auto log_beta = [](double x, double y) {
    int sign = 0;
    return lgamma_r(x, &sign) + lgamma_r(y, &sign) - lgamma_r(x + y, &sign);
  };
  const double x = kAllocationPrior * p, y = kAllocationPrior * (1.0 - p);
  return log_beta(x + count(a), y + count(b)) - log_beta(x, y) - count(a) * std::log(p) -
         count(b) * std::log1p(-p);
}

namespace {

struct Comparison {
  double treated_payments = 0.0;
  Estimate effect;
  double log_evidence = 0.0;
};

// Of the payments seen.
Comparison per_payment(const ArmTotals& treated, const ArmTotals& holdout,
                       const LearningConfig& config) {
  const double n_t = count(treated.payments), n_h = count(holdout.payments);
  const double x_t = converted(treated), x_h = converted(holdout);
  const double difference = x_t / n_t - x_h / n_h;
  // Under the hypothesis of no difference both arms share one rate.
  const double p = (x_t + x_h + 0.5) / (n_t + n_h + 1.0);
  const double variance = p * (1.0 - p) * (1.0 / n_t + 1.0 / n_h);
  // A few payments that all fare alike would seem sure of it, and outcomes are weighed by how sure
  // they are: an arm is believed no surer than both together would be.
  const double spread = std::max(share_variance(x_t, n_t), p * (1.0 - p) / n_t) +
                        std::max(share_variance(x_h, n_h), p * (1.0 - p) / n_h);
  return {n_t,
          {difference, std::sqrt(spread)},
          log_mixture_ratio(difference, variance, config.mixture_sd)};
}

// Of all who were selected: as many treated as the holdout times (1 − share) / share, and of no
// effect is what draws conversions in that proportion.
Comparison intended(const ArmTotals& treated, const ArmTotals& holdout, double holdout_share) {
  const double ratio = (1.0 - holdout_share) / holdout_share;
  const double n_h = count(holdout.payments), n_t = n_h * ratio;
  const double x_t = count(treated.conversions), x_h = converted(holdout);
  const double rate = x_t / n_t;
  // The delta method: Poisson conversions over a Poisson number of holdouts.
  const double variance = (x_t + 0.5) / (n_t * n_t) + rate * rate / n_h;
  return {n_t,
          {rate - x_h / n_h, std::sqrt(variance + share_variance(x_h, n_h))},
          log_allocation_ratio(treated.conversions, std::min(holdout.conversions, holdout.payments),
                               1.0 - holdout_share)};
}

bool payments_vanish(const Action& action, const ArmTotals& treated, const ArmTotals& holdout,
                     const LearningConfig& config) {
  if (action.holdout <= 0.0 || action.holdout >= 1.0) return false;
  if (action.type == action_type::kSuppressPath) return true;
  const double share = 1.0 - action.holdout;
  const bool fewer = count(treated.payments) * action.holdout < count(holdout.payments) * share;
  return fewer && log_allocation_ratio(treated.payments, holdout.payments, share) >=
                      -std::log(config.missing_alpha);
}

}  // namespace

Outcome judge(const Intervention& intervention, const ArmTotals& treated, const ArmTotals& holdout,
              const LearningConfig& config) {
  Outcome outcome;
  outcome.treated_payments = treated.payments;
  outcome.treated_conversions = treated.conversions;
  outcome.holdout_payments = holdout.payments;
  outcome.holdout_conversions = holdout.conversions;
  const bool over = is_over(intervention.state);
  outcome.result = over ? OutcomeResult::inconclusive : OutcomeResult::pending;
  const Action& action = intervention.action;
  const bool vanish = payments_vanish(action, treated, holdout, config);
  if (holdout.payments == 0 || (treated.payments == 0 && !vanish)) return outcome;

  const Comparison found =
      vanish ? intended(treated, holdout, action.holdout) : per_payment(treated, holdout, config);
  outcome.treated_payments = static_cast<uint64_t>(std::llround(found.treated_payments));
  outcome.effect = found.effect;
  const ArmTotals& priced = treated.payments > 0 ? treated : holdout;
  outcome.value_minor = found.effect.mean * found.treated_payments *
                        (static_cast<double>(priced.amount_minor) / count(priced.payments)) *
                        config.margin_share;
  if (outcome.treated_payments < config.payments_min || holdout.payments < config.payments_min) {
    return outcome;
  }
  outcome.log_evidence = found.log_evidence;
  const bool conclusive = found.log_evidence >= -std::log(config.alpha);
  const OutcomeResult before = intervention.outcome.result;
  if (conclusive && found.effect.mean < 0.0) {
    outcome.result = OutcomeResult::worse;
  } else if (before == OutcomeResult::worse || before == OutcomeResult::improved) {
    outcome.result = before;  // what was once concluded stands
  } else if (conclusive && treated.payments >= config.payments_min) {
    outcome.result = OutcomeResult::improved;  // on payments seen, not on absent ones
  }
  return outcome;
}

}  // namespace payops::learning
