#include "payops/action/ledger.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "payops/core/codec.h"
#include "payops/core/digest.h"

namespace payops::action {
namespace {

constexpr int64_t kNow = 1'800'000'000'000;
constexpr int64_t kTimeoutMs = 900'000;
using State = InterventionState;

Option option(const std::string& issuer = "HDFC") {
  Option o;
  o.option_id = "opt-1";
  o.type = action_type::kSuppressPath;
  o.scope = {issuer, "card", "PAYU"};
  o.strength = 0.25;
  o.holdout = 0.1;
  o.duration_s = 600;
  o.risk = RiskClass::medium;
  o.cause = Cause::issuer_down;
  o.confidence = 0.85;
  o.blast_radius = 0.05;
  o.nrv.total = {.mean = 120'000, .sigma = 30'000, .low = 75'000, .high = 180'000};
  o.reason = "HDFC fails on card";
  return o;
}

Issue issue(uint64_t step, int64_t ts_ms = kNow) {
  return {.decision_id = "dec-1", .step = step, .epoch = 7, .ts_ms = ts_ms};
}

GateVerdict verdict(GateOutcome outcome) {
  return {outcome, outcome == GateOutcome::allow ? std::vector<std::string>{}
                                                 : std::vector<std::string>{"its risk is high"}};
}

std::string decide(Ledger& ledger, GateOutcome outcome, uint64_t step,
                   const Option& what = option(), int64_t ts_ms = kNow) {
  return ledger.decide(what, verdict(outcome), issue(step, ts_ms), false, kTimeoutMs)
      .action.action_id;
}

// Decided and known to be published.
std::string publish(Ledger& ledger, uint64_t step, const Option& what = option(),
                    int64_t ts_ms = kNow) {
  const std::string id = decide(ledger, GateOutcome::allow, step, what, ts_ms);
  REQUIRE(ledger.sent(id, true, "", ts_ms).front().to == State::active);
  return id;
}

Verdict yes(const Ledger& ledger, const std::string& id, int64_t ts_ms = kNow + 1000) {
  return {id, "approve", ledger.find(id)->shown_hash, "ops", ts_ms, "signed"};
}

State state_of(const Ledger& ledger, const std::string& id) { return ledger.find(id)->state; }

TEST_CASE("what the gate allows is approved with its lease and the next revision of its key") {
  Ledger ledger(1);
  const Intervention first =
      ledger.decide(option(), verdict(GateOutcome::allow), issue(3), true, 0);
  CHECK(first.state == State::approved);
  CHECK(first.action.decision_id == "dec-1");
  CHECK(first.action.issued_ts_ms == kNow);
  CHECK(first.action.expires_ts_ms == kNow + 600'000);
  CHECK(first.action.epoch == 7);
  CHECK(first.action.forced);
  CHECK(first.action.revision == 1);
  CHECK(first.action.action_id.substr(0, 4) == "act-");
  CHECK(first.action.action_id.size() == 20);
  const std::string second = decide(ledger, GateOutcome::allow, 4);
  CHECK(ledger.find(second)->action.revision == 2);
  const std::string elsewhere = decide(ledger, GateOutcome::allow, 4, option("SBI"));
  CHECK(ledger.find(elsewhere)->action.revision == 1);
}

TEST_CASE("ids are a function of seed, step and what is done") {
  const auto id = [](uint64_t seed, uint64_t step, const Option& what) {
    Ledger ledger(seed);
    return decide(ledger, GateOutcome::allow, step, what);
  };
  Option renamed = option();
  renamed.option_id = "opt-2";
  renamed.strength = 0.5;
  Option other = option();
  other.params["to_gateway"] = "RAZOR";
  CHECK(id(1, 3, option()) == id(1, 3, option()));
  CHECK(id(1, 3, option()) == id(1, 3, renamed));
  CHECK(id(1, 3, option()) != id(2, 3, option()));
  CHECK(id(1, 3, option()) != id(1, 4, option()));
  CHECK(id(1, 3, option()) != id(1, 3, other));
}

TEST_CASE("an action lives from publication to the end of its lease, and its key is tombstoned") {
  Ledger ledger;
  const std::string id = publish(ledger, 1);
  CHECK(ledger.in_force(kNow).size() == 1);
  CHECK(ledger.blast_in_force(kNow) == 0.05);
  CHECK(ledger.last_change_ms("suppress_path|HDFC|card|PAYU") == kNow);
  Ticked ticked = ledger.tick(kNow + 599'999);
  CHECK(ticked.transitions.empty());
  CHECK(ticked.tombstones.empty());
  ticked = ledger.tick(kNow + 600'000);
  REQUIRE(ticked.transitions.size() == 1);
  CHECK(ticked.transitions[0].from == State::active);
  CHECK(ticked.transitions[0].to == State::ended);
  CHECK(ticked.tombstones == std::vector<std::string>{"suppress_path|HDFC|card|PAYU"});
  CHECK(state_of(ledger, id) == State::ended);
  CHECK(ledger.blast_in_force(kNow + 600'000) == 0.0);
  ticked = ledger.tick(kNow + 600'001);
  CHECK(ticked.transitions.empty());
  CHECK(ticked.tombstones.empty());
}

TEST_CASE(
    "what could not be published is withdrawn; a repeated or foreign result changes nothing") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::allow, 1);
  const auto done = ledger.sent(id, false, "the kill switch is on", kNow + 10);
  REQUIRE(done.size() == 1);
  CHECK(done[0].to == State::withdrawn);
  CHECK(done[0].why == "the kill switch is on");
  const std::string before = ledger.encode();
  CHECK(ledger.sent(id, true, "", kNow + 20).empty());
  CHECK(ledger.sent("act-unknown", true, "", kNow + 20).empty());
  CHECK(ledger.encode() == before);
  CHECK(ledger.tick(kNow + 600'000).tombstones.empty());
}

TEST_CASE("an action published on a key ends the one before it, and the key stays") {
  Ledger ledger;
  const std::string first = publish(ledger, 1);
  const std::string second = decide(ledger, GateOutcome::allow, 2, option(), kNow + 500'000);
  CHECK(state_of(ledger, first) == State::active);
  const auto done = ledger.sent(second, true, "", kNow + 500'000);
  REQUIRE(done.size() == 2);
  CHECK(done[1].action_id == first);
  CHECK(done[1].why == "replaced by " + second);
  CHECK(state_of(ledger, first) == State::ended);
  CHECK(ledger.tick(kNow + 600'000).tombstones.empty());  // the first's lease, now the second's key
  CHECK(ledger.tick(kNow + 1'100'000).tombstones.size() == 1);
}

TEST_CASE("rolling back publishes the inverse on the same key under a higher revision") {
  Ledger ledger;
  const std::string id = publish(ledger, 1);
  const Action original = ledger.find(id)->action;
  const auto inverse = ledger.roll_back(id, "worse than the holdout", issue(2, kNow + 60'000));
  REQUIRE(inverse);
  CHECK(inverse->inverse_of == id);
  CHECK(inverse->action_id != id);
  CHECK(inverse->key() == original.key());
  CHECK(inverse->revision == original.revision + 1);
  CHECK(inverse->expires_ts_ms == original.expires_ts_ms);
  CHECK(state_of(ledger, id) == State::rolled_back);
  CHECK(ledger.find(id)->why == "worse than the holdout");
  CHECK(ledger.in_force(kNow + 60'000).empty());  // undoing is not doing
  CHECK(ledger.blast_in_force(kNow + 60'000) == 0.0);
  CHECK(ledger.sent(inverse->action_id, true, "", kNow + 60'001).size() == 1);
  CHECK(ledger.tick(kNow + 60'002).tombstones.empty());
  CHECK(ledger.tick(kNow + 600'000).tombstones.size() == 1);
  CHECK(ledger.roll_back(id, "again", issue(3)).error().code == ErrorCode::refused);
  CHECK(ledger.roll_back(inverse->action_id, "undo", issue(3)).error().code == ErrorCode::refused);
  CHECK(ledger.roll_back("act-?", "why", issue(3)).error().code == ErrorCode::not_found);
}

TEST_CASE("an undoing that never left leaves the action active, to be undone again") {
  Ledger ledger;
  const std::string id = publish(ledger, 1);
  const auto first = ledger.roll_back(id, "worse", issue(2, kNow + 1000));
  REQUIRE(first);
  const auto done = ledger.sent(first->action_id, false, "the lease was lost", kNow + 2000);
  REQUIRE(done.size() == 2);
  CHECK(done[1].action_id == id);
  CHECK(done[1].to == State::active);
  const auto second = ledger.roll_back(id, "worse", issue(3, kNow + 3000));
  REQUIRE(second);
  CHECK(second->revision > first->revision);
  CHECK(second->action_id != first->action_id);
}

TEST_CASE("an undoing that never left does not bring back what was replaced meanwhile") {
  Ledger ledger;
  const std::string first = publish(ledger, 1);
  const auto inverse = ledger.roll_back(first, "worse", issue(2));
  REQUIRE(inverse);
  const std::string second = publish(ledger, 3);
  CHECK(ledger.sent(inverse->action_id, false, "too late", kNow + 1).size() == 1);
  CHECK(state_of(ledger, first) == State::rolled_back);
  CHECK(state_of(ledger, second) == State::active);
}

TEST_CASE("word of a publication that comes after word of the next one ends nothing") {
  Ledger ledger;
  const std::string first = decide(ledger, GateOutcome::allow, 1);
  const std::string second = publish(ledger, 2);
  const auto done = ledger.sent(first, true, "", kNow + 1);
  REQUIRE(done.size() == 2);
  CHECK(done[1].why == "replaced by " + second);
  CHECK(state_of(ledger, first) == State::ended);
  CHECK(state_of(ledger, second) == State::active);
  CHECK(ledger.state().on_topic.begin()->second == second);
}

TEST_CASE("only what is active and last on its key can be rolled back") {
  Ledger ledger;
  const std::string approved = decide(ledger, GateOutcome::allow, 1);
  CHECK_FALSE(ledger.roll_back(approved, "why", issue(2)));
  (void)ledger.sent(approved, true, "", kNow);
  const std::string next = decide(ledger, GateOutcome::allow, 2);
  CHECK_FALSE(ledger.roll_back(approved, "why", issue(3)));
  (void)ledger.sent(next, false, "too late", kNow);
  CHECK_FALSE(ledger.roll_back(approved, "why", issue(3, kNow + 600'000)));
  CHECK(ledger.roll_back(approved, "why", issue(3, kNow + 599'999)));
}

TEST_CASE("a proposal waits; a yes makes it be judged again, and its lease begins then") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  CHECK(state_of(ledger, id) == State::proposed);
  CHECK(ledger.find(id)->answer_by_ts_ms == kNow + kTimeoutMs);
  CHECK(ledger.find(id)->action.revision == 0);
  CHECK(ledger.waiting().size() == 1);
  CHECK(ledger.in_force(kNow).empty());
  const Answer answer = ledger.answer(yes(ledger, id), true, kNow + 60'000, kNow + 60'000);
  CHECK(answer.result == AnswerResult::granted);
  CHECK(answer.why == "approved by ops");
  CHECK(state_of(ledger, id) == State::proposed);
  CHECK(ledger.to_settle() == std::vector<std::string>{id});
  const Transition settled =
      ledger.settle(id, verdict(GateOutcome::needs_approval), issue(9, kNow + 60'000));
  CHECK(settled.to == State::approved);
  CHECK(ledger.to_settle().empty());
  const Action& action = ledger.find(id)->action;
  CHECK(action.issued_ts_ms == kNow + 60'000);
  CHECK(action.expires_ts_ms == kNow + 660'000);
  CHECK(action.revision == 1);
  CHECK(action.decision_id == "dec-1");
}

TEST_CASE("a yes does not help when the evidence has turned") {
  Ledger ledger;
  const std::string refused = decide(ledger, GateOutcome::needs_approval, 1);
  REQUIRE(ledger.answer(yes(ledger, refused), true, kNow + 1000, kNow + 1000).result ==
          AnswerResult::granted);
  const Transition t = ledger.settle(refused, {GateOutcome::refuse, {"the kill switch is on"}},
                                     issue(2, kNow + 1000));
  CHECK(t.to == State::withdrawn);
  CHECK(t.why == "approved by ops, but now the kill switch is on");
  const std::string shadowed = decide(ledger, GateOutcome::needs_approval, 3);
  REQUIRE(ledger.answer(yes(ledger, shadowed), true, kNow + 1000, kNow + 1000).result ==
          AnswerResult::granted);
  CHECK(ledger.settle(shadowed, verdict(GateOutcome::shadow), issue(4)).to == State::shadowed);
  CHECK(ledger.find(shadowed)->action.revision == 0);
}

TEST_CASE("a no rejects; nobody's answer in time is a no") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  Verdict no = yes(ledger, id);
  no.verdict = "reject";
  const Answer answer = ledger.answer(no, true, kNow + 1000, kNow + 1000);
  CHECK(answer.result == AnswerResult::rejected);
  REQUIRE(answer.transition);
  CHECK(answer.transition->to == State::rejected);
  CHECK(answer.transition->why == "rejected by ops");
  const std::string late = decide(ledger, GateOutcome::needs_approval, 2);
  CHECK(ledger.tick(kNow + kTimeoutMs).transitions.empty());
  const Ticked ticked = ledger.tick(kNow + kTimeoutMs + 1);
  REQUIRE(ticked.transitions.size() == 1);
  CHECK(ticked.transitions[0].action_id == late);
  CHECK(ticked.transitions[0].to == State::rejected);
  CHECK(ticked.transitions[0].why == "no answer in time means no");
}

TEST_CASE("verdicts that are not good are ignored, each with its reason, and change nothing") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  const std::string active = publish(ledger, 2, option("SBI"));
  const std::string before = ledger.encode();
  const Verdict good = yes(ledger, id);
  const auto result = [&](auto change, bool signature_ok = true, int64_t ts_ms = kNow + 1000) {
    Verdict v = good;
    change(v);
    const Answer answer = ledger.answer(v, signature_ok, ts_ms, ts_ms);
    CHECK_FALSE(answer.why.empty());
    CHECK_FALSE(answer.transition);
    CHECK(ledger.encode() == before);
    return answer.result;
  };
  CHECK(result([](Verdict&) {}, false) == AnswerResult::not_signed);
  CHECK(result([](Verdict& v) { v.verdict = "on"; }) == AnswerResult::malformed);
  CHECK(result([](Verdict& v) { v.proposal_id = "act-?"; }) == AnswerResult::unknown);
  CHECK(result([&](Verdict& v) { v.proposal_id = active; }) == AnswerResult::unknown);
  CHECK(result([](Verdict& v) { v.shown_hash = sha256_hex("other"); }) == AnswerResult::altered);
  CHECK(result([](Verdict& v) { v.ts_ms = kNow - 299'001; }) == AnswerResult::clock);
  CHECK(result([](Verdict& v) { v.ts_ms = kNow + 301'001; }) == AnswerResult::clock);
  CHECK(result([](Verdict&) {}, true, kNow + kTimeoutMs + 1) == AnswerResult::expired);
}

TEST_CASE("a verdict is dated by the clock it came in by, however far event time lies behind") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  Verdict verdict = yes(ledger, id);
  verdict.ts_ms = kNow + 36'000'000;
  CHECK(ledger.answer(verdict, true, kNow + 1000, kNow + 1000).result == AnswerResult::clock);
  CHECK(ledger.answer(verdict, true, kNow + 1000, verdict.ts_ms + 2000).result ==
        AnswerResult::granted);
}

TEST_CASE("only the first answer counts") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  const Verdict good = yes(ledger, id);
  CHECK(ledger.answer(good, true, kNow + 1000, kNow + 1000).result == AnswerResult::granted);
  Verdict no = good;
  no.verdict = "reject";
  CHECK(ledger.answer(no, true, kNow + 1001, kNow + 1001).result == AnswerResult::repeated);
  ledger.settle(id, verdict(GateOutcome::allow), issue(2, kNow + 1000));
  CHECK(ledger.answer(good, true, kNow + 2000, kNow + 2000).result == AnswerResult::repeated);
  (void)ledger.sent(id, true, "", kNow + 2000);
  CHECK(ledger.answer(good, true, kNow + 2001, kNow + 2001).result == AnswerResult::repeated);
  const std::string lapsed = decide(ledger, GateOutcome::needs_approval, 3);
  const Verdict late = yes(ledger, lapsed);
  (void)ledger.tick(kNow + kTimeoutMs + 1);
  CHECK(ledger.answer(late, true, kNow + kTimeoutMs + 2, kNow + kTimeoutMs + 2).result ==
        AnswerResult::expired);
}

TEST_CASE("a yes that is not settled in time lapses") {
  Ledger ledger;
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  REQUIRE(ledger.answer(yes(ledger, id), true, kNow + 1000, kNow + 1000).result ==
          AnswerResult::granted);
  CHECK(ledger.tick(kNow + kTimeoutMs + 1).transitions.size() == 1);
  CHECK(ledger.to_settle().empty());
}

TEST_CASE("what is shown says all that a person decides on, and the hash is of exactly that") {
  Ledger ledger;
  Option o = option();
  o.type = "reroute_traffic";
  o.params["to_gateway"] = "RAZOR";
  const Intervention shown = *ledger.find(decide(ledger, GateOutcome::needs_approval, 1, o));
  CHECK(shown_text(shown) == "proposal: " + shown.action.action_id +
                                 "\n"
                                 "decision: dec-1\n"
                                 "action: reroute_traffic\n"
                                 "scope: HDFC|card|PAYU\n"
                                 "with to_gateway: RAZOR\n"
                                 "strength: 25.00 %\n"
                                 "holdout: 10.00 %\n"
                                 "duration: 600.0 s\n"
                                 "value: 120000 minor units, 90 % from 75000 to 180000\n"
                                 "blast radius: 5.00 %\n"
                                 "risk: medium\n"
                                 "cause: issuer_down at 85.00 %\n"
                                 "reason: HDFC fails on card\n"
                                 "asked because: its risk is high\n");
  CHECK(shown.shown_hash == sha256_hex(shown_text(shown)));
  // It stays what it was, whatever becomes of the proposal.
  (void)ledger.tick(kNow + kTimeoutMs + 1);
  CHECK(shown_text(*ledger.find(shown.action.action_id)) == shown_text(shown));
  for (auto change :
       {+[](Option& x) { x.strength = 0.5; }, +[](Option& x) { x.scope.issuer = "SBI"; },
        +[](Option& x) { x.params["to_gateway"] = "STRIPE"; },
        +[](Option& x) { x.nrv.total.mean = 1; }, +[](Option& x) { x.blast_radius = 0.5; }}) {
    Intervention other = shown;
    change(other.option);
    CHECK(sha256_hex(shown_text(other)) != shown.shown_hash);
  }
}

TEST_CASE("no name can forge a line of what is shown") {
  Intervention i;
  i.option = option();
  i.option.scope.issuer = "HDFC\nrisk: none";
  i.option.reason = "back\\slash\r";
  const std::string text = shown_text(i);
  CHECK(text.find("scope: HDFC\\x0arisk: none|card|PAYU\n") != std::string::npos);
  CHECK(text.find("reason: back\\\\slash\\x0d\n") != std::string::npos);
}

TEST_CASE("the ledger reads back from its bytes and goes on alike; cut bytes are refused") {
  Ledger ledger(5);
  publish(ledger, 1);
  decide(ledger, GateOutcome::shadow, 2);
  const std::string waiting = decide(ledger, GateOutcome::needs_approval, 3);
  REQUIRE(ledger.answer(yes(ledger, waiting), true, kNow + 1, kNow + 1).result ==
          AnswerResult::granted);
  const std::string bytes = ledger.encode();
  Ledger copy(5);
  REQUIRE(copy.decode(bytes));
  CHECK(copy.encode() == bytes);
  CHECK(copy.to_settle() == ledger.to_settle());
  for (Ledger* l : {&ledger, &copy}) {
    l->settle(waiting, verdict(GateOutcome::allow), issue(4, kNow + 2));
    (void)l->tick(kNow + 600'000);
    decide(*l, GateOutcome::allow, 5);
  }
  CHECK(copy.encode() == ledger.encode());
  CHECK(copy.digest() == ledger.digest());
  const std::string now = copy.encode();
  CHECK(copy.decode(bytes.substr(0, bytes.size() / 2)).error().code == ErrorCode::corrupt);
  CHECK(copy.encode() == now);
  REQUIRE(copy.decode(""));
  CHECK(copy.encode() == Ledger(5).encode());
}

TEST_CASE("the digest changes with every change") {
  Ledger ledger;
  std::vector<std::string> seen = {ledger.digest()};
  const auto fresh = [&] {
    const bool is_new = std::find(seen.begin(), seen.end(), ledger.digest()) == seen.end();
    seen.push_back(ledger.digest());
    return is_new;
  };
  const std::string id = decide(ledger, GateOutcome::needs_approval, 1);
  CHECK(fresh());
  REQUIRE(ledger.answer(yes(ledger, id), true, kNow, kNow).result == AnswerResult::granted);
  CHECK(fresh());
  ledger.settle(id, verdict(GateOutcome::allow), issue(2));
  CHECK(fresh());
  (void)ledger.sent(id, true, "", kNow);
  CHECK(fresh());
  Outcome outcome;
  outcome.result = OutcomeResult::improved;
  CHECK(ledger.note_outcome(id, outcome));
  CHECK(fresh());
  CHECK_FALSE(ledger.note_outcome("act-?", outcome));
  CHECK_FALSE(fresh());
  (void)ledger.tick(kNow + 600'000);
  CHECK(fresh());
}

TEST_CASE("finished entries beyond the limit are forgotten, counts and revisions are not") {
  Ledger ledger(1, {.finished_max = 10});
  const std::string kept = publish(ledger, 1, option("SBI"));
  for (uint64_t step = 2; step <= 100; ++step) {
    (void)ledger.sent(decide(ledger, GateOutcome::allow, step), false, "killed", kNow);
  }
  CHECK(ledger.all().size() <= 12);
  CHECK(ledger.find(kept) != nullptr);  // still active, though the oldest
  CHECK(ledger.entered(State::withdrawn) == 99);
  CHECK(ledger.entered(State::approved) == 100);
  CHECK(ledger.state().forgotten == 100 - ledger.all().size());
  const std::string next = decide(ledger, GateOutcome::allow, 101);
  CHECK(ledger.find(next)->action.revision == 100);
}

TEST_CASE("more keys than are counted one by one still never reuse a revision") {
  Ledger ledger(1, {.keys_max = 4});
  std::map<std::string, uint64_t> last;
  for (uint64_t step = 1; step <= 200; ++step) {
    const Option o = option("I" + std::to_string(step * step % 13));
    const Action& action = ledger.find(decide(ledger, GateOutcome::allow, step, o))->action;
    CHECK(action.revision > last[action.key()]);
    last[action.key()] = action.revision;
    CHECK(ledger.state().revisions.size() <= 4);
  }
}

}  // namespace
}  // namespace payops::action
