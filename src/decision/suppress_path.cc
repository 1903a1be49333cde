// A share of customers is not offered a path that is out everywhere, and pays another way.
#include <algorithm>
#include <map>

#include "answers.h"

namespace payops::decision {
namespace {

// Out at every gateway: no issuer and method of the scope has a path left that another gateway
// could be used on.
bool out_everywhere(const Paths& paths, const Economics& economics) {
  std::map<std::pair<std::string, std::string>, bool> alive;
  for (const PathStats* p : paths) {
    bool& any = alive[{p->path.issuer, p->path.method}];
    any = any || p->success_rate >= economics.outage_share * p->baseline_success;
  }
  return std::none_of(alive.begin(), alive.end(), [](const auto& pair) { return pair.second; });
}

class SuppressPath final : public InterventionType {
 public:
  std::string_view name() const override { return action_type::kSuppressPath; }
  RiskClass risk() const override { return RiskClass::medium; }

  void propose(const Situation& s, std::vector<Option>& options) const override {
    for (const Hypothesis* h : hypotheses_of(
             s, {Cause::issuer_down, Cause::method_wide, Cause::network, Cause::gateway_down})) {
      if (!reachable(*h)) continue;
      Scope scope = h->scope;
      scope.gateway = "*";  // where another gateway works, rerouting is the answer
      refine(scope, paths_in(s.paths, scope), [&](const Scope& part, const Paths& paths) {
        return options.size() >= kProposalsMax || offer(s, *h, part, paths, options);
      });
    }
  }

 private:
  static bool offer(const Situation& s, const Hypothesis& h, const Scope& scope, const Paths& paths,
                    std::vector<Option>& options) {
    const Economics& e = s.economics;
    if (!out_everywhere(paths, e) || thin(paths, e)) return false;
    const Outlook other = other_way(s.paths, scope);
    if (other.first_attempts <= 0.0) return true;  // nothing else to offer
    Proposal proposal;
    for (const PathStats* p : paths) proposal.changes.push_back(change(s, *p, other));
    proposal.scope = scope;
    proposal.answers = &h;
    // Of one issuer's customers; keeping everybody from a method is for a person to decide.
    proposal.risk = scope.issuer == "*" ? RiskClass::high : RiskClass::medium;
    proposal.evidence_attempts = attempts_of(paths);
    proposal.reason = "Ask customers of " + describe(scope) +
                      " to pay another way: " + percent(health_of(paths).now) +
                      " succeed whatever the gateway, " + percent(e.switch_acceptance) +
                      " are expected to agree and " + percent(other.conversion) +
                      " of them to convert";
    if (auto option = make_option(s, action_type::kSuppressPath, proposal)) {
      options.push_back(std::move(*option));
    }
    return true;
  }

  static PathChange change(const Situation& s, const PathStats& path, const Outlook& other) {
    const Economics& e = s.economics;
    const double retry = retry_propensity(path);
    Outlook switched = other;
    switched.conversion = e.switch_acceptance * other.conversion;
    switched.conversion_sigma = e.switch_acceptance * other.conversion_sigma;
    switched.first_attempts = e.switch_acceptance;
    switched.retries = e.switch_acceptance * other.retries;
    switched.wait_s = e.switch_acceptance * other.wait_s;
    return {.path = path.path,
            .payments_per_s = path.payments_per_s,
            .amount_minor = path.amount_minor_mean,
            .nothing = fare(e, s.paths.present(path), other),
            .action = switched,
            .nothing_after = fare(e, outlook(path, path.baseline_success, 0.0, retry), other),
            .action_after = switched,
            .asked = 1.0,
            .common_sigma = e.switch_acceptance_sd * other.conversion};
  }
};

}  // namespace

std::unique_ptr<InterventionType> suppress_path_type() { return std::make_unique<SuppressPath>(); }

}  // namespace payops::decision
