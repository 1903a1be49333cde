// For each failure mode: the same option in two states of the world has different probabilities,
// and in one of them the gate decides differently because of it.
#include <doctest/doctest.h>

#include <cmath>

#include "safety/world.h"

namespace payops::safety {
namespace {

// The option is allowed in the world as it is, and not in the changed one.
void check_flip(FailureMode mode, const Option& option, const World& before, const World& after,
                GateOutcome then, const std::string& words) {
  const GateVerdict was = before.judge_as_is(option);
  INFO(reasons(was));
  CHECK(was.outcome == GateOutcome::allow);
  const GateVerdict is = after.judge_as_is(option);
  INFO(reasons(is));
  CHECK(is.outcome == then);
  CHECK(says(is, words));
  CHECK(after.probability(mode, option) > before.probability(mode, option) + 0.05);
  // No other limit spoke.
  for (const std::string& reason : is.reasons) {
    const bool foreseen = reason.find("the pre-mortem") == 0 || reason.find("fraud") == 0;
    CHECK(foreseen);
  }
  // Nor would another failure mode have sufficed: at its former probability all is well.
  PreMortem without = after.examine(option);
  double none = 1.0;
  for (Finding& f : without.findings) {
    if (f.mode == mode) f.probability = before.probability(mode, option);
    none *= 1.0 - f.probability;
  }
  without.failure_probability = 1.0 - none;
  without.expected_cost_minor = before.examine(option).expected_cost_minor;
  CHECK(gate(option, without, after.ledger, after.limits, after.evidence()).outcome ==
        GateOutcome::allow);
}

TEST_CASE("the pre-mortem names all eight modes once, most expensive first") {
  const PreMortem found = World().examine(reroute());
  REQUIRE(found.findings.size() == 8);
  std::vector<bool> seen(8, false);
  double none = 1.0, cost = 0.0;
  for (std::size_t i = 0; i < 8; ++i) {
    const Finding& f = found.findings[i];
    CHECK_FALSE(seen[static_cast<std::size_t>(f.mode)]);
    seen[static_cast<std::size_t>(f.mode)] = true;
    CHECK(f.probability >= 0.0);
    CHECK(f.probability <= 1.0);
    CHECK_FALSE(f.because.empty());
    CHECK_FALSE(f.mitigation.empty());
    CHECK_FALSE(f.rollback_when.empty());
    if (i > 0) {
      const Finding& dearer = found.findings[i - 1];
      CHECK(dearer.probability * dearer.cost_minor >= f.probability * f.cost_minor);
    }
    none *= 1.0 - f.probability;
    cost += f.probability * f.cost_minor;
  }
  CHECK(found.failure_probability == doctest::Approx(1.0 - none));
  CHECK(found.expected_cost_minor == doctest::Approx(cost));
  CHECK(World().examine(alert()).findings.empty());
}

TEST_CASE("alternative_worse: a target that succeeds less than the source is refused") {
  World worse;
  for (const char* method : {"card", "upi"}) {
    worse.path({"HDFC", method, "RAZOR"}).success_rate = 0.52;
  }
  check_flip(FailureMode::alternative_worse, reroute(), World(), worse, GateOutcome::refuse,
             "likeliest by alternative_worse: RAZOR succeeds at 52 %");
}

TEST_CASE("alternative_worse: a target without headroom is refused") {
  World small;
  for (PathStats& p : small.assessment.paths) {
    if (p.path.gateway == "RAZOR") p.payments_per_s = 0.1;
    p.amount_minor_mean = p.path.gateway == "RAZOR" ? 1'250'000 : 100'000;
  }
  check_flip(FailureMode::alternative_worse, reroute(), World(), small, GateOutcome::refuse,
             "its load would grow by 253 %");
}

TEST_CASE("alternative_worse: a known path counts for more than an unknown one") {
  World unknown;
  unknown.path({"HDFC", "card", "RAZOR"}).attempts = 0;
  CHECK(unknown.probability(FailureMode::alternative_worse, reroute()) == doctest::Approx(0.25));
  CHECK(World().probability(FailureMode::alternative_worse, reroute()) < 0.001);
}

TEST_CASE("alternative_worse: suppressing is judged by what else the customers can use") {
  World nowhere;
  for (PathStats& p : nowhere.assessment.paths) {
    if (p.path.issuer == "HDFC") p.success_rate = 0.50;
  }
  nowhere.path({"HDFC", "card", "PAYU"}).success_rate = 0.55;
  nowhere.path({"HDFC", "upi", "PAYU"}).success_rate = 0.55;
  check_flip(FailureMode::alternative_worse, suppress(), World(), nowhere, GateOutcome::refuse,
             "what else customers of HDFC can use succeeds at 50 %");
}

TEST_CASE("alternative_worse: retries are worth most on a healthy path") {
  World healthy;
  for (PathStats& p : healthy.assessment.paths) {
    p.success_rate = 0.99;
    p.success_sigma = 0.005;
  }
  check_flip(FailureMode::alternative_worse, fewer_retries(), World(), healthy, GateOutcome::refuse,
             "a retry not made may have succeeded");
  World storm = healthy;
  for (PathStats& p : storm.assessment.paths) p.attempts_per_payment = 3.0;
  CHECK(storm.probability(FailureMode::alternative_worse, fewer_retries()) <
        0.4 * healthy.probability(FailureMode::alternative_worse, fewer_retries()));
}

TEST_CASE("misattributed: belief in a cause it would not help against") {
  // The same posterior for its own hypothesis, but more than one rival to it before.
  World split, rival;
  split.assessment.hypotheses = {
      World::hypothesis("hyp-gateway", Cause::gateway_down, {"HDFC", "*", "PAYU"}, 0.5),
      World::hypothesis("hyp-network", Cause::network, {"HDFC", "*", "PAYU"}, 0.45),
      World::hypothesis("hyp-none", Cause::none_of_these, {}, 0.05)};
  rival = split;
  rival.assessment.hypotheses[1].cause = Cause::issuer_down;
  rival.assessment.hypotheses[1].scope = {"HDFC", "*", "*"};
  for (World* w : {&split, &rival}) {
    w->limits.min_confidence = 0.5;
    w->limits.max_failure_probability = 0.4;
  }
  check_flip(FailureMode::misattributed, reroute(), split, rival, GateOutcome::refuse,
             "likeliest by misattributed");
  CHECK(rival.probability(FailureMode::misattributed, reroute()) == doctest::Approx(0.5));
  // Keeping traffic off the path helps against a failing issuer too.
  CHECK(rival.probability(FailureMode::misattributed, suppress()) == doctest::Approx(0.05));
}

TEST_CASE("effect_uncertain: such actions have mostly done harm") {
  World taught;
  taught.effects[{"reroute_traffic", Cause::gateway_down, "*"}] = {
      .mean = -0.3, .sigma = 0.2, .outcomes = 20, .improved = 0, .worse = 20};
  check_flip(FailureMode::effect_uncertain, reroute(), World(), taught, GateOutcome::refuse,
             "likeliest by effect_uncertain");
  CHECK(World().probability(FailureMode::effect_uncertain, reroute()) ==
        doctest::Approx(0.000429).epsilon(0.001));  // the prior: P(N(1, 0.3) < 0)
  // Others of the kind are no evidence.
  CHECK(taught.probability(FailureMode::effect_uncertain, suppress()) < 0.03);
}

TEST_CASE("stale_data: what was true ten minutes ago") {
  World old;
  old.data_age_ms = 1'200'000;
  old.limits.max_data_age_s = 3600;
  check_flip(FailureMode::stale_data, reroute(), World(), old, GateOutcome::refuse,
             "likeliest by stale_data: the newest input is 1200.0 s old");
  CHECK(old.probability(FailureMode::stale_data, reroute()) ==
        doctest::Approx(1.0 - std::exp(-2.0)));
}

TEST_CASE("flapping_target: actions here keep ending without improvement") {
  World flapping;
  Option before = suppress();
  for (const double ago_s : {1700.0, 1500.0, 1200.0, 900.0}) {
    flapping.ledger.push_back(
        entry(before, InterventionState::ended, ago_s, OutcomeResult::inconclusive));
  }
  check_flip(FailureMode::flapping_target, reroute(), World(), flapping, GateOutcome::refuse,
             "likeliest by flapping_target: 4 actions here ended without improvement");
  World long_ago = flapping, helped = flapping, elsewhere = flapping;
  for (Intervention& i : long_ago.ledger) i.changed_ts_ms -= 1'800'000;
  for (Intervention& i : helped.ledger) i.outcome.result = OutcomeResult::improved;
  for (Intervention& i : elsewhere.ledger) i.action.scope.issuer = "SBI";
  for (const World* w : {&long_ago, &helped, &elsewhere}) {
    CHECK(w->probability(FailureMode::flapping_target, reroute()) == 0.0);
  }
  World alarms;
  Alarm ended;
  ended.scope = {"HDFC", "*", "*"};
  alarms.assessment.ended = {ended};
  CHECK(alarms.probability(FailureMode::flapping_target, reroute()) > 0.25);
}

TEST_CASE("blinded: on a thin path nothing would be left to see it recover") {
  World thin;
  for (PathStats& p : thin.assessment.paths) p.payments_per_s = 0.003;
  check_flip(FailureMode::blinded, reroute(), World(), thin, GateOutcome::refuse,
             "likeliest by blinded: 0.1 payments a minute would stay");
  Option part = reroute();
  part.strength = 0.1;
  CHECK(thin.probability(FailureMode::blinded, part) <
        thin.probability(FailureMode::blinded, reroute()));
  CHECK(thin.probability(FailureMode::blinded, fewer_retries()) == 0.0);
}

TEST_CASE("fees_exceed_recovery: the path recovered meanwhile and only the fees are left") {
  World recovered;
  for (const char* method : {"card", "upi"}) {
    recovered.path({"HDFC", method, "PAYU"}).success_rate = 0.92;
    recovered.path({"HDFC", method, "PAYU"}).success_sigma = 0.005;
    recovered.path({"HDFC", method, "RAZOR"}).success_sigma = 0.005;
  }
  Option costly = reroute();
  costly.nrv.items[1].amount_minor = -200'000.0;
  costly.nrv.total = {700'000.0, 200'000.0};
  check_flip(FailureMode::fees_exceed_recovery, costly, World(), recovered, GateOutcome::refuse,
             "likeliest by fees_exceed_recovery: a recovery of 675.00");
}

TEST_CASE("fees_exceed_recovery: P(NRV < 0) of the option itself while the fault lasts") {
  Option dear = reroute();
  dear.nrv.items = {{"recovered", 900'000.0}, {"fees", -1'100'000.0}};
  dear.nrv.total = {-200'000.0, 200'000.0};
  CHECK(World().probability(FailureMode::fees_exceed_recovery, reroute()) < 0.001);
  CHECK(World().probability(FailureMode::fees_exceed_recovery, dear) ==
        doctest::Approx(0.8413).epsilon(0.001));
  CHECK(World().judge_as_is(dear).outcome == GateOutcome::refuse);
}

TEST_CASE("fraud_exposure: a person decides while a fraud burst may be under way") {
  World fraud;
  fraud.assessment.hypotheses[1] =
      World::hypothesis("hyp-fraud", Cause::fraud_burst, {"HDFC", "*", "*"}, 0.08);
  check_flip(FailureMode::fraud_exposure, reroute(), World(), fraud, GateOutcome::needs_approval,
             "fraud exposure may rise");
  Alarm burst;
  burst.scope = {"HDFC", "card", "*"};
  burst.pattern = Pattern::fraud_burst;
  fraud.assessment.alarms = {burst};
  CHECK(fraud.probability(FailureMode::fraud_exposure, reroute()) == doctest::Approx(0.54));
  CHECK(fraud.probability(FailureMode::fraud_exposure, suppress()) == 0.0);
  World other = fraud;
  other.assessment.alarms[0].scope = {"SBI", "*", "*"};
  other.assessment.hypotheses[1].scope = {"SBI", "*", "*"};
  CHECK(other.probability(FailureMode::fraud_exposure, reroute()) == 0.0);
}

}  // namespace
}  // namespace payops::safety
