// A share of a scope's payments to another gateway.
#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "answers.h"

namespace payops::decision {
namespace {

std::map<std::string, Paths> by_gateway(const Paths& paths) {
  std::map<std::string, Paths> parts;
  for (const PathStats* p : paths) parts[p->path.gateway].push_back(p);
  return parts;
}

std::set<std::string_view> gateways_of(const Assessment& assessment) {
  std::set<std::string_view> gateways;
  for (const PathStats& p : assessment.paths) gateways.insert(p.path.gateway);
  return gateways;
}

// Is the target itself out of the question, for whatever traffic comes from `from`?
bool suspect(const Situation& s, const Hypothesis& h, const std::string& from,
             const std::string& to) {
  const Economics& e = s.economics;
  if (e.share_upstream(from, to)) return true;
  if (h.scope.gateway != "*" && e.share_upstream(h.scope.gateway, to)) return true;
  return std::any_of(s.assessment.alarms.begin(), s.assessment.alarms.end(),
                     [&](const Alarm& a) { return a.ended_ts_ms == 0 && a.scope.gateway == to; });
}

// Does something in force move this traffic away from `to`? Then sending more there is a circle.
bool circular(const Situation& s, const Scope& scope, const std::string& to) {
  Scope there = scope;
  there.gateway = to;
  return std::any_of(s.interventions.begin(), s.interventions.end(), [&](const Intervention& i) {
    return in_force(i, s.ts_ms) && i.action.type == action_type::kRerouteTraffic &&
           i.action.scope.gateway != "*" && overlaps(i.action.scope, there);
  });
}

class RerouteTraffic final : public InterventionType {
 public:
  std::string_view name() const override { return action_type::kRerouteTraffic; }
  RiskClass risk() const override { return RiskClass::medium; }

  void propose(const Situation& s, std::vector<Option>& options) const override {
    const auto hypotheses =
        hypotheses_of(s, {Cause::gateway_down, Cause::network, Cause::issuer_down,
                          Cause::method_wide, Cause::latency, Cause::upstream_down});
    if (hypotheses.empty()) return;
    const std::set<std::string_view> gateways = gateways_of(s.assessment);
    for (const Hypothesis* h : hypotheses) {
      // Where an issuer or a method fails on every gateway there is nowhere better to go.
      if (!reachable(*h)) continue;
      const bool everywhere = h->cause == Cause::issuer_down || h->cause == Cause::method_wide;
      if (everywhere && h->scope.gateway == "*") continue;
      const Paths affected = paths_in(s.paths, h->scope);
      for (const auto& [from, sources] : by_gateway(affected)) {
        if (few(s, sources)) continue;
        const Health health = health_of(sources);
        if (h->cause != Cause::latency && health.now >= s.economics.healthy_share * health.baseline)
          continue;
        Scope scope = h->scope;
        scope.gateway = from;
        for (const std::string_view name : gateways) {
          const std::string to(name);
          if (options.size() >= kProposalsMax) return;
          if (to == kOtherName || suspect(s, *h, from, to) || circular(s, scope, to)) continue;
          refine(scope, sources, [&](const Scope& part, const Paths& paths) {
            return options.size() >= kProposalsMax || few(s, paths) ||
                   offer(s, *h, part, paths, to, options);
          });
        }
      }
    }
  }

 private:
  // Too few attempts to act on, and no part of them has more: what anybody can make by inventing
  // names costs nothing further.
  static bool few(const Situation& s, const Paths& paths) {
    return static_cast<double>(attempts_of(paths)) < s.economics.attempts_min;
  }

  // False when the target does not take every payment of this part, so that narrower ones are
  // tried.
  static bool offer(const Situation& s, const Hypothesis& h, const Scope& scope,
                    const Paths& sources, const std::string& to, std::vector<Option>& options) {
    Paths targets;
    std::vector<double> shares;
    double flow = 0.0;
    for (const PathStats* from : sources) {
      const PathStats* target = s.paths.find({from->path.issuer, from->path.method, to});
      if (target == nullptr || !s.economics.supports(from->path.method, to)) return false;
      const double share = s.economics.acceptable_share(to, from->amount_minor_mean);
      if (share <= 0.0) return false;
      targets.push_back(target);
      shares.push_back(share);
      flow += share * from->payments_per_s;
    }
    if (flow <= 0.0 || thin(sources, s.economics) || thin(targets, s.economics)) return false;
    Proposal proposal;
    const Outlook other = other_way(s.paths, scope);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      proposal.changes.push_back(change(s, *sources[i], *targets[i], shares[i], other));
    }
    // What this key sends there already makes room for what replaces it.
    double own = 0.0;
    for (const Intervention& i : s.interventions) {
      const auto was = i.action.params.find("to_gateway");
      if (in_force(i, s.ts_ms) && i.action.type == action_type::kRerouteTraffic &&
          i.action.scope == scope && was != i.action.params.end() && was->second == to) {
        own = flow * i.action.strength * (1.0 - i.action.holdout);
      }
    }
    const double room = headroom_per_s(s, to) + own;
    proposal.strength_max = std::min(1.0, kSurelyCarried * room / flow);
    if (room > 0.0) proposal.headroom_used = flow / room;
    for (const PathStats& p : s.assessment.paths) {
      if (p.path.gateway != to) continue;
      proposal.target_worth_per_s +=
          p.payments_per_s * p.amount_minor_mean * p.success_rate * s.economics.margin_share;
    }
    proposal.scope = scope;
    proposal.params = {{"to_gateway", to}};
    proposal.answers = &h;
    proposal.measured = true;  // payments fare there as those do that go there already
    proposal.risk = RiskClass::medium;
    proposal.evidence_attempts = std::min(attempts_of(sources), attempts_of(targets));
    proposal.reason = "Reroute " + describe(scope) + " to " + to + ": " +
                      percent(health_of(sources).now) + " succeed now, " +
                      percent(health_of(targets).now) + " do there";
    if (auto option = make_option(s, action_type::kRerouteTraffic, proposal)) {
      options.push_back(std::move(*option));
    }
    return true;
  }

  static PathChange change(const Situation& s, const PathStats& from, const PathStats& to,
                           double share, const Outlook& other) {
    const Economics& e = s.economics;
    const double retry = retry_propensity(from);
    const Outlook there = fare(e, outlook(to, to.success_rate, to.success_sigma, retry), other);
    return {.path = from.path,
            .payments_per_s = share * from.payments_per_s,
            .amount_minor = from.amount_minor_mean,
            .nothing = fare(e, s.paths.present(from), other),
            .action = there,
            .nothing_after = fare(e, outlook(from, from.baseline_success, 0.0, retry), other),
            .action_after = fare(e, outlook(to, to.baseline_success, 0.0, retry), other),
            .common_sigma = from.fault_sigma};
  }
};

}  // namespace

std::unique_ptr<InterventionType> reroute_traffic_type() {
  return std::make_unique<RerouteTraffic>();
}

}  // namespace payops::decision
