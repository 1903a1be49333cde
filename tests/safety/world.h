// A small live world for the safety tests: four issuers, two methods, two gateways, and HDFC
// failing on one of them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "payops/safety/safety.h"

namespace payops::safety {

inline constexpr int64_t kNow = 1'800'000'000'000;

struct World {
  Assessment assessment;
  EffectTable effects;
  std::vector<Intervention> ledger;
  Limits limits;
  int64_t data_age_ms = 2000;
  bool killed = false;
  bool forced = false;
  std::string observe_only;
  std::string answering;

  World() {
    assessment.ts_ms = kNow;
    for (const char* issuer : {"AXIS", "HDFC", "ICICI", "SBI"}) {
      for (const char* method : {"card", "upi"}) {
        for (const char* gateway : {"PAYU", "RAZOR"}) {
          PathStats p;
          p.path = {issuer, method, gateway};
          p.payments_per_s = 1.25;
          p.baseline_success = 0.95;
          const bool faulty = p.path.issuer == "HDFC" && p.path.gateway == "PAYU";
          p.success_rate = faulty ? 0.55 : 0.95;
          p.success_sigma = 0.02;
          p.amount_minor_mean = 100'000;
          p.attempts = 5000;
          p.warming_up = false;
          assessment.paths.push_back(p);
        }
      }
    }
    assessment.hypotheses = {
        hypothesis("hyp-gateway", Cause::gateway_down, {"HDFC", "*", "PAYU"}, 0.92),
        hypothesis("hyp-none", Cause::none_of_these, {}, 0.08)};
  }

  static Hypothesis hypothesis(std::string id, Cause cause, Scope scope, double posterior) {
    Hypothesis h;
    h.id = std::move(id);
    h.cause = cause;
    h.scope = std::move(scope);
    h.posterior = posterior;
    return h;
  }

  // The live path of exactly these names.
  PathStats& path(const Scope& scope) {
    return *std::find_if(assessment.paths.begin(), assessment.paths.end(),
                         [&](const PathStats& p) { return p.path == scope; });
  }

  [[nodiscard]] Evidence evidence() const {
    return {.ts_ms = kNow,
            .data_age_ms = data_age_ms,
            .killed = killed,
            .observe_only = observe_only,
            .assessment = assessment,
            .effects = effects,
            .forced = forced,
            .answering = answering};
  }
  [[nodiscard]] PreMortem examine(const Option& option) const {
    return pre_mortem(option, ledger, limits, evidence());
  }
  [[nodiscard]] GateVerdict judge_as_is(const Option& option) const {
    return gate(option, examine(option), ledger, limits, evidence());
  }
  [[nodiscard]] double probability(FailureMode mode, const Option& option) const {
    for (const Finding& f : examine(option).findings) {
      if (f.mode == mode) return f.probability;
    }
    return -1.0;
  }
};

// Moves HDFC's traffic from the failing gateway to the other one.
inline Option reroute() {
  Option o;
  o.option_id = "opt-reroute";
  o.type = action_type::kRerouteTraffic;
  o.scope = {"HDFC", "*", "PAYU"};
  o.params = {{"to_gateway", "RAZOR"}};
  o.strength = 0.9;
  o.holdout = 0.1;
  o.duration_s = 600;
  o.risk = RiskClass::medium;
  o.cause = Cause::gateway_down;
  o.hypothesis_id = "hyp-gateway";
  o.confidence = 0.92;
  o.blast_radius = 0.9 * 2 / 16;
  o.evidence_attempts = 10'000;
  o.effect = {0.4, 0.05};
  o.nrv.items = {{"recovered", 900'000.0}, {"fees", -50'000.0}};
  o.nrv.total = {.mean = 850'000.0, .sigma = 200'000.0, .low = 520'000.0, .high = 1'180'000.0};
  o.nrv.horizon_s = 600;
  o.reason = "HDFC fails on PAYU";
  return o;
}

inline Option suppress() {
  Option o = reroute();
  o.option_id = "opt-suppress";
  o.type = action_type::kSuppressPath;
  o.params.clear();
  return o;
}

inline Option fewer_retries() {
  Option o = reroute();
  o.option_id = "opt-retries";
  o.type = action_type::kReduceRetryAttempts;
  o.params = {{"max_attempts", "1"}};
  o.risk = RiskClass::low;
  o.blast_radius = 0.02;
  return o;
}

inline Option alert() {
  Option o;
  o.option_id = "opt-alert";
  o.type = action_type::kAlertOps;
  o.duration_s = 300;
  return o;
}

// An entry of the ledger on the option's key, decided `ago_s` ago.
inline Intervention entry(const Option& option, InterventionState state, double ago_s,
                          OutcomeResult outcome = OutcomeResult::pending) {
  static int count = 0;
  Intervention i;
  i.action.action_id = "act-" + std::to_string(++count);
  i.action.type = option.type;
  i.action.scope = option.scope;
  i.action.params = option.params;
  i.action.strength = option.strength;
  i.action.holdout = option.holdout;
  i.action.issued_ts_ms = kNow - static_cast<int64_t>(ago_s * 1000);
  i.action.expires_ts_ms = i.action.issued_ts_ms + static_cast<int64_t>(option.duration_s * 1000);
  i.state = state;
  i.option = option;
  i.decided_ts_ms = i.changed_ts_ms = i.action.issued_ts_ms;
  i.outcome.result = outcome;
  return i;
}

// "a | b": the reasons in one line, for messages and searches.
inline std::string reasons(const GateVerdict& verdict) {
  std::string text;
  for (const std::string& reason : verdict.reasons) text += reason + " | ";
  return text;
}

inline bool says(const GateVerdict& verdict, const std::string& words) {
  return reasons(verdict).find(words) != std::string::npos;
}

}  // namespace payops::safety
