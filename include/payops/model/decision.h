// What a cycle weighed and concluded: options with their itemised value, what the pre-mortem
// found, what the gate said, and the life of what was done.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/assessment.h"
#include "payops/model/intervention.h"

namespace payops {

// A random quantity as a normal predictive distribution, and its 90 % interval.
struct Estimate {
  double mean = 0.0;
  double sigma = 0.0;
  [[nodiscard]] double low() const { return mean - 1.6448536269514722 * sigma; }
  [[nodiscard]] double high() const { return mean + 1.6448536269514722 * sigma; }
  static constexpr auto fields() {
    return std::make_tuple(field("mean", &Estimate::mean), field("sigma", &Estimate::sigma));
  }
};

// An amount of money that is yet to come: on average, how far it spreads, and its 90 % interval
// (the 5 % and 95 % quantiles), which need not lie evenly about the mean.
struct Predicted {
  double mean = 0.0;
  double sigma = 0.0;
  double low = 0.0;
  double high = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("mean", &Predicted::mean), field("sigma", &Predicted::sigma),
                           field("low", &Predicted::low), field("high", &Predicted::high));
  }
};

// One line of an NRV: what is gained (positive) or spent (negative), minor units of the reporting
// currency over the horizon.
struct NrvItem {
  std::string name;
  double amount_minor = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("name", &NrvItem::name),
                           field("amount_minor", &NrvItem::amount_minor));
  }
};

struct Nrv {
  Predicted total;  // against doing nothing; the mean is the sum of the items
  std::vector<NrvItem> items;
  double horizon_s = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("total", &Nrv::total), field("items", &Nrv::items),
                           field("horizon_s", &Nrv::horizon_s));
  }
};

// A way to act that was considered.
struct Option {
  std::string option_id;  // "opt-" + 16 hex of type, scope and params
  std::string type;
  Scope scope;
  std::map<std::string, std::string> params;
  double strength = 0.0;
  double holdout = 0.0;
  double duration_s = 0.0;  // until expiry, once issued
  RiskClass risk = RiskClass::none;
  Cause cause = Cause::none_of_these;  // the hypothesis it answers
  std::string hypothesis_id;
  double confidence = 0.0;    // that hypothesis' posterior
  double blast_radius = 0.0;  // share of live value it touches
  uint64_t evidence_attempts = 0;
  Estimate effect;            // change of conversion probability of a treated payment
  double model_effect = 0.0;  // effect.mean without the learnt factor, for outcomes to judge
  Nrv nrv;
  double propensity = 1.0;  // with which it was chosen; below 1 it was explored
  std::string reason;       // in a sentence
  static constexpr auto fields() {
    return std::make_tuple(
        field("option_id", &Option::option_id), field("type", &Option::type),
        field("scope", &Option::scope), field("params", &Option::params),
        field("strength", &Option::strength), field("holdout", &Option::holdout),
        field("duration_s", &Option::duration_s), field("risk", &Option::risk),
        field("cause", &Option::cause), field("hypothesis_id", &Option::hypothesis_id),
        field("confidence", &Option::confidence), field("blast_radius", &Option::blast_radius),
        field("evidence_attempts", &Option::evidence_attempts), field("effect", &Option::effect),
        field("model_effect", &Option::model_effect), field("nrv", &Option::nrv),
        field("propensity", &Option::propensity), field("reason", &Option::reason));
  }
};

enum class FailureMode : uint8_t {
  alternative_worse,
  misattributed,
  effect_uncertain,
  stale_data,
  flapping_target,
  blinded,
  fees_exceed_recovery,
  fraud_exposure
};
template <>
inline constexpr EnumNames<8> enum_names<FailureMode>{
    "alternative_worse", "misattributed", "effect_uncertain",     "stale_data",
    "flapping_target",   "blinded",       "fees_exceed_recovery", "fraud_exposure"};

// "It is an hour later and this made things worse: why?"
struct Finding {
  FailureMode mode = FailureMode::alternative_worse;
  double probability = 0.0;
  double cost_minor = 0.0;  // expected loss if it happens
  std::string mitigation;   // what the pre-mortem changed or asks for, or empty
  std::string rollback_when;
  std::string because;
  static constexpr auto fields() {
    return std::make_tuple(
        field("mode", &Finding::mode), field("probability", &Finding::probability),
        field("cost_minor", &Finding::cost_minor), field("mitigation", &Finding::mitigation),
        field("rollback_when", &Finding::rollback_when), field("because", &Finding::because));
  }
};

struct PreMortem {
  std::vector<Finding> findings;     // most expensive first
  double failure_probability = 0.0;  // that at least one happens
  double expected_cost_minor = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("findings", &PreMortem::findings),
                           field("failure_probability", &PreMortem::failure_probability),
                           field("expected_cost_minor", &PreMortem::expected_cost_minor));
  }
};

