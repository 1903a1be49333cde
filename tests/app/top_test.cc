#include "../../src/app/top.h"

#include <doctest/doctest.h>

#include <sstream>

namespace payops::app {
namespace {

Json state() {
  return Json::parse(R"({
    "header": {"now": {"step": 41, "watermark_ms": 1772330424000, "build": "0.1.0",
      "agent_state": "acting", "why": "", "currency": "INR", "attempts_per_s": 41.14,
      "success": 0.905, "at_risk_minor_per_min": 123400, "lost_today_minor": 500,
      "saved_today_minor": 326487, "input_lag": 12}},
    "cells": {
      "*|*|*": {"issuer": "*", "method": "*", "gateway": "*", "z": 9.0},
      "AXIS|*|*": {"issuer": "AXIS", "method": "*", "gateway": "*", "success": 0.952,
        "baseline": 0.948, "z": -0.5, "latency_p95_ms": 1795, "retry_rate": 0.014,
        "spark": [1, 0.5, null, 0]},
      "HDFC|*|*": {"issuer": "HDFC", "method": "*", "gateway": "*", "success": 0.795,
        "baseline": 0.947, "z": 23.0, "degraded": true, "alarming": true},
      "HDFC|card|*": {"issuer": "HDFC", "method": "card", "gateway": "*", "z": 40.0},
      "*|upi|*": {"issuer": "*", "method": "upi", "gateway": "*", "z": 1.0, "warming_up": true}},
    "incidents": {
      "inc-1": {"status": "started", "severity": "high", "pattern": "issuer_outage",
        "scope": {"issuer": "HDFC", "method": "*", "gateway": "*"}, "started_ms": 1772330412000,
        "cause": "issuer_down", "posterior": 0.99, "at_risk_minor_per_min": 123400},
      "inc-0": {"status": "resolved", "severity": "high", "pattern": "latency_spike"}},
    "interventions": {
      "act-1": {"type": "suppress_path", "scope": {"issuer": "HDFC", "method": "*",
        "gateway": "*"}, "strength": 0.05, "state": "active", "expires_ms": 1772331000000,
        "nrv": {"mean": 326487}},
      "act-2": {"type": "reroute_traffic", "scope": {"issuer": "*", "method": "*",
        "gateway": "PAYU"}, "strength": 1.0, "state": "proposed", "answer_by_ms": 1772331000000},
      "act-3": {"type": "alert_ops", "state": "ended"}},
    "graph": {}})");
}

TEST_CASE("top shows what is lost, what is wrong, what is done, and the worst series first") {
  CHECK(top_text(state(), {.columns = 96}, Terminal()) ==
        R"(payops 0.1.0  acting  02:00:24 UTC  cycle 41  41.1 attempts/s  success 90.5 %  lag 12
at risk INR 1,234.00 a minute  lost today INR 5.00  saved today INR 3,264.87
! high issuer_outage, issuer HDFC, since 02:00:12: issuer_down 99.0 %, INR 1,234.00 a minute
-> suppress_path, issuer HDFC, 5 % of customers, NRV INR 3,264.87, active until 02:10:00
? reroute_traffic, gateway PAYU, 100 % of customers, NRV INR 0.00, proposed, answer by 02:10:00:
SERIES                              success    usual      z  p95 ms  retries
issuer HDFC             DEGRADED     79.5 %   94.7 %   23.0       0    0.0 %
method upi              learning      0.0 %    0.0 %    1.0       0    0.0 %
issuer AXIS             healthy      95.2 %   94.8 %   -0.5    1795    1.4 %
)");
}

TEST_CASE("top keeps to the screen, draws lines where it may, and says when it is cut off") {
  const std::string narrow =
      top_text(state(), {.columns = 30, .rows = 4, .unreachable = "refused"}, Terminal());
  std::istringstream lines(narrow);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(line.size() <= 30);
  CHECK(count == 4);
  CHECK(narrow.find("NOT CONNECTED") == 0);
  const std::string wide = top_text(state(), {.columns = 120, .unicode = true}, Terminal());
  CHECK(wide.find("\u2588\u2585 \u2581") != std::string::npos);
}

TEST_CASE("nothing in a name steers the terminal, and what is no state is shown as nothing") {
  Json odd = state();
  odd["cells"]["x"] = {{"issuer",
                        "\x1b[2J\x07\xc2\x9b"
                        "31m"},
                       {"method", "*"},
                       {"gateway", "*"}};
  odd["header"]["now"]["why"] = "a\nb\x1b]0;owned\x07";
  const std::string text = top_text(odd, {}, Terminal());
  for (const char c : text) CHECK((c == '\n' || static_cast<unsigned char>(c) >= 0x20));
  CHECK(text.find("\xc2\x9b") == std::string::npos);
  for (const char* none : {"null", "[]", "{}", R"({"header":7,"cells":[1],"incidents":{"a":3}})"}) {
    CHECK_FALSE(top_text(Json::parse(none), {}, Terminal()).empty());
  }
}

}  // namespace
}  // namespace payops::app
