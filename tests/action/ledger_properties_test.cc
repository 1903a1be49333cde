// The ledger under random histories.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "payops/action/ledger.h"
#include "payops/core/random.h"

namespace payops::action {
namespace {

using State = InterventionState;

// A random history of calls, drawn from one seed; every transition is reported to `saw`.
class History {
 public:
  explicit History(uint64_t seed) : stream_(Random(seed).at(2)), ledger_(seed) {}

  void act() {
    now_ms_ += static_cast<int64_t>(stream_.below(120'000));
    ++step_;
    switch (stream_.below(6)) {
      case 0:
        return decide();
      case 1:
        return answer();
      case 2:
        return send();
      case 3:
        return roll_back();
      case 4:
        for (const std::string& id : ledger_.to_settle()) {
          saw(ledger_.settle(id, any_verdict(), issue()));
        }
        return;
      default: {
        const Ticked ticked = ledger_.tick(now_ms_);
        for (const Transition& t : ticked.transitions) saw(t);
        for (const std::string& key : ticked.tombstones) check_tombstone(key);
      }
    }
  }

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] int64_t now_ms() const { return now_ms_; }

 private:
  Issue issue() const {
    return {.decision_id = "dec", .step = step_, .epoch = 1, .ts_ms = now_ms_};
  }
  GateVerdict any_verdict() {
    static constexpr GateOutcome kOutcomes[] = {GateOutcome::allow, GateOutcome::needs_approval,
                                                GateOutcome::shadow, GateOutcome::refuse};
    return {kOutcomes[stream_.below(4)], {"reason"}};
  }
  const Intervention* any() {
    const auto& all = ledger_.all();
    return all.empty() ? nullptr : &all[stream_.below(all.size())];
  }

  void saw(const Transition& t) {
    RC_ASSERT(t.from != t.to);
    RC_ASSERT(t.ts_ms == now_ms_);
    RC_ASSERT(states_[t.action_id] == t.from);
    states_[t.action_id] = t.to;
  }
  void entered(const Action& action, State state) {
    RC_ASSERT(states_.emplace(action.action_id, state).second);  // ids never repeat
  }
  // A higher revision than any before on the key, whenever something may be published.
  void publishes(const Action& action) {
    RC_ASSERT(action.revision > revisions_[action.key()]);
    revisions_[action.key()] = action.revision;
  }

  void decide() {
    GateVerdict verdict = any_verdict();
    if (verdict.outcome == GateOutcome::refuse) return;
    Option o;
    o.type = stream_.chance(0.5) ? "suppress_path" : "alert_ops";
    o.scope.issuer = stream_.chance(0.5) ? "HDFC" : "SBI";
    o.strength = 0.5;
    o.duration_s = static_cast<double>(stream_.below(900));
    const Intervention& i = ledger_.decide(o, verdict, issue(), false, 300'000);
    entered(i.action, i.state);
    if (i.state == State::approved) publishes(i.action);
  }

  void answer() {
    const Intervention* i = any();
    if (i == nullptr) return;
    const bool good = i->state == State::proposed && now_ms_ <= i->answer_by_ts_ms;
    const bool granted = ledger_.state().granted.count(i->action.action_id) != 0;
    Verdict v{i->action.action_id,
              stream_.chance(0.7) ? "approve" : "reject",
              i->shown_hash,
              "ops",
              now_ms_,
              ""};
    const Answer a = ledger_.answer(v, true, now_ms_, now_ms_);
    const bool counted = a.result == AnswerResult::granted || a.result == AnswerResult::rejected;
    RC_ASSERT(counted == (good && !granted));
    if (a.transition) saw(*a.transition);
  }

  void send() {
    const Intervention* i = any();
    if (i == nullptr) return;
    const std::string id = i->action.action_id;
    for (const Transition& t : ledger_.sent(id, stream_.chance(0.7), "because", now_ms_)) saw(t);
  }

  void roll_back() {
    const Intervention* i = any();
    if (i == nullptr) return;
    const std::string id = i->action.action_id;
    const bool active = i->state == State::active;
    const auto inverse = ledger_.roll_back(id, "worse", issue());
    if (!inverse) return;
    RC_ASSERT(active);
    RC_ASSERT(inverse->inverse_of == id);
    RC_ASSERT(ledger_.find(id)->state == State::rolled_back);
    states_[id] = State::rolled_back;
    entered(*inverse, State::approved);
    publishes(*inverse);
  }

  void check_tombstone(const std::string& key) const {
    for (const Intervention& i : ledger_.all()) {
      const bool live = i.state == State::approved || i.state == State::active;
      RC_ASSERT(!(live && i.action.key() == key));
    }
  }

  RandomStream stream_;
  Ledger ledger_;
  int64_t now_ms_ = 1'800'000'000'000;
  uint64_t step_ = 0;
  std::map<std::string, State> states_;  // as the transitions told
  std::map<std::string, uint64_t> revisions_;

 public:
  void check_told_everything() const {
    for (const Intervention& i : ledger_.all()) {
      RC_ASSERT(states_.at(i.action.action_id) == i.state);
    }
  }
};

TEST_CASE("whatever happens, the transitions tell the whole story and revisions only rise") {
  CHECK(rc::check([](uint64_t seed) {
    History history(seed);
    for (int n = 0; n < 600; ++n) {
      history.act();
      std::set<std::string> active;
      for (const Intervention& i : history.ledger().all()) {
        if (i.state != State::active) continue;
        RC_ASSERT(active.insert(i.action.key()).second);  // one at a time on a key
        RC_ASSERT(i.action.revision > 0);
      }
      for (const std::string& id : history.ledger().to_settle()) {
        RC_ASSERT(history.ledger().find(id)->state == State::proposed);
      }
    }
    history.check_told_everything();
  }));
}

TEST_CASE("a ledger restored at any point has the same future") {
  CHECK(rc::check([](uint64_t seed) {
    History history(seed);
    for (int n = 0; n < 100; ++n) history.act();
    Ledger copy(seed);
    RC_ASSERT(copy.decode(history.ledger().encode()).has_value());
    Ledger original = history.ledger();
    const int64_t later_ms = history.now_ms() + 10'000'000;
    RC_ASSERT(copy.tick(later_ms).tombstones == original.tick(later_ms).tombstones);
    RC_ASSERT(copy.encode() == original.encode());
  }));
}

}  // namespace
}  // namespace payops::action
