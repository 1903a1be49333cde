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
  CHECK(part.mean_s < 121.0);
  CHECK(part.mean_s > 100.0);
  CHECK(part.after_s < whole.after_s);
  const Overlap perhaps = overlap(e, 60.0, 600.0, 0.0, 0.0, {.chance = 0.5, .after_s = 120.0});
  CHECK(perhaps.mean_s == doctest::Approx((whole.mean_s + part.mean_s) / 2.0).epsilon(0.01));
  CHECK(perhaps.sigma_s > whole.sigma_s);
}

TEST_CASE("what a limit leaves of an option is valued anew, luck and all") {
  World world;
  world.break_gateway("PAYU");
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
  CHECK_FALSE(overloads_target(world.assessment, action, 0.1));
  world.set_success({"*", "*", "RAZOR"}, 0.6);
  CHECK(overloads_target(world.assessment, action, 0.1));
  CHECK_FALSE(overloads_target(world.assessment, action, 0.9));  // it gains more
  // An issuer that is down everywhere says nothing of the gateway.
  World issuer_down;
  issuer_down.break_issuer("HDFC");
  CHECK_FALSE(overloads_target(issuer_down.assessment, action, 0.1));
  // Nor what was wrong with it before.
  world.assessment.alarms.push_back(
      {.id = "alm-2", .scope = {"*", "*", "RAZOR"}, .started_ts_ms = kNow - 600'000});
  CHECK_FALSE(overloads_target(world.assessment, action, 0.1));
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
