// What people may say to the agent besides yes and no.
#include <doctest/doctest.h>

#include "payments_agent/closed_loop.h"

namespace payops::payments_agent {
namespace {

constexpr int kFaultBegins = 300;  // of gateway_failure: PAYU, for 600 s
constexpr int kFaultEnds = 900;

const VerdictResult* answered(const ClosedLoop& loop, const std::string& about) {
  for (const VerdictResult& result : loop.agent->report().verdicts) {
    if (result.proposal_id == about) return &result;
  }
  return nullptr;
}

bool moves_traffic(const ClosedLoop& loop) {
  for (const Action& action : loop.on_traffic()) {
    if (action.type == action_type::kRerouteTraffic) return true;
  }
  return false;
}

TEST_CASE("a way to act can be held back and let go again, over a restart") {
  ClosedLoop loop("gateway_failure");
  loop.run(10);
  const auto set = [&](const std::string& text) {
    loop.say({.proposal_id = "mode", .verdict = "set", .shown_hash = text, .by = ""});
    loop.run(1);
  };
  set("reroute_traffic=observe");
  CHECK(loop.agent->modes().at("reroute_traffic") == Mode::observe);
  CHECK(loop.agent->modes().at("suppress_path") == Mode::automatic);
  loop.run(20);
  loop.restart();
  CHECK(loop.agent->modes().at("reroute_traffic") == Mode::observe);
  loop.run(kFaultBegins);
  CHECK_FALSE(moves_traffic(loop));
  set("reroute_traffic=auto");
  loop.run(40);
  CHECK(moves_traffic(loop));
  for (const char* odd : {"reroute_traffic", "reroute_traffic=full", "fly=auto", ""}) {
    set(odd);
    REQUIRE(answered(loop, "mode") != nullptr);
    CHECK(answered(loop, "mode")->result == "ignored");
  }
}

TEST_CASE("nobody goes beyond what the deployment allows") {
  AgentConfig config;
  config.limits.mode = Mode::approve;
  ClosedLoop loop("gateway_failure", config);
  loop.run(10);
  loop.say(
      {.proposal_id = "mode", .verdict = "set", .shown_hash = "reroute_traffic=auto", .by = ""});
  loop.run(1);
  CHECK(loop.agent->modes().at("reroute_traffic") == Mode::approve);
}

TEST_CASE("what is said before there is any event has the time of the clock") {
  ClosedLoop loop("gateway_failure");
  loop.health.clock_ms = 1'772'438'400'500;
  loop.say({.proposal_id = "kill", .verdict = "on", .shown_hash = "", .by = ""});
  loop.run(1);
  REQUIRE(answered(loop, "kill") != nullptr);
  CHECK(loop.agent->report().at_ms == loop.health.clock_ms);
  CHECK(loop.agent->closed_to_ms() == 0);  // no event is late because of it
}

TEST_CASE("an incident is taken on, noted and silenced while it lasts") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultBegins + 30);
  REQUIRE_FALSE(loop.agent->open_incidents().empty());
  const std::string id = loop.agent->open_incidents().begin()->second.id;
  const auto say = [&](const std::string& verb, const std::string& text) {
    loop.say({.proposal_id = id, .verdict = verb, .shown_hash = text, .by = ""});
    loop.run(1);
    REQUIRE(answered(loop, id) != nullptr);
    return answered(loop, id)->result;
  };
  const std::size_t told = loop.lines("incident");
  CHECK(say("ack", "") == "granted");
  CHECK(loop.lines("incident") > told);  // who listens to payops.alerts is told
  CHECK(say("note", "the gateway knows") == "granted");
  CHECK(say("silence", "30") == "granted");
  CHECK(say("silence", "soon") == "ignored");
  CHECK(say("note", "") == "ignored");
  CHECK(say("close", "") == "ignored");
  IncidentCare care = loop.agent->incident_care().at(id);
  CHECK(care.acknowledged_by == "anna");
  CHECK(care.notes == std::vector<std::string>{"anna: the gateway knows"});
  CHECK(care.silenced_until_ms > loop.agent->report().at_ms);
  loop.restart();
  CHECK(loop.agent->incident_care().at(id) == care);
  CHECK(say("silence", "0") == "granted");
  CHECK(loop.agent->incident_care().at(id).silenced_until_ms == 0);
  loop.run(kFaultEnds - kFaultBegins + 200);
  CHECK(loop.agent->incident_care().count(id) == 0);
  loop.say({.proposal_id = id, .verdict = "ack", .shown_hash = "", .by = ""});
  loop.run(1);
  CHECK(answered(loop, id)->result == "ignored");
}

// Says of an incident what it was, and gives the answer.
std::string name_cause(ClosedLoop& loop, const std::string& id, const std::string& cause) {
  loop.say({.proposal_id = id, .verdict = "cause", .shown_hash = cause, .by = ""});
  loop.run(1);
  REQUIRE(answered(loop, id) != nullptr);
  return answered(loop, id)->result;
}

