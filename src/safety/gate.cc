#include <algorithm>
#include <cmath>

#include "payops/core/check.h"
#include "payops/core/text.h"
#include "payops/model/relevance.h"
#include "terms.h"

namespace payops::safety {
namespace {

// What the limits have said so far.
struct Spoken {
  std::vector<std::string> refusals;
  std::vector<std::string> questions;  // for a person
  bool shadow = false;

  void refuse(std::string why) { refusals.push_back(std::move(why)); }
  void ask(std::string why) { questions.push_back(std::move(why)); }

  [[nodiscard]] GateVerdict verdict() && {
    GateVerdict v;
    v.outcome = !refusals.empty()    ? GateOutcome::refuse
                : shadow             ? GateOutcome::shadow
                : !questions.empty() ? GateOutcome::needs_approval
                                     : GateOutcome::allow;
    v.reasons = std::move(refusals);
    if (shadow) v.reasons.emplace_back("shadow mode: recorded, not published");
    v.reasons.insert(v.reasons.end(), questions.begin(), questions.end());
    return v;
  }
};

// One proposal before the gate.
struct Case {
  const Option& option;
  const PreMortem& findings;
  const std::vector<Intervention>& ledger;
  const Limits& limits;
  const Evidence& evidence;
  std::string key;
};

std::string seconds(double s) { return fixed(s, 0) + " s"; }

void switches(const Case& c, Spoken& spoken) {
  const bool advisory = is_advisory(c.option.type);
  if (c.evidence.killed && !advisory) spoken.refuse("the kill switch is on");
  if (!c.evidence.observe_only.empty() && !advisory) {
    spoken.refuse("observing only: " + c.evidence.observe_only);
  }
  const auto own = c.limits.modes.find(c.option.type);
  const Mode mode =
      std::min(c.limits.mode, own == c.limits.modes.end() ? c.limits.default_mode : own->second);
  if (mode == Mode::observe) spoken.refuse(c.option.type + " is in observe mode");
  if (mode == Mode::shadow) spoken.shadow = true;
  if (mode == Mode::approve && !advisory) spoken.ask(c.option.type + " is in approve mode");
}

void blast(const Case& c, Spoken& spoken) {
  const double own = blast_of(c.option, c.evidence.assessment);
  const double others = concurrent_blast(c.ledger, c.key, c.evidence.ts_ms);
  const double hour = hourly_blast(c.ledger, c.key, c.evidence.ts_ms);
  const auto check = [&](const char* what, double touched, double limit) {
    if (touched <= limit + kSlack) return;
    spoken.refuse(std::string(what) + " touches " + percent(touched) +
                  " of live value, more than " + percent(limit));
  };
  check("it", own, c.limits.max_blast_action);
  check("with what is in force it", own + others, c.limits.max_blast_concurrent);
  check("with the last hour's actions it", own + hour, c.limits.max_blast_hour);
}

void confidence(const Case& c, Spoken& spoken) {
  const auto& hypotheses = c.evidence.assessment.hypotheses;
  double answered = 0.0;
  for (const Hypothesis& h : hypotheses) {
    if (h.id == c.option.hypothesis_id) answered = std::max(answered, belief(h));
  }
  const double helpful =
      helpful_belief(hypotheses, c.option.type, c.option.scope, c.option.hypothesis_id);
  const double floor = std::min(c.option.confidence, answered);
  const double held = std::min(c.option.confidence, helpful);
  if (!(floor >= c.limits.confidence_floor)) {
    spoken.refuse("its cause is held with " + percent(floor) + " confidence, below the floor of " +
                  percent(c.limits.confidence_floor));
  } else if (!(held >= c.limits.min_confidence)) {
    spoken.ask("causes it helps against are held with " + percent(held) + " confidence, below " +
               percent(c.limits.min_confidence));
  }
}

// The rest due after the last change on the key, and what is still going on there.
void cooldown(const Case& c, Spoken& spoken) {
  int failures = 0;
  bool counting = true;
  const Intervention* last = nullptr;  // the newest that was more than an intention
  for (auto i = c.ledger.rbegin(); i != c.ledger.rend(); ++i) {
    if (!i->action.inverse_of.empty() || i->action.key() != c.key) continue;
    if (i->state == InterventionState::proposed) {
      if (i->action.action_id != c.evidence.answering) {
        spoken.refuse(i->action.action_id + " on it waits for an answer");
      }
      continue;
    }
    if (i->state == InterventionState::withdrawn) continue;
    if (last == nullptr) last = &*i;
    if (i->outcome.result == OutcomeResult::improved && !failed(*i)) counting = false;
    if (counting && failed(*i)) ++failures;
  }
  if (last == nullptr) return;
  const bool holds = in_force(*last, c.evidence.ts_ms);
  if (last->outcome.result == OutcomeResult::improved && !failed(*last)) {
    const bool stronger = c.option.strength > last->action.strength + kSlack;
    const double left_s =
        static_cast<double>(last->action.expires_ts_ms - c.evidence.ts_ms) / 1000.0;
    if (holds && !stronger && left_s > c.limits.renew_before_s) {
      spoken.refuse(last->action.action_id + " is in force and does as much");
    }
    return;
  }
  if (holds && last->outcome.result == OutcomeResult::pending) {
    spoken.refuse(last->action.action_id + " on it is in force and its outcome is not known yet");
  }
  const double rest_s =
      std::min(c.limits.max_cooldown_s, c.limits.cooldown_s * std::exp2(std::min(failures, 30)));
  const double since_s = static_cast<double>(c.evidence.ts_ms - last->changed_ts_ms) / 1000.0;
  if (since_s < rest_s) {
    spoken.refuse("changed " + seconds(since_s) + " ago, it rests for " + seconds(rest_s) +
                  (failures == 0 ? std::string()
                                 : " after " + std::to_string(failures) + " failures in a row"));
  }
}

void breaker(const Case& c, Spoken& spoken) {
  uint64_t count = 0;
  for (const Intervention& i : c.ledger) {
    if (is_advisory(i.action.type) || !i.action.inverse_of.empty()) continue;
    if (!was_issued(i) && i.state != InterventionState::shadowed) continue;
    if (i.action.issued_ts_ms > c.evidence.ts_ms - kHourMs) ++count;
  }
  if (count >= c.limits.max_actions_per_hour) {
    spoken.refuse("the breaker is open: " + std::to_string(count) +
                  " actions within an hour, at most " +
                  std::to_string(c.limits.max_actions_per_hour));
  }
}

void data_age(const Case& c, Spoken& spoken) {
  const double age_s = static_cast<double>(c.evidence.data_age_ms) / 1000.0;
  if (age_s < 0.0) spoken.refuse("the clock is wrong: the newest input lies in the future");
  if (age_s > c.limits.max_data_age_s) {
    spoken.refuse("the newest input is " + fixed(age_s, 1) + " s old, more than " +
                  seconds(c.limits.max_data_age_s));
  }
}

uint64_t attempts_in(const Scope& scope, const Assessment& assessment) {
  uint64_t sum = 0;
  for (const PathStats& p : assessment.paths) {
    if (covers(scope, p.path)) sum += p.attempts;
  }
  return sum;
}

void enough_evidence(const Case& c, Spoken& spoken) {
  const uint64_t needed = c.limits.min_evidence_attempts;
  const uint64_t seen =
      std::min(c.option.evidence_attempts, attempts_in(c.option.scope, c.evidence.assessment));
  if (seen < needed) {
    spoken.refuse("only " + std::to_string(seen) + " attempts were seen there, " +
                  std::to_string(needed) + " are needed");
  }
  const std::string gateway = target_gateway(c.option.params);
  if (gateway.empty()) {
    if (c.option.type == action_type::kRerouteTraffic) spoken.refuse("it names no target gateway");
    return;
  }
  Scope target = c.option.scope;
  target.gateway = gateway;
  if (covers(target, c.option.scope)) spoken.refuse("its target is where the traffic already is");
  const uint64_t there = attempts_in(target, c.evidence.assessment);
  if (there < needed) {
    spoken.refuse("only " + std::to_string(there) + " attempts were seen on " + gateway + ", " +
                  std::to_string(needed) + " are needed");
  }
  for (const Intervention& i : c.ledger) {
    if (in_force(i, c.evidence.ts_ms) && is_diverting(i.action.type) && i.action.key() != c.key &&
        overlaps(i.action.scope, target) && i.action.scope.gateway != "*") {
      spoken.refuse(i.action.action_id + " moves traffic away from " + gateway);
    }
  }
}

void probes(const Case& c, Spoken& spoken) {
  const double left = (1.0 - c.option.strength * (1.0 - c.option.holdout)) *
                      residual_of_others(c.option, c.ledger, c.evidence);
  if (left + kSlack < c.limits.probe_floor) {
    spoken.refuse("it would leave " + percent(left) +
                  " of a path's traffic to probe it, less than " + percent(c.limits.probe_floor));
  }
}

void restricted(const Case& c, Spoken& spoken) {
  const Scope& scope = c.option.scope;
  if (is_diverting(c.option.type) && scope.issuer == "*" && scope.gateway == "*") {
    spoken.ask(scope.method == "*" ? "it takes in all payments"
                                   : "it takes in the whole method " + scope.method);
  }
  const auto merchant = c.option.params.find("merchant");
  if (merchant != c.option.params.end()) {
    const auto& regulated = c.limits.regulated_merchants;
    if (std::find(regulated.begin(), regulated.end(), merchant->second) != regulated.end()) {
      spoken.ask("merchant " + merchant->second + " is regulated");
    }
  }
  if (risk_of(c.option) == RiskClass::high) spoken.ask("its risk is high");
}

void premonitions(const Case& c, Spoken& spoken) {
  const PreMortem& found = c.findings;
  if (found.findings.size() != enum_names<FailureMode>.size() ||
      !std::isfinite(found.failure_probability) || !std::isfinite(found.expected_cost_minor)) {
    spoken.refuse("its pre-mortem is incomplete");
    return;
  }
  const double limit = is_retry(c.option.type) ? c.limits.max_failure_probability_retries
                                               : c.limits.max_failure_probability;
  if (found.failure_probability > limit) {
    const auto likeliest = std::max_element(
        found.findings.begin(), found.findings.end(),
        [](const Finding& a, const Finding& b) { return a.probability < b.probability; });
    spoken.refuse("the pre-mortem gives a chance of failure of " +
                  percent(found.failure_probability) + ", more than " + percent(limit) +
                  ", likeliest by " + std::string(name_of(likeliest->mode)) + ": " +
                  likeliest->because);
  }
  double gain = 0.0;
  for (const NrvItem& item : c.option.nrv.items) gain += std::max(0.0, item.amount_minor);
  if (c.option.nrv.items.empty()) gain = std::max(0.0, c.option.nrv.total.mean);
  const double accepted = std::max(c.limits.max_cost_ratio * gain, c.limits.trial_cost_minor);
  if (found.expected_cost_minor > accepted) {
    spoken.refuse("the pre-mortem reckons with a loss of " +
                  fixed(found.expected_cost_minor / 100.0, 2) + " on average, more than " +
                  fixed(accepted / 100.0, 2));
  }
  for (const Finding& f : found.findings) {
    if (f.mode == FailureMode::fraud_exposure && f.probability > c.limits.max_fraud_probability) {
      spoken.ask("fraud exposure may rise: " + f.because);
    }
  }
}

}  // namespace

GateVerdict gate(const Option& option, const PreMortem& findings,
                 const std::vector<Intervention>& ledger, const Limits& limits,
                 const Evidence& evidence) {
  Spoken spoken;
  if (const Status valid = limits.validate(); !valid) {
    return {GateOutcome::refuse, {"the limits are wrong: " + valid.error().message}};
  }
  if (const std::string why = invalid_because(option, limits); !why.empty()) {
    spoken.refuse(why);
    return std::move(spoken).verdict();
  }
  if (option.type == action_type::kNoAction) return {GateOutcome::allow, {}};
  const Case c{option, findings, ledger, limits, evidence, key_of(option)};
  switches(c, spoken);
  if (!is_advisory(option.type)) {
    data_age(c, spoken);
    confidence(c, spoken);
    blast(c, spoken);
    cooldown(c, spoken);
    breaker(c, spoken);
    restricted(c, spoken);
    premonitions(c, spoken);
    if (is_diverting(option.type)) {
      enough_evidence(c, spoken);
      probes(c, spoken);
    }
    if (evidence.forced && risk_of(option) > RiskClass::low) {
      spoken.refuse("a forced action may not touch traffic");
    }
  }
  GateVerdict verdict = std::move(spoken).verdict();
  PAYOPS_CHECK(verdict.outcome == GateOutcome::allow || !verdict.reasons.empty());
  return verdict;
}

GateVerdict gate_undo(const Action& inverse, const std::vector<Intervention>& ledger,
                      int64_t ts_ms) {
  for (const Intervention& i : ledger) {
    if (i.action.action_id != inverse.inverse_of || !i.action.inverse_of.empty()) continue;
    if (i.action.key() != inverse.key()) {
      return {GateOutcome::refuse, {"it is on another key than " + inverse.inverse_of}};
    }
    const bool out = i.state == InterventionState::approved ||
                     i.state == InterventionState::active ||
                     i.state == InterventionState::rolled_back;
    if (!out || i.action.expires_ts_ms <= ts_ms) {
      return {GateOutcome::refuse, {inverse.inverse_of + " is not in force"}};
    }
    return {GateOutcome::allow, {}};
  }
  return {GateOutcome::refuse, {"there is no action " + inverse.inverse_of + " to undo"}};
}

}  // namespace payops::safety
