// The pre-mortem and the gate: what stands between a proposal and the traffic. Pure functions of
// (proposal, ledger, limits, evidence); they trust the proposal with nothing they can compute from
// the evidence themselves: blast radius, confidence, attempts seen and risk class are the more
// cautious of what is claimed and what is measured.
//
//   const Judgement j = judge(option, ledger.all(), limits, evidence);
//   if (j.verdict.outcome == GateOutcome::allow) ...   // j.option is the mitigated one
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/safety/limits.h"

namespace payops::safety {

// What is known at the moment of judging. Refers to the assessment and the effects; it must not
// outlive them.
struct Evidence {
  int64_t ts_ms = 0;        // event time now
  int64_t data_age_ms = 0;  // of the newest input; negative is clock trouble
  bool killed = false;
  std::string observe_only;  // why nothing may be done now, or empty
  const Assessment& assessment;
  const EffectTable& effects;
  bool forced = false;    // proposed by the minimum-action-frequency rule
  std::string answering;  // action_id of the proposal judged again after an approval, or empty
};

// True for types that tell people and touch no payment: no_action, alert_ops.
[[nodiscard]] bool is_advisory(std::string_view type);
// True for types that change retries only.
[[nodiscard]] bool is_retry(std::string_view type);
// The risk the gate reckons with: a type's own class (moving traffic, or an unknown type: medium)
// or what the option says, whichever is higher.
[[nodiscard]] RiskClass risk_of(const Option& option);
// Share of live value the option touches by the evidence, or as it claims if that is more. Retry
// types touch the failing payments of their scope only.
[[nodiscard]] double blast_of(const Option& option, const Assessment& assessment);

// "It is an hour later and this made things worse: why?" For an option that touches payments: one
// finding per FailureMode, most expensive first (probability × cost). For advisory ones: none.
// REQUIRES: the numbers of the option are finite (else the findings say certain failure).
[[nodiscard]] PreMortem pre_mortem(const Option& option, const std::vector<Intervention>& ledger,
                                   const Limits& limits, const Evidence& evidence);

// The same option made safer. Its strength is fitted to the blast radius still free, the probe
// floor and the target's headroom; then, by the pre-mortem of that, to a step of the ramp. It gets
// a holdout, and a shorter lease while not at full strength. Value and blast radius scale with it.
// Unchanged when nothing above a thousandth would fit (the gate then refuses).
[[nodiscard]] Option mitigate(const Option& option, const std::vector<Intervention>& ledger,
                              const Limits& limits, const Evidence& evidence);

// The hard limits; every one that speaks is in `reasons`. The strictest outcome holds: refuse, then
// shadow, then needs_approval, then allow. What a person has approved is judged again through here
// with `answering` set, and may go ahead on allow and on needs_approval.
[[nodiscard]] GateVerdict gate(const Option& option, const PreMortem& findings,
                               const std::vector<Intervention>& ledger, const Limits& limits,
                               const Evidence& evidence);

// Undoing is always allowed, under the kill switch too: when `inverse` undoes an intervention of
// the ledger that was published and has not expired. Anything else is refused.
[[nodiscard]] GateVerdict gate_undo(const Action& inverse, const std::vector<Intervention>& ledger,
                                    int64_t ts_ms);

struct Judgement {
  Option option;         // mitigated
  PreMortem pre_mortem;  // of the mitigated option
  GateVerdict verdict;
  static constexpr auto fields() {
    return std::make_tuple(field("option", &Judgement::option),
                           field("pre_mortem", &Judgement::pre_mortem),
                           field("verdict", &Judgement::verdict));
  }
};

// Mitigation, the pre-mortem of what it left, and the gate. An option
// that a person has approved (`answering`) is judged as it was shown, without mitigation.
[[nodiscard]] Judgement judge(const Option& option, const std::vector<Intervention>& ledger,
                              const Limits& limits, const Evidence& evidence);

}  // namespace payops::safety
