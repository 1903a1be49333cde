#include "payops/action/ledger.h"

#include <algorithm>
#include <cmath>

#include "payops/core/check.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/random.h"
#include "payops/core/text.h"

namespace payops::action {
namespace {

using State = InterventionState;

bool is_finished(State state) {
  return state != State::proposed && state != State::approved && state != State::active;
}

bool may_move(State from, State to) {
  switch (from) {
    case State::proposed:
      return to == State::approved || to == State::rejected || to == State::withdrawn ||
             to == State::shadowed;
    case State::approved:
      return to == State::active || to == State::withdrawn;
    case State::active:
      return to == State::ended || to == State::rolled_back;
    case State::rolled_back:  // the undo was never published
      return to == State::active;
    default:
      return false;
  }
}

std::string make_action_id(uint64_t seed, uint64_t step, std::string_view what) {
  return "act-" + hex64(mix64(mix64(seed, step), hash64(what)));
}

// What makes an option this one, whatever it is called.
std::string identity(const Option& option) {
  return payops::encode(option.type) + payops::encode(option.scope) + payops::encode(option.params);
}

void begin_lease(Intervention& entry, const Issue& issue) {
  entry.action.issued_ts_ms = issue.ts_ms;
  entry.action.expires_ts_ms = issue.ts_ms + std::llround(entry.option.duration_s * 1000.0);
  entry.action.epoch = issue.epoch;
}

bool is_in_force(const Intervention& i, int64_t ts_ms) {
  return (i.state == State::approved || i.state == State::active) && i.action.inverse_of.empty() &&
         i.action.expires_ts_ms > ts_ms;
}

}  // namespace

Ledger::Ledger(uint64_t seed, LedgerLimits limits) : seed_(seed), limits_(limits) {
  PAYOPS_CHECK(limits.keys_max > 0);
}

const Intervention* Ledger::find(std::string_view action_id) const {
  const auto& all = state_.interventions;
  const auto it = std::find_if(all.rbegin(), all.rend(), [&](const Intervention& i) {
    return i.action.action_id == action_id;
  });
  return it == all.rend() ? nullptr : &*it;
}

Intervention* Ledger::find_mutable(std::string_view action_id) {
  return const_cast<Intervention*>(std::as_const(*this).find(action_id));
}

void Ledger::changed(const Intervention& entry) {
  StateDigest digest;
  digest.add(state_.digest);
  digest.add(payops::encode(entry));
  state_.digest = digest.hex();
}

uint64_t Ledger::next_revision(const std::string& key) {
  if (state_.revisions.count(key) == 0 && state_.revisions.size() >= limits_.keys_max) {
    // Room for new keys: the counters go, and nothing starts below any of them.
    for (const auto& [other, revision] : state_.revisions) {
      state_.revision_floor = std::max(state_.revision_floor, revision);
    }
    state_.revisions.clear();
  }
  const auto [it, added] = state_.revisions.emplace(key, state_.revision_floor);
  return ++it->second;
}

void Ledger::forget_finished() {
  auto& all = state_.interventions;
  std::size_t finished = 0;
  for (const Intervention& i : all) finished += is_finished(i.state) ? 1 : 0;
  if (finished <= limits_.finished_max) return;
  std::size_t excess = finished - limits_.finished_max;
  const auto gone = std::remove_if(all.begin(), all.end(), [&](const Intervention& i) {
    if (excess == 0 || !is_finished(i.state)) return false;
    --excess;
    ++state_.forgotten;
    return true;
  });
  all.erase(gone, all.end());
}

void Ledger::enter(Intervention entry) {
  PAYOPS_CHECK(find(entry.action.action_id) == nullptr);
  forget_finished();
  ++state_.entered[std::string(name_of(entry.state))];
  changed(entry);
  state_.interventions.push_back(std::move(entry));
}

Transition Ledger::move(Intervention& entry, State to, std::string why, int64_t ts_ms) {
  PAYOPS_CHECK(may_move(entry.state, to));
  Transition transition{entry.action.action_id, entry.state, to, std::move(why), ts_ms};
  entry.state = to;
  entry.why = transition.why;
  entry.changed_ts_ms = ts_ms;
  ++state_.entered[std::string(name_of(to))];
  changed(entry);
  return transition;
}

void Ledger::approve(Intervention& entry, const Issue& issue) {
  begin_lease(entry, issue);
  entry.action.revision = next_revision(entry.action.key());
}

const Intervention& Ledger::decide(const Option& option, const GateVerdict& verdict,
                                   const Issue& issue, bool forced, int64_t approval_timeout_ms) {
  PAYOPS_CHECK(verdict.outcome != GateOutcome::refuse);
  PAYOPS_CHECK(option.type != action_type::kNoAction && !option.type.empty());
  PAYOPS_CHECK(option.strength >= 0.0 && option.strength <= 1.0);
  PAYOPS_CHECK(option.holdout >= 0.0 && option.holdout < 1.0);
  PAYOPS_CHECK(option.duration_s >= 0.0 && option.duration_s <= 1e9);
  Intervention entry;
  entry.option = option;
  entry.decided_ts_ms = entry.changed_ts_ms = issue.ts_ms;
  entry.gate_reasons = verdict.reasons;
  entry.why = verdict.reasons.empty() ? "within all limits" : join(verdict.reasons, "; ");
  Action& action = entry.action;
  action.action_id = make_action_id(seed_, issue.step, identity(option));
  action.decision_id = issue.decision_id;
  action.type = option.type;
  action.scope = option.scope;
  action.params = option.params;
  action.strength = option.strength;
  action.holdout = option.holdout;
  action.forced = forced;
  switch (verdict.outcome) {
    case GateOutcome::allow:
      entry.state = State::approved;
      approve(entry, issue);
      break;
    case GateOutcome::needs_approval:
      entry.state = State::proposed;
      entry.answer_by_ts_ms = issue.ts_ms + approval_timeout_ms;
      break;
    default:
      entry.state = State::shadowed;
      begin_lease(entry, issue);
      break;
  }
  entry.shown_hash = sha256_hex(shown_text(entry));
  enter(std::move(entry));
  return state_.interventions.back();
}

Answer Ledger::answer(const Verdict& verdict, bool signature_ok, int64_t ts_ms,
                      int64_t received_ts_ms) {
  const auto ignored = [](AnswerResult result, std::string why) {
    return Answer{result, std::move(why), std::nullopt};
  };
  if (!signature_ok) {
    return ignored(AnswerResult::not_signed, "it is not signed by a known key");
  }
  if (verdict.verdict != "approve" && verdict.verdict != "reject") {
    return ignored(AnswerResult::malformed,
                   "\"" + verdict.verdict + "\" is neither approve nor reject");
  }
  Intervention* entry = find_mutable(verdict.proposal_id);
  if (entry == nullptr || entry->answer_by_ts_ms == 0) {
    return ignored(AnswerResult::unknown, "there is no proposal " + verdict.proposal_id);
  }
  if (verdict.shown_hash != entry->shown_hash) {
    return ignored(AnswerResult::altered, "it is not about what was shown");
  }
  if (entry->state != State::proposed || state_.granted.count(verdict.proposal_id) != 0) {
    const bool late = entry->state == State::rejected && ts_ms > entry->answer_by_ts_ms;
    return late ? ignored(AnswerResult::expired,
                          "an answer was due by " + iso_time(entry->answer_by_ts_ms))
                : ignored(AnswerResult::repeated,
                          "it was already answered: " + std::string(name_of(entry->state)));
  }
  if (ts_ms > entry->answer_by_ts_ms) {
    return ignored(AnswerResult::expired,
                   "an answer was due by " + iso_time(entry->answer_by_ts_ms));
  }
  const int64_t tolerance = limits_.clock_tolerance_ms;
  if (tolerance > 0 &&
      (verdict.ts_ms < received_ts_ms - tolerance || verdict.ts_ms > received_ts_ms + tolerance)) {
    return ignored(AnswerResult::clock, "it is dated " + iso_time(verdict.ts_ms) +
                                            " and came in at " + iso_time(received_ts_ms));
  }
  if (verdict.verdict == "reject") {
    Transition transition = move(*entry, State::rejected, "rejected by " + verdict.by, ts_ms);
    return {AnswerResult::rejected, transition.why, std::move(transition)};
  }
  state_.granted[verdict.proposal_id] = verdict.by;
  changed(*entry);
  return {AnswerResult::granted, "approved by " + verdict.by, std::nullopt};
}

std::vector<std::string> Ledger::to_settle() const {
  std::vector<std::string> ids;
  for (const Intervention& i : state_.interventions) {
    if (state_.granted.count(i.action.action_id) != 0) ids.push_back(i.action.action_id);
  }
  return ids;
}

Transition Ledger::settle(std::string_view action_id, const GateVerdict& verdict,
                          const Issue& issue) {
  const auto yes = state_.granted.find(std::string(action_id));
  PAYOPS_CHECK(yes != state_.granted.end());
  Intervention* entry = find_mutable(action_id);
  PAYOPS_CHECK(entry != nullptr && entry->state == State::proposed);
  const std::string by = "approved by " + yes->second;
  state_.granted.erase(yes);
  const std::string reasons = join(verdict.reasons, "; ");
  switch (verdict.outcome) {
    case GateOutcome::allow:
    case GateOutcome::needs_approval:
      approve(*entry, issue);
      return move(*entry, State::approved, by, issue.ts_ms);
    case GateOutcome::shadow:
      begin_lease(*entry, issue);
      return move(*entry, State::shadowed, by + ", but " + reasons, issue.ts_ms);
    default:
      return move(*entry, State::withdrawn, by + ", but now " + reasons, issue.ts_ms);
  }
}

std::vector<Transition> Ledger::sent(std::string_view action_id, bool published,
                                     std::string_view reason, int64_t ts_ms) {
  std::vector<Transition> done;
  Intervention* entry = find_mutable(action_id);
  if (entry == nullptr || entry->state != State::approved) return done;
  const Action& action = entry->action;
  const std::string key = action.key();
  if (!published) {
    done.push_back(move(*entry, State::withdrawn, std::string(reason), ts_ms));
    Intervention* undone = find_mutable(action.inverse_of);
    const auto last = state_.on_topic.find(key);
    const bool stands = undone != nullptr && undone->state == State::rolled_back &&
                        last != state_.on_topic.end() &&
                        last->second == undone->action.action_id;  // nothing has replaced it
    if (stands) {
      done.push_back(move(*undone, State::active,
                          "its undoing was not published: " + std::string(reason), ts_ms));
    }
    return done;
  }
  done.push_back(move(*entry, State::active, "published", ts_ms));
  for (Intervention& other : state_.interventions) {
    if (&other == entry || other.state != State::active || other.action.key() != key) continue;
    if (other.action.revision > action.revision) {  // word of it came first
      done.push_back(move(*entry, State::ended, "replaced by " + other.action.action_id, ts_ms));
      return done;
    }
    done.push_back(move(other, State::ended, "replaced by " + action.action_id, ts_ms));
  }
  state_.on_topic[key] = action.action_id;
  return done;
}

Result<Action> Ledger::roll_back(std::string_view action_id, std::string_view why,
                                 const Issue& issue) {
  Intervention* entry = find_mutable(action_id);
  const std::string id(action_id);
  if (entry == nullptr) return fail(ErrorCode::not_found, "there is no action " + id);
  if (!entry->action.inverse_of.empty()) {
    return fail(ErrorCode::refused, id + " is itself an undoing");
  }
  if (entry->state != State::active) {
    return fail(ErrorCode::refused, id + " is " + std::string(name_of(entry->state)) +
                                        ", only what is active can be rolled back");
  }
  if (entry->action.expires_ts_ms <= issue.ts_ms) {
    return fail(ErrorCode::refused, "the lease of " + id + " is over");
  }
  const std::string key = entry->action.key();
  for (const Intervention& other : state_.interventions) {
    if (other.state == State::approved && other.action.key() == key) {
      return fail(ErrorCode::refused, other.action.action_id + " is about to replace " + id);
    }
  }
  Intervention inverse;
  inverse.option = entry->option;
  inverse.state = State::approved;
  inverse.decided_ts_ms = inverse.changed_ts_ms = issue.ts_ms;
  inverse.why = "undoes " + id + ": " + std::string(why);
  inverse.action = entry->action;
  inverse.action.action_id = make_action_id(seed_, issue.step, "undo " + id);
  inverse.action.decision_id = issue.decision_id;
  inverse.action.inverse_of = id;
  inverse.action.forced = false;
  inverse.action.issued_ts_ms = issue.ts_ms;  // it lasts as long as what it undoes would have
  inverse.action.epoch = issue.epoch;
  inverse.action.revision = next_revision(key);
  inverse.shown_hash = sha256_hex(shown_text(inverse));
  PAYOPS_CHECK(inverse.action.revision > entry->action.revision);
  move(*entry, State::rolled_back, std::string(why), issue.ts_ms);
  Action action = inverse.action;
  enter(std::move(inverse));
  return action;
}

Ticked Ledger::tick(int64_t ts_ms) {
  Ticked ticked;
  std::map<std::string, bool> live;
  for (Intervention& i : state_.interventions) {
    if (i.state == State::proposed && ts_ms > i.answer_by_ts_ms) {
      state_.granted.erase(i.action.action_id);
      ticked.transitions.push_back(move(i, State::rejected, "no answer in time means no", ts_ms));
    } else if (i.state == State::active && ts_ms >= i.action.expires_ts_ms) {
      ticked.transitions.push_back(move(i, State::ended, "its lease expired", ts_ms));
    } else if (i.state == State::approved && ts_ms >= i.action.expires_ts_ms) {
      ticked.transitions.push_back(
          move(i, State::withdrawn, "not known to be published before it expired", ts_ms));
    }
    if (i.state == State::approved || i.state == State::active) live[i.action.key()] = true;
  }
  for (auto it = state_.on_topic.begin(); it != state_.on_topic.end();) {
    if (live.count(it->first) != 0) {
      ++it;
      continue;
    }
    ticked.tombstones.push_back(it->first);
    it = state_.on_topic.erase(it);
  }
  if (!ticked.transitions.empty()) forget_finished();
  return ticked;
}

bool Ledger::note_outcome(std::string_view action_id, const Outcome& outcome) {
  Intervention* entry = find_mutable(action_id);
  if (entry == nullptr) return false;
  entry->outcome = outcome;
  changed(*entry);
  return true;
}

std::vector<const Intervention*> Ledger::in_force(int64_t ts_ms) const {
  std::vector<const Intervention*> found;
  for (const Intervention& i : state_.interventions) {
    if (is_in_force(i, ts_ms)) found.push_back(&i);
  }
  return found;
}

std::vector<const Intervention*> Ledger::waiting() const {
  std::vector<const Intervention*> found;
  for (const Intervention& i : state_.interventions) {
    if (i.state == State::proposed) found.push_back(&i);
  }
  return found;
}

double Ledger::blast_in_force(int64_t ts_ms) const {
  double sum = 0.0;
  for (const Intervention& i : state_.interventions) {
    if (is_in_force(i, ts_ms)) sum += i.option.blast_radius;
  }
  return sum;
}

std::optional<int64_t> Ledger::last_change_ms(std::string_view key) const {
  std::optional<int64_t> last;
  for (const Intervention& i : state_.interventions) {
    if (i.action.key() == key) last = std::max(last.value_or(i.changed_ts_ms), i.changed_ts_ms);
  }
  return last;
}

uint64_t Ledger::entered(State state) const {
  const auto it = state_.entered.find(std::string(name_of(state)));
  return it == state_.entered.end() ? 0 : it->second;
}

std::string Ledger::encode() const { return payops::encode(state_); }

Status Ledger::decode(std::string_view bytes) {
  if (bytes.empty()) {
    state_ = {};
    return {};
  }
  auto state = payops::decode<LedgerState>(bytes);
  if (!state) return tl::make_unexpected(state.error());
  state_ = std::move(*state);
  return {};
}

}  // namespace payops::action
