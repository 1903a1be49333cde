// Each fault of the simulated world must come out as its pattern, in its place, with its cause
// leading; what is no fault must not come out at all.
#include <doctest/doctest.h>

#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

using test::Fault;
using test::Kind;
using test::Run;

constexpr int64_t kFrom = 1500;
const SeriesKey kHdfc{1, kAny, kAny}, kSbi{4, kAny, kAny}, kUpi{kAny, 2, kAny},
    kRazor{kAny, kAny, 2}, kAll{};

// What a fault led to: the first alarm, its delay, and the assessment a minute and a half later.
struct Told {
  bool alarmed = false;
  Alarm alarm;
  Hypothesis lead;
  int64_t delay_s = 0;
  std::size_t alarms_a_minute_on = 0;
  bool all_ended = false;
  std::size_t false_before = 0;
  double success_on_scope = 0.0;
};

Told tell(Fault fault, uint64_t seed, double rate = 20.0) {
  Run run;
  run.traffic.seed = seed;
  run.traffic.rate = rate;
  fault.from = kFrom;
  fault.to = kFrom + 150;
  run.traffic.faults = {fault};
  Told told;
  run.until(kFrom);
  told.false_before = run.rose.size();
  run.rose.clear();
  run.each = [&](const Assessment& a) {
    if (told.alarmed || a.rose.empty()) return;
    told.alarmed = true;
    told.alarm = a.rose.front();
    told.delay_s = run.t - kFrom;
  };
  run.until(kFrom + 90);
  told.alarms_a_minute_on = run.last.alarms.size();
  if (!run.last.hypotheses.empty()) told.lead = run.last.hypotheses.front();
  for (const PathStats& p : run.last.paths) {
    if (fault.scope.covers(run.names.key(p.path))) {
      told.success_on_scope = std::max(told.success_on_scope, p.success_rate);
    }
  }
  run.until(kFrom + 150 + 150);
  told.all_ended = run.last.alarms.empty();
  return told;
}

void check_told(const Told& told, Pattern pattern, const Scope& scope, Cause cause,
                int64_t within_s) {
  CHECK(told.false_before == 0);
  REQUIRE(told.alarmed);
  CHECK(told.alarm.pattern == pattern);
  CHECK(told.alarm.scope == scope);
  CHECK(told.delay_s <= within_s);
  CHECK(told.alarms_a_minute_on == 1);
  CHECK(told.lead.cause == cause);
  CHECK(told.lead.scope == scope);
  CHECK(told.lead.posterior > 0.6);
  CHECK(told.all_ended);
}

TEST_CASE("an issuer outage is noticed within seconds, once, at the issuer") {
  for (const uint64_t seed : {1, 2, 3}) {
    const Told told = tell({Kind::issuer_fails, kSbi, 0, 0, 1.0}, seed);
    check_told(told, Pattern::issuer_outage, {.issuer = "SBI"}, Cause::issuer_down, 5);
    CHECK(told.alarm.spread == Spread::localized);
    CHECK(told.alarm.evidence_attempts <= 20);
    CHECK(told.success_on_scope < 0.2);  // paths report what is left, not what was usual
  }
}

TEST_CASE("a fall from 95 to 70 percent is an issuer degradation, noticed in some fifty attempts") {
  double attempts = 0.0;
  for (const uint64_t seed : {1, 2, 3}) {
    const Told told = tell({Kind::issuer_fails, kSbi, 0, 0, 0.26}, seed);
    check_told(told, Pattern::issuer_degradation, {.issuer = "SBI"}, Cause::issuer_down, 40);
    attempts += static_cast<double>(told.alarm.evidence_attempts) / 3.0;
  }
  CHECK(attempts < 100.0);
}

TEST_CASE("all issuers failing on one gateway is the gateway's failure, not theirs") {
  for (const uint64_t seed : {1, 2}) {
    const Told told = tell({Kind::gateway_fails, kRazor, 0, 0, 0.6}, seed);
    check_told(told, Pattern::gateway_failure, {.gateway = "RAZOR"}, Cause::gateway_down, 8);
  }
}

TEST_CASE("all issuers and gateways failing on one method is the method's fatigue") {
  for (const uint64_t seed : {1, 2}) {
    const Told told = tell({Kind::anything_fails, kUpi, 0, 0, 0.35}, seed);
    check_told(told, Pattern::method_fatigue, {.method = "upi"}, Cause::method_wide, 20);
  }
}

TEST_CASE("everything failing at once is systemic") {
  const Told told = tell({Kind::anything_fails, kAll, 0, 0, 0.4}, 3);
  REQUIRE(told.alarmed);
  CHECK(told.alarm.spread == Spread::systemic);
  CHECK(told.alarm.pattern == Pattern::network_failure);
  CHECK(told.lead.cause == Cause::network);
}

TEST_CASE("a retry storm is told from the failures that are retried") {
  const Told told = tell({Kind::retries, kAll, 0, 0, 0.98}, 5, 60.0);
  check_told(told, Pattern::retry_storm, {}, Cause::retry_storm, 60);
}

TEST_CASE("a slow gateway is a latency spike there") {
  const Told told = tell({Kind::slow, kRazor, 0, 0, 3.0}, 1);
  check_told(told, Pattern::latency_spike, {.gateway = "RAZOR"}, Cause::latency, 8);
}

