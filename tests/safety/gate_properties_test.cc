// Whatever is proposed, in whatever state of the world: what the gate lets through breaks no limit.
// The limits are restated here from their definitions, not from the gate's code.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <map>

#include "payops/core/random.h"
#include "safety/world.h"

namespace payops::safety {
namespace {

constexpr int kProposals = 200;  // tried in each run of a property

// Everything is drawn from one seed, so that a failure is reported as that one number.
class Draw {
 public:
  explicit Draw(uint64_t seed) : stream_(Random(seed).at(1)) {}

  bool one_in(uint64_t n) { return stream_.below(n) == 0; }
  double share() { return static_cast<double>(stream_.below(1001)) / 1000.0; }
  template <class T>
  T of(const std::vector<T>& values) {
    return values[stream_.below(values.size())];
  }
  std::string name(const std::vector<std::string>& names) { return of(names); }

  // Mostly sensible, and every so often not.
  double number(double low, double high) {
    switch (stream_.below(80)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return std::numeric_limits<double>::infinity();
      case 2:
        return -std::numeric_limits<double>::infinity();
      case 3:
        return -1e-9;
      case 4:
        return high + 1e-6;
      case 5:
        return high;
      case 6:
        return low;
      default:
        return low + (high - low) * share();
    }
  }

