#include "payops/learning/learning.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "decision/world.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/random.h"

namespace payops::learning {
namespace {

constexpr int64_t kIssued = 1'772'366'400'000;

ArmCell cell(const std::string& action, Arm arm, uint32_t payments, uint32_t conversions) {
  return {.action = hash64(action),
          .arm = arm,
          .payments = payments,
          .conversions = conversions,
          .attempts = payments + 1,
          .amount_minor = payments * 100,
          .converted_amount_minor = conversions * 100};
}

ArmTotals arm(uint64_t payments, uint64_t conversions) {
  ArmTotals totals;
  totals.payments = payments;
  totals.conversions = conversions;
  totals.amount_minor = static_cast<int64_t>(payments) * 200'000;
  return totals;
}

Intervention running(double model_effect = 0.4, const Scope& scope = {"HDFC", "card", "PAYU"}) {
  Intervention i;
  i.action.action_id = "act-1";
  i.action.type = "reroute_traffic";
  i.action.scope = scope;
  i.action.holdout = 0.5;
  i.action.issued_ts_ms = kIssued;
  i.state = InterventionState::active;
  i.option.cause = Cause::gateway_down;
  i.option.model_effect = model_effect;
  return i;
}

Intervention over(Intervention i) {
  i.state = InterventionState::ended;
  return i;
}

TEST_CASE("arms are counted of tracked actions only, and only after things have settled") {
  const LearningConfig config;
  OutcomeTracker tracker;
  const int64_t from = counted_from_ms(running().action, config);
  CHECK(from == kIssued + 30'000);
  REQUIRE(tracker.track("act-1", from));
  ClosedBucket bucket{.second = from / 1000 - 1, .cells = {}, .arms = {}};
  bucket.arms = {cell("act-1", Arm::treated, 10, 9), cell("act-1", Arm::holdout, 3, 1),
                 cell("act-1", Arm::probe, 2, 1), cell("act-2", Arm::treated, 99, 99)};
  tracker.observe(bucket);
  CHECK(tracker.of("act-1").treated.payments == 0);
  bucket.second += 1;
  tracker.observe(bucket);
  tracker.observe(bucket);
  CHECK(tracker.of("act-1").treated.payments == 20);
  CHECK(tracker.of("act-1").treated.conversions == 18);
  CHECK(tracker.of("act-1").holdout.payments == 6);
  CHECK(tracker.of("act-1").probe.payments == 4);
  CHECK(tracker.of("act-2").treated.payments == 0);
  REQUIRE(tracker.track("act-1", from + 1'000'000));  // again: changes nothing
  CHECK(tracker.of("act-1").treated.payments == 20);

  const auto back = decode<OutcomeTracker>(encode(tracker));
  REQUIRE(back);
  CHECK(encode(*back) == encode(tracker));
  CHECK(back->of("act-1").treated == tracker.of("act-1").treated);

  tracker.forget("act-1");
  tracker.observe(bucket);
  CHECK(tracker.of("act-1").treated.payments == 0);
  CHECK(tracker.size() == 0);
}

TEST_CASE("the arms can be asked how they stood when a fault ended, a while ago") {
  OutcomeTracker tracker;
  const int64_t from_s = 1000;
  REQUIRE(tracker.track("act-1", from_s * 1000));
  for (int64_t second = from_s - 5; second < from_s + 400; ++second) {
    ClosedBucket bucket{.second = second, .cells = {}, .arms = {}};
    bucket.arms = {cell("act-1", Arm::treated, 2, 1), cell("act-1", Arm::holdout, 1, 1)};
    tracker.observe(bucket);
  }
  const TrackedAction& tracked = tracker.of("act-1");
  CHECK(tracked.treated.payments == 800);
  CHECK(tracked.until(2'000'000).treated == tracked.treated);
  const Compared at = tracked.until((from_s + 300) * 1000);
  CHECK(at.treated.payments <= 600);
  CHECK(at.treated.payments > 600 - 2 * 8);
  CHECK(at.holdout.payments * 2 == at.treated.payments);
  CHECK(tracked.until((from_s - 1) * 1000).treated.payments == 0);
  CHECK(tracked.marks.size() == TrackedAction::kMarksMax);
  // Further back than is remembered: as early as is.
  CHECK(tracked.until((from_s + 10) * 1000).treated == tracked.marks.front().treated);
  tracker.note_improved("act-1");
  tracker.note_improved("act-2");  // of what is not tracked there is nothing to note
  CHECK(tracker.of("act-1").improved_to_ms == (from_s + 400) * 1000);
}

TEST_CASE("no more actions are tracked than there is room for") {
  OutcomeTracker tracker;
  for (std::size_t i = 0; i < OutcomeTracker::kTrackedMax; ++i) {
    REQUIRE(tracker.track("act-" + std::to_string(i), 0));
  }
  const Status full = tracker.track("one-more", 0);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == ErrorCode::limit);
  CHECK(tracker.track("act-0", 0));
}

TEST_CASE("what clearly helps is improved, what clearly harms is worse, at once") {
  const LearningConfig config;
  const Outcome good = judge(running(), arm(200, 180), arm(60, 24), config);
  CHECK(good.result == OutcomeResult::improved);
  CHECK(good.effect.mean == doctest::Approx(0.5));
  CHECK(good.value_minor == doctest::Approx(0.5 * 200 * 200'000 * config.margin_share));
  const Outcome bad = judge(running(), arm(60, 24), arm(60, 54), config);
  CHECK(bad.result == OutcomeResult::worse);
  CHECK(bad.effect.mean < 0.0);
  CHECK(bad.value_minor < 0.0);
}

TEST_CASE("no samples are never success") {
  const LearningConfig config;
  for (const auto& [treated, holdout] : {std::pair{arm(0, 0), arm(0, 0)},
                                         {arm(900, 900), arm(0, 0)},
                                         {arm(0, 0), arm(900, 0)},
                                         {arm(29, 29), arm(5000, 0)},
                                         {arm(5000, 5000), arm(29, 0)}}) {
    CHECK(judge(running(), treated, holdout, config).result == OutcomeResult::pending);
    CHECK(judge(over(running()), treated, holdout, config).result == OutcomeResult::inconclusive);
  }
  CHECK(judge(over(running()), arm(100, 90), arm(100, 89), config).result ==
        OutcomeResult::inconclusive);
}

TEST_CASE("a verdict stands, except that harm is called after an improvement too") {
  const LearningConfig config;
  Intervention i = running();
  i.outcome.result = OutcomeResult::improved;
  CHECK(judge(i, arm(100, 80), arm(100, 79), config).result == OutcomeResult::improved);
  CHECK(judge(over(i), arm(100, 80), arm(100, 79), config).result == OutcomeResult::improved);
  CHECK(judge(i, arm(200, 80), arm(200, 160), config).result == OutcomeResult::worse);
  i.outcome.result = OutcomeResult::worse;
  CHECK(judge(i, arm(200, 160), arm(200, 80), config).result == OutcomeResult::worse);
}

TEST_CASE("payments that convert after counting began never make a share above one") {
  const Outcome o = judge(running(), arm(200, 210), arm(50, 50), {});
  CHECK(o.effect.mean == 0.0);
}

// Looks after every payment for `looks` payments; which verdict came first.
OutcomeResult watch(const LearningConfig& config, double p_treated, double p_holdout,
                    double holdout_share, int payments, uint64_t run, int* stopped_at = nullptr) {
  RandomStream r = Random(2024).at(run, static_cast<uint64_t>(p_treated * 1000.0),
                                   static_cast<uint64_t>(holdout_share * 1000.0));
  ArmTotals treated, holdout;
  Intervention i = running();
  i.action.holdout = holdout_share;
  for (int n = 1; n <= payments; ++n) {
    const bool held = r.chance(holdout_share);
    ArmTotals& mine = held ? holdout : treated;
    ++mine.payments;
    mine.conversions += r.chance(held ? p_holdout : p_treated);
    const OutcomeResult result = judge(i, treated, holdout, config).result;
    if (result == OutcomeResult::pending) continue;
    if (stopped_at != nullptr) *stopped_at = n;
    return result;
  }
  return OutcomeResult::pending;
}

TEST_CASE("watched after every payment, a useless intervention is rarely called anything") {
  const LearningConfig config;
  constexpr int kRuns = 500;
  for (const double p : {0.05, 0.5, 0.9, 0.98}) {
    for (const double holdout : {0.05, 0.2, 0.5}) {
      int called = 0;
      for (uint64_t run = 0; run < kRuns; ++run) {
        called += watch(config, p, p, holdout, 3000, run) != OutcomeResult::pending;
      }
      CAPTURE(p);
      CAPTURE(holdout);
      // alpha, and three standard errors of this simulation
      CHECK(called <= kRuns * (config.alpha + 3.0 * std::sqrt(0.05 * 0.95 / kRuns)));
    }
  }
}

// A suppression: treated customers leave unseen with probability `leave`, the others convert with
// p_treated. Looked at after every arrival.
Outcome watch_suppression(double leave, double p_treated, double p_holdout, double holdout_share,
                          int arrivals, uint64_t run, std::string_view type = "suppress_path") {
  RandomStream r = Random(77).at(run, static_cast<uint64_t>(holdout_share * 1000.0),
                                 static_cast<uint64_t>(p_holdout * 1000.0));
  Intervention i = running();
  i.action.type = type;
  i.action.holdout = holdout_share;
  ArmTotals treated, holdout;
  Outcome o;
  for (int n = 1; n <= arrivals && o.result == OutcomeResult::pending; ++n) {
    const bool held = r.chance(holdout_share);
    if (!held && r.chance(leave)) continue;
    ArmTotals& mine = held ? holdout : treated;
    ++mine.payments;
    mine.amount_minor += 100'000;
    mine.conversions += r.chance(held ? p_holdout : p_treated);
    o = judge(i, treated, holdout, {});
  }
  return o;
}

TEST_CASE("customers who leave unseen are not success, though those who stay convert") {
  int improved = 0, worse = 0, called = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    // Three of four leave; in the holdout a quarter converts: nothing is gained.
    called += watch_suppression(0.75, 1.0, 0.25, 0.5, 2000, run).result != OutcomeResult::pending;
    // The holdout fares far better than the few who stay: harm.
    worse += watch_suppression(0.75, 1.0, 0.8, 0.5, 2000, run).result == OutcomeResult::worse;
    // Few leave and nobody would convert otherwise: a gain.
    improved +=
        watch_suppression(0.12, 0.95, 0.1, 0.2, 2000, run).result == OutcomeResult::improved;
  }
  CHECK(called <= 200 * 0.05 + 3.0 * std::sqrt(200 * 0.05 * 0.95));
  CHECK(worse == 200);
  CHECK(improved == 200);
  const Outcome o = judge(
      [] {
        Intervention i = over(running());
        i.action.type = "suppress_path";
        i.action.holdout = 0.5;
        return i;
      }(),
      arm(30, 28), arm(119, 29), {});
  CHECK(o.result == OutcomeResult::inconclusive);
  CHECK(o.treated_payments == 119);
  CHECK(o.effect.mean == doctest::Approx((28.0 - 29.0) / 119.0));
  CHECK(o.effect.sigma > 0.03);
}

TEST_CASE("missing treated payments are noticed for types of which nobody knew it") {
  int worse = 0;
  for (uint64_t run = 0; run < 100; ++run) {
    worse +=
        watch_suppression(0.6, 1.0, 0.9, 0.5, 3000, run, "homemade").result == OutcomeResult::worse;
  }
  CHECK(worse >= 95);
}

TEST_CASE("how events fall to two sides is judged right at any number of looks") {
  for (const double p : {0.05, 0.5, 0.8, 0.95}) {
    int called = 0;
    for (uint64_t run = 0; run < 500; ++run) {
      RandomStream r = Random(31).at(run, static_cast<uint64_t>(p * 100.0));
      uint64_t a = 0, b = 0;
      bool crossed = false;
      for (int n = 0; n < 2000 && !crossed; ++n) {
        ++(r.chance(p) ? a : b);
        crossed = log_allocation_ratio(a, b, p) >= -std::log(0.05);
      }
      called += crossed;
    }
    CAPTURE(p);
    CHECK(called <= 500 * 0.05);  // exact, so without allowance
  }
  CHECK(log_allocation_ratio(30, 119, 0.5) > std::log(1000.0));
  CHECK(log_allocation_ratio(0, 0, 0.5) == doctest::Approx(0.0));
}

TEST_CASE("real differences are found, large ones soon") {
  const LearningConfig config;
  double payments = 0.0;
  int found = 0, harm = 0;
  for (uint64_t run = 0; run < 200; ++run) {
    int at = 0;
    found += watch(config, 0.9, 0.5, 0.5, 5000, run, &at) == OutcomeResult::improved;
    payments += at / 200.0;
    harm += watch(config, 0.8, 0.9, 0.5, 5000, run) == OutcomeResult::worse;
  }
  CHECK(found == 200);
  CHECK(payments < 110.0);
  CHECK(harm >= 198);
}

TEST_CASE("the evidence grows with the difference and needs more at smaller samples") {
  CHECK(log_mixture_ratio(0.3, 0.001, 0.1) > log_mixture_ratio(0.2, 0.001, 0.1));
  CHECK(log_mixture_ratio(0.3, 0.001, 0.1) == log_mixture_ratio(-0.3, 0.001, 0.1));
  CHECK(log_mixture_ratio(0.0, 0.001, 0.1) < 0.0);
  CHECK(log_mixture_ratio(0.2, 0.001, 0.1) > log_mixture_ratio(0.2, 0.01, 0.1));
}

Outcome measured(double effect, double sigma) {
  Outcome o;
  o.result = effect < 0.0 ? OutcomeResult::worse : OutcomeResult::improved;
  o.treated_payments = o.holdout_payments = 200;
  o.effect = {effect, sigma};
  return o;
}

TEST_CASE("an outcome moves its scope's factor most, its class' less and no other") {
  EffectTable table;
  const Intervention i = running(0.4);
  update(table, i, measured(-0.2, 0.05), kIssued);
  const auto factor = [&](std::string_view type, Cause cause, const Scope& scope) {
    return effect_for(table, type, cause, scope);
  };
  const EffectPosterior own = factor("reroute_traffic", Cause::gateway_down, i.action.scope);
  const EffectPosterior sibling = factor("reroute_traffic", Cause::gateway_down, {"SBI", "*", "*"});
  CHECK(own.mean < sibling.mean);
  CHECK(sibling.mean < 1.0);
  CHECK(own.sigma < sibling.sigma);
  CHECK(sibling.sigma < EffectPosterior{}.sigma);
  CHECK(own.worse == 1);
  CHECK(factor("reroute_traffic", Cause::issuer_down, i.action.scope).mean == 1.0);
  CHECK(factor("suppress_path", Cause::gateway_down, i.action.scope).mean == 1.0);
}

TEST_CASE("the first posterior is the conjugate one of prior and observation") {
  EffectTable table;
  update(table, running(0.4), measured(0.2, 0.1), kIssued);
  const EffectPosterior own =
      effect_for(table, "reroute_traffic", Cause::gateway_down, running().action.scope);
  const LearningConfig config;
  const double spread = std::hypot(config.prior_sd, config.scope_sd);
  const double prior = 1.0 / (spread * spread), data = std::pow(0.4 / 0.1, 2);
  CHECK(own.mean == doctest::Approx((prior * 1.0 + data * 0.5) / (prior + data)));
  CHECK(own.sigma == doctest::Approx(1.0 / std::sqrt(prior + data)));
}

TEST_CASE("what was not measured, or not predicted, is counted and teaches nothing") {
  EffectTable table;
  Outcome none;
  none.result = OutcomeResult::pending;
  update(table, running(), none, kIssued);
  CHECK(table.empty());
  none.result = OutcomeResult::inconclusive;
  update(table, running(), none, kIssued);
  update(table, running(0.0), measured(0.3, 0.05), kIssued);
  const EffectPosterior own =
      effect_for(table, "reroute_traffic", Cause::gateway_down, running().action.scope);
  CHECK(own.outcomes == 2);
  CHECK(own.mean == doctest::Approx(1.0));
  CHECK(own.sigma == doctest::Approx(EffectPosterior{}.sigma).epsilon(0.01));
}

TEST_CASE("posteriors do not depend on the order of outcomes, and narrow with each") {
  CHECK(rc::check([] {
    struct One {
      Scope scope;
      double effect;
    };
    std::vector<One> all;
    for (int i = *rc::gen::inRange(1, 12); i > 0; --i) {
      all.push_back({{*rc::gen::element<std::string>("HDFC", "SBI", "AXIS"), "card", "*"},
                     *rc::gen::inRange(-50, 80) / 100.0});
    }
    EffectTable forward, backward;
    double sigma = EffectPosterior{}.sigma;
    for (const One& o : all) {
      update(forward, running(0.4, o.scope), measured(o.effect, 0.1), kIssued);
      const double now =
          effect_for(forward, "reroute_traffic", Cause::gateway_down, {"new", "*", "*"}).sigma;
      RC_ASSERT(now < sigma);
      sigma = now;
    }
    std::reverse(all.begin(), all.end());
    for (const One& o : all) {
      update(backward, running(0.4, o.scope), measured(o.effect, 0.1), kIssued);
    }
    RC_ASSERT(forward.size() == backward.size());
    for (const auto& [key, row] : forward) {
      RC_ASSERT(std::abs(row.mean - backward.at(key).mean) < 1e-9);
      RC_ASSERT(std::abs(row.sigma - backward.at(key).sigma) < 1e-9);
    }
  }));
}

TEST_CASE("a reset leaves the table as if the scope had never been tried") {
  CHECK(rc::check([] {
    EffectTable with, without;
    for (int i = *rc::gen::inRange(1, 15); i > 0; --i) {
      const Scope scope{*rc::gen::element<std::string>("HDFC", "SBI", "AXIS"),
                        *rc::gen::element<std::string>("card", "upi"), "*"};
      Intervention done = running(0.4, scope);
      done.option.cause = *rc::gen::element(Cause::gateway_down, Cause::issuer_down);
      const Outcome o = measured(*rc::gen::inRange(-50, 80) / 100.0, 0.1);
      update(with, done, o, kIssued);
      if (scope.issuer != "HDFC") update(without, done, o, kIssued);
    }
    (void)reset(with, {"HDFC", "*", "*"});
    RC_ASSERT(encode(with) == encode(without));
    RC_ASSERT(reset(with, {}) == !without.empty());
    RC_ASSERT(with.empty());
    RC_ASSERT(!reset(with, {}));
  }));
}

TEST_CASE("old outcomes fade") {
  EffectTable fresh, stale;
  constexpr int64_t kYearMs = int64_t{365} * 86'400'000;
  for (int i = 0; i < 5; ++i) {
    update(fresh, running(), measured(-0.4, 0.05), kIssued + kYearMs);
    update(stale, running(), measured(-0.4, 0.05), kIssued);
  }
  update(fresh, running(), measured(0.4, 0.05), kIssued + kYearMs);
  update(stale, running(), measured(0.4, 0.05), kIssued + kYearMs);
  const auto mean = [](const EffectTable& table) {
    return effect_for(table, "reroute_traffic", Cause::gateway_down, running().action.scope).mean;
  };
  CHECK(mean(fresh) < 0.0);
  CHECK(mean(stale) > 0.8);
}

TEST_CASE("the table is bounded; the scope longest without an outcome goes first") {
  LearningConfig config;
  config.scopes_max = 10;
  EffectTable table;
  for (int i = 0; i < 50; ++i) {
    update(table, running(0.4, {"issuer-" + std::to_string(i), "*", "*"}), measured(0.4, 0.1),
           kIssued + i, config);
  }
  CHECK(table.size() == 10);
  CHECK(table.count({"reroute_traffic", Cause::gateway_down, "issuer-49|*|*"}) == 1);
  CHECK(table.count({"reroute_traffic", Cause::gateway_down, "issuer-3|*|*"}) == 0);
}

// The whole way: options are planned, done, go badly, and the planner learns it.
TEST_CASE("after twenty bad reroutes something else is preferred, until it is forgotten") {
  decision::World world;
  world.break_gateway("PAYU");
  for (PathStats& p : world.assessment.paths) {
    if (p.path.gateway == "PAYU") p.attempts_per_payment = 1.5;
  }
  const auto best = [&] { return decision::choose(world.plan(), false).option.type; };
  REQUIRE(best() == "reroute_traffic");
  const std::vector<Option> naive = world.plan();

  for (int i = 0; i < 20; ++i) {
    const std::vector<Option> plan = world.plan();
    const Option* reroute = decision::find_type(plan, "reroute_traffic");
    REQUIRE(reroute);
    Intervention done = running();
    done.option = *reroute;
    done.action.scope = reroute->scope;
    done.state = InterventionState::rolled_back;
    // It promised some forty points more and brought ten fewer.
    const Outcome outcome = judge(done, arm(120, 36), arm(120, 48), {});
    update(world.effects, done, outcome, decision::kNow);
  }
  CHECK(best() != "reroute_traffic");
  CHECK(decision::find_type(world.plan(), "reroute_traffic")->nrv.total.mean < 0.0);

  // A gateway never rerouted before inherits the lesson.
  CHECK(
      effect_for(world.effects, "reroute_traffic", Cause::gateway_down, {"*", "*", "RAZOR"}).mean <
      0.5);

  world.effects = *decode<EffectTable>(encode(world.effects));
  CHECK(best() != "reroute_traffic");

  CHECK(reset(world.effects, {"*", "*", "PAYU"}));
  CHECK(best() == "reroute_traffic");
  CHECK(encode(world.plan()) == encode(naive));
}

TEST_CASE("learning settings that make no sense are refused by name") {
  LearningConfig config;
  CHECK(config.validate());
  config.alpha = 0.9;
  REQUIRE_FALSE(config.validate());
  CHECK(config.validate().error().message.find("alpha") != std::string::npos);
}

}  // namespace
}  // namespace payops::learning