enum class GateOutcome : uint8_t { allow, needs_approval, shadow, refuse };
template <>
inline constexpr EnumNames<4> enum_names<GateOutcome>{"allow", "needs_approval", "shadow",
                                                      "refuse"};

struct GateVerdict {
  GateOutcome outcome = GateOutcome::refuse;
  std::vector<std::string> reasons;  // every limit that spoke, not only the first
  static constexpr auto fields() {
    return std::make_tuple(field("outcome", &GateVerdict::outcome),
                           field("reasons", &GateVerdict::reasons));
  }
};

// How far an action type may go on its own.
enum class Mode : uint8_t { observe, shadow, approve, automatic };
template <>
inline constexpr EnumNames<4> enum_names<Mode>{"observe", "shadow", "approve", "auto"};

enum class InterventionState : uint8_t {
  proposed,  // decided, waiting for a person
  approved,  // in the outbox, not yet known to be published
  active,
  ended,  // expired
  rolled_back,
  rejected,   // by a person, or nobody answered in time
  withdrawn,  // decided but never published
  shadowed    // would have been published
};
template <>
inline constexpr EnumNames<8> enum_names<InterventionState>{
    "proposed", "approved", "active", "ended", "rolled_back", "rejected", "withdrawn", "shadowed"};

enum class OutcomeResult : uint8_t { pending, improved, worse, inconclusive };
template <>
inline constexpr EnumNames<4> enum_names<OutcomeResult>{"pending", "improved", "worse",
                                                        "inconclusive"};

// Treated against holdout, as far as it is known.
struct Outcome {
  OutcomeResult result = OutcomeResult::pending;
  uint64_t treated_payments = 0, treated_conversions = 0;
  uint64_t holdout_payments = 0, holdout_conversions = 0;
  Estimate effect;            // difference of conversion, treated minus control
  double log_evidence = 0.0;  // log mixture likelihood ratio of the sequential test
  double value_minor = 0.0;   // effect × treated payments × mean amount × margin
  static constexpr auto fields() {
    return std::make_tuple(
        field("result", &Outcome::result), field("treated_payments", &Outcome::treated_payments),
        field("treated_conversions", &Outcome::treated_conversions),
        field("holdout_payments", &Outcome::holdout_payments),
        field("holdout_conversions", &Outcome::holdout_conversions),
        field("effect", &Outcome::effect), field("log_evidence", &Outcome::log_evidence),
        field("value_minor", &Outcome::value_minor));
  }
};

// An intervention in the ledger, from proposal to outcome.
struct Intervention {
  Action action;
  InterventionState state = InterventionState::proposed;
  Option option;           // as decided
  std::string shown_hash;  // SHA-256 of what a person is shown, hex
  int64_t decided_ts_ms = 0;
  int64_t answer_by_ts_ms = 0;            // proposals only: no answer by then means no
  int64_t changed_ts_ms = 0;              // of the last change of state
  std::string why;                        // of the last change of state
  std::vector<std::string> gate_reasons;  // when it was decided
  Outcome outcome;
  static constexpr auto fields() {
    return std::make_tuple(
        field("action", &Intervention::action), field("state", &Intervention::state),
        field("option", &Intervention::option), field("shown_hash", &Intervention::shown_hash),
        field("decided_ts_ms", &Intervention::decided_ts_ms),
        field("answer_by_ts_ms", &Intervention::answer_by_ts_ms),
        field("changed_ts_ms", &Intervention::changed_ts_ms), field("why", &Intervention::why),
        field("gate_reasons", &Intervention::gate_reasons),
        field("outcome", &Intervention::outcome));
  }
};

// A person's signed answer, or command, from payops.approvals. For a kill switch proposal_id is
// "kill" and verdict "on" or "off"; to forget what was learnt of a scope it is "learned", verdict
// "reset", and shown_hash holds the scope ("HDFC/*/*").
struct Verdict {
  std::string proposal_id;  // action_id of the proposal
  std::string verdict;      // approve | reject | on | off | reset
  std::string shown_hash;
  std::string by;
  int64_t ts_ms = 0;
  std::string sig{};  // Ed25519 over "proposal_id|verdict|shown_hash|by|ts_ms", hex
  static constexpr auto fields() {
    return std::make_tuple(field("proposal_id", &Verdict::proposal_id),
                           field("verdict", &Verdict::verdict),
                           field("shown_hash", &Verdict::shown_hash), field("by", &Verdict::by),
                           field("ts_ms", &Verdict::ts_ms), field("sig", &Verdict::sig));
  }
  [[nodiscard]] std::string signed_text() const {
    return proposal_id + "|" + verdict + "|" + shown_hash + "|" + by + "|" + std::to_string(ts_ms);
  }
};

}  // namespace payops
