#include <doctest/doctest.h>

#include <set>

#include "payments_agent/closed_loop.h"

namespace payops::payments_agent {
namespace {

constexpr int kFaultBegins = 300;  // of the scenarios used here, seconds
constexpr int kFaultEnds = 900;

const Intervention* waiting(const ClosedLoop& loop) {
  const auto proposals = loop.agent->ledger().waiting();
  return proposals.empty() ? nullptr : proposals.front();
}

TEST_CASE(
    "a failing gateway is noticed, avoided, judged by a holdout, and left alone when it is back") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultBegins);
  CHECK(loop.on_traffic().empty());
  CHECK(loop.agent->totals().alarms == 0);
  loop.run(30);
  REQUIRE_FALSE(loop.on_traffic().empty());
  const Action first = loop.on_traffic().front();
  CHECK(first.type == action_type::kRerouteTraffic);
  CHECK(first.scope.gateway == "PAYU");
  CHECK(first.holdout > 0.0);
  loop.run(kFaultEnds - kFaultBegins);
  CHECK(loop.agent->ledger().find(first.action_id)->outcome.result == OutcomeResult::improved);
  CHECK_FALSE(loop.agent->effects().empty());
  loop.run(300);
  CHECK(loop.agent->report().alarms.empty());
  for (const Intervention& i : loop.agent->ledger().all()) {
    const bool undo = !i.action.inverse_of.empty();
    if (!undo && !safety::is_advisory(i.action.type)) CHECK(i.state != InterventionState::active);
  }
  CHECK(loop.agent->totals().attempts + loop.agent->totals().late <=
        static_cast<int64_t>(loop.attempts()));
}

TEST_CASE("a healthy world is left alone, with a heartbeat every sixth cycle and no incident") {
  ClosedLoop loop("healthy_day");
  loop.run(600);
  CHECK(loop.on_traffic().empty());
  CHECK(loop.lines("incident") == 0);
  const auto cycles = static_cast<std::size_t>(loop.agent->totals().cycles);
  CHECK(loop.published.size() == cycles / 6);
  for (const Action& heartbeat : loop.published) {
    CHECK(heartbeat.type == action_type::kAlertOps);
    CHECK(heartbeat.forced);
  }
}

TEST_CASE("observing and in shadow nothing is published, and shadow says what would have been") {
  for (const Mode mode : {Mode::observe, Mode::shadow}) {
    AgentConfig config;
    config.limits.mode = mode;
    ClosedLoop loop("gateway_failure", config);
    loop.run(kFaultBegins + 60);
    CHECK(loop.agent->totals().alarms > 0);
    CHECK(loop.published.empty());
    CHECK((loop.agent->ledger().entered(InterventionState::shadowed) > 0) ==
          (mode == Mode::shadow));
  }
}

TEST_CASE("on doubt it only observes, and acts when the doubt is gone") {
  ClosedLoop loop("gateway_failure");
  loop.health.observe_only = "the input is old";
  loop.run(kFaultBegins + 40);
  CHECK(loop.on_traffic().empty());
  CHECK(loop.agent->report().observe_only == "the input is old");
  loop.health.observe_only.clear();
  loop.run(30);
  CHECK_FALSE(loop.on_traffic().empty());
}

TEST_CASE("a proposal goes out only on a signed yes to exactly what was shown") {
  AgentConfig config;
  config.limits.mode = Mode::approve;
  ClosedLoop loop("gateway_failure", config);
  loop.run(kFaultBegins + 30);
  const Intervention* proposal = waiting(loop);
  REQUIRE(proposal != nullptr);
  const std::string id = proposal->action.action_id;
  const std::string shown = proposal->shown_hash;
  const KeyPair stranger = *key_pair_from_seed(std::string(64, '8'));

  loop.say({.proposal_id = id, .verdict = "approve", .shown_hash = shown, .by = ""}, &stranger);
  loop.say({.proposal_id = id, .verdict = "approve", .shown_hash = std::string(64, '0'), .by = ""});
  loop.run(2);
  CHECK(loop.on_traffic().empty());
  CHECK(loop.lines("verdict") == 2);

  loop.say({.proposal_id = id, .verdict = "approve", .shown_hash = shown, .by = ""});
  loop.run(2);
  REQUIRE(loop.on_traffic().size() == 1);
  CHECK(loop.on_traffic().front().action_id == id);
  loop.run(8);  // the next cycle learns that it was published
  CHECK(loop.agent->ledger().find(id)->state == InterventionState::active);
}

TEST_CASE("an agent that begins without state under a later lease has ids of its own") {
  const auto ids = [](uint64_t epoch) {
    ClosedLoop loop("gateway_failure");
    loop.health.epoch = epoch;
    loop.run(60);
    std::set<std::string> all;
    for (const Action& action : loop.published) all.insert(action.action_id);
    REQUIRE_FALSE(all.empty());
    loop.restart();  // the ids go on as they began
    loop.health.epoch = epoch + 5;
    CHECK(loop.agent->ledger().find(*all.begin()) != nullptr);
    loop.run(60);
    for (const Action& action : loop.published) all.insert(action.action_id);
    return all;
  };
  const auto first = ids(1), second = ids(2);
  for (const std::string& id : second) CHECK(first.count(id) == 0);
}

