#include "../../src/app/narrate.h"

#include <doctest/doctest.h>

namespace payops::app {
namespace {

std::string told(const SeriesStatus& status) {
  payments_agent::CycleReport report;
  report.at_ms = 1'772'330'424'000;
  report.statuses = {SeriesStatus{}, status};
  return cycle_text(report, "INR", Terminal());
}

// A series that the reading marks as DEGRADED, though its success is as usual.
SeriesStatus degraded(const Reading& reading) {
  SeriesStatus status;
  status.scope.issuer = "HDFC";
  status.degraded = true;
  status.readings = {
      {.signal = Signal::success_rate, .value = 0.95, .baseline = 0.95, .sigma = 0.01}, reading};
  for (Reading& one : status.readings) one.warming_up = false;
  return status;
}

bool says(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

std::string alarm_told(Signal signal, double observed, double expected) {
  payments_agent::CycleReport report;
  Alarm alarm;
  alarm.signal = signal;
  alarm.pattern = Pattern::latency_spike;
  alarm.scope.issuer = "HDFC";
  alarm.observed = observed;
  alarm.expected = expected;
  report.alarms = {alarm};
  return cycle_text(report, "INR", Terminal());
}

TEST_CASE("a series is DEGRADED for the signal that is furthest from its usual") {
  const std::string slow = told(degraded(
      {.signal = Signal::latency_p95, .value = 2'400, .baseline = 800, .sigma = 100, .z = 16.0}));
  CHECK(says(slow, "DEGRADED"));
  CHECK(says(slow, "for its p95 (usual 800 ms, z 16.0)"));
  const std::string again = told(degraded(
      {.signal = Signal::retry_rate, .value = 0.3, .baseline = 0.05, .sigma = 0.05, .z = 5.0}));
  CHECK(says(again, "for its retries (usual 5.0 %, z 5.0)"));
  const std::string few = told(
      degraded({.signal = Signal::volume, .value = 2.0, .baseline = 12.5, .sigma = 1.5, .z = 7.0}));
  CHECK(says(few, "for its volume: 2.0/s (usual 12.5/s, z 7.0)"));
}

TEST_CASE("a series that fails needs no second reason, one that only alarms has one") {
  SeriesStatus failing = degraded({.signal = Signal::retry_rate});
  failing.readings[0].z = 9.0;
  CHECK_FALSE(says(told(failing), "for its"));
  SeriesStatus alarming = degraded({.signal = Signal::retry_rate});
  alarming.degraded = false;
  CHECK_FALSE(says(told(alarming), "DEGRADED"));
  alarming.alarming = true;
  CHECK(says(told(alarming), "DEGRADED"));
  CHECK(says(told(alarming), "for its alarm"));
}

TEST_CASE("what is still learnt makes no reason") {
  SeriesStatus status = degraded({.signal = Signal::latency_p95, .z = 40.0});
  CHECK(says(told(status), "for its p95"));
  status.readings.back().warming_up = true;
  CHECK_FALSE(says(told(status), "for its p95"));
}

TEST_CASE("an alarm's figures have their unit") {
  CHECK(says(alarm_told(Signal::latency_p95, 0.312, 0.05),
             ": unusually slow attempts 31.2 % where 5.0 % is usual"));
  CHECK(says(alarm_told(Signal::success_rate, 0.6, 0.03), ": 60.0 % where 3.0 % is usual"));
  CHECK(says(alarm_told(Signal::volume, 2.04, 12.5), ": 2.0/s where 12.5/s is usual"));
}

}  // namespace
}  // namespace payops::app
