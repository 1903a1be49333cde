#include <algorithm>

#include "payops/core/text.h"
#include "terms.h"

namespace payops::safety {
namespace {

constexpr double kLeastStrength = 1e-3;

// The strength that the hard limits leave room for.
double fitting_strength(const Option& option, const std::vector<Intervention>& ledger,
                        const Limits& limits, const Evidence& evidence) {
  double strength = option.strength;
  const double treated = 1.0 - option.holdout;  // of those selected
  const std::string key = key_of(option);
  const double free =
      std::min({limits.max_blast_action,
                limits.max_blast_concurrent - concurrent_blast(ledger, key, evidence.ts_ms),
                limits.max_blast_hour - hourly_blast(ledger, key, evidence.ts_ms)});
  if (const double blast = blast_of(option, evidence.assessment); blast > 0.0) {
    strength = std::min(strength, option.strength * free / blast);
  }
  if (!is_diverting(option.type)) return strength;
  const double others = residual_of_others(option, ledger, evidence);
  const double divertible = others > 0.0 ? 1.0 - limits.probe_floor / others : 0.0;
  strength = std::min(strength, divertible / treated);
  double source_tps = 0.0;
  for (const PathStats& p : evidence.assessment.paths) {
    if (covers(option.scope, p.path)) source_tps += live_tps(p);
  }
  const double headroom_tps = limits.max_load_increase * target_tps(option, evidence.assessment);
  if (source_tps > 0.0) strength = std::min(strength, headroom_tps / (source_tps * treated));
  return strength;
}

// The step of the ramp: by the probability of failure, raised by one beyond a strength that has
// improved things on this key, back to the first after one that made them worse.
double ramp_cap(const Option& option, double failure_probability,
                const std::vector<Intervention>& ledger, const Limits& limits) {
  std::size_t step = limits.ramp.size() / 2;
  if (failure_probability < limits.ramp_full_below) step = limits.ramp.size() - 1;
  if (failure_probability > limits.ramp_first_above) step = 0;
  const std::string key = key_of(option);
  for (auto i = ledger.rbegin(); i != ledger.rend(); ++i) {
    if (!was_issued(*i) || i->action.key() != key) continue;
    if (failed(*i)) return limits.ramp.front();
    if (i->outcome.result != OutcomeResult::improved) continue;
    const auto next = std::find_if(limits.ramp.begin(), limits.ramp.end(),
                                   [&](double s) { return s > i->action.strength + kSlack; });
    return std::max(limits.ramp[step], next == limits.ramp.end() ? 1.0 : *next);
  }
  return limits.ramp[step];
}

// The share held back at a strength: in all as many customers as at full strength, at most half of
// the selected, so that a small step is judged as soon as a large one.
double holdout_at(double strength, double asked, const Limits& limits) {
  const double least = std::min(0.5, limits.min_holdout / std::max(strength, kLeastStrength));
  return std::max({asked, limits.min_holdout, least});
}

// The option at another strength, holdout and duration, all it is worth and touches with it.
Option resized(const Option& option, double strength, double holdout, double duration_s,
               double blast) {
  Option result = option;
  result.strength = strength;
  result.holdout = holdout;
  result.duration_s = duration_s;
  result.blast_radius = std::min(1.0, blast * strength / option.strength);
  const double factor = strength * (1.0 - holdout) * duration_s /
                        (option.strength * (1.0 - option.holdout) * option.duration_s);
  result.nrv.total.mean *= factor;
  result.nrv.total.sigma *= factor;
  for (NrvItem& item : result.nrv.items) item.amount_minor *= factor;
  result.nrv.horizon_s *= duration_s / option.duration_s;
  return result;
}

}  // namespace

Option mitigate(const Option& option, const std::vector<Intervention>& ledger, const Limits& limits,
                const Evidence& evidence) {
  if (is_advisory(option.type) || !limits.validate() || !invalid_because(option, limits).empty()) {
    return option;
  }
  const double blast = blast_of(option, evidence.assessment);
  Option held = option;
  held.holdout = std::max(option.holdout, limits.min_holdout);
  const double fitting = fitting_strength(held, ledger, limits, evidence);
  if (fitting < kLeastStrength) return option;
  const Option fitted = resized(option, fitting, held.holdout, option.duration_s, blast);

  const double p = pre_mortem(fitted, ledger, limits, evidence).failure_probability;
  const double cap = ramp_cap(option, p, ledger, limits);
  const bool ramping = cap + kSlack < fitting;
  const bool wary = ramping || p >= limits.ramp_full_below;
  const double strength = std::min(fitting, cap);
  const double holdout = ramping ? holdout_at(strength, held.holdout, limits) : held.holdout;
  Option safer = resized(
      option, strength, holdout,
      wary ? std::min(option.duration_s, limits.trial_duration_s) : option.duration_s, blast);
  if (safer.strength + kSlack < option.strength) {
    safer.reason += (safer.reason.empty() ? "At " : "; at ") + percent(safer.strength) +
                    " strength instead of " + percent(option.strength);
    safer.reason +=
        ramping ? ", as the chance of failure is " + percent(p) : ", to stay within the limits";
  }
  return safer;
}

Judgement judge(const Option& option, const std::vector<Intervention>& ledger, const Limits& limits,
                const Evidence& evidence) {
  Judgement j;
  j.option = evidence.answering.empty() ? mitigate(option, ledger, limits, evidence) : option;
  j.pre_mortem = pre_mortem(j.option, ledger, limits, evidence);
  j.verdict = gate(j.option, j.pre_mortem, ledger, limits, evidence);
  return j;
}

}  // namespace payops::safety
