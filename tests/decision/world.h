// A small world for tests of decisions: issuers, methods and gateways with live paths, and the
// faults that can be put into it.
#pragma once

#include <string>
#include <vector>

#include "payops/decision/planner.h"

namespace payops::decision {

inline constexpr int64_t kNow = 1'772'366'400'000;

struct World {
  Assessment assessment;
  EffectTable effects;
  std::vector<Intervention> ledger;
  Economics economics;
  TrafficPeaks peaks;

  World() : World({"HDFC", "SBI"}, {"card", "upi"}, {"PAYU", "RAZOR", "STRIPE"}) {}
  World(const std::vector<std::string>& issuers, const std::vector<std::string>& methods,
        const std::vector<std::string>& gateways, double payments_per_s = 4.0) {
    assessment.ts_ms = kNow;
    for (const auto& issuer : issuers) {
      for (const auto& method : methods) {
        for (const auto& gateway : gateways) {
          assessment.paths.push_back({.path = {issuer, method, gateway},
                                      .payments_per_s = payments_per_s,
                                      .success_rate = 0.95,
                                      .success_sigma = 0.005,
                                      .baseline_success = 0.95,
                                      .attempts_per_payment = 1.04,
                                      .latency_p95_ms = 900.0,
                                      .amount_minor_mean = 200'000.0,
                                      .attempts = 20'000,
                                      .warming_up = false});
        }
      }
    }
  }

  // All paths of a scope succeed at `success` from now on.
  void set_success(const Scope& scope, double success) {
    for (PathStats& p : assessment.paths) {
      if (covers(scope, p.path)) p.success_rate = success;
    }
  }
  void suspect(Cause cause, const Scope& scope, double posterior = 0.9) {
    assessment.hypotheses.push_back({.id = "hyp-" + std::to_string(assessment.hypotheses.size()),
                                     .cause = cause,
                                     .scope = scope,
                                     .posterior = posterior,
                                     .evidence_for = {},
                                     .evidence_against = {},
                                     .why_not = {}});
    assessment.alarms.push_back({.id = "alm-1", .scope = scope, .started_ts_ms = kNow - 60'000});
  }
  void break_gateway(const std::string& gateway, double success = 0.3) {
    set_success({"*", "*", gateway}, success);
    suspect(Cause::gateway_down, {"*", "*", gateway});
  }
  void break_issuer(const std::string& issuer, double success = 0.02) {
    set_success({issuer, "*", "*"}, success);
    suspect(Cause::issuer_down, {issuer, "*", "*"});
  }

  PathStats& path(const Scope& scope) {
    for (PathStats& p : assessment.paths) {
      if (p.path == scope) return p;
    }
    return assessment.paths.front();
  }

  [[nodiscard]] Situation situation() const {
    return {assessment, effects, ledger, economics, kNow, &peaks};
  }
  [[nodiscard]] std::vector<Option> plan(const PlannerConfig& config = {}) const {
    return Planner(config).plan(situation());
  }

  // The option put into the ledger, active since `age_s`.
  Intervention& act(const Option& option, double age_s = 120.0) {
    Intervention i;
    i.action.action_id = "act-" + std::to_string(ledger.size());
    i.action.type = option.type;
    i.action.scope = option.scope;
    i.action.params = option.params;
    i.action.strength = option.strength;
    i.action.holdout = option.holdout;
    i.action.issued_ts_ms = kNow - static_cast<int64_t>(age_s * 1000.0);
    i.action.expires_ts_ms =
        i.action.issued_ts_ms + static_cast<int64_t>(option.duration_s * 1000.0);
    i.state = InterventionState::active;
    i.option = option;
    i.changed_ts_ms = i.action.issued_ts_ms;
    ledger.push_back(i);
    return ledger.back();
  }
};

inline const Option* find_type(const std::vector<Option>& options, std::string_view type) {
  for (const Option& o : options) {
    if (o.type == type) return &o;
  }
  return nullptr;
}

inline double item(const Nrv& nrv, std::string_view name) {
  for (const NrvItem& i : nrv.items) {
    if (i.name == name) return i.amount_minor;
  }
  return 0.0;
}

}  // namespace payops::decision
