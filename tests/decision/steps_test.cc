// Steps that are taken over from, options that limits make smaller, and targets that give way.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "decision/world.h"

namespace payops::decision {
namespace {

Action reroute(const Scope& scope, const std::string& to, double strength) {
  Action action;
  action.action_id = "act-1";
  action.type = std::string(action_type::kRerouteTraffic);
  action.scope = scope;
  action.params = {{"to_gateway", to}};
  action.strength = strength;
  action.issued_ts_ms = kNow - 60'000;
  action.expires_ts_ms = kNow + 180'000;
  return action;
}

}  // namespace

TEST_CASE("the next step takes over sooner the larger the effect and the busier the arms") {
  const JudgingPace pace;
  const double slow = judged_after_s(pace, 0.1, 0.6, 2.0, 2.0);
  CHECK(judged_after_s(pace, 0.4, 0.6, 2.0, 2.0) < slow);
  CHECK(judged_after_s(pace, 0.1, 0.6, 8.0, 8.0) < slow);
  CHECK(std::isinf(judged_after_s(pace, 0.0, 0.6, 2.0, 2.0)));
  CHECK(std::isinf(judged_after_s(pace, 0.1, 0.6, 2.0, 0.0)));
}

TEST_CASE("a step that is taken over from is worth what it does until then") {
  const Economics e;
  const Overlap whole = overlap(e, 60.0, 600.0);
  const Overlap part = overlap(e, 60.0, 600.0, 0.0, 0.0, {.chance = 1.0, .after_s = 120.0});
  CHECK(part.mean_s < 135.0);  // at 60, 120 or 240 s
  CHECK(part.mean_s > 110.0);
  CHECK(part.after_s < whole.after_s);
  const Overlap perhaps = overlap(e, 60.0, 600.0, 0.0, 0.0, {.chance = 0.5, .after_s = 120.0});
  CHECK(perhaps.mean_s == doctest::Approx((whole.mean_s + part.mean_s) / 2.0).epsilon(0.01));
  CHECK(perhaps.sigma_s > whole.sigma_s);
}

Stakes gateway_down() {
  Stakes stakes;
  stakes.type = "reroute_traffic";
  stakes.duration_s = 600.0;
  PathChange change;
  change.payments_per_s = 5.0;
  change.amount_minor = 200'000.0;
  change.nothing.conversion = 0.4;
  change.action.conversion = 0.9;
  change.nothing_after.conversion = change.action_after.conversion = 0.9;
  stakes.changes = {change};
  return stakes;
}

TEST_CASE("a lease whose beginning a fault may not live to see may be worth nothing") {
  const Economics e;
  Stakes stakes = gateway_down();
  stakes.fault_age_s = 60.0;
  const Predicted fresh = value(stakes, e).total;
  CHECK(fresh.low > 0.0);
  CHECK(fresh.low < 0.3 * fresh.mean);
  // What a running one does anyway for two minutes more: one fault in twenty ends before.
  stakes.fault_age_s = 480.0;
  stakes.replaced_s = 120.0;
  stakes.replaced_share = 1.0;
  const Predicted renewed = value(stakes, e).total;
  CHECK(renewed.low < 0.01 * renewed.mean);
  CHECK(renewed.mean > 0.3 * fresh.mean);
  CHECK(renewed.high < 1.6 * fresh.high);
}

TEST_CASE("a storm may die down for those too whose retries are not spaced, or not at all") {
  const Economics e;
  Stakes stakes = gateway_down();
  stakes.strength = 0.25;
  const Predicted alone = value(stakes, e).total;
  stakes.relief = {.loss_minor_per_s = 100'000.0};
  const Nrv relieved = value(stakes, e);
  CHECK(relieved.total.low > alone.low);
  CHECK(relieved.total.low < alone.low + 0.1 * (relieved.total.mean - alone.mean));
  CHECK(relieved.total.high - alone.high > 2.0 * (relieved.total.mean - alone.mean));
  double sum = 0.0;
  for (const NrvItem& item : relieved.items) sum += item.amount_minor;
  CHECK(sum == relieved.total.mean);
}

TEST_CASE("that the target may give way costs what its own customers would lose") {
  const Economics e;
  Stakes stakes = gateway_down();
  const Nrv sure = value(stakes, e);
  stakes.overload = {.chance = 0.1, .loss_minor = 5'000'000.0};
  const Nrv unsure = value(stakes, e);
  const double gain = sure.items.front().amount_minor;
  CHECK(unsure.total.mean ==
        doctest::Approx(sure.total.mean - 0.1 * (gain + stakes.overload.loss_minor)));
  CHECK(unsure.total.low < sure.total.low);
  double sum = 0.0;
  for (const NrvItem& item : unsure.items) sum += item.amount_minor;
  CHECK(sum == unsure.total.mean);
}

TEST_CASE("what a limit leaves of an option is valued anew, luck and all") {
  World world;
  world.break_gateway("PAYU");
  world.economics.gateways["RAZOR"].max_payments_per_s = 1000.0;
  const auto options = world.plan();
  const auto found = std::find_if(options.begin(), options.end(), [](const Option& o) {
    return o.type == action_type::kRerouteTraffic;
  });
  REQUIRE(found != options.end());
  const Planner planner;
  const auto less = planner.valued_at(world.situation(), *found, 0.1 * found->strength,
                                      found->holdout, found->duration_s);
  REQUIRE(less);
  CHECK(less->option_id == found->option_id);
  CHECK(less->strength == doctest::Approx(0.1 * found->strength));
  CHECK(less->duration_s == found->duration_s);
  CHECK(less->nrv.total.mean < 0.11 * found->nrv.total.mean);
  CHECK(less->nrv.total.sigma / less->nrv.total.mean >
        found->nrv.total.sigma / found->nrv.total.mean);
}

TEST_CASE("a target whose own customers lose more than is gained gives way, others' faults aside") {
  World world;
  const Action action = reroute({"*", "*", "PAYU"}, "RAZOR", 0.5);
  CHECK_FALSE(overloads_target(world.assessment, action, action.issued_ts_ms, 0.1));
  world.set_success({"*", "*", "RAZOR"}, 0.6);
  CHECK(overloads_target(world.assessment, action, action.issued_ts_ms, 0.1));
  CHECK_FALSE(
      overloads_target(world.assessment, action, action.issued_ts_ms, 0.9));  // it gains more
  // Nor if it has hardly been seen: what is usual there may be chance.
  World young = world;
  young.set_success({"*", "*", "RAZOR"}, 0.8);
  CHECK(overloads_target(young.assessment, action, action.issued_ts_ms, 0.1));
  for (PathStats& p : young.assessment.paths) p.attempts = 2;
  CHECK_FALSE(overloads_target(young.assessment, action, action.issued_ts_ms, 0.1));
  // An issuer that is down everywhere says nothing of the gateway.
  World issuer_down;
  issuer_down.break_issuer("HDFC");
  CHECK_FALSE(overloads_target(issuer_down.assessment, action, action.issued_ts_ms, 0.1));
  // Nor what was wrong with it before.
  world.assessment.alarms.push_back(
      {.id = "alm-2", .scope = {"*", "*", "RAZOR"}, .started_ts_ms = kNow - 600'000});
  CHECK_FALSE(overloads_target(world.assessment, action, action.issued_ts_ms, 0.1));
  // What began once traffic had been sent there, by an earlier step, may well be its doing.
  CHECK(overloads_target(world.assessment, action, kNow - 900'000, 0.1));
}

TEST_CASE("what a few attempts seem to make of a gateway's peak does not count") {
  World world;
  TrafficPeaks peaks;
  for (PathStats& p : world.assessment.paths) p.attempts = 100;
  observe(peaks, world.assessment);
  CHECK(peaks.payments_per_s.empty());
  for (PathStats& p : world.assessment.paths) p.attempts = 1000;
  observe(peaks, world.assessment);
  CHECK(peaks.payments_per_s.at("RAZOR") == doctest::Approx(16.0));
}

TEST_CASE("the limit of a target is come to by way of a smaller step") {
  World world;
  world.break_gateway("PAYU", 0.1);
  world.economics.gateways["RAZOR"].max_payments_per_s = 16.0 + 10.0;
  world.economics.gateways["STRIPE"].max_payments_per_s = 16.0;
  const auto reroute_of = [&] {
    const auto options = world.plan();
    const Option* option = find_type(options, "reroute_traffic");
    REQUIRE(option);
    return *option;
  };
  const Option first = reroute_of();
  CHECK(first.strength == 0.25);
  world.act(first).outcome.result = OutcomeResult::improved;
  const Option next = reroute_of();
  CHECK(next.strength > 0.3);
  CHECK(next.strength * (1.0 - next.holdout) * 16.0 < 0.8 * 10.0);  // of the room that there is
}

TEST_CASE("nothing touches traffic where no alarm lasts") {
  World world;
  world.break_gateway("PAYU", 0.1);
  REQUIRE(find_type(world.plan(), "reroute_traffic"));
  world.assessment.alarms.front().recovered_ts_ms = kNow - 1000;
  CHECK_FALSE(find_type(world.plan(), "reroute_traffic"));
  world.assessment.alarms.clear();
  CHECK_FALSE(find_type(world.plan(), "reroute_traffic"));
  CHECK(find_type(world.plan(), "alert_ops"));
}

TEST_CASE("the load under which a gateway gave way bounds its headroom, for days") {
  World world;
  SeriesStatus status;
  status.scope = {"*", "*", "RAZOR"};
  status.readings = {{.signal = Signal::volume, .value = 16.0},
                     {.signal = Signal::retry_rate, .value = 0.2}};
  world.assessment.statuses.push_back(status);
  CHECK(load_per_s(world.assessment, "RAZOR") == doctest::Approx(20.0));
  world.peaks.payments_per_s["RAZOR"] = 40.0;
  world.peaks.updated_ts_ms = kNow;
  CHECK(headroom_per_s(world.situation(), "RAZOR") == doctest::Approx(60.0 - 20.0));
  remember_overload(world.peaks, world.assessment, "RAZOR");
  CHECK(headroom_per_s(world.situation(), "RAZOR") == 0.0);
  world.assessment.ts_ms += 86'400'000;
  observe(world.peaks, world.assessment);
  CHECK(world.peaks.gave_way_per_s.at("RAZOR") == doctest::Approx(40.0));
}

}  // namespace payops::decision
