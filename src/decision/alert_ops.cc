// Telling people: touches nothing, and is worth what they avert by mending the fault sooner.
#include <algorithm>

#include "answers.h"

namespace payops::decision {
namespace {

std::string_view severity(const Health& health) {
  const double lost = health.baseline > 0.0 ? 1.0 - health.now / health.baseline : 0.0;
  if (lost >= 0.5) return name_of(Severity::high);
  if (lost >= 0.1) return name_of(Severity::medium);
  return name_of(Severity::low);
}

class AlertOps final : public InterventionType {
 public:
  std::string_view name() const override { return action_type::kAlertOps; }
  RiskClass risk() const override { return RiskClass::none; }

  void propose(const Situation& s, std::vector<Option>& options) const override {
    for (const Hypothesis* h : hypotheses_of(
             s, {Cause::issuer_down, Cause::gateway_down, Cause::network, Cause::method_wide,
                 Cause::retry_storm, Cause::latency, Cause::customer_shift, Cause::traffic_drop,
                 Cause::fraud_burst, Cause::data_problem, Cause::upstream_down,
                 Cause::authentication, Cause::merchant_change})) {
      if (options.size() >= kProposalsMax) return;
      if (strength_in_force(s, name(), h->scope) > 0.0) continue;
      const Paths paths = paths_in(s.paths, h->scope);
      const Health health = health_of(paths);
      const Outlook other = other_way(s.paths, h->scope);
      Proposal proposal;
      for (const PathStats* p : paths) proposal.changes.push_back(change(s, *p, other));
      proposal.scope = h->scope;
      proposal.params = {{"severity", std::string(severity(health))}};
      proposal.answers = h;
      proposal.touches_payments = false;
      proposal.evidence_attempts = attempts_of(paths);
      proposal.reason = "Tell operations of " + describe(h->scope, h->slice) + ", by " +
                        percent(h->posterior) + " " + std::string(name_of(h->cause)) + ": " +
                        percent(health.now) + " succeed, " + percent(health.baseline) + " usually";
      if (auto option = make_option(s, name(), proposal)) options.push_back(std::move(*option));
    }
  }

 private:
  static PathChange change(const Situation& s, const PathStats& p, const Outlook& other) {
    const Economics& e = s.economics;
    const double retry = retry_propensity(p);
    const Outlook now = fare(e, s.paths.present(p), other);
    const Outlook usual = fare(e, outlook(p, p.baseline_success, 0.0, retry), other);
    // In expectation a part of the way back to usual: every term moves by the same part, down to
    // nothing where the path fares better than usual.
    const double part = usual.conversion > now.conversion ? e.ops_repair_share : 0.0;
    const auto towards = [part](double from, double to) { return from + part * (to - from); };
    Outlook then = now;
    then.conversion = towards(now.conversion, usual.conversion);
    then.retries = towards(now.retries, usual.retries);
    then.conversion_sigma = part * now.conversion_sigma;
    then.wait_s = towards(now.wait_s, usual.wait_s);
    PathChange c{.path = p.path,
                 .payments_per_s = p.payments_per_s,
                 .amount_minor = p.amount_minor_mean,
                 .nothing = now,
                 .action = then,
                 .nothing_after = usual,
                 .action_after = usual};
    c.nothing.conversion_sigma = 0.0;
    return c;
  }
};

}  // namespace

std::unique_ptr<InterventionType> alert_ops_type() { return std::make_unique<AlertOps>(); }

}  // namespace payops::decision
