#include <doctest/doctest.h>

#include "safety/world.h"

namespace payops::safety {
namespace {

Option mitigated(const World& world, const Option& option) {
  return mitigate(option, world.ledger, world.limits, world.evidence());
}

Option full() {
  Option o = reroute();
  o.strength = 1.0;
  o.holdout = 0.1;
  return o;
}

// A world where the cause is held with this posterior.
World belief(double posterior) {
  World world;
  world.assessment.hypotheses[0].posterior = posterior;
  world.assessment.hypotheses[1].posterior = 1.0 - posterior;
  return world;
}

TEST_CASE("the likelier a failure, the lower the step of the ramp that it starts at") {
  CHECK(mitigated(belief(0.92), full()).strength == 1.0);
  CHECK(mitigated(belief(0.60), full()).strength == 0.25);
  CHECK(mitigated(belief(0.40), full()).strength == 0.05);
  CHECK(mitigated(belief(0.60), full())
            .reason.find("; at 25 % strength instead of 100 %, as the chance of failure is 4") !=
        std::string::npos);
}

TEST_CASE("each improvement allows the next step, a failure goes back to the first") {
  World world = belief(0.40);
  const auto after = [&](double strength, OutcomeResult result) {
    Option before = full();
    before.strength = strength;
    world.ledger = {entry(before, InterventionState::ended, 1000, result)};
    return mitigated(world, full()).strength;
  };
  CHECK(after(0.05, OutcomeResult::improved) == 0.25);
  CHECK(after(0.25, OutcomeResult::improved) == 1.0);
  CHECK(after(0.25, OutcomeResult::inconclusive) == 0.05);
  world.assessment = World().assessment;
  CHECK(after(0.25, OutcomeResult::worse) == 0.05);
  world.ledger.push_back(entry(suppress(), InterventionState::ended, 900, OutcomeResult::worse));
  world.ledger[0].outcome.result = OutcomeResult::improved;
  CHECK(mitigated(world, full()).strength == 1.0);  // another key's failure is not its own
}

TEST_CASE("below full strength the lease is a trial's") {
  Option lasting = full();
  lasting.duration_s = 1800;
  CHECK(mitigated(belief(0.60), lasting).duration_s == 600);
  CHECK(mitigated(belief(0.92), lasting).duration_s == 1800);
}

TEST_CASE("a holdout is kept, and the strength fits floor, blast radius and headroom") {
  Option bare = full();
  bare.holdout = 0.0;
  CHECK(mitigated(World(), bare).holdout == 0.05);
  World world;
  world.limits.min_holdout = 0.0;
  CHECK(mitigated(world, bare).strength == doctest::Approx(0.98));
  world.limits.max_blast_action = 0.05;  // the scope has an eighth of live value
  CHECK(mitigated(world, bare).strength == doctest::Approx(0.4));
  CHECK(mitigated(world, bare).blast_radius == doctest::Approx(0.05));
  World small;
  for (PathStats& p : small.assessment.paths) {
    if (p.path.gateway == "RAZOR") p.payments_per_s = 0.125;  // 1 a second in all
  }
  // 2.5 payments a second would move; 90 % of those selected are treated.
  CHECK(mitigated(small, full()).strength == doctest::Approx(1.0 / (2.5 * 0.9)));
  World crowded;
  Option other = suppress();
  other.scope = {"SBI", "*", "*"};
  other.blast_radius = 0.40;
  crowded.ledger = {entry(other, InterventionState::active, 100)};
  CHECK(mitigated(crowded, full()).strength == doctest::Approx(0.05 * 8));
}

TEST_CASE("value and blast radius scale with what is left of the option") {
  const Option before = full();
  const Option after = mitigated(belief(0.60), before);
  REQUIRE(after.strength == 0.25);
  // A quarter of the customers, a fifth of them held back instead of a tenth: as many as before.
  const double treated = 0.25 * (1.0 - after.holdout) / (1.0 - before.holdout);
  CHECK(after.holdout == doctest::Approx(0.2));
  CHECK(after.nrv.total.mean == doctest::Approx(before.nrv.total.mean * treated));
  CHECK(after.nrv.total.sigma == doctest::Approx(before.nrv.total.sigma * treated));
  double sum = 0;
  for (const NrvItem& item : after.nrv.items) sum += item.amount_minor;
  CHECK(sum == doctest::Approx(after.nrv.total.mean));
  CHECK(after.blast_radius == doctest::Approx(0.25 / 8));
  CHECK(after.effect.mean == before.effect.mean);  // of a treated payment
  CHECK(after.option_id == before.option_id);
}

TEST_CASE("what cannot be made to fit is left as it is, and refused") {
  World crowded;
  Option other = suppress();
  other.scope = {"SBI", "*", "*"};
  other.blast_radius = 0.45;
  crowded.ledger = {entry(other, InterventionState::active, 100)};
  const Judgement j = judge(full(), crowded.ledger, crowded.limits, crowded.evidence());
  CHECK(same_fields(j.option.scope, full().scope));
  CHECK(j.option.strength == 1.0);
  CHECK(j.verdict.outcome == GateOutcome::refuse);
}

TEST_CASE("judging makes allowable what as proposed is not") {
  const World world;
  Option bold = full();
  bold.holdout = 0.0;
  CHECK(world.judge_as_is(bold).outcome == GateOutcome::refuse);
  const Judgement j = judge(bold, world.ledger, world.limits, world.evidence());
  INFO(reasons(j.verdict));
  CHECK(j.verdict.outcome == GateOutcome::allow);
  CHECK(j.option.holdout == 0.05);
}

TEST_CASE("what a person has approved is judged as it was shown") {
  World world = belief(0.60);
  world.ledger = {entry(full(), InterventionState::proposed, 100)};
  world.answering = world.ledger[0].action.action_id;
  const Judgement j = judge(full(), world.ledger, world.limits, world.evidence());
  CHECK(j.option.strength == 1.0);
  CHECK(j.verdict.outcome == GateOutcome::needs_approval);
  world.killed = true;
  CHECK(judge(full(), world.ledger, world.limits, world.evidence()).verdict.outcome ==
        GateOutcome::refuse);
}

}  // namespace
}  // namespace payops::safety