TEST_CASE("what a person says an incident was counts once it is over, and can be taken back") {
  AgentConfig config;
  config.limits.default_mode = Mode::observe;  // no outcome confirms anything
  ClosedLoop loop("gateway_failure", config);
  loop.run(kFaultBegins + 30);
  const std::string id = loop.agent->open_incidents().begin()->second.id;
  CHECK(name_cause(loop, id, "the bank") == "ignored");
  CHECK(name_cause(loop, id, "maintenance") == "ignored");  // known beforehand, if at all
  CHECK(name_cause(loop, id, "retry_storm") == "granted");
  CHECK(loop.agent->causes().total() == 0.0);
  loop.run(kFaultEnds - kFaultBegins + 200);
  REQUIRE(loop.agent->open_incidents().empty());
  CHECK(loop.agent->causes().confirmed(Cause::retry_storm) == kSaidWeight);
  CHECK(loop.agent->causes().total() == kSaidWeight);
  CHECK(loop.lines("confirmed") == 1);
  loop.restart();
  CHECK(loop.agent->causes().confirmed(Cause::retry_storm) == kSaidWeight);
  CHECK(name_cause(loop, id, "gateway_down") == "granted");  // seen in the light of day
  CHECK(loop.agent->causes().confirmed(Cause::retry_storm) == 0.0);
  CHECK(loop.agent->causes().confirmed(Cause::gateway_down) == kSaidWeight);
  CHECK(name_cause(loop, "inc-0000000000000000", "gateway_down") == "ignored");
  PaymentsAgent again;
  for (const std::string& block : loop.blocks()) REQUIRE(again.apply(block));
  CHECK(again.causes() == loop.agent->causes());
  loop.say({.proposal_id = "learned", .verdict = "reset", .shown_hash = "HDFC/*/*", .by = ""});
  loop.run(1);
  CHECK(loop.agent->causes().total() == kSaidWeight);  // causes are of no one place
  loop.say({.proposal_id = "learned", .verdict = "reset", .shown_hash = "*/*/*", .by = ""});
  loop.run(1);
  CHECK(loop.agent->causes().total() == 0.0);
}

TEST_CASE("an incident counts half when what was done for its cause helped") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultEnds + 200);
  REQUIRE(loop.agent->open_incidents().empty());
  CHECK(loop.agent->causes().confirmed(Cause::gateway_down) >= kSeenWeight);
  CHECK(loop.agent->causes().total() == loop.agent->causes().confirmed(Cause::gateway_down));
}

TEST_CASE("what a person asks for is priced and judged, and waits for a yes to what is shown") {
  AgentConfig config;
  config.limits.modes["reroute_traffic"] = Mode::observe;  // the agent does not on its own
  ClosedLoop loop("gateway_failure", config);
  loop.run(kFaultBegins + 30);
  CHECK_FALSE(moves_traffic(loop));
  const auto ask = [&](const std::string& type, const std::string& scope) {
    loop.say({.proposal_id = "manual", .verdict = type, .shown_hash = scope, .by = ""});
    loop.run(1);
    REQUIRE(answered(loop, "manual") != nullptr);
    return *answered(loop, "manual");
  };
  CHECK(ask("reroute_traffic", "PAYU").result == "ignored");  // no scope
  CHECK(ask("fly", "*/*/PAYU").result == "ignored");          // no way to act
  CHECK(ask("reroute_traffic", "*/*/NOWHERE").result == "ignored");
  loop.say(
      {.proposal_id = "mode", .verdict = "set", .shown_hash = "reroute_traffic=auto", .by = ""});
  const VerdictResult answer = ask("reroute_traffic", "*/*/PAYU");
  INFO(answer.why);
  REQUIRE(answer.result == "granted");
  REQUIRE(loop.agent->report().asked.size() == 1);
  const std::string id = loop.agent->report().asked[0].action_id;
  CHECK(answer.why.find(id) != std::string::npos);
  const Intervention* proposal = loop.agent->ledger().find(id);
  REQUIRE(proposal != nullptr);
  CHECK(proposal->state == InterventionState::proposed);
  CHECK_FALSE(proposal->option.nrv.items.empty());
  CHECK(proposal->gate_reasons.back() == "asked for by anna");
  CHECK_FALSE(moves_traffic(loop));
  CHECK(ask("reroute_traffic", "*/*/PAYU").result == "ignored");  // it is asked for already

  const std::string shown = proposal->shown_hash;
  loop.say({.proposal_id = id, .verdict = "approve", .shown_hash = shown, .by = ""});
  loop.run(10);
  CHECK(moves_traffic(loop));
  INFO(loop.agent->ledger().find(id)->why);
  CHECK(loop.agent->ledger().find(id)->state == InterventionState::active);
}

TEST_CASE("a gate that refuses says so to who asked") {
  AgentConfig config;
  config.limits.default_mode = Mode::observe;
  ClosedLoop loop("gateway_failure", config);
  loop.run(kFaultBegins + 30);
  loop.say(
      {.proposal_id = "manual", .verdict = "reroute_traffic", .shown_hash = "*/*/PAYU", .by = ""});
  loop.run(1);
  REQUIRE(answered(loop, "manual") != nullptr);
  CHECK(answered(loop, "manual")->result == "refused");
  CHECK(answered(loop, "manual")->why.find("observe mode") != std::string::npos);
}

TEST_CASE("all of that replays to the same digests") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultBegins + 20);
  const std::string id = loop.agent->open_incidents().begin()->second.id;
  loop.say({.proposal_id = id, .verdict = "note", .shown_hash = "seen", .by = ""});
  loop.run(1);
  loop.say(
      {.proposal_id = "manual", .verdict = "reroute_traffic", .shown_hash = "*/*/PAYU", .by = ""});
  loop.run(1);
  loop.say(
      {.proposal_id = "mode", .verdict = "set", .shown_hash = "adjust_retry=shadow", .by = ""});
  loop.run(20);
  PaymentsAgent again, resumed;
  for (const std::string& block : loop.blocks()) {
    const auto output = again.apply(block);
    REQUIRE(output);
  }
  REQUIRE(resumed.restore(again.snapshot()));
  CHECK(resumed.incident_care() == again.incident_care());
  CHECK(resumed.modes() == again.modes());
  CHECK(again.incident_care().at(id) == loop.agent->incident_care().at(id));
  CHECK(again.modes() == loop.agent->modes());
}

}  // namespace
}  // namespace payops::payments_agent
