// Faults that no issuer, method or gateway explains, from the world to the leading explanation.
#include <doctest/doctest.h>

#include <map>

#include "payments_agent/closed_loop.h"

namespace payops::payments_agent {
namespace {

constexpr int kFaultBegins = 300;  // of the scenarios used here, seconds
constexpr int kSettled = 60;       // after its begin an explanation should stand

// Which cause led at the end of each cycle of a fault.
struct Told {
  std::map<Cause, int> leading;
  Hypothesis last;
  int cycles = 0;
};

// The alarm of technical failures that lasts.
Alarm lasting(const ClosedLoop& loop) {
  for (const Alarm& alarm : loop.agent->report().alarms) {
    if (alarm.signal == Signal::success_rate) return alarm;
  }
  return {};
}

Told told_of(ClosedLoop& loop, int seconds) {
  Told told;
  loop.run(kFaultBegins + kSettled);
  for (int s = 0; s < seconds; s += 8) {
    loop.run(8);
    const auto& hypotheses = loop.agent->report().hypotheses;
    if (hypotheses.empty()) continue;
    ++told.cycles;
    ++told.leading[hypotheses.front().cause];
    told.last = hypotheses.front();
  }
  return told;
}

TEST_CASE("a merchant's bug is the merchant's: no issuer is blamed and no payment moved") {
  for (const uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    ClosedLoop loop("merchant_bug", {}, seed);
    const Told told = told_of(loop, 240);
    CHECK(told.cycles >= 25);
    CHECK(told.leading.at(Cause::merchant_change) == told.cycles);
    CHECK(told.last.slice.merchant == "m_0000");
    CHECK(told.last.scope == Scope{});
    CHECK(lasting(loop).pattern == Pattern::merchant_failure);
    CHECK(lasting(loop).spread == Spread::localized);
    for (const auto& [id, incident] : loop.agent->open_incidents()) {
      CHECK(incident.message.starts_with("merchant_failure at merchant m_0000"));
      CHECK(incident.slice.merchant == "m_0000");
    }
    CHECK(loop.on_traffic().empty());
  }
}

TEST_CASE("a shared upstream is named before its gateways, and nothing is sent to what is on it") {
  for (const uint64_t seed : {1, 2}) {
    CAPTURE(seed);
    ClosedLoop loop("shared_upstream", {}, seed);
    const Told told = told_of(loop, 240);
    CHECK(told.cycles >= 25);
    CHECK(told.leading.at(Cause::upstream_down) == told.cycles);
    CHECK(told.last.slice.upstream == "NORTHBANK");
    CHECK(lasting(loop).pattern == Pattern::upstream_failure);
    for (const Action& action : loop.on_traffic()) {
      const auto to = action.params.find("to_gateway");
      if (to != action.params.end()) CHECK(to->second == "BILLDESK");
    }
  }
}

TEST_CASE("payments lost to one-time passwords are authentication's loss") {
  for (const uint64_t seed : {1, 2}) {
    CAPTURE(seed);
    ClosedLoop loop("authentication_failure", {}, seed);
    const Told told = told_of(loop, 160);
    CHECK(told.cycles >= 15);
    CHECK(told.leading.at(Cause::authentication) == told.cycles);
    CHECK(told.last.slice.stage == "authenticated");
    CHECK(lasting(loop).pattern == Pattern::authentication_failure);
    CHECK(told.last.scope == Scope{.method = "card"});
  }
}

TEST_CASE("one region's failures are the network's there, and no payment is moved for them") {
  for (const uint64_t seed : {1, 2}) {
    CAPTURE(seed);
    ClosedLoop loop("regional_network", {}, seed);
    const Told told = told_of(loop, 240);
    CHECK(told.cycles >= 25);
    CHECK(told.leading.at(Cause::network) == told.cycles);
    CHECK(told.last.slice.region == "south");
    CHECK(lasting(loop).pattern == Pattern::network_failure);
    CHECK(lasting(loop).spread == Spread::localized);
    CHECK(loop.on_traffic().empty());
  }
}

TEST_CASE("announced maintenance is told as such: nobody is woken and no payment moved") {
  AgentConfig config;  // the world begins at eight, its outage five minutes later
  config.calendar.maintenance = {{.scope = {.issuer = "HDFC"},
                                  .from = "2026-03-02T08:04:50Z",
                                  .to = "2026-03-02T08:15:00Z",
                                  .reason = "core banking upgrade"}};
  ClosedLoop loop("issuer_outage", config);
  const Told told = told_of(loop, 240);
  CHECK(told.cycles >= 25);
  CHECK(told.leading.at(Cause::maintenance) == told.cycles);
  CHECK(told.last.scope == Scope{.issuer = "HDFC"});
  CHECK(loop.on_traffic().empty());
  for (const auto& [id, incident] : loop.agent->open_incidents()) {
    CHECK(incident.severity == Severity::low);
    CHECK(incident.message.find("core banking upgrade") != std::string::npos);
  }
}

TEST_CASE("where an issuer is down the details do not take it from the issuer") {
  ClosedLoop loop("issuer_outage");
  const Told told = told_of(loop, 160);
  CHECK(told.leading.at(Cause::issuer_down) == told.cycles);
  CHECK(told.last.scope == Scope{.issuer = "HDFC"});
  CHECK_FALSE(is_part(told.last.slice));
}

}  // namespace
}  // namespace payops::payments_agent
