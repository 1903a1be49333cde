#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "payops/core/json_fields.h"
#include "payops/core/yaml_fields.h"
#include "safety/world.h"

namespace payops::safety {
namespace {

void check_refused(const World& world, const Option& option, const std::string& words) {
  const GateVerdict verdict = world.judge_as_is(option);
  INFO(reasons(verdict));
  CHECK(verdict.outcome == GateOutcome::refuse);
  CHECK(says(verdict, words));
}

void check_asks(const World& world, const Option& option, const std::string& words) {
  const GateVerdict verdict = world.judge_as_is(option);
  INFO(reasons(verdict));
  CHECK(verdict.outcome == GateOutcome::needs_approval);
  CHECK(says(verdict, words));
}

void check_allowed(const World& world, const Option& option) {
  const GateVerdict verdict = world.judge_as_is(option);
  INFO(reasons(verdict));
  CHECK(verdict.outcome == GateOutcome::allow);
  CHECK(verdict.reasons.empty());
}

TEST_CASE("within all limits the gate allows, and says nothing") {
  check_allowed(World(), reroute());
  check_allowed(World(), suppress());
  check_allowed(World(), fewer_retries());
  check_allowed(World(), alert());
}

TEST_CASE("the kill switch and doubt stop everything but telling people") {
  World killed, doubting;
  killed.killed = true;
  doubting.observe_only = "the input's schema is unknown";
  check_refused(killed, reroute(), "the kill switch is on");
  check_refused(killed, fewer_retries(), "the kill switch is on");
  check_refused(doubting, reroute(), "observing only: the input's schema is unknown");
  for (const World* world : {&killed, &doubting}) {
    check_allowed(*world, alert());
    Option nothing;
    nothing.type = action_type::kNoAction;
    check_allowed(*world, nothing);
  }
}

TEST_CASE("a type goes as far as its mode and the cap let it") {
  const auto outcome = [](Mode cap, Mode own, const Option& option) {
    World world;
    world.limits.mode = cap;
    world.limits.modes[option.type] = own;
    return world.judge_as_is(option).outcome;
  };
  CHECK(outcome(Mode::automatic, Mode::automatic, reroute()) == GateOutcome::allow);
  CHECK(outcome(Mode::automatic, Mode::approve, reroute()) == GateOutcome::needs_approval);
  CHECK(outcome(Mode::approve, Mode::automatic, reroute()) == GateOutcome::needs_approval);
  CHECK(outcome(Mode::automatic, Mode::shadow, reroute()) == GateOutcome::shadow);
  CHECK(outcome(Mode::shadow, Mode::approve, reroute()) == GateOutcome::shadow);
  CHECK(outcome(Mode::shadow, Mode::observe, reroute()) == GateOutcome::refuse);
  CHECK(outcome(Mode::observe, Mode::automatic, reroute()) == GateOutcome::refuse);
  CHECK(outcome(Mode::approve, Mode::automatic, alert()) == GateOutcome::allow);
  CHECK(outcome(Mode::shadow, Mode::automatic, alert()) == GateOutcome::shadow);
  CHECK(outcome(Mode::observe, Mode::automatic, alert()) == GateOutcome::refuse);
  World world;
  world.limits.default_mode = Mode::shadow;
  CHECK(world.judge_as_is(reroute()).outcome == GateOutcome::shadow);
}

TEST_CASE("blast radius is measured, not believed") {
  World world;
  world.limits.max_blast_action = 0.1;
  Option modest = reroute();
  modest.blast_radius = 0.0;  // it takes in an eighth of live value at 90 %
  check_refused(world, modest, "it touches 11 % of live value, more than 10 %");
  CHECK(blast_of(modest, world.assessment) == doctest::Approx(0.9 / 8));
  modest.blast_radius = 0.5;
  CHECK(blast_of(modest, world.assessment) == 0.5);
  Option retries = fewer_retries();
  retries.blast_radius = 0.0;  // retries touch failing payments only
  CHECK(blast_of(retries, world.assessment) == doctest::Approx(0.45 * 0.9 / 8));
}

TEST_CASE("what is in force and what the last hour saw count against the blast radius") {
  World world;
  world.limits.max_failure_probability = 1.0;
  Option other = suppress();
  other.scope = {"SBI", "*", "*"};
  other.blast_radius = 0.4;
  world.ledger = {entry(other, InterventionState::active, 100)};
  check_refused(world, reroute(), "with what is in force it touches 51 %");
  world.ledger = {entry(other, InterventionState::ended, 1000)};
  check_allowed(world, reroute());
  Option third = other;
  third.scope = {"AXIS", "*", "*"};
  third.blast_radius = 0.15;
  world.ledger.push_back(entry(third, InterventionState::rolled_back, 3000));
  check_refused(world, reroute(), "with the last hour's actions it touches 66 %");
  world.ledger.back() = entry(third, InterventionState::rolled_back, 3700);
  check_allowed(world, reroute());
  // The same key again within the hour counts once.
  world.ledger.back() = entry(other, InterventionState::ended, 3000);
  check_allowed(world, reroute());
}

TEST_CASE("confidence is what the evidence holds now, not what the proposal says") {
  World world;
  world.assessment.hypotheses[0].posterior = 0.7;
  check_asks(world, reroute(), "held with 70 % confidence, below 80 %");
  world.assessment.hypotheses[0].posterior = 0.45;
  check_refused(world, reroute(), "below the floor of 50 %");
  world.assessment.hypotheses.clear();
  check_refused(world, reroute(), "held with 0.0 % confidence");
  Option doubtful = reroute();
  doubtful.confidence = 0.6;
  check_asks(World(), doubtful, "held with 60 % confidence");
}

TEST_CASE("a key rests after a change, longer with every failure in a row, an hour at most") {
  const auto at = [](double ago_s, int failures) {
    World world;
    world.limits.max_failure_probability = 1.0;
    world.limits.max_cost_ratio = 100.0;
    for (int i = 0; i < failures; ++i) {
      world.ledger.push_back(
          entry(reroute(), InterventionState::rolled_back, ago_s, OutcomeResult::worse));
    }
    if (failures == 0) {
      world.ledger.push_back(
          entry(reroute(), InterventionState::ended, ago_s, OutcomeResult::inconclusive));
    }
    return world;
  };
  check_refused(at(299, 0), reroute(), "changed 299 s ago, it rests for 300 s");
  check_allowed(at(300, 0), reroute());
  check_refused(at(599, 1), reroute(), "it rests for 600 s after 1 failures in a row");
  check_allowed(at(600, 1), reroute());
  check_refused(at(2399, 3), reroute(), "it rests for 2400 s");
  check_refused(at(3599, 12), reroute(), "it rests for 3600 s");
  check_allowed(at(3601, 12), reroute());
  // Another key does not rest; an improvement ends the count.
  Option elsewhere = suppress();
  check_allowed(at(299, 0), elsewhere);
  World improved = at(500, 3);
  improved.ledger.push_back(
      entry(reroute(), InterventionState::ended, 400, OutcomeResult::improved));
  check_allowed(improved, reroute());
  improved.ledger.push_back(entry(reroute(), InterventionState::rejected, 310));
  check_refused(improved, reroute(), "it rests for 600 s after 1 failures in a row");
}

TEST_CASE("one action at a time on a key: until its outcome is known, or to do more") {
  World world;
  world.ledger = {entry(reroute(), InterventionState::active, 400)};
  check_refused(world, reroute(), "its outcome is not known yet");
  world.ledger = {entry(reroute(), InterventionState::active, 400, OutcomeResult::improved)};
  check_refused(world, reroute(), "does as much");
  Option less = reroute();
  less.strength = 0.25;
  world.ledger = {entry(less, InterventionState::active, 400, OutcomeResult::improved)};
  check_allowed(world, reroute());
  world.ledger = {entry(reroute(), InterventionState::active, 425, OutcomeResult::improved)};
  check_allowed(world, reroute());  // the lease ends in less than three minutes
  world.ledger = {entry(reroute(), InterventionState::proposed, 10)};
  check_refused(world, reroute(), "waits for an answer");
  world.answering = world.ledger[0].action.action_id;
  check_allowed(world, reroute());
}

TEST_CASE("the breaker opens after too many actions within an hour; alerts do not count") {
  World world;
  world.limits.max_actions_per_hour = 3;
  Option other = fewer_retries();
  for (int i = 0; i < 3; ++i) {
    other.scope.issuer = "I" + std::to_string(i);
    other.blast_radius = 0.01;
    world.ledger.push_back(entry(other, InterventionState::ended, 3500 - i));
  }
  check_refused(world, reroute(), "the breaker is open: 3 actions within an hour");
  world.ledger[0].action.issued_ts_ms = kNow - 3'600'000;
  check_allowed(world, reroute());
  for (int i = 0; i < 50; ++i) {
    world.ledger.push_back(entry(alert(), InterventionState::ended, 60 * i));
  }
  check_allowed(world, reroute());
}

TEST_CASE("some traffic always stays to probe the path") {
  World world;
  Option all = suppress();
  all.strength = 1.0;
  all.holdout = 0.0;
  check_refused(world, all, "it would leave 0.0 % of a path's traffic to probe it");
  all.strength = 0.98;
  check_allowed(world, all);
  // Two actions that each leave enough together do not.
  Option other = suppress();
  other.scope = {"*", "card", "PAYU"};
  other.strength = 0.9;
  other.holdout = 0.0;
  other.blast_radius = 0.05;
  world.ledger = {entry(other, InterventionState::active, 400, OutcomeResult::inconclusive)};
  check_refused(world, all, "it would leave 0.2 % of a path's traffic");
}

TEST_CASE("restricted scopes need a person") {
  World world;
  world.limits.max_blast_action = world.limits.max_blast_concurrent = 1.0;
  world.limits.max_blast_hour = 1.0;
  world.assessment.hypotheses[0].scope = {};
  Option method = suppress();
  method.scope = {"*", "card", "*"};
  method.strength = 0.4;
  world.limits.max_failure_probability = 1.0;
  world.limits.max_cost_ratio = 1000;
  check_asks(world, method, "the whole method card");
  method.scope = {};
  check_asks(world, method, "all payments");
  Option risky = reroute();
  risky.risk = RiskClass::high;
  check_asks(World(), risky, "its risk is high");
  Option merchant = reroute();
  merchant.params["merchant"] = "m-bank";
  check_allowed(World(), merchant);
  World regulated;
  regulated.limits.regulated_merchants = {"m-lottery", "m-bank"};
  check_asks(regulated, merchant, "merchant m-bank is regulated");
}

TEST_CASE("traffic is moved only with enough seen at both ends") {
  World world;
  for (PathStats& p : world.assessment.paths) p.attempts = 200;
  check_refused(world, reroute(), "only 400 attempts were seen there, 500 are needed");
  check_refused(world, reroute(), "only 400 attempts were seen on RAZOR");
  check_allowed(world, fewer_retries());
  Option modest = reroute();
  modest.evidence_attempts = 499;
  check_refused(World(), modest, "only 499 attempts");
}

TEST_CASE("a reroute names another gateway, from which nothing else moves traffic away") {
  Option nowhere = reroute();
  nowhere.params.clear();
  check_refused(World(), nowhere, "it names no target gateway");
  Option same = reroute();
  same.params["to_gateway"] = "PAYU";
  check_refused(World(), same, "its target is where the traffic already is");
  World world;
  Option back = reroute();
  back.scope.gateway = "RAZOR";
  back.params["to_gateway"] = "PAYU";
  back.strength = 0.2;
  back.blast_radius = 0.025;
  world.ledger = {entry(back, InterventionState::active, 400, OutcomeResult::improved)};
  check_refused(world, reroute(), "moves traffic away from RAZOR");
}

TEST_CASE("old or impossible data moves nothing") {
  World old, future;
  old.data_age_ms = 31'000;
  future.data_age_ms = -1;
  check_refused(old, reroute(), "the newest input is 31.0 s old, more than 30 s");
  check_refused(future, reroute(), "the clock is wrong");
}

TEST_CASE("a forced action touches no traffic, and otherwise passes the same gate") {
  World world;
  world.forced = true;
  check_refused(world, reroute(), "a forced action may not touch traffic");
  Option lying = suppress();
  lying.risk = RiskClass::none;
  check_refused(world, lying, "a forced action may not touch traffic");
  check_allowed(world, fewer_retries());
  check_allowed(world, alert());
  world.killed = true;
  check_refused(world, fewer_retries(), "the kill switch is on");
}

TEST_CASE("all limits that speak are listed, and the strictest outcome holds") {
  World world;
  world.killed = true;
  world.limits.mode = Mode::approve;
  world.data_age_ms = 99'000;
  world.assessment.hypotheses[0].posterior = 0.6;
  const GateVerdict verdict = world.judge_as_is(reroute());
  CHECK(verdict.outcome == GateOutcome::refuse);
  for (const char* words : {"kill switch", "99.0 s old", "in approve mode", "60 % confidence"}) {
    CHECK(says(verdict, words));
  }
}

TEST_CASE("what is not a number, or no name, is refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf, -0.1}) {
    for (double Option::*member : {&Option::strength, &Option::holdout, &Option::duration_s,
                                   &Option::confidence, &Option::blast_radius}) {
      Option o = reroute();
      o.*member = bad;
      check_refused(World(), o, "its ");
      const Judgement j = judge(o, {}, Limits(), World().evidence());
      CHECK(j.verdict.outcome == GateOutcome::refuse);
    }
  }
  for (const double bad : {nan, inf, -inf}) {
    Option effect = reroute(), value = reroute(), item = reroute();
    effect.effect.mean = bad;
    value.nrv.total.mean = bad;
    item.nrv.items[0].amount_minor = bad;
    check_refused(World(), effect, "its effect is not a number");
    check_refused(World(), value, "its value is not a number");
    check_refused(World(), item, "its value item \"recovered\" is not a number");
  }
  Option forged = reroute(), untyped = reroute(), endless = reroute();
  forged.scope.issuer = "HDFC|*";
  untyped.type = "";
  endless.duration_s = 3601;
  check_refused(World(), forged, "not a name");
  check_refused(World(), untyped, "not a name");
  check_refused(World(), endless, "its duration is not within [0, 3600] s");
  const World world;
  CHECK(gate(reroute(), PreMortem(), {}, world.limits, world.evidence()).outcome ==
        GateOutcome::refuse);
}

TEST_CASE("undoing is allowed under everything, and only undoing") {
  Intervention active = entry(reroute(), InterventionState::active, 100);
  Action inverse = active.action;
  inverse.action_id = "act-undo";
  inverse.inverse_of = active.action.action_id;
  CHECK(gate_undo(inverse, {active}, kNow).outcome == GateOutcome::allow);
  active.state = InterventionState::rolled_back;  // decided, its inverse on the way
  CHECK(gate_undo(inverse, {active}, kNow).outcome == GateOutcome::allow);
  active.state = InterventionState::ended;
  CHECK(gate_undo(inverse, {active}, kNow).outcome == GateOutcome::refuse);
  active.state = InterventionState::active;
  CHECK(gate_undo(inverse, {active}, active.action.expires_ts_ms).outcome == GateOutcome::refuse);
  CHECK(gate_undo(inverse, {}, kNow).outcome == GateOutcome::refuse);
  inverse.scope.issuer = "SBI";
  CHECK(gate_undo(inverse, {active}, kNow).outcome == GateOutcome::refuse);
  inverse = active.action;  // no inverse at all
  CHECK(gate_undo(inverse, {active}, kNow).outcome == GateOutcome::refuse);
}

TEST_CASE("limits read from YAML, check themselves, and wrong ones let nothing through") {
  const auto limits =
      read_yaml<Limits>("mode: approve\nmodes: {alert_ops: auto}\nramp: [0.1, 1]\n", "limits.yaml");
  REQUIRE(limits);
  CHECK(limits->mode == Mode::approve);
  CHECK(limits->modes.at("alert_ops") == Mode::automatic);
  const auto message = [](const char* yaml) {
    return read_yaml<Limits>(yaml, "limits.yaml").error().message;
  };
  CHECK(message("probe_floor: 0\n") ==
        "limits.yaml:1: \"probe_floor\" must lie from 0.01 to 0.05, not 0.0000");
  CHECK(message("max_blast_action: .nan\n").find("\"max_blast_action\" must lie") !=
        std::string::npos);
  CHECK(message("ramp: [0.5, 0.25, 1]\n") == "limits.yaml:1: \"ramp\" must rise within (0, 1]");
  CHECK(message("ramp: [0.5]\n") == "limits.yaml:1: \"ramp\" must end with 1");
  CHECK(message("max_blast_actoin: 1\n").find("did you mean \"max_blast_action\"?") !=
        std::string::npos);
  World world;
  world.limits.probe_floor = 0.0;
  check_refused(world, reroute(), "the limits are wrong");
}

}  // namespace
}  // namespace payops::safety
