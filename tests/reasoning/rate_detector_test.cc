#include "payops/reasoning/rate_detector.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <vector>

#include "payops/core/random.h"
#include "payops/reasoning/cusum_chain.h"

namespace payops::reasoning {
namespace {

using Event = RateDetector::Event;

// A detector fed with attempts a second apart.
struct Feed {
  explicit Feed(uint64_t seed) : draw(Random(seed).at(0)) {}
  RandomStream draw;
  RateDetector detector{};
  int64_t ts_ms = 1'700'000'000'000;
  int raised = 0, ended = 0;

  // Attempts until the first event, at most `most`.
  int until_event(double rate, int most) {
    for (int i = 1; i <= most; ++i) {
      if (row(1.0, draw.chance(rate) ? 1.0 : 0.0) != Event::none) return i;
    }
    return most + 1;
  }
  Event row(double n, double k) {
    const Event event = detector.observe(ts_ms, n, k);
    ts_ms += 1000;
    raised += event == Event::raised;
    ended += event == Event::ended;
    return event;
  }
  void attempts(double rate, int count) {
    for (int i = 0; i < count; ++i) row(1.0, draw.chance(rate) ? 1.0 : 0.0);
  }
};

TEST_CASE("the chain gives the delays of the optimum that are known from simulation") {
  // 5 % to 15, 20, 30, 40, 60 % at one false alarm in a million attempts: 141, 75, 36, 22, 11
  // attempts from rest, a little less from where the statistic usually stands.
  const std::vector<std::pair<double, double>> known{
      {0.15, 141}, {0.20, 75}, {0.30, 36}, {0.40, 22}, {0.60, 11}};
  for (const auto& [rate, delay] : known) {
    CAPTURE(rate);
    CHECK(CusumChain(0.05, rate).delay_at(1e-6) == doctest::Approx(delay).epsilon(0.07));
  }
}

TEST_CASE("every alternative's threshold keeps within its part of the false alarms") {
  for (const double p0 : {0.01, 0.05, 0.2}) {
    for (std::size_t j = 0; j < kFailureShares.size(); ++j) {
      CAPTURE(p0);
      CAPTURE(j);
      const RateTest test({p0, 1e12}, 1e-6);
      const CusumChain chain(p0, p0 + (1.0 - p0) * kFailureShares[j]);
      const double wanted = 1e-6 * kFalseAlarmParts[j];
      const double had = chain.at(test.threshold(j)).false_alarms;
      CHECK(had < 1.1 * wanted);
      // Where a few failures suffice, thresholds only work in whole failures.
      CHECK(had > (kFailureShares[j] > 0.9 ? 0.05 : 0.45) * wanted);
    }
  }
}

TEST_CASE("fewer false alarms need higher thresholds") {
  rc::check([] {
    const double rate = *rc::gen::inRange(1, 900) / 1000.0;
    const double some = std::pow(10.0, -*rc::gen::inRange(2, 9));
    const RateTest often({rate, 1e4}, some), seldom({rate, 1e4}, some / 10.0);
    for (std::size_t j = 0; j < kFailureShares.size(); ++j) {
      RC_ASSERT(seldom.threshold(j) >= often.threshold(j));
    }
  });
}

TEST_CASE("the less is known of the baseline, the less a failure weighs") {
  rc::check([] {
    const double rate = *rc::gen::inRange(2, 500) / 1000.0;
    const double known = *rc::gen::inRange(100, 100'000);
    const double k = *rc::gen::inRange(1, 20);
    RateBank young, old;
    RateTest({rate, known}, 1e-6).add(young, 1, 20.0, k);
    RateTest({rate, 10.0 * known}, 1e-6).add(old, 1, 20.0, k);
    for (std::size_t j = 0; j < kFailureShares.size(); ++j) {
      RC_ASSERT(young.cusums[j].statistic <= old.cusums[j].statistic);
    }
  });
}

TEST_CASE("a bucket weighs as its attempts one by one, where none of them falls to zero") {
  rc::check([] {
    const RateTest test({*rc::gen::inRange(5, 300) / 1000.0, 1e4}, 1e-6);
    const int n = *rc::gen::inRange(1, 200), k = *rc::gen::inRange(1, n + 1);
    RateBank rows, bucket;
    // Failures first: then no partial sum is below the whole one.
    for (int i = 0; i < n; ++i) test.add(rows, 1, 1.0, i < k ? 1.0 : 0.0);
    test.add(bucket, 1, n, k);
    for (std::size_t j = 0; j < kFailureShares.size(); ++j) {
      RC_ASSERT(std::abs(rows.cusums[j].statistic - bucket.cusums[j].statistic) < 1e-6);
    }
  });
}

TEST_CASE("falling to zero loses nothing: a change afterwards is noticed as if nothing had been") {
  const RateTest test({0.05, 1e6}, 1e-6);
  RateBank fresh, used;
  for (int i = 0; i < 3; ++i) test.add(used, 1, 10.0, 4.0);
  for (int i = 0; i < 5; ++i) test.add(used, 2, 500.0, 0.0);
  CHECK(used.quiet());
  for (int i = 0; i < 20; ++i) {
    test.add(fresh, 3, 1.0, i % 3 == 0);
    test.add(used, 3, 1.0, i % 3 == 0);
  }
  for (std::size_t j = 0; j < kFailureShares.size(); ++j) {
    CHECK(fresh.cusums[j].statistic == used.cusums[j].statistic);
    CHECK(used.cusums[j].onset == (used.cusums[j].statistic > 0.0 ? 3 : 0));
  }
}

TEST_CASE("without failures nothing alarms, and nothing does when things get better") {
  Feed none(1);
  none.attempts(0.0, 50'000);
  CHECK(none.raised == 0);
  Feed better(2);
  better.attempts(0.2, 10'000);
  better.attempts(0.02, 20'000);
  better.attempts(0.0, 20'000);
  CHECK(better.raised == 0);
}

TEST_CASE("an alarm names its row, rates and score, ends, and rises again on a larger change") {
  Feed feed(3);
  feed.attempts(0.05, 20'000);
  REQUIRE(feed.raised == 0);
  const int delay = feed.until_event(0.2, 1'000);
  CHECK(delay < 300);
  const RateAlarm first = feed.detector.alarm();
  CHECK(first.row == 20'000U + static_cast<uint64_t>(delay) - 1);
  CHECK(first.baseline == doctest::Approx(0.05).epsilon(0.2));
  CHECK(first.rate > 0.12);
  CHECK(first.z > 2.0);
  CHECK(first.score > 1.0);
  CHECK_FALSE(first.end_row);
  feed.attempts(0.2, 500);
  CHECK(feed.raised == 1);
  CHECK(feed.until_event(0.7, 1'000) < 60);
  CHECK(feed.raised == 2);
  feed.attempts(0.7, 100);
  CHECK(feed.until_event(0.05, 1'000) < 200);
  CHECK(feed.ended == 1);
  CHECK(feed.detector.alarm().end_row.has_value());
  CHECK_FALSE(feed.detector.alarming());
  // What was learnt before the fault is still known.
  CHECK(feed.detector.baseline().rate == doctest::Approx(0.05).epsilon(0.2));
}

TEST_CASE("an alarm lasts as long as its fault, however large it looked at first") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (const double rate : {0.10, 0.15}) {
      CAPTURE(seed);
      CAPTURE(rate);
      Feed feed(seed);
      feed.attempts(0.05, 20'000);
      feed.raised = feed.ended = 0;
      feed.attempts(rate, 5'000);  // less than two hours: no new normal yet
      CHECK(feed.raised >= 1);
      CHECK(feed.ended == 0);
      feed.attempts(0.05, 5'000);
      CHECK(feed.ended == 1);
    }
  }
}

TEST_CASE("a fault that grows over half a day is not swallowed by the baseline") {
  Feed feed(4);
  feed.attempts(0.05, 86'400);
  int seconds = 0;
  for (; seconds < 43'200 && feed.raised == 0; ++seconds) {
    feed.attempts(0.05 + 0.10 * seconds / 43'200.0, 1);
  }
  CHECK(feed.raised == 1);
  CHECK(feed.detector.alarm().baseline < 0.07);
}

TEST_CASE("a level that stays becomes the new normal after two hours") {
  Feed feed(5);
  feed.attempts(0.05, 20'000);
  feed.attempts(0.15, 9'000);
  CHECK(feed.raised == 1);
  CHECK(feed.ended == 1);
  CHECK(feed.detector.baseline().rate == doctest::Approx(0.15).epsilon(0.15));
  feed.attempts(0.15, 20'000);
  CHECK(feed.raised == 1);
}

TEST_CASE("the baseline follows a daily wave within a few per cent") {
  for (const double p : {0.01, 0.05, 0.2}) {
    RandomStream draw = Random(6).at(static_cast<uint64_t>(1000 * p));
    RateBaseline baseline(0.2);
    double error = 0.0;
    for (int minute = 0; minute < 5 * 1440; ++minute) {
      const double rate = p * (1.0 + 0.2 * std::sin(2.0 * M_PI * minute / 1440.0));
      baseline.learn(1200.0, static_cast<double>(draw.poisson(1200.0 * rate)), 60.0);
      const LearntRate now = baseline.now();
      if (minute < 1440) continue;
      const double off = (now.rate - rate) / rate;
      error += off * off * rate * now.attempts / (1.0 - rate) / (4.0 * 1440.0);
    }
    // It also says how well: its squared error is about what it claims.
    CHECK(error > 0.3);
    CHECK(error < 2.0);
  }
}

}  // namespace
}  // namespace payops::reasoning