TEST_CASE("no answer in time means no") {
  AgentConfig config;
  config.limits.mode = Mode::approve;
  config.limits.approval_timeout_s = 60.0;
  ClosedLoop loop("gateway_failure", config);
  loop.run(kFaultBegins + 30);
  REQUIRE(waiting(loop) != nullptr);
  const std::string id = waiting(loop)->action.action_id;
  loop.run(90);
  CHECK(loop.agent->ledger().find(id)->state == InterventionState::rejected);
  CHECK(loop.on_traffic().empty());
}

TEST_CASE("the kill switch undoes what is in force and lets nothing new out until it is lifted") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultBegins + 30);
  const std::size_t before = loop.on_traffic().size();
  REQUIRE(before > 0);
  loop.say({.proposal_id = "kill", .verdict = "on", .shown_hash = "", .by = ""});
  loop.run(60);
  CHECK(loop.inverses() > 0);
  CHECK(loop.on_traffic().size() == before);
  CHECK(loop.agent->killed());
  for (const Intervention& i : loop.agent->ledger().all()) {
    if (!safety::is_advisory(i.action.type) && i.action.inverse_of.empty()) {
      CHECK(i.state != InterventionState::active);
    }
  }
  loop.say({.proposal_id = "kill", .verdict = "off", .shown_hash = "", .by = ""});
  loop.run(2);
  CHECK_FALSE(loop.agent->killed());
}

TEST_CASE("what was learnt can be reset by a signed command") {
  ClosedLoop loop("gateway_failure");
  loop.run(kFaultEnds + 200);
  REQUIRE_FALSE(loop.agent->effects().empty());
  loop.say({.proposal_id = "learned", .verdict = "reset", .shown_hash = "*/*/*", .by = ""});
  loop.run(2);
  INFO(dump(
      to_json(loop.agent->effects().empty() ? EffectKey{} : loop.agent->effects().begin()->first)));
  CHECK(loop.agent->effects().empty());
}

TEST_CASE(
    "restarted at any moment it counts every attempt once and decides as if it had not been") {
  ClosedLoop whole("gateway_failure");
  whole.run(420);
  for (const int at : {3, 100, 303, 309}) {
    ClosedLoop cut("gateway_failure");
    cut.run(at);
    cut.restart();
    cut.run(420 - at);
    CHECK(cut.agent->totals().attempts == whole.agent->totals().attempts);
    CHECK(cut.agent->totals().late == whole.agent->totals().late);
    REQUIRE(cut.on_traffic().size() == whole.on_traffic().size());
    for (std::size_t i = 0; i < cut.on_traffic().size(); ++i) {
      CHECK(cut.on_traffic()[i].action_id == whole.on_traffic()[i].action_id);
    }
  }
}

TEST_CASE("from a snapshot and the blocks after it the state goes on to the same digests") {
  ClosedLoop loop("gateway_failure");
  loop.run(400);
  PaymentsAgent straight, resumed;
  const std::size_t half = loop.blocks().size() / 2;
  for (std::size_t i = 0; i < loop.blocks().size(); ++i) {
    if (i == half) REQUIRE(resumed.restore(straight.snapshot()).has_value());
    const auto expected = straight.apply(loop.blocks()[i]);
    REQUIRE(expected.has_value());
    if (i < half) continue;
    const auto actual = resumed.apply(loop.blocks()[i]);
    REQUIRE(actual.has_value());
    CHECK(actual->digest == expected->digest);
    CHECK(actual->audit == expected->audit);
    CHECK(actual->outbox == expected->outbox);
  }
}

TEST_CASE(
    "while the disk is full nothing goes out; then it acts and has counted each attempt once") {
  for (const bool in_files : {false, true}) {
    ClosedLoop whole("gateway_failure");
    whole.run(kFaultBegins);
    ClosedLoop loop("gateway_failure");
    loop.run(100);
    (in_files ? loop.files() : loop.commits()).fail_before(120);
    CHECK(loop.run_with_trouble(kFaultBegins - 100) == 120);
    CHECK(loop.agent->totals().attempts == whole.agent->totals().attempts);
    CHECK(loop.agent->totals().late == whole.agent->totals().late);
    CHECK(loop.agent->totals().cycles == whole.agent->totals().cycles);

    // The fault comes while the disk is full.
    (in_files ? loop.files() : loop.commits()).fail_before(160);
    const std::size_t before = loop.published.size();
    CHECK(loop.run_with_trouble(40) >= 120);
    CHECK(loop.published.size() == before);
    CHECK(loop.run_with_trouble(60) > 0);
    CHECK_FALSE(loop.on_traffic().empty());
  }
}

TEST_CASE("the graph is the five phases with the gate between deciding and acting") {
  CHECK(graph::to_mermaid(PaymentsAgent::shape()).find("gate --> act") != std::string::npos);
  CHECK(PaymentsAgent::shape().nodes ==
        std::vector<std::string>{"observe", "reason", "decide", "gate", "act", "learn"});
}

}  // namespace
}  // namespace payops::payments_agent
