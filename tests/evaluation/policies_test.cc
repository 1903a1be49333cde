// Invariants of pricing policies, on fixed seeds: not how good a policy is, but that the figures
// mean what they say.
#include "payops/evaluation/policies.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "payops/evaluation/policy_summary.h"
#include "payops/evaluation/sweep.h"

namespace payops::evaluation {
namespace {

observation::DeclineTable declines() {
  auto table = observation::DeclineTable::load("config/decline_codes.yaml");
  REQUIRE_MESSAGE(table, table.error().message);
  return *table;
}

Sweep short_sweep() {
  Sweep sweep;
  for (const char* name : {"gateway_failure", "insufficient_funds_shift"}) {
    auto scenario = simulators::load_scenario(name);
    REQUIRE_MESSAGE(scenario, scenario.error().message);
    sweep.scenarios.push_back(std::move(*scenario));
  }
  sweep.first_seed = 3;
  sweep.last_seed = 4;
  sweep.duration_s = 600;
  sweep.policies = {Policy::nothing, Policy::zscore, Policy::success_rate, Policy::agent,
                    Policy::oracle};
  return sweep;
}

const std::vector<PolicyRun>& short_runs() {
  static const std::vector<PolicyRun> runs = [] {
    const auto priced = run_sweep(short_sweep(), {}, declines());
    REQUIRE_MESSAGE(priced, priced.error().message);
    return *priced;
  }();
  return runs;
}

const PolicyRun& run_of(const std::string& scenario, uint64_t seed, const std::string& policy) {
  const auto found =
      std::find_if(short_runs().begin(), short_runs().end(), [&](const PolicyRun& run) {
        return run.scenario == scenario && run.seed == seed && run.policy == policy;
      });
  REQUIRE(found != short_runs().end());
  return *found;
}

}  // namespace

TEST_CASE("a sweep gives every scenario, seed and policy in order, for any number of threads") {
  const std::vector<PolicyRun>& one = short_runs();
  REQUIRE(one.size() == 2 * 2 * 5);
  CHECK(one.front().scenario == "gateway_failure");
  CHECK(one.front().seed == 3);
  CHECK(one.front().policy == "nothing");
  CHECK(one.back().policy == "oracle");
  Sweep sweep = short_sweep();
  sweep.jobs = 3;
  const auto many = run_sweep(sweep, {}, declines());
  REQUIRE(many);
  CHECK(*many == one);
}

TEST_CASE("doing nothing acts on nothing and is the world left alone") {
  for (const uint64_t seed : {3, 4}) {
    const PolicyRun& nothing = run_of("gateway_failure", seed, "nothing");
    const Stage stage = stage_of(short_sweep().scenarios[0], seed, 600);
    const auto books =
        simulators::books_without_actions(stage.scenario, seed, stage.start_ms, stage.end_ms);
    CHECK(nothing.net_revenue_minor == books.net_revenue_minor());
    CHECK(nothing.actions == 0);
    CHECK_FALSE(nothing.detection_delay_ms);
    CHECK(nothing.excess_failures > 0);
  }
}

TEST_CASE("the oracle earns no less than nothing and than the agent, in every world") {
  for (const PolicyRun& run : short_runs()) {
    if (run.policy != "nothing" && run.policy != "agent") continue;
    CHECK(run_of(run.scenario, run.seed, "oracle").net_revenue_minor >= run.net_revenue_minor);
  }
}

TEST_CASE("a fault is noticed after it began, and empty accounts are no reason to act") {
  for (const uint64_t seed : {3, 4}) {
    const PolicyRun& agent = run_of("gateway_failure", seed, "agent");
    REQUIRE(agent.detection_delay_ms);
    CHECK(*agent.detection_delay_ms >= 0);
    CHECK(agent.false_actions == 0);
    CHECK(agent.net_revenue_minor > run_of("gateway_failure", seed, "nothing").net_revenue_minor);
    CHECK(run_of("insufficient_funds_shift", seed, "agent").actions == 0);
  }
}

TEST_CASE("a summary's gains are means over runs, and its intervals hold them") {
  const PolicySummary summary = summarise(short_runs(), lengths_of(short_sweep()));
  CHECK(summary.scenarios == 2);
  CHECK(summary.seeds == 2);
  REQUIRE(summary.total.size() == 5);
  REQUIRE(summary.families.size() == 10);
  for (const FamilyPolicy& f : summary.families) {
    double gain = 0.0;
    for (const uint64_t seed : {3, 4}) {
      gain += static_cast<double>(run_of(f.family, seed, f.policy).net_revenue_minor -
                                  run_of(f.family, seed, "nothing").net_revenue_minor) /
              2.0;
    }
    CHECK(f.gain_minor.mean == doctest::Approx(gain));
    CHECK(f.gain_minor.low <= f.gain_minor.mean);
    CHECK(f.gain_minor.high >= f.gain_minor.mean);
    if (f.policy == "oracle" && f.share) CHECK(f.share->mean == doctest::Approx(1.0));
  }
  CHECK(summary.total.front().gain_minor.mean == 0.0);
}

TEST_CASE("policies are read from a list, and a wrong name is answered with the nearest") {
  const auto both = parse_policies("nothing,success-rate");
  REQUIRE(both);
  CHECK(*both == std::vector<Policy>{Policy::nothing, Policy::success_rate});
  const auto wrong = parse_policies("nothing,oracel");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("oracle") != std::string::npos);
  CHECK_FALSE(parse_policies("agent,agent"));
  CHECK_FALSE(parse_policies(""));
}

TEST_CASE("a folder of scenarios is read whole, held-out ones apart") {
  const auto all = load_scenarios("simulators/scenarios");
  REQUIRE(all);
  CHECK(all->size() >= 12);
  const auto held_out = load_scenarios("simulators/scenarios/held_out");
  REQUIRE(held_out);
  CHECK(held_out->size() >= 4);
  for (const auto& scenario : *held_out) {
    CHECK(std::none_of(all->begin(), all->end(),
                       [&](const auto& other) { return other.name == scenario.name; }));
  }
  CHECK_FALSE(load_scenarios("config/no_such_folder"));
}

}  // namespace payops::evaluation
