// What is known beforehand and what comes every week.
#include "../../src/reasoning/season.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "payops/core/text.h"
#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

using test::Fault;
using test::Kind;
using test::kStart;
using test::Run;

constexpr int64_t kHourS = 3'600, kWeekS = 604'800;
const SeriesKey kHdfc{1, kAny, kAny}, kRazor{kAny, kAny, 2};

std::string at(int64_t t) { return iso_time((kStart + t) * 1000); }

Calendar upgrade(int64_t from, int64_t to) {
  return {.maintenance = {{.scope = {.issuer = "HDFC"},
                           .from = at(from),
                           .to = at(to),
                           .reason = "core banking upgrade"}}};
}

bool told(const Run& run, Signal signal) {
  return std::any_of(run.rose.begin(), run.rose.end(),
                     [&](const Alarm& a) { return a.signal == signal; });
}

TEST_CASE("announced maintenance is told as what it is, until it takes too long") {
  Run run;
  run.reasoner.set_calendar(upgrade(1'500, 2'100));
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, 1'510, 9'999, 0.9}};
  run.until(1'700);
  REQUIRE_FALSE(run.rose.empty());
  CHECK(run.rose.front().scope == Scope{.issuer = "HDFC"});
  CHECK(run.rose.front().announced == "core banking upgrade");
  REQUIRE_FALSE(run.last.hypotheses.empty());
  CHECK(run.last.hypotheses.front().cause == Cause::maintenance);
  CHECK(run.last.hypotheses.front().scope == Scope{.issuer = "HDFC"});
  CHECK(run.last.hypotheses.front().posterior > 0.8);
  CHECK(run.last.hypotheses.front().evidence_for.front().find("core banking upgrade") !=
        std::string::npos);
  run.until(2'900);  // ten minutes are granted after its end
  REQUIRE_FALSE(run.last.alarms.empty());
  CHECK(run.last.alarms.front().announced.empty());
  CHECK(run.last.hypotheses.front().cause == Cause::issuer_down);
}

TEST_CASE("what breaks beside an announced maintenance is no part of it") {
  Run run;
  run.reasoner.set_calendar(upgrade(1'500, 2'100));
  run.traffic.faults = {{Kind::gateway_fails, kRazor, 1'510, 9'999, 0.6}};
  run.until(1'700);
  REQUIRE_FALSE(run.rose.empty());
  CHECK(run.rose.front().scope == Scope{.gateway = "RAZOR"});
  CHECK(run.rose.front().announced.empty());
  CHECK(run.last.hypotheses.front().cause == Cause::gateway_down);
  CHECK(run.last.hypotheses.front().scope == Scope{.gateway = "RAZOR"});
}

TEST_CASE("on a day of the calendar its own rates are usual, from its first second") {
  const int64_t midnight = kHourS;  // of 2026-02-01
  const Calendar sale{
      .days = {{.date = "2026-02-01", .name = "sale", .volume = 0.4, .failures = 3.4}}};
  const std::vector<std::pair<Signal, Fault>> changes{
      {Signal::success_rate, {Kind::anything_fails, {}, midnight, 99'999, 0.1}},
      {Signal::volume, {Kind::drop, {}, midnight, 99'999, 0.6}}};
  for (const auto& [signal, change] : changes) {
    for (const bool known : {true, false}) {
      CAPTURE(name_of(signal));
      CAPTURE(known);
      Run run;
      if (known) run.reasoner.set_calendar(sale);
      run.traffic.faults = {change};
      run.until(midnight + 300);
      CHECK(told(run, signal) == !known);
    }
  }
}

TEST_CASE(
    "an hour that is bad in two weeks running is expected in the third; one bad night isn't") {
  FailureRhythm rhythm;
  const auto week = [&](int64_t number, double bad) {
    for (int64_t h = 0; h < 168; ++h) {
      const double failed = h == 26 ? 500.0 * bad : 500.0;
      for (int64_t part = 0; part < 4; ++part) {
        rhythm.add(number * kWeekS + h * kHourS + part * 900, failed / 4.0, 125.0);
      }
    }
  };
  const int64_t night = 26 * kHourS + 1'000;
  week(100, 2.5);
  CHECK(rhythm.factor(101 * kWeekS + night) == 1.0);
  week(101, 1.0);
  rhythm.add(102 * kWeekS, 0.0, 0.0);
  CHECK(rhythm.factor(102 * kWeekS + night) == 1.0);
  week(102, 2.5);
  week(103, 2.7);
  rhythm.add(104 * kWeekS, 0.0, 0.0);
  CHECK(rhythm.factor(104 * kWeekS + night) == doctest::Approx(2.44).epsilon(0.02));
  CHECK(rhythm.factor(104 * kWeekS + night + kHourS) == doctest::Approx(1.0).epsilon(0.001));
  week(104, 40.0);  // an outage at that hour: bounded, and no rhythm of its own
  week(105, 40.0);
  rhythm.add(106 * kWeekS, 0.0, 0.0);
  CHECK(rhythm.factor(106 * kWeekS + night) == FailureRhythm::kMost);
}

// A second in two minutes, for the sake of time.
TEST_CASE("a nightly rise of failures alarms in its first weeks and not after") {
  Run run;
  run.traffic.rate = 60.0;
  constexpr int64_t kDayS = 86'400, kWeeks = 3;
  for (int64_t night = 1; night < 7 * kWeeks; ++night) {
    if (night % 7 == 0) continue;  // nothing is known in the first night
    run.traffic.faults.push_back(
        {Kind::anything_fails, {}, night * kDayS, night * kDayS + kHourS, 0.12});
  }
  std::array<int, kWeeks> alarms{};
  for (int64_t t = 0; t < kWeeks * kWeekS; t += 120) {
    (void)run.reasoner.observe(run.traffic.at(t));
    run.t = t + 1;
    run.cycle();
    for (const Alarm& a : run.last.rose) {
      if (a.signal == Signal::success_rate) ++alarms[static_cast<std::size_t>(t / kWeekS)];
    }
  }
  CHECK(alarms[0] >= 4);
  CHECK(alarms[2] == 0);
}

}  // namespace
}  // namespace payops::reasoning
