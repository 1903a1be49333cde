// What interventions do to traffic, seen as the difference between two worlds of one seed.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "payops/simulators/routing.h"
#include "run.h"

namespace payops::simulators {
namespace {

const Scope kHdfc{"HDFC", "*", "*"};
const Scope kPayu{"*", "*", "PAYU"};

Run acted(const Scenario& scenario, const Action& taken, int64_t seconds) {
  const int64_t at = (taken.issued_ts_ms - kStartMs) / 1000;
  return run(scenario, 77, seconds, {{at, [&](World& world) { world.apply(taken); }}});
}

// Calls visit(left alone, acted upon) for the first attempts of every payment in both worlds.
template <class Visit>
void each_first(const Run& alone, const Run& with, Visit&& visit) {
  std::map<uint64_t, const Seen*> other;
  for (const Seen& seen : with.attempts) {
    if (seen.attempt_no == 1) other[seen.payment] = &seen;
  }
  for (const Seen& seen : alone.attempts) {
    if (seen.attempt_no != 1) continue;
    const auto it = other.find(seen.payment);
    visit(seen, it == other.end() ? nullptr : it->second);
  }
}

TEST_CASE("suppression keeps treated customers off the path and leaves the holdout on it") {
  const Scenario scenario = calm();
  const Run alone = run(scenario, 77, 120);
  const Run with = acted(scenario, action(action_type::kSuppressPath, kHdfc, 30, 90), 120);
  double in_scope = 0, held_out = 0, lost = 0;
  each_first(alone, with, [&](const Seen& natural, const Seen* seen) {
    if (natural.second() < 30 || natural.second() >= 90 || !natural.in(kHdfc)) return;
    ++in_scope;
    if (seen == nullptr) {
      ++lost;
    } else if (seen->arm == Arm::holdout) {
      ++held_out;
      CHECK(seen->in(kHdfc));
      CHECK(seen->propensity == doctest::Approx(0.2));
      CHECK(seen->status == natural.status);
    } else {
      CHECK(seen->arm == Arm::treated);
      CHECK_FALSE(seen->in(kHdfc));
      CHECK(seen->propensity == doctest::Approx(0.8));
    }
    if (seen != nullptr) {
      CHECK(seen->action_ids == std::vector<std::string>{"act-00000000000000aa"});
      CHECK(seen->user_id == natural.user_id);
    }
  });
  REQUIRE(in_scope > 1000);
  CHECK(held_out / in_scope == doctest::Approx(0.2).epsilon(0.15));
  CHECK(lost > 0);  // those with no other bank, and those who would not
  CHECK(with.books.deflected >= static_cast<uint64_t>(lost));
}

TEST_CASE("a reroute moves its share to the target and nobody else") {
  const Scenario scenario = calm();
  Action half = action(action_type::kRerouteTraffic, kPayu, 30, 90, {{"to_gateway", "BILLDESK"}});
  half.strength = 0.5;
  half.holdout = 0.1;
  const Run alone = run(scenario, 77, 90);
  const Run with = acted(scenario, half, 90);
  std::map<Arm, double> arms;
  double in_scope = 0;
  each_first(alone, with, [&](const Seen& natural, const Seen* seen) {
    REQUIRE(seen != nullptr);
    if (natural.second() < 30 || !natural.in(kPayu)) {
      CHECK(seen->json == natural.json);
      return;
    }
    ++in_scope;
    ++arms[seen->arm];
    CHECK(seen->gateway == (seen->arm == Arm::treated ? "BILLDESK" : "PAYU"));
    CHECK(seen->issuer == natural.issuer);
    CHECK(seen->method == natural.method);
    CHECK(seen->action_ids.empty() == (seen->arm == Arm::none));
  });
  CHECK(arms[Arm::treated] / in_scope == doctest::Approx(0.45).epsilon(0.08));
  CHECK(arms[Arm::holdout] / in_scope == doctest::Approx(0.05).epsilon(0.25));
  const auto late = [](const Seen& s) { return s.second() >= 30 && s.attempt_no == 1; };
  const auto on = [](const char* gateway) {
    return [gateway](const Seen& s) { return s.gateway == gateway; };
  };
  CHECK(share(with, late, on("PAYU")) < 0.65 * share(alone, late, on("PAYU")));
  CHECK(share(with, late, on("BILLDESK")) > 1.5 * share(alone, late, on("BILLDESK")));
}

TEST_CASE("fewer retries are made where they are capped, and later ones where they are spaced") {
  Scenario scenario = calm();
  scenario.drift.mean_success = 0.6;
  const Run alone = run(scenario, 77, 150);
  const Run capped =
      acted(scenario,
            action(action_type::kReduceRetryAttempts, kHdfc, 0, 150, {{"max_attempts", "1"}}), 150);
  for (const auto& [id, attempts] : capped.payments()) {
    if (attempts[0]->arm == Arm::treated) CHECK(attempts.size() == 1);
  }
  CHECK(capped.books.retries < 0.85 * static_cast<double>(alone.books.retries));

  const Run spaced = acted(
      scenario, action(action_type::kAdjustRetry, kHdfc, 0, 150, {{"delay_ms", "20000"}}), 150);
  std::size_t checked = 0;
  for (const auto& [id, attempts] : spaced.payments()) {
    for (std::size_t i = 1; i < attempts.size(); ++i) {
      if (attempts[0]->arm != Arm::treated) continue;
      const int64_t pause_ms = attempts[i]->started_ms - attempts[i - 1]->ts_ms;
      CHECK(pause_ms >= 15'000);
      CHECK(pause_ms <= 25'000);
      ++checked;
    }
  }
  CHECK(checked > 100);
}

TEST_CASE("payments that no action covers are the same to the byte, with and without it") {
  const Scenario scenario = calm();
  const Run alone = run(scenario, 77, 100);
  const Run with = acted(scenario, action(action_type::kSuppressPath, kHdfc, 30, 90), 100);
  const auto left = alone.payments(), right = with.payments();
  std::size_t same = 0;
  for (const auto& [id, attempts] : left) {
    const bool before = attempts[0]->second() < 30;
    if (!before && attempts[0]->in(kHdfc)) continue;
    const auto it = right.find(id);
    REQUIRE(it != right.end());
    REQUIRE(it->second.size() == attempts.size());
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      CHECK(it->second[i]->json == attempts[i]->json);
    }
    ++same;
  }
  CHECK(same > 5000);
}

TEST_CASE("a payment meets the same draw on whichever path: what is better never converts less") {
  Scenario scenario = calm();
  scenario.drift.sigma = 0;
  scenario.paths = {{.scope = {"*", "*", "BILLDESK"}, .mean_success = 0.99},
                    {.scope = kPayu, .mean_success = 0.7}};
  Action all = action(action_type::kRerouteTraffic, kPayu, 0, 90, {{"to_gateway", "BILLDESK"}});
  all.holdout = 0.0;
  std::size_t rescued = 0;
  each_first(run(scenario, 77, 60), acted(scenario, all, 60),
             [&](const Seen& natural, const Seen* seen) {
               if (seen == nullptr) return;
               if (natural.approved()) CHECK(seen->approved());
               rescued += !natural.approved() && seen->approved();
             });
  CHECK(rescued > 500);
}

TEST_CASE("the effect leaves within the ramp after expiry, and then the worlds are one again") {
  const Scenario scenario = calm(300);
  Action all = action(action_type::kRerouteTraffic, kPayu, 20, 60, {{"to_gateway", "BILLDESK"}});
  all.holdout = 0.0;
  std::map<int, double> natural_count, moved;  // by phase
  each_first(run(scenario, 77, 100), acted(scenario, all, 100),
             [&](const Seen& natural, const Seen* seen) {
               REQUIRE(seen != nullptr);
               if (!natural.in(kPayu)) return;
               const double t = natural.second();
               const int phase = t < 20 ? 0 : t < 60 ? 1 : t < 65 ? 2 : t < 70 ? 3 : 4;
               ++natural_count[phase];
               moved[phase] += seen->gateway == "BILLDESK";
             });
  CHECK(moved[0] == 0);
  CHECK(moved[1] == natural_count[1]);
  CHECK(moved[2] / natural_count[2] == doctest::Approx(0.75).epsilon(0.1));
  CHECK(moved[3] / natural_count[3] == doctest::Approx(0.25).epsilon(0.25));
  CHECK(moved[4] == 0);
}

TEST_CASE("an inverse and a tombstone end an action early") {
  const Scenario scenario = calm();
  const Action taken =
      action(action_type::kRerouteTraffic, kPayu, 10, 90, {{"to_gateway", "BILLDESK"}});
  Action inverse = taken;
  inverse.action_id = "act-00000000000000bb";
  inverse.inverse_of = taken.action_id;
  inverse.revision = 2;
  const auto covered_late = [&](const std::function<void(World&)>& undo) {
    const Run result = run(scenario, 77, 60, {{10, [&](World& w) { w.apply(taken); }}, {30, undo}});
    return std::count_if(result.attempts.begin(), result.attempts.end(), [](const Seen& s) {
      return s.second() >= 40 && s.attempt_no == 1 && s.arm != Arm::none;
    });
  };
  CHECK(covered_late([](World&) {}) > 300);
  CHECK(covered_late([&](World& w) { w.apply(inverse); }) == 0);
  CHECK(covered_late([&](World& w) { w.end(taken.key()); }) == 0);
  CHECK(covered_late([&](World& w) { w.end("suppress_path|*|*|PAYU"); }) > 300);
}

TEST_CASE("a router drops lower epochs and revisions, repeats, and what it does not know") {
  const Scenario scenario = calm();
  ActionsInForce router(scenario);
  const int64_t now = kStartMs + 1000;
  Action first = action(action_type::kSuppressPath, kHdfc, 0, 100);
  first.epoch = 2;
  first.revision = 5;
  router.apply(first, now);
  REQUIRE(router.ranked().size() == 1);

  Action older = first;
  older.action_id = "act-old";
  older.revision = 4;
  router.apply(older, now);
  older.epoch = 1;
  older.revision = 9;
  router.apply(older, now);
  REQUIRE(router.ranked().size() == 1);
  CHECK(router.ranked()[0]->action.action_id == first.action_id);

  Action newer = first;
  newer.action_id = "act-new";
  newer.epoch = 3;
  newer.revision = 1;
  router.apply(newer, now);
  REQUIRE(router.ranked().size() == 1);
  CHECK(router.ranked()[0]->action.action_id == "act-new");

  const int64_t after = now + 60'000;
  router.end(newer.key(), now);
  router.apply(newer, after);  // a repeat after the end does not revive it
  router.prune(after);
  CHECK(router.ranked().empty());

  Action strange = action(action_type::kSuppressPath, {"NOBANK", "*", "*"}, 0, 100);
  router.apply(strange, after);
  REQUIRE(router.ranked().size() == 1);
  CHECK_FALSE(router.ranked()[0]->covers({0, 0, 0}));
  router.apply(action(action_type::kRerouteTraffic, kPayu, 0, 100, {{"to_gateway", "NOWHERE"}}),
               now);
  router.apply(action(action_type::kAlertOps, kHdfc, 0, 100), after);
  Action expired =
      action(action_type::kRerouteTraffic, kPayu, -20, 0, {{"to_gateway", "BILLDESK"}});
  expired.revision = 2;
  router.apply(expired, after);
  Action quoted = action(action_type::kSuppressPath, kPayu, 0, 100);
  quoted.action_id = "act-\",\"arm\":\"x";
  router.apply(quoted, after);
  Action nobody = action(action_type::kSuppressPath, {"*", "upi", "*"}, 0, 100);
  nobody.strength = std::nan("");
  router.apply(nobody, after);
  CHECK(router.ranked().size() == 1);
}

TEST_CASE("a higher revision of one action widens it and keeps its customers") {
  const Scenario scenario = calm();
  Action small = action(action_type::kRerouteTraffic, kPayu, 10, 90, {{"to_gateway", "BILLDESK"}});
  small.strength = 0.1;
  small.holdout = 0;
  Action wide = small;
  wide.strength = 0.6;
  wide.revision = 2;
  const Run result =
      run(scenario, 77, 70,
          {{10, [&](World& w) { w.apply(small); }}, {40, [&](World& w) { w.apply(wide); }}});
  std::map<std::string, Arm> early;
  double later = 0, later_treated = 0;
  for (const Seen& s : result.attempts) {
    if (s.attempt_no != 1) continue;
    if (s.second() < 40 && s.arm == Arm::treated) early[s.user_id] = s.arm;
    if (s.second() < 40 || (s.gateway != "PAYU" && s.arm == Arm::none)) continue;
    ++later;
    later_treated += s.arm == Arm::treated;
    if (early.count(s.user_id) != 0) CHECK(s.arm == Arm::treated);
  }
  CHECK(later_treated / later == doctest::Approx(0.6).epsilon(0.07));
}

TEST_CASE("actions help where they should: rerouting round a dead gateway, capping a retry storm") {
  auto broken = load_scenario("gateway_failure");
  auto storm = load_scenario("retry_storm");
  REQUIRE(broken);
  REQUIRE(storm);
  const auto saved = [](const Scenario& scenario, const Action& taken) {
    const Run with = acted(scenario, taken, 900);
    return with.books.net_revenue_minor() -
           books_without_actions(scenario, 77, kStartMs, kStartMs + 900'000).net_revenue_minor();
  };
  const auto reroute = [](const char* to) {
    return action(action_type::kRerouteTraffic, kPayu, 330, 900, {{"to_gateway", to}});
  };
  const int64_t good = saved(*broken, reroute("RAZORPAY"));
  CHECK(good > 0);
  CHECK(saved(*broken, reroute("BILLDESK")) < good / 2);  // it lacks the headroom
  CHECK(saved(*storm, action(action_type::kReduceRetryAttempts, {"ICICI", "*", "*"}, 330, 900,
                             {{"max_attempts", "2"}})) > 0);
  CHECK(saved(calm(40), action(action_type::kSuppressPath, kHdfc, 330, 900)) < 0);
}

}  // namespace
}  // namespace payops::simulators
