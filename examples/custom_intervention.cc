// A team's own way to act, from proposal to pre-mortem, without Kafka or a running agent.
//
// "ask_for_otp" asks for a one-time password before a payment goes to an issuer that has begun to
// decline frictionless ones: more payments are authenticated, and each costs the customer a moment.
// The type says how a payment fares with and without it; ramp, learnt effect, value, blast radius
// and ranking come from the library. Registered with the agent, it goes through the same gate.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include "payops/core/text.h"
#include "payops/decision/planner.h"
#include "payops/safety/safety.h"

namespace {

using namespace payops;

class AskForOtp final : public decision::InterventionType {
 public:
  std::string_view name() const override { return "ask_for_otp"; }
  RiskClass risk() const override { return RiskClass::medium; }

  void propose(const decision::Situation& s, std::vector<Option>& options) const override {
    for (const Hypothesis& h : s.assessment.hypotheses) {
      if (h.cause != Cause::issuer_down || h.posterior < s.economics.posterior_min) continue;
      Scope scope = h.scope;
      scope.method = "card";  // only cards can be asked
      const decision::Paths paths = decision::paths_in(s.paths, scope);
      if (decision::thin(paths, s.economics)) continue;
      decision::Proposal proposal;
      for (const PathStats* p : paths) proposal.changes.push_back(change(*p));
      proposal.scope = scope;
      proposal.params = {{"length", "6"}};
      proposal.answers = &h;
      proposal.risk = risk();
      proposal.evidence_attempts = decision::attempts_of(paths);
      proposal.reason = "Authenticate payments of " + describe(scope) + " by one-time password";
      if (auto option = decision::make_option(s, name(), proposal)) options.push_back(*option);
    }
  }

 private:
  // Authenticated payments make up half of the way back to normal; each waits eight seconds more.
  static decision::PathChange change(const PathStats& p) {
    const double retry = decision::retry_propensity(p);
    const double asked = p.success_rate + 0.5 * (p.baseline_success - p.success_rate);
    decision::PathChange c;
    c.path = p.path;
    c.payments_per_s = p.payments_per_s;
    c.amount_minor = p.amount_minor_mean;
    c.nothing = decision::outlook(p, p.success_rate, p.success_sigma, retry);
    c.action = decision::outlook(p, asked, p.success_sigma, retry);
    c.nothing_after = decision::outlook(p, p.baseline_success, 0.0, retry);
    c.action_after = c.nothing_after;
    c.action.wait_s += 8.0;
    c.action_after.wait_s += 8.0;
    return c;
  }
};

// What reasoning would say of an issuer whose cards fail at both gateways.
Assessment an_issuer_in_trouble(int64_t now_ms) {
  Assessment a;
  a.ts_ms = now_ms;
  for (const std::string issuer : {"HDFC", "SBI"}) {
    for (const std::string method : {"card", "upi"}) {
      for (const std::string gateway : {"PAYU", "RAZORPAY"}) {
        const bool hurt = issuer == "HDFC" && method == "card";
        PathStats p;
        p.path = {issuer, method, gateway};
        p.payments_per_s = 12.0;
        p.success_rate = hurt ? 0.45 : 0.94;
        p.success_sigma = 0.01;
        p.baseline_success = 0.94;
        p.attempts_per_payment = hurt ? 1.25 : 1.03;
        p.latency_p95_ms = 1200.0;
        p.amount_minor_mean = 120'000.0;
        p.attempts = 40'000;
        p.warming_up = false;
        a.paths.push_back(p);
      }
    }
  }
  Alarm alarm;
  alarm.id = "alm-0000000000000001";
  alarm.scope = {"HDFC", "card", "*"};
  alarm.started_ts_ms = now_ms - 90'000;
  alarm.raised_ts_ms = now_ms - 60'000;
  a.alarms.push_back(alarm);
  Hypothesis cause;
  cause.id = "hyp-0000000000000001";
  cause.cause = Cause::issuer_down;
  cause.scope = alarm.scope;
  cause.posterior = 0.88;
  a.hypotheses.push_back(cause);
  return a;
}

std::string rupees(double minor) { return fixed(std::round(minor / 100.0) + 0.0, 0) + " INR"; }

void print(const Option& option) {
  std::printf("\n%s on %s, strength %s, holdout %s\n  %s\n", option.type.c_str(),
              describe(option.scope).c_str(), fixed(option.strength, 2).c_str(),
              fixed(option.holdout, 2).c_str(), option.reason.c_str());
  std::printf("  worth %s (%s to %s) in %s s, touching %s %% of live value\n",
              rupees(option.nrv.total.mean).c_str(), rupees(option.nrv.total.low).c_str(),
              rupees(option.nrv.total.high).c_str(), fixed(option.nrv.horizon_s, 0).c_str(),
              fixed(100.0 * option.blast_radius, 1).c_str());
  for (const NrvItem& item : option.nrv.items) {
    std::printf("    %-12s %14s\n", item.name.c_str(), rupees(item.amount_minor).c_str());
  }
}

}  // namespace

int main() {
  const int64_t now_ms = 1'772'366'400'000;
  const Assessment assessment = an_issuer_in_trouble(now_ms);
  const EffectTable effects;               // nothing learnt yet
  const std::vector<Intervention> ledger;  // nothing in force
  const decision::Economics economics;

  decision::Planner planner;
  if (const Status added = planner.add(std::make_unique<AskForOtp>()); !added) {
    std::fprintf(stderr, "%s\n", added.error().message.c_str());
    return 1;
  }
  const decision::Situation situation{assessment, effects, ledger, economics, now_ms};
  const std::vector<Option> options = planner.plan(situation);
  std::printf("%zu options, best first:\n", options.size());
  for (const Option& option : options) print(option);

  const Option* own = nullptr;
  for (const Option& option : options) {
    if (option.type == "ask_for_otp") own = &option;
  }
  if (own == nullptr) {
    std::fprintf(stderr, "the planner did not offer ask_for_otp\n");
    return 1;
  }
  const safety::Limits limits;
  const safety::Evidence evidence{.ts_ms = now_ms,
                                  .data_age_ms = 1000,
                                  .observe_only = "",
                                  .assessment = assessment,
                                  .effects = effects,
                                  .answering = ""};
  const PreMortem pre_mortem = safety::pre_mortem(*own, ledger, limits, evidence);
  std::printf("\nIt is an hour later and ask_for_otp made things worse (%s %%). Why?\n",
              fixed(100.0 * pre_mortem.failure_probability, 0).c_str());
  for (const Finding& f : pre_mortem.findings) {
    std::printf("  %-22s %4s %%  %10s  %s\n", std::string(name_of(f.mode)).c_str(),
                fixed(100.0 * f.probability, 0).c_str(), rupees(f.cost_minor).c_str(),
                f.because.c_str());
  }
  const GateVerdict verdict = safety::gate(*own, pre_mortem, ledger, limits, evidence);
  std::printf("\nThe gate says: %s\n", std::string(name_of(verdict.outcome)).c_str());
  for (const std::string& reason : verdict.reasons) std::printf("  %s\n", reason.c_str());
  return 0;
}
