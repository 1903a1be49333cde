// What the agent's own doing may look like, and what it must not be credited with.
#include <doctest/doctest.h>

#include <algorithm>

#include "payments_agent/closed_loop.h"
#include "payops/decision/situation.h"
#include "support/paths.h"

namespace payops::payments_agent {
namespace {

std::string world(const std::string& name) {
  return testing::source_path("tests/payments_agent/worlds/" + name + ".yaml");
}

bool on_traffic(const Intervention& i) {
  return i.action.inverse_of.empty() && !safety::is_advisory(i.action.type);
}

std::vector<Intervention> in_force(const ClosedLoop& loop, std::string_view type = "") {
  std::vector<Intervention> found;
  for (const Intervention& i : loop.agent->ledger().all()) {
    const bool asked = type.empty() || i.action.type == type;
    if (asked && on_traffic(i) && i.state == InterventionState::active) found.push_back(i);
  }
  return found;
}

}  // namespace

TEST_CASE("suppressing an issuer is not read as its outage, and ends when the outage does") {
  AgentConfig config;
  config.economics.switch_acceptance = 0.9;  // so that keeping customers off is worth it
  config.economics.switch_acceptance_sd = 0.02;
  ClosedLoop loop(world("short_outage"), config);
  loop.run(300);
  std::size_t most = 0;
  for (int s = 0; s < 60; ++s) {
    loop.run(1);
    most = std::max(most, in_force(loop, action_type::kSuppressPath).size());
  }
  const auto acted = loop.on_traffic();
  REQUIRE(std::any_of(acted.begin(), acted.end(), [](const Action& a) {
    return a.type == action_type::kSuppressPath && a.scope.issuer == "HDFC";
  }));
  for (int s = 0; s < 300; ++s) {
    loop.run(1);
    most = std::max(most, in_force(loop, action_type::kSuppressPath).size());
  }
  CHECK(most == 1);  // not a stack
  CHECK(in_force(loop).empty());
  CHECK(loop.agent->report().alarms.empty());
  const std::size_t by_then = loop.on_traffic().size();
  loop.run(300);
  CHECK(loop.on_traffic().size() == by_then);
}

TEST_CASE("a reroute that overloads its target is noticed, rolled back and remembered") {
  AgentConfig config;
  config.economics.headroom_multiple = 20.0;  // it takes the others for larger than they are
  ClosedLoop loop(world("frail_target"), config);
  loop.run(700);
  const auto& all = loop.agent->ledger().all();
  const auto harm = std::find_if(all.begin(), all.end(), [](const Intervention& i) {
    return on_traffic(i) && i.state == InterventionState::rolled_back &&
           i.why.find("overloads") != std::string::npos;
  });
  REQUIRE(harm != all.end());
  CHECK(harm->outcome.result == OutcomeResult::worse);
  CHECK(harm->outcome.value_minor <= 0.0);
  CHECK(loop.inverses() >= 1);
  const std::string to = harm->action.params.at("to_gateway");
  const int64_t undone_ms = harm->changed_ts_ms;
  const double moved = harm->action.strength;
  const Scope scope = harm->action.scope;
  loop.run(500);
  for (const Intervention& i : loop.agent->ledger().all()) {
    if (!on_traffic(i) || i.decided_ts_ms <= undone_ms) continue;
    const auto target = i.action.params.find("to_gateway");
    if (target == i.action.params.end() || target->second != to) continue;
    if (decision::covers(i.action.scope, scope)) CHECK(i.action.strength < 0.5 * moved);
  }
}

TEST_CASE(
    "what may be worth something is tried by chance, at the smallest step, through the gate") {
  const auto tried = [](double chance, safety::Limits limits) {
    AgentConfig config;
    config.exploration = chance;
    config.limits = limits;
    ClosedLoop loop("issuer_outage", config);
    loop.run(800);
    std::vector<Intervention> explored;
    for (const Intervention& i : loop.agent->ledger().all()) {
      if (i.option.propensity < 1.0) explored.push_back(i);
    }
    return explored;
  };
  CHECK(tried(0.0, {}).empty());
  const auto explored = tried(0.3, {});
  REQUIRE_FALSE(explored.empty());
  for (const Intervention& i : explored) {
    CHECK(i.option.propensity == 0.3);
    CHECK(i.option.strength == decision::Economics{}.ramp.front().strength);
    CHECK(i.option.holdout == decision::Economics{}.ramp.front().holdout);
    CHECK(i.option.nrv.total.low <= 0.0);
    CHECK(i.option.nrv.total.mean > 0.0);
    CHECK(on_traffic(i));
  }
  safety::Limits asking;
  asking.mode = Mode::approve;
  CHECK(tried(0.3, asking).empty());  // nobody is asked for an experiment
}

TEST_CASE("a fault that heals by itself right after an action earns the action nothing") {
  for (const uint64_t seed : {1, 27, 33}) {  // in which the arms happen to differ afterwards
    CAPTURE(seed);
    ClosedLoop loop(world("heals_at_once"), {}, seed);
    loop.run(600);
    bool acted = false;
    for (const Intervention& i : loop.agent->ledger().all()) {
      if (!on_traffic(i)) continue;
      acted = true;
      CHECK(i.outcome.result != OutcomeResult::improved);
      CHECK(i.state != InterventionState::active);
    }
    CHECK(acted);
    for (const auto& [key, row] : loop.agent->effects()) {
      CHECK(row.improved == 0);
      CHECK(row.mean < 1.0 + row.sigma);
    }
  }
}

}  // namespace payops::payments_agent
