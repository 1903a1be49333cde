// Fewer retries, and later ones: what they cost is saved, and a storm that they feed dies down.
#include <algorithm>
#include <cmath>

#include "answers.h"

namespace payops::decision {
namespace {

// Retry types act on the scope as a whole, since its retries are one load.
struct RetryPlan {
  int max_attempts = 100;
  double delay_s = 0.0;
};

PathChange change(const Situation& s, const Hypothesis& h, const PathStats& p,
                  const RetryPlan& plan, const Outlook& other) {
  const Economics& e = s.economics;
  const double retry = retry_propensity(p);
  const double kept = retry * std::exp(-plan.delay_s * e.retry_abandon_per_s);
  const Outlook now = outlook(p, p.success_rate, p.success_sigma, retry);
  // In a storm the load of retries is what fails; one that comes later meets less of it.
  double success = p.success_rate;
  if (h.cause == Cause::retry_storm && plan.delay_s > 0.0) {
    const double again = now.retries / (1.0 + now.retries);
    success += e.storm_relief * again * std::max(0.0, p.baseline_success - success);
  }
  Outlook then = outlook(p, success, p.success_sigma, kept, plan.max_attempts);
  then.wait_s += then.retries * plan.delay_s;
  Outlook later = outlook(p, p.baseline_success, 0.0, kept, plan.max_attempts);
  later.wait_s += later.retries * plan.delay_s;
  // The rate's error is common to both sides; what is uncertain of the difference is the factor.
  then.conversion_sigma = std::abs(then.conversion_sigma - now.conversion_sigma);
  PathChange c{.path = p.path,
               .payments_per_s = p.payments_per_s,
               .amount_minor = p.amount_minor_mean,
               .nothing = fare(e, now, other),
               .action = fare(e, then, other),
               .nothing_after = fare(e, outlook(p, p.baseline_success, 0.0, retry), other),
               .action_after = fare(e, later, other)};
  c.nothing.conversion_sigma = 0.0;
  return c;
}

// What a storm costs where retries are spaced, and that it may die down for those too who are not
// treated. It is the load of an issuer or a gateway as a whole that feeds it. Fewer attempts would
// relieve it as well, but those who give theirs up pay less often than the holdout, and it is
// undone for that.
Relief relief(const Situation& s, const Hypothesis& h, const RetryPlan& plan, const Paths& paths,
              const std::vector<PathChange>& changes) {
  const bool whole = h.scope.method == "*" && (h.scope.issuer != "*") != (h.scope.gateway != "*");
  if (h.cause != Cause::retry_storm || plan.delay_s <= 0.0 || !whole) return {};
  Relief all;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const double lost = changes[i].nothing_after.conversion - changes[i].nothing.conversion;
    all.loss_minor_per_s += paths[i]->payments_per_s * std::max(0.0, lost) *
                            paths[i]->amount_minor_mean * s.economics.margin_share;
  }
  return all;
}

// Where an explanation places the trouble: what all plans for it have in common.
struct Place {
  Place(const Situation& s, const Hypothesis& h)
      : paths(paths_in(s.paths, h.scope)), too_thin(thin(paths, s.economics)) {
    if (!too_thin) other = other_way(s.paths, h.scope);
  }
  Paths paths;
  bool too_thin;
  Outlook other;
};

void offer(const Situation& s, std::string_view type, const Hypothesis& h, const Place& place,
           const RetryPlan& plan, std::map<std::string, std::string> params, std::string what,
           std::vector<Option>& options) {
  const auto& [paths, too_thin, other] = place;
  if (options.size() >= kProposalsMax || too_thin) return;
  Proposal proposal;
  double attempts = 0.0, payments = 0.0;
  for (const PathStats* p : paths) {
    proposal.changes.push_back(change(s, h, *p, plan, other));
    payments += p->payments_per_s;
    attempts += p->payments_per_s * p->attempts_per_payment;
  }
  if (attempts <= 1.02 * payments) return;  // there is next to nothing to save
  proposal.relief = relief(s, h, plan, paths, proposal.changes);
  proposal.scope = h.scope;
  proposal.params = std::move(params);
  proposal.answers = &h;
  proposal.touched_share = 1.0 - health_of(paths).now;  // only those that fail are retried
  proposal.risk = RiskClass::low;
  proposal.evidence_attempts = attempts_of(paths);
  proposal.reason = what + " for " + describe(h.scope) + ": " +
                    std::to_string(static_cast<int>(100.0 * attempts / payments + 0.5)) +
                    " attempts per hundred payments at a success of " +
                    percent(health_of(paths).now);
  if (auto option = make_option(s, type, proposal)) options.push_back(std::move(*option));
}

class AdjustRetry final : public InterventionType {
 public:
  std::string_view name() const override { return action_type::kAdjustRetry; }
  RiskClass risk() const override { return RiskClass::low; }
  void propose(const Situation& s, std::vector<Option>& options) const override {
    for (const Hypothesis* h : hypotheses_of(s, {Cause::retry_storm, Cause::latency})) {
      if (!reachable(*h)) continue;
      const Place place(s, *h);
      for (const int delay_s : {15, 60}) {
        offer(s, name(), *h, place, {.delay_s = static_cast<double>(delay_s)},
              {{"delay_ms", std::to_string(delay_s * 1000)}},
              "Space retries by " + std::to_string(delay_s) + " s", options);
      }
    }
  }
};

class ReduceRetryAttempts final : public InterventionType {
 public:
  std::string_view name() const override { return action_type::kReduceRetryAttempts; }
  RiskClass risk() const override { return RiskClass::low; }
  void propose(const Situation& s, std::vector<Option>& options) const override {
    for (const Hypothesis* h :
         hypotheses_of(s, {Cause::retry_storm, Cause::issuer_down, Cause::method_wide,
                           Cause::gateway_down, Cause::network, Cause::upstream_down})) {
      if (!reachable(*h)) continue;
      const Place place(s, *h);
      for (const int most : {1, 2}) {
        offer(s, name(), *h, place, {.max_attempts = most},
              {{"max_attempts", std::to_string(most)}},
              "Allow at most " + std::to_string(most) + (most == 1 ? " attempt" : " attempts"),
              options);
      }
    }
  }
};

}  // namespace

std::unique_ptr<InterventionType> adjust_retry_type() { return std::make_unique<AdjustRetry>(); }
std::unique_ptr<InterventionType> reduce_retry_attempts_type() {
  return std::make_unique<ReduceRetryAttempts>();
}

}  // namespace payops::decision
