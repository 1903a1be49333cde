// Every probability is computed from the evidence and the ledger; the comment on each function is
// the formula. Costs are losses against the option's plan, in the unit of its value.
#include <algorithm>
#include <cmath>

#include "payops/core/text.h"
#include "payops/model/relevance.h"
#include "terms.h"

namespace payops::safety {
namespace {

// Health of several paths as of one: means weighted by live payments.
struct Paths {
  double tps = 0.0;
  double success = 0.0;
  double sigma = 0.0;
  double baseline = 0.0;
  double amount_minor = 0.0;
  double attempts_per_payment = 1.0;
  bool known = false;  // one of them has an estimate
};

// A path that is still warming up has an estimate too, as unsure as its sigma says; one that has
// never been used has none.
bool usable(const PathStats& p) {
  return std::isfinite(p.success_rate) && std::isfinite(p.success_sigma) &&
         std::isfinite(p.baseline_success) && p.attempts > 0;
}

template <class Belongs>
Paths sum_of(const Assessment& assessment, Belongs belongs) {
  Paths sum;
  double weight = 0.0, variance = 0.0, attempts = 0.0;
  for (const PathStats& p : assessment.paths) {
    if (!belongs(p)) continue;
    const double tps = live_tps(p);
    sum.tps += tps;
    sum.amount_minor += live_value(p);
    if (!usable(p)) continue;
    const double w = std::max(tps, 1e-9);  // silent paths among themselves weigh alike
    weight += w;
    sum.success += w * p.success_rate;
    sum.baseline += w * p.baseline_success;
    variance += w * w * p.success_sigma * p.success_sigma;
    attempts += w * (std::isfinite(p.attempts_per_payment) ? p.attempts_per_payment : 1.0);
  }
  sum.amount_minor = sum.tps > 0.0 ? sum.amount_minor / sum.tps : 0.0;
  if (weight > 0.0) {
    sum.known = true;
    sum.success /= weight;
    sum.baseline /= weight;
    sum.sigma = std::sqrt(variance) / weight;
    sum.attempts_per_payment = std::max(1.0, attempts / weight);
  }
  return sum;
}

// Where the payments go instead, empty for retry types.
struct Alternative {
  Paths paths;
  std::string where;
  double known = 0.0;  // share of the traffic whose path there has an estimate
  double tps = 0.0;    // what the target carries now
};

// Reroute: the same issuer and method on the target gateway.
Alternative on_gateway(const Option& option, const std::string& gateway, double source_tps,
                       const Assessment& assessment) {
  Scope there = option.scope;
  there.gateway = gateway;
  Alternative result;
  result.where = gateway;
  for (const PathStats& p : assessment.paths) {
    if (!covers(option.scope, p.path) || source_tps <= 0.0) continue;
    const bool paired =
        std::any_of(assessment.paths.begin(), assessment.paths.end(), [&](const PathStats& q) {
          return usable(q) && q.path.issuer == p.path.issuer && q.path.method == p.path.method &&
                 q.path.gateway == gateway;
        });
    if (paired) result.known += live_tps(p) / source_tps;
  }
  result.known = std::min(result.known, 1.0);
  result.paths = sum_of(assessment, [&](const PathStats& p) { return covers(there, p.path); });
  return result;
}

// Taking traffic off a path otherwise: the issuer's other paths, or where it has none, all others.
Alternative beside(const Option& option, const Assessment& assessment) {
  const auto outside = [&](const PathStats& p) { return !covers(option.scope, p.path); };
  Alternative result;
  result.where = "what else customers of " + option.scope.issuer + " can use";
  result.paths = sum_of(assessment, [&](const PathStats& p) {
    return outside(p) && p.path.issuer == option.scope.issuer;
  });
  if (result.paths.tps <= 0.0) {
    result.where = "the other paths";
    result.paths = sum_of(assessment, outside);
  }
  result.known = result.paths.known ? 1.0 : 0.0;
  return result;
}

// What is at stake while the option is in force.
struct Stake {
  Paths source;
  Alternative target;
  double payments = 0.0;     // treated
  double unit_minor = 0.0;   // net value of one conversion, as the option reckons it
  double gain_minor = 0.0;   // its positive items
  double spend_minor = 0.0;  // its negative items, as a positive number
};

Stake stake_of(const Option& option, const Assessment& assessment) {
  Stake stake;
  stake.source =
      sum_of(assessment, [&](const PathStats& p) { return covers(option.scope, p.path); });
  if (is_diverting(option.type)) {
    const std::string gateway = target_gateway(option.params);
    stake.target = gateway.empty() ? beside(option, assessment)
                                   : on_gateway(option, gateway, stake.source.tps, assessment);
    stake.target.tps = target_tps(option, assessment);
  }
  stake.payments = stake.source.tps * option.duration_s * option.strength * (1.0 - option.holdout);
  for (const NrvItem& item : option.nrv.items) {
    (item.amount_minor > 0.0 ? stake.gain_minor : stake.spend_minor) += std::abs(item.amount_minor);
  }
  if (option.nrv.items.empty()) {
    stake.gain_minor = std::max(0.0, option.nrv.total.mean);
    stake.spend_minor = std::max(0.0, -option.nrv.total.mean);
  }
  stake.unit_minor = stake.source.amount_minor;
  if (const double conversions = stake.payments * option.effect.mean; conversions > 0.0) {
    stake.unit_minor = std::min(stake.unit_minor, stake.gain_minor / conversions);
  }
  return stake;
}

Finding finding(FailureMode mode, double probability, double cost_minor, std::string because) {
  Finding f;
  f.mode = mode;
  f.probability = std::isfinite(probability) ? std::clamp(probability, 0.0, 1.0) : 1.0;
  f.cost_minor = std::isfinite(cost_minor) ? std::max(0.0, cost_minor) : 0.0;
  f.because = std::move(because);
  return f;
}

double either(double p, double q) { return 1.0 - (1.0 - p) * (1.0 - q); }

std::string rate(const Paths& p) { return percent(p.success) + " ± " + percent(p.sigma); }

// P(the extra load is more than the target carries): 0 up to max_load_increase of the target's own
// traffic, 1 from twice that, linear between.
double overload(double moved_tps, double target_tps, const Limits& limits) {
  if (moved_tps <= 0.0) return 0.0;
  if (target_tps <= 0.0) return 1.0;
  return std::clamp(moved_tps / target_tps / limits.max_load_increase - 1.0, 0.0, 1.0);
}

// Retries: P(the path is as well as its baseline, where another attempt is worth most), less the
// more attempts a payment already takes.
Finding retry_missed(const Stake& stake) {
  const Paths& here = stake.source;
  const double well = normal_below_zero(here.baseline - here.success, here.sigma);
  Finding f =
      finding(FailureMode::alternative_worse, well / here.attempts_per_payment, stake.gain_minor,
              "a retry not made may have succeeded: the path is at " + rate(here) +
                  " of a baseline of " + percent(here.baseline) + ", at " +
                  fixed(here.attempts_per_payment, 2) + " attempts a payment");
  f.mitigation = "keep a holdout on the old retries";
  f.rollback_when = "treated payments convert less than the holdout's";
  return f;
}

// P(target succeeds less than source) for two independent normal estimates, a coin toss where there
// is no estimate; or P(overload).
Finding alternative_worse(const Option& option, const Stake& stake, const Limits& limits) {
  if (is_retry(option.type)) return retry_missed(stake);
  const Paths& here = stake.source;
  const Alternative& there = stake.target;
  const double sigma = std::hypot(there.paths.sigma, here.sigma);
  const double worse = normal_below_zero(there.paths.success - here.success, sigma);
  const double moved = here.tps * option.strength * (1.0 - option.holdout);
  const double p =
      either(there.known * worse + (1.0 - there.known) * 0.5, overload(moved, there.tps, limits));
  const double shortfall = std::max(0.0, here.success - there.paths.success) + 2.0 * sigma;
  std::string because =
      there.where + " succeeds at " + rate(there.paths) + ", here it is " + rate(here);
  if (there.known < 1.0 - kSlack) {
    because += "; " + percent(1.0 - there.known) + " of the traffic has no known path there";
  }
  because += there.tps > 0.0 ? "; its load would grow by " + percent(moved / there.tps)
                             : "; it has no live traffic to judge its headroom by";
  Finding f = finding(FailureMode::alternative_worse, p,
                      stake.gain_minor + stake.payments * stake.unit_minor * shortfall, because);
  f.mitigation = "move a part first and keep a holdout";
  f.rollback_when = "treated payments convert less than the holdout's";
  return f;
}

// 1 − belief in the hypotheses under which the action helps.
Finding misattributed(const Option& option, const Stake& stake, const Assessment& assessment) {
  const double mass =
      helpful_belief(assessment.hypotheses, option.type, option.scope, option.hypothesis_id);
  const Hypothesis* rival = nullptr;
  for (const Hypothesis& h : assessment.hypotheses) {
    if (would_help(option.type, option.scope, h, option.hypothesis_id)) continue;
    if (rival == nullptr || h.posterior > rival->posterior) rival = &h;
  }
  std::string because = "causes it would help against have " + percent(mass) + " of the belief";
  if (rival != nullptr) {
    because += "; the strongest it would not: " + std::string(name_of(rival->cause)) + " of " +
               describe(rival->scope) + " at " + percent(rival->posterior);
  }
  Finding f = finding(FailureMode::misattributed, 1.0 - mass, stake.gain_minor, because);
  f.mitigation = "act on a part until the cause is clearer";
  f.rollback_when = "another cause takes the lead";
  return f;
}

// Mass of the effect posterior below 0. Cost: gain × (1 − E[factor | factor < 0]), the mean of a
// normal's lower tail being μ − σ φ(μ/σ) / Φ(−μ/σ).
Finding effect_uncertain(const Option& option, const Stake& stake, const EffectTable& effects) {
  const EffectPosterior e = effect_for(effects, option.type, option.cause, option.scope);
  const double p = normal_below_zero(e.mean, e.sigma);
  double tail = std::min(0.0, e.mean);
  if (e.sigma > 0.0 && p > 1e-12) {
    const double a = e.mean / e.sigma;
    tail = std::min(0.0, e.mean - e.sigma * std::exp(-0.5 * a * a) / std::sqrt(2.0 * M_PI) / p);
  }
  Finding f = finding(FailureMode::effect_uncertain, p, stake.gain_minor * (1.0 - tail),
                      "of what was predicted, such actions brought " + fixed(e.mean, 2) + " ± " +
                          fixed(e.sigma, 2) + " (" + std::to_string(e.outcomes) + " outcomes)");
  f.mitigation = "start small and measure against a holdout";
  f.rollback_when = "the sequential test finds it worse than the holdout";
  return f;
}

// P(the state changed since the data was seen), changes coming at a rate of 1 / change_time.
Finding stale_data(const Stake& stake, const Limits& limits, const Evidence& evidence) {
  const double age_s = std::abs(static_cast<double>(evidence.data_age_ms)) / 1000.0;
  Finding f = finding(FailureMode::stale_data, 1.0 - std::exp(-age_s / limits.change_time_s),
                      stake.gain_minor, "the newest input is " + fixed(age_s, 1) + " s old");
  f.mitigation = "a short lease";
  f.rollback_when = "fresh data no longer shows the fault";
  return f;
}

// 1 − 2^(−n/2) for n alternations within the window: interventions of overlapping scope that ended
// without an improvement, and alarms there that ended just now.
Finding flapping_target(const Option& option, const Stake& stake,
                        const std::vector<Intervention>& ledger, const Limits& limits,
                        const Evidence& evidence) {
  const double since = static_cast<double>(evidence.ts_ms) - 1000.0 * limits.flap_window_s;
  int actions = 0, alarms = 0;
  for (const Intervention& i : ledger) {
    const bool over =
        i.state == InterventionState::ended || i.state == InterventionState::rolled_back;
    if (!over || !was_issued(i) || is_advisory(i.action.type)) continue;
    if (i.outcome.result == OutcomeResult::improved) continue;
    if (!overlaps(i.action.scope, option.scope)) continue;
    if (static_cast<double>(i.changed_ts_ms) > since) ++actions;
  }
  for (const Alarm& alarm : evidence.assessment.ended) {
    if (overlaps(alarm.scope, option.scope)) ++alarms;
  }
  Finding f = finding(FailureMode::flapping_target, 1.0 - std::exp2(-0.5 * (actions + alarms)),
                      0.5 * stake.gain_minor + stake.spend_minor,
                      std::to_string(actions) + " actions here ended without improvement within " +
                          fixed(limits.flap_window_s / 60.0, 0) + " min, " +
                          std::to_string(alarms) + " alarms ended just now");
  f.mitigation = "a longer rest between actions on it";
  f.rollback_when = "the fault is gone before the lease ends";
  return f;
}

// P(fewer than min_probes_per_min attempts stay on the scope in a minute), Poisson. Cost: half the
// lease on the alternative although the path is back at its baseline.
Finding blinded(const Option& option, const Stake& stake, const std::vector<Intervention>& ledger,
                const Limits& limits, const Evidence& evidence) {
  double left_tps = stake.source.tps;
  if (is_diverting(option.type)) {
    left_tps *= (1.0 - option.strength * (1.0 - option.holdout)) *
                residual_of_others(option, ledger, evidence);
  }
  const double p =
      is_diverting(option.type) ? poisson_below(60.0 * left_tps, limits.min_probes_per_min) : 0.0;
  const double missed = std::max(0.0, stake.source.baseline - stake.source.success);
  Finding f =
      finding(FailureMode::blinded, p, 0.5 * stake.payments * stake.unit_minor * missed,
              fixed(60.0 * left_tps, 1) + " payments a minute would stay to see it recover");
  f.mitigation = "keep the probe floor and a holdout";
  f.rollback_when = "no payment has been seen there for a minute";
  return f;
}

// P(recovery < fees and costs), the recovery being normal with the spread of the option's value,
// and its mean no more than what there still is to recover: where the effect reckoned with exceeds
// the present gap between here and the alternative (for retries, the baseline), the gap's share of
// it. Without an estimate of both there is no gap to hold it against.
Finding fees_exceed_recovery(const Option& option, const Stake& stake) {
  double recovery = stake.gain_minor;
  const bool known = stake.source.known && (is_retry(option.type) || stake.target.paths.known);
  if (option.effect.mean > 0.0 && known) {
    const double best = is_retry(option.type) ? stake.source.baseline : stake.target.paths.success;
    const double gap = std::max(0.0, best - stake.source.success);
    recovery *= std::min(1.0, gap / option.effect.mean);
  }
  Finding f = finding(FailureMode::fees_exceed_recovery,
                      normal_below_zero(recovery - stake.spend_minor, option.nrv.total.sigma),
                      stake.gain_minor - recovery + stake.spend_minor,
                      "a recovery of " + fixed(recovery / 100.0, 2) + " ± " +
                          fixed(option.nrv.total.sigma / 100.0, 2) + " against fees and costs of " +
                          fixed(stake.spend_minor / 100.0, 2));
  f.mitigation = "only the payments worth their fee";
  f.rollback_when = "measured value falls below zero";
  return f;
}

// P(a fraud burst is under way where the action sends payments again or elsewhere): posterior mass
// of overlapping fraud hypotheses, or an even chance with such an alarm in force.
Finding fraud_exposure(const Option& option, const Stake& stake, const Limits& limits,
                       const Assessment& assessment) {
  const bool lessens =
      option.type == action_type::kSuppressPath || option.type == action_type::kReduceRetryAttempts;
  const auto concerns = [&](const Scope& scope) {
    Scope there = option.scope;
    if (const std::string gateway = target_gateway(option.params); !gateway.empty()) {
      there.gateway = gateway;
    }
    return overlaps(scope, option.scope) || overlaps(scope, there);
  };
  double mass = 0.0;
  int alarms = 0;
  for (const Hypothesis& h : assessment.hypotheses) {
    if (h.cause == Cause::fraud_burst && concerns(h.scope)) mass += h.posterior;
  }
  for (const Alarm& alarm : assessment.alarms) {
    if (alarm.pattern == Pattern::fraud_burst && concerns(alarm.scope)) ++alarms;
  }
  const double p = lessens ? 0.0 : either(mass, alarms > 0 ? 0.5 : 0.0);
  Finding f = finding(FailureMode::fraud_exposure, p,
                      stake.payments * stake.source.amount_minor * limits.fraud_loss_share,
                      lessens ? "it sends fewer payments there"
                              : "a fraud burst has " + percent(mass) + " of the belief, " +
                                    std::to_string(alarms) + " fraud alarms in force");
  f.mitigation = "a person decides";
  f.rollback_when = "a fraud alarm rises on the scope";
  return f;
}

}  // namespace

PreMortem pre_mortem(const Option& option, const std::vector<Intervention>& ledger,
                     const Limits& limits, const Evidence& evidence) {
  PreMortem result;
  if (is_advisory(option.type)) return result;
  const Assessment& assessment = evidence.assessment;
  const Stake stake = stake_of(option, assessment);
  result.findings = {alternative_worse(option, stake, limits),
                     misattributed(option, stake, assessment),
                     effect_uncertain(option, stake, evidence.effects),
                     stale_data(stake, limits, evidence),
                     flapping_target(option, stake, ledger, limits, evidence),
                     blinded(option, stake, ledger, limits, evidence),
                     fees_exceed_recovery(option, stake),
                     fraud_exposure(option, stake, limits, assessment)};
  double none = 1.0;
  for (const Finding& f : result.findings) {
    none *= 1.0 - f.probability;
    result.expected_cost_minor += f.probability * f.cost_minor;
  }
  result.failure_probability = 1.0 - none;
  std::stable_sort(result.findings.begin(), result.findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return a.probability * a.cost_minor > b.probability * b.cost_minor;
                   });
  return result;
}

}  // namespace payops::safety
