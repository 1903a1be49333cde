#include <algorithm>

#include "payops/core/text.h"
#include "terms.h"

namespace payops::safety {
namespace {

constexpr double kLeastStrength = 1e-3;

// The step of the ramp: by the probability of failure, raised by one beyond a strength that has
// improved things on this key, back to the first after one that made them worse.
double ramp_cap(const Option& option, const PreMortem& findings,
                const std::vector<Intervention>& ledger, const Limits& limits) {
  if (limits.ramp.empty()) return 1.0;
  const double p = findings.failure_probability;
  std::size_t step = limits.ramp.size() / 2;
  if (p < limits.ramp_full_below) step = limits.ramp.size() - 1;
  if (p > limits.ramp_first_above) step = 0;
  const std::string key = key_of(option);
  for (auto i = ledger.rbegin(); i != ledger.rend(); ++i) {
    if (!was_issued(*i) || i->action.key() != key) continue;
    if (failed(*i)) return limits.ramp.front();
    if (i->outcome.result != OutcomeResult::improved) continue;
    for (std::size_t s = 0; s < limits.ramp.size(); ++s) {
      if (limits.ramp[s] > i->action.strength + kSlack || s + 1 == limits.ramp.size()) {
        return limits.ramp[std::max(step, s)];
      }
    }
  }
  return limits.ramp[step];
}

void scale_value(Option& option, double factor) {
  option.nrv.total.mean *= factor;
  option.nrv.total.sigma *= factor;
  for (NrvItem& item : option.nrv.items) item.amount_minor *= factor;
}

}  // namespace

Option mitigate(const Option& option, const PreMortem& findings,
                const std::vector<Intervention>& ledger, const Limits& limits,
                const Evidence& evidence) {
  if (is_advisory(option.type) || !invalid_because(option, limits).empty()) return option;
  Option safer = option;
  safer.holdout = std::max(option.holdout, limits.min_holdout);

  const double cap = ramp_cap(option, findings, ledger, limits);
  double strength = std::min(option.strength, cap);
  const bool ramping = strength + kSlack < option.strength;
  if (is_diverting(option.type)) {
    const double others = residual_of_others(option, ledger, evidence);
    const double room = others > 0.0 ? 1.0 - limits.probe_floor / others : 0.0;
    strength = std::min(strength, room / (1.0 - safer.holdout));
  }
  const double blast = blast_of(option, evidence.assessment);
  const std::string key = key_of(option);
  const double free =
      std::min({limits.max_blast_action,
                limits.max_blast_concurrent - concurrent_blast(ledger, key, evidence.ts_ms),
                limits.max_blast_hour - hourly_blast(ledger, key, evidence.ts_ms)});
  if (blast > 0.0) strength = std::min(strength, option.strength * free / blast);
  if (strength < kLeastStrength) return option;

  safer.strength = strength;
  if (ramping || findings.failure_probability >= limits.ramp_full_below) {
    safer.duration_s = std::min(option.duration_s, limits.trial_duration_s);
  }
  safer.blast_radius = std::min(1.0, blast * strength / option.strength);
  scale_value(safer, strength * (1.0 - safer.holdout) * safer.duration_s /
                         (option.strength * (1.0 - option.holdout) * option.duration_s));
  safer.nrv.horizon_s *= safer.duration_s / option.duration_s;
  if (strength + kSlack < option.strength) {
    safer.reason += (safer.reason.empty() ? "At " : "; at ") + percent(strength) +
                    " strength instead of " + percent(option.strength);
    safer.reason += ramping
                        ? ", as the chance of failure is " + percent(findings.failure_probability)
                        : ", to stay within the limits";
  }
  return safer;
}

Judgement judge(const Option& option, const std::vector<Intervention>& ledger, const Limits& limits,
                const Evidence& evidence) {
  Judgement j;
  j.option = option;
  if (evidence.answering.empty()) {
    j.option =
        mitigate(option, pre_mortem(option, ledger, limits, evidence), ledger, limits, evidence);
  }
  j.pre_mortem = pre_mortem(j.option, ledger, limits, evidence);
  j.verdict = gate(j.option, j.pre_mortem, ledger, limits, evidence);
  return j;
}

}  // namespace payops::safety
