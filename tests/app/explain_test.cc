#include "../../src/app/explain.h"

#include <doctest/doctest.h>

namespace payops::app {
namespace {

const Scope kHdfc{.issuer = "HDFC"};
const Scope kPayu{.gateway = "PAYU"};

SeriesStatus status(const Scope& scope, double z, bool alarming) {
  return {.scope = scope,
          .attempts = 200,
          .degraded = z > 2.0,
          .alarming = alarming,
          .readings = {{.signal = Signal::success_rate,
                        .value = 0.5,
                        .baseline = 0.9,
                        .sigma = 0.02,
                        .z = z,
                        .warming_up = false}}};
}

Alarm alarm(const Scope& scope) {
  return {.id = "alm-1", .scope = scope, .statistic = 12.0, .threshold = 9.0};
}

TEST_CASE("an alarm without a z beyond the threshold is a disagreement") {
  payments_agent::CycleReport report;
  report.alarms = {alarm(kHdfc)};
  report.statuses = {status(kHdfc, 1.1, true)};
  const auto said = disagreements(report, 2.0);
  REQUIRE(said.size() == 1);
  CHECK(said[0].starts_with("the detector alarms on issuer HDFC"));
}

TEST_CASE("a z beyond the threshold without an alarm is a disagreement") {
  payments_agent::CycleReport report;
  report.statuses = {status(kPayu, 2.4, false)};
  const auto said = disagreements(report, 2.0);
  REQUIRE(said.size() == 1);
  CHECK(said[0].starts_with("gateway PAYU shows DEGRADED (success rate z 2.4"));
}

TEST_CASE("series that share payments with what alarms are told together") {
  payments_agent::CycleReport report;
  report.alarms = {alarm(kHdfc)};
  report.statuses = {status(kHdfc, 6.0, true), status(kPayu, 2.4, false),
                     status(Scope{}, 3.0, false), status({.issuer = "SBI"}, 2.6, false)};
  const auto said = disagreements(report, 2.0);
  REQUIRE(said.size() == 2);
  CHECK(said[0].starts_with("issuer SBI shows DEGRADED"));
  CHECK(said[1].ends_with("what alarms: gateway PAYU, all payments"));
}

TEST_CASE("where both or neither speak there is nothing to tell") {
  payments_agent::CycleReport report;
  report.alarms = {alarm(kHdfc)};
  report.statuses = {status(kHdfc, 6.0, true), status(kPayu, 0.3, false)};
  CHECK(disagreements(report, 2.0).empty());
}

TEST_CASE("a quiet cycle is told as one") {
  Explanation e;
  e.report.decision_id = "dec-1";
  e.report.conclusion = "nothing wrong; nothing done";
  const std::string text = explanation_text(e, Terminal());
  CHECK(text.find("no alarm was in force") != std::string::npos);
  CHECK(text.find("nothing wrong; nothing done") != std::string::npos);
  CHECK(text.find("What came of it") == std::string::npos);
}

}  // namespace
}  // namespace payops::app