TEST_CASE("declines for want of funds shift the mix and never count against the issuer") {
  Run run;
  run.traffic.faults = {{Kind::customer, kHdfc, kFrom, kFrom + 300, 0.30}};
  run.until(kFrom + 200);
  REQUIRE(run.rose.size() == 1);
  CHECK(run.rose[0].pattern == Pattern::decline_mix_shift);
  CHECK(run.rose[0].signal == Signal::decline_mix);
  CHECK(run.last.hypotheses.front().cause == Cause::customer_shift);
  CHECK(run.z({.issuer = "HDFC"}, Signal::success_rate) < 3.0);
}

TEST_CASE("a burst of generic policy declines raises an issuer hypothesis, softly") {
  Run run;
  run.traffic.faults = {{Kind::policy, kHdfc, kFrom, kFrom + 300, 0.30}};
  run.until(kFrom + 16);
  REQUIRE(run.rose.size() == 1);
  CHECK(run.rose[0].pattern == Pattern::decline_mix_shift);
  double issuer_down = 0.0;
  for (const Hypothesis& h : run.last.hypotheses) {
    if (h.cause == Cause::issuer_down) issuer_down += h.posterior;
  }
  CHECK(issuer_down > 0.02);
  CHECK(issuer_down < 0.6);
}

TEST_CASE("a burst of fraud declines is named") {
  const Told told = tell({Kind::fraud, {kAny, 1, kAny}, 0, 0, 0.2}, 2);
  check_told(told, Pattern::fraud_burst, {.method = "card"}, Cause::fraud_burst, 15);
}

TEST_CASE("payments that stop coming on a method are a volume drop") {
  const Told told = tell({Kind::drop, kUpi, 0, 0, 0.85}, 1);
  check_told(told, Pattern::volume_drop, {.method = "upi"}, Cause::traffic_drop, 20);
}

TEST_CASE("silence of everything points at the data") {
  const Told told = tell({Kind::drop, kAll, 0, 0, 1.0}, 1);
  REQUIRE(told.alarmed);
  CHECK(told.alarm.pattern == Pattern::volume_drop);
  CHECK(told.delay_s <= 16);
  CHECK(told.lead.cause == Cause::data_problem);
  CHECK(told.all_ended);
}

TEST_CASE("a mix that shifts towards a worse issuer alarms nobody") {
  Run run;
  // HDFC is always worse than the others; then its customers come three times as often.
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, 0, 10'000, 0.12},
                        {Kind::rush, kHdfc, 2700, 3300, 3.0}};
  run.until(3300);
  CHECK(run.rose.empty());
  // The gateways carry more of the worse issuer, which their own baselines did not foresee.
  CHECK(run.z({.gateway = "PAYU"}, Signal::success_rate) < 3.0);
}

TEST_CASE("a new issuer's first day alarms nobody, and its own fault is told on it") {
  Run run;
  const SeriesKey sbi{4, kAny, kAny};
  run.traffic.faults = {{Kind::drop, sbi, 0, 3'000, 1.0},
                        {Kind::anything_fails, sbi, 3'000, 9'999, 0.03},
                        {Kind::issuer_fails, sbi, 6'000, 9'999, 0.6}};
  run.until(3'040);
  const SeriesStatus first = run.status({.issuer = "SBI"});
  REQUIRE_FALSE(first.readings.empty());
  CHECK(std::all_of(first.readings.begin(), first.readings.end(),
                    [](const Reading& r) { return r.warming_up; }));
  run.until(6'000);  // a little worse than the others, as it will stay
  CHECK(run.rose.empty());
  run.until(6'120);
  REQUIRE_FALSE(run.rose.empty());
  CHECK(run.rose.front().scope == Scope{.issuer = "SBI"});
}

TEST_CASE("an improvement is no alarm") {
  Run run;
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, 0, 2000, 0.25}};
  run.until(2240);
  CHECK(run.rose.empty());
  CHECK(run.z({.issuer = "HDFC"}, Signal::success_rate) < -3.0);
  CHECK_FALSE(run.status({.issuer = "HDFC"}).alarming);
}

TEST_CASE("two faults at once are two alarms, each in its place") {
  Run run;
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, kFrom, kFrom + 200, 0.9},
                        {Kind::gateway_fails, {kAny, kAny, 3}, kFrom + 40, kFrom + 200, 0.9}};
  run.until(kFrom + 120);
  REQUIRE(run.last.alarms.size() == 2);
  CHECK(run.last.alarms[0].scope == Scope{.issuer = "HDFC"});
  CHECK(run.last.alarms[1].scope == Scope{.gateway = "STRIPE"});
  CHECK(run.last.hypotheses[0].cause != run.last.hypotheses[1].cause);
}

TEST_CASE("a fault that grows is told again, and one that goes on becomes the new normal") {
  Run run;
  ReasoningConfig config;
  config.freeze_max_s = 600;
  run.reasoner = Reasoner(config);
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, kFrom, kFrom + 100, 0.25},
                        {Kind::issuer_fails, kHdfc, kFrom + 100, kFrom + 5000, 0.75}};
  run.until(kFrom + 100);
  REQUIRE(run.last.alarms.size() == 1);
  CHECK(run.last.alarms[0].pattern == Pattern::issuer_degradation);
  run.until(kFrom + 140);
  REQUIRE(run.last.alarms.size() == 1);
  CHECK(run.last.alarms[0].pattern == Pattern::issuer_outage);
  run.until(kFrom + 900);
  CHECK(run.last.alarms.empty());
  CHECK(std::abs(run.z({.issuer = "HDFC"}, Signal::success_rate)) < 3.0);
  const std::size_t rose = run.rose.size();
  run.until(kFrom + 2400);
  CHECK(run.rose.size() == rose);
}

}  // namespace
}  // namespace payops::reasoning