 private:
  RandomStream stream_;
};

Scope any_scope(Draw& d) {
  return {d.name({"*", "HDFC", "HDFC", "SBI", "AXIS"}), d.name({"*", "*", "card", "upi"}),
          d.name({"*", "PAYU", "PAYU", "RAZOR"})};
}

Option any_option(Draw& d) {
  Option o = reroute();
  o.type = d.name({"reroute_traffic", "suppress_path", "reduce_retry_attempts", "adjust_retry",
                   "alert_ops", "no_action", "page_the_president"});
  if (!d.one_in(3)) o.scope = any_scope(d);
  if (o.type != "reroute_traffic") o.params.clear();
  if (d.one_in(8)) o.params["to_gateway"] = d.name({"PAYU", "NOWHERE", ""});
  if (d.one_in(8)) o.params["merchant"] = d.name({"m-1", "m-2"});
  o.strength = d.number(0, 1);
  o.holdout = d.number(0, 0.99);
  o.duration_s = d.number(0, 3600);
  o.confidence = d.number(0.5, 1);
  o.blast_radius = d.number(0, 0.4);
  o.evidence_attempts = d.of<uint64_t>({0, 499, 500, 10'000, 10'000, 10'000});
  o.risk = d.of<RiskClass>({RiskClass::none, RiskClass::low, RiskClass::medium, RiskClass::high});
  o.hypothesis_id = d.name({"hyp-gateway", "hyp-gateway", "hyp-gateway", "hyp-none", "hyp-?", ""});
  o.nrv.items[0].amount_minor = d.number(0, 2e6);
  o.nrv.total.mean = d.number(-1e6, 2e6);
  o.nrv.total.sigma = d.number(0, 1e6);
  o.effect.mean = d.number(-0.5, 0.5);
  return o;
}

Intervention any_entry(Draw& d) {
  using State = InterventionState;
  Option o = any_option(d);
  o.strength = d.share();
  o.holdout = d.share() * 0.5;
  o.duration_s = 1 + 3000 * d.share();
  o.blast_radius = 0.2 * d.share();
  const auto state = d.of<State>({State::active, State::active, State::ended, State::ended,
                                  State::approved, State::rolled_back, State::rejected,
                                  State::withdrawn, State::shadowed, State::proposed});
  return entry(o, state, 5000 * d.share(),
               d.of<OutcomeResult>({OutcomeResult::pending, OutcomeResult::improved,
                                    OutcomeResult::worse, OutcomeResult::inconclusive}));
}

Mode any_mode(Draw& d) {
  return d.of<Mode>({Mode::observe, Mode::shadow, Mode::approve, Mode::automatic, Mode::automatic,
                     Mode::automatic, Mode::automatic, Mode::automatic, Mode::automatic});
}

World any_world(Draw& d) {
  World w;
  w.killed = d.one_in(8);
  w.forced = d.one_in(6);
  w.observe_only = d.one_in(8) ? "doubt" : "";
  w.data_age_ms = d.of<int64_t>({-1, 0, 5000, 5000, 5000, 5000, 30'000, 30'001});
  w.assessment.hypotheses[0].posterior = d.one_in(3) ? d.share() : 0.95;
  w.assessment.hypotheses[0].scope = any_scope(d);
  for (PathStats& p : w.assessment.paths) {
    if (d.one_in(20)) p.attempts = 100;
    if (d.one_in(20)) p.payments_per_s = 0;
    if (d.one_in(40)) p.payments_per_s = std::nan("");
  }
  for (uint64_t n = d.of<uint64_t>({0, 0, 1, 2, 4, 12}); n > 0; --n) {
    w.ledger.push_back(any_entry(d));
  }
  Limits& l = w.limits;
  l.mode = any_mode(d);
  l.modes["reroute_traffic"] = any_mode(d);
  l.max_blast_action = d.share();
  l.max_blast_concurrent = d.share();
  l.max_blast_hour = d.share() * 0.5 + 0.5;
  l.max_actions_per_hour = d.of<uint64_t>({0, 2, 5, 20, 20});
  l.probe_floor = 0.01 + 0.04 * d.share();
  l.regulated_merchants = {"m-1"};
  l.max_failure_probability = 1.0;  // or little else would ever be the reason
  l.max_failure_probability_retries = 1.0;
  l.max_cost_ratio = 1000;
  return w;
}

bool advisory(const std::string& type) { return type == "alert_ops" || type == "no_action"; }
bool retries(const std::string& type) {
  return type == "adjust_retry" || type == "reduce_retry_attempts";
}
bool within(const std::string& name, const std::string& pattern) {
  return pattern == "*" || name == pattern;
}
bool within(const Scope& path, const Scope& scope) {
  return within(path.issuer, scope.issuer) && within(path.method, scope.method) &&
         within(path.gateway, scope.gateway);
}
bool live(const Intervention& i) {
  return (i.state == InterventionState::active || i.state == InterventionState::approved) &&
         i.action.expires_ts_ms > kNow;
}
bool issued(const Intervention& i) {
  return i.state == InterventionState::active || i.state == InterventionState::approved ||
         i.state == InterventionState::ended || i.state == InterventionState::rolled_back;
}

// The share of live value that the option's scope has, by the assessment.
double value_share(const Option& o, const World& w) {
  double mine = 0, all = 0;
  for (const PathStats& p : w.assessment.paths) {
    if (!std::isfinite(p.payments_per_s)) continue;
    const double failing = retries(o.type) ? 1.0 - p.success_rate : 1.0;
    all += p.payments_per_s * p.amount_minor_mean;
    if (within(p.path, o.scope)) mine += failing * p.payments_per_s * p.amount_minor_mean;
  }
  return all > 0 ? mine / all : 0;
}

void assert_numbers(const Option& o, const World& w) {
  for (const double x :
       {o.strength, o.holdout, o.duration_s, o.confidence, o.blast_radius, o.effect.mean,
        o.nrv.total.mean, o.nrv.total.sigma, o.nrv.total.low, o.nrv.total.high}) {
    RC_ASSERT(std::isfinite(x));
  }
  RC_ASSERT(o.strength >= 0 && o.strength <= 1 && o.holdout >= 0 && o.holdout < 1);
  RC_ASSERT(o.duration_s >= 0 && o.duration_s <= w.limits.max_duration_s);
  if (!advisory(o.type)) RC_ASSERT(o.strength > 0 && o.duration_s > 0);
}

void assert_blast(const Option& o, const World& w) {
  const std::string key = o.type + "|" + to_string(o.scope);
  const double own = std::max(o.blast_radius, o.strength * value_share(o, w));
  double together = own;
  std::map<std::string, double> hour;
  uint64_t actions = 0;
  for (const Intervention& i : w.ledger) {
    if (advisory(i.action.type)) continue;
    const bool recent = i.action.issued_ts_ms > kNow - 3'600'000;
    if ((issued(i) || i.state == InterventionState::shadowed) && recent) ++actions;
    if (i.action.key() == key) continue;
    if (live(i)) together += i.option.blast_radius;
    if (issued(i) && (recent || live(i))) {
      hour[i.action.key()] = std::max(hour[i.action.key()], i.option.blast_radius);
    }
  }
  double hourly = own;
  for (const auto& [other, blast] : hour) hourly += blast;
  RC_ASSERT(own <= w.limits.max_blast_action + 1e-6);
  RC_ASSERT(together <= w.limits.max_blast_concurrent + 1e-6);
  RC_ASSERT(hourly <= w.limits.max_blast_hour + 1e-6);
  RC_ASSERT(actions < w.limits.max_actions_per_hour);
}

void assert_cooldown(const Option& o, const World& w) {
  const std::string key = o.type + "|" + to_string(o.scope);
  const Intervention* last = nullptr;
  for (const Intervention& i : w.ledger) {
    if (i.action.key() != key || i.state == InterventionState::withdrawn) continue;
    RC_ASSERT(i.state != InterventionState::proposed);
    last = &i;
  }
  if (last == nullptr) return;
  const bool failure =
      last->outcome.result == OutcomeResult::worse || last->state == InterventionState::rejected;
  const double since_s = static_cast<double>(kNow - last->changed_ts_ms) / 1000.0;
  if (failure) RC_ASSERT(since_s >= 600.0);
  if (!failure && last->outcome.result != OutcomeResult::improved) {
    RC_ASSERT(since_s >= 300.0);
    RC_ASSERT(!live(*last) || last->outcome.result == OutcomeResult::inconclusive);
  }
}

void assert_traffic(const Option& o, const World& w) {
  uint64_t seen = 0, there = 0;
  Scope target = o.scope;
  const auto to = o.params.find("to_gateway");
  RC_ASSERT(o.type != "reroute_traffic" || (to != o.params.end() && !to->second.empty()));
  if (to != o.params.end() && !to->second.empty()) target.gateway = to->second;
  for (const PathStats& p : w.assessment.paths) {
    if (within(p.path, target)) there += p.attempts;
    if (!within(p.path, o.scope)) continue;
    seen += p.attempts;
    double left = 1.0 - o.strength * (1.0 - o.holdout);
    for (const Intervention& i : w.ledger) {
      const bool own = i.action.key() == o.type + "|" + to_string(o.scope);
      if (own || !live(i) || advisory(i.action.type) || retries(i.action.type)) continue;
      if (within(p.path, i.action.scope))
        left *= 1.0 - i.action.strength * (1.0 - i.action.holdout);
    }
    RC_ASSERT(left >= w.limits.probe_floor - 1e-6);
  }
  RC_ASSERT(std::min(seen, o.evidence_attempts) >= w.limits.min_evidence_attempts);
  RC_ASSERT(there >= w.limits.min_evidence_attempts);
  RC_ASSERT(!w.forced);
}

// Posterior of all causes that the option is an answer to.
double helped_by(const Option& o, const World& w) {
  double sum = 0.0;
  for (const Hypothesis& h : w.assessment.hypotheses) {
    const bool answered = h.id == o.hypothesis_id;
    const bool place = h.cause == Cause::issuer_down || h.cause == Cause::gateway_down ||
                       h.cause == Cause::network || h.cause == Cause::method_wide ||
                       h.cause == Cause::latency;
    const bool storm = h.cause == Cause::retry_storm && retries(o.type);
    if (!answered && !(within(o.scope, h.scope) && (place || storm))) continue;
    const bool everywhere =
        h.scope.gateway == "*" && (h.cause == Cause::issuer_down || h.cause == Cause::method_wide);
    if (o.type == "reroute_traffic" && everywhere) continue;
    sum += h.posterior;
  }
  return sum;
}

// What may go ahead without a person.
void assert_alone(const Option& o, const World& w) {
  RC_ASSERT(w.limits.mode == Mode::automatic);
  if (w.limits.modes.count(o.type) != 0) {
    RC_ASSERT(w.limits.modes.at(o.type) == Mode::automatic);
  }
  RC_ASSERT(o.confidence >= w.limits.min_confidence);
  RC_ASSERT(o.risk != RiskClass::high);
  if (o.params.count("merchant") != 0) RC_ASSERT(o.params.at("merchant") != "m-1");
  const bool whole = o.scope.issuer == "*" && o.scope.gateway == "*";
  if (!retries(o.type)) RC_ASSERT(!whole);
}

void assert_within_limits(const Option& o, GateOutcome outcome, const World& w) {
  if (outcome == GateOutcome::refuse) return;
  assert_numbers(o, w);
  if (o.type == "no_action") return;
  RC_ASSERT(w.limits.mode != Mode::observe);
  if (outcome == GateOutcome::allow) RC_ASSERT(w.limits.mode != Mode::shadow);
  if (advisory(o.type)) return;
  RC_ASSERT(!w.killed);
  RC_ASSERT(w.observe_only.empty());
  RC_ASSERT(w.data_age_ms >= 0 && w.data_age_ms <= 30'000);
  double posterior = -1;
  for (const Hypothesis& h : w.assessment.hypotheses) {
    if (h.id == o.hypothesis_id) posterior = h.posterior;
  }
  RC_ASSERT(std::min(o.confidence, posterior) >= w.limits.confidence_floor);
  assert_blast(o, w);
  assert_cooldown(o, w);
  if (!retries(o.type)) assert_traffic(o, w);
  if (outcome == GateOutcome::allow) {
    RC_ASSERT(helped_by(o, w) >= w.limits.min_confidence);
    assert_alone(o, w);
  }
}

TEST_CASE("the gate never lets through what its limits forbid, whatever is proposed") {
  int moved = 0;  // traffic or retries, with the gate's leave
  CHECK(rc::check([&](uint64_t seed) {
    Draw d(seed);
    for (int n = 0; n < kProposals; ++n) {
      const World world = any_world(d);
      const Option option = any_option(d);
      const GateVerdict verdict = world.judge_as_is(option);
      assert_within_limits(option, verdict.outcome, world);
      RC_ASSERT(verdict.outcome == GateOutcome::allow || !verdict.reasons.empty());
      moved += verdict.outcome == GateOutcome::allow && !advisory(option.type) ? 1 : 0;
    }
  }));
  CHECK(moved > 0);
}

TEST_CASE("mitigation never makes an option larger, and what it makes of it obeys the limits too") {
  int moved = 0;
  CHECK(rc::check([&](uint64_t seed) {
    Draw d(seed);
    for (int n = 0; n < kProposals; ++n) {
      const World world = any_world(d);
      const Option option = any_option(d);
      const Judgement j = judge(option, world.ledger, world.limits, world.evidence());
      assert_within_limits(j.option, j.verdict.outcome, world);
      if (j.verdict.outcome == GateOutcome::refuse) continue;
      moved += j.verdict.outcome == GateOutcome::allow && !advisory(option.type) ? 1 : 0;
      RC_ASSERT(j.option.strength <= option.strength);
      RC_ASSERT(j.option.holdout >= option.holdout);
      RC_ASSERT(j.option.duration_s <= option.duration_s);
      RC_ASSERT(std::abs(j.option.nrv.total.mean) <= std::abs(option.nrv.total.mean) + 1e-6);
      RC_ASSERT(j.option.type == option.type);
      RC_ASSERT(j.option.scope == option.scope);
      for (const Finding& f : j.pre_mortem.findings) {
        RC_ASSERT(f.probability >= 0.0 && f.probability <= 1.0);
        RC_ASSERT(std::isfinite(f.cost_minor) && f.cost_minor >= 0.0);
      }
    }
  }));
  CHECK(moved > 0);
}

TEST_CASE("undoing what is in force is allowed in every state of the world") {
  CHECK(rc::check([](uint64_t seed) {
    Draw d(seed);
    const World world = any_world(d);
    for (const Intervention& i : world.ledger) {
      Action inverse = i.action;
      inverse.inverse_of = i.action.action_id;
      const bool allowed = gate_undo(inverse, world.ledger, kNow).outcome == GateOutcome::allow;
      RC_ASSERT(allowed == (live(i) || (i.state == InterventionState::rolled_back &&
                                        i.action.expires_ts_ms > kNow)));
    }
  }));
}

}  // namespace
}  // namespace payops::safety
