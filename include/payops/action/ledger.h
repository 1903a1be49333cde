// The ledger of interventions: what was decided, what became of it, and what may be published. The
// one place that moves an intervention from state to state:
//
//   proposed ──▶ approved ──▶ active ──▶ ended            expired, or replaced on its key
//      │  │         │            └─────▶ rolled_back      (back to active if the undo never left)
//      │  │         └──▶ withdrawn                        never published
//      │  └──▶ rejected                                   by a person, or no answer in time
//      └──▶ withdrawn, shadowed                           the gate said so when judging again
//   shadowed                                              decided in shadow mode
//
// A value with invariants, no thread of its own: state and history are a function of the calls.
// Every call takes event time; nothing happens between calls. In a cycle: sent() for what the last
// one published, tick(), answer() and settle(), then roll_back() and decide().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/decision.h"

namespace payops::action {

// The circumstances of a decision.
struct Issue {
  std::string decision_id;
  uint64_t step = 0;
  uint64_t epoch = 0;  // of the lease
  int64_t ts_ms = 0;   // event time
};

// A change of state, for the audit.
struct Transition {
  std::string action_id;
  InterventionState from = InterventionState::proposed;
  InterventionState to = InterventionState::proposed;
  std::string why;
  int64_t ts_ms = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("action_id", &Transition::action_id),
                           field("from", &Transition::from), field("to", &Transition::to),
                           field("why", &Transition::why), field("ts_ms", &Transition::ts_ms));
  }
};

// What became of a person's verdict. `granted`: the yes counts, and the proposal is to be judged
// again with current evidence (settle); `rejected`: the no counts; all others: ignored.
enum class AnswerResult : uint8_t {
  granted,
  rejected,
  not_signed,  // or by none of the known keys
  malformed,   // neither approve nor reject
  unknown,     // no such proposal
  altered,     // not about what was shown
  clock,       // dated too far from when it came in
  expired,     // came too late
  repeated     // already answered
};
struct Answer {
  AnswerResult result = AnswerResult::unknown;
  std::string why;                       // in a sentence
  std::optional<Transition> transition;  // of a rejection
  static constexpr auto fields() {
    return std::make_tuple(field("result", &Answer::result), field("why", &Answer::why),
                           field("transition", &Answer::transition));
  }
};

// What the passing of time did.
struct Ticked {
  std::vector<Transition> transitions;
  std::vector<std::string> tombstones;  // record keys to publish with an empty payload
};

struct LedgerLimits {
  std::size_t finished_max = 1000;  // older finished ones are forgotten
  std::size_t keys_max = 65'536;    // revision counters kept one by one
  // Of a verdict's ts_ms against the moment it came in; 0 = not checked.
  int64_t clock_tolerance_ms = 300'000;
};

// All there is to a ledger.
struct LedgerState {
  std::vector<Intervention> interventions;      // in order of decision
  std::map<std::string, uint64_t> revisions;    // last used, per record key
  uint64_t revision_floor = 0;                  // keys not listed start above it
  std::map<std::string, std::string> on_topic;  // record key -> action_id of its last record
  std::map<std::string, std::string> granted;   // action_id -> who said yes, not yet settled
  std::map<std::string, uint64_t> entered;      // state name -> how often it was entered
  uint64_t forgotten = 0;                       // finished ones no longer listed
  std::string digest;                           // of every change so far, chained
  static constexpr auto fields() {
    return std::make_tuple(
        field("interventions", &LedgerState::interventions),
        field("revisions", &LedgerState::revisions),
        field("revision_floor", &LedgerState::revision_floor),
        field("on_topic", &LedgerState::on_topic), field("granted", &LedgerState::granted),
        field("entered", &LedgerState::entered), field("forgotten", &LedgerState::forgotten),
        field("digest", &LedgerState::digest));
  }
};

// What a person is shown of a proposal, and whose SHA-256 a verdict is bound to: one fact a line,
// control characters escaped, so that no name can forge a line. A function of what was decided
// only: it does not change with the intervention's state.
[[nodiscard]] std::string shown_text(const Intervention& intervention);

class Ledger {
 public:
  // The seed goes into action ids only.
  explicit Ledger(uint64_t seed = 0, LedgerLimits limits = {});

  // Enters what the gate let through: allow → approved, to be published; needs_approval → proposed,
  // answer due approval_timeout_ms later; shadow → shadowed. The reference is good until the next
  // change. REQUIRES: the outcome is not refuse, the type not no_action, the option valid
  // (strength within [0, 1], duration_s finite), and not the same option twice in one step.
  const Intervention& decide(const Option& option, const GateVerdict& verdict, const Issue& issue,
                             bool forced, int64_t approval_timeout_ms);

  // A verdict on a proposal, which came in at received_ts_ms by the clock of the process: the clock
  // that people date by too, while ts_ms is event time and may lie far behind it. At most one
  // answer counts; see AnswerResult.
  [[nodiscard]] Answer answer(const Verdict& verdict, bool signature_ok, int64_t ts_ms,
                              int64_t received_ts_ms);
  // Enters how a granted proposal was judged again: allow or needs_approval → approved, its lease
  // counted from now; shadow → shadowed; refuse → withdrawn. REQUIRES: granted.
  Transition settle(std::string_view action_id, const GateVerdict& verdict, const Issue& issue);
  // Proposals with a yes that are not settled yet, in order of decision.
  [[nodiscard]] std::vector<std::string> to_settle() const;

  // What became of an approved action's message: → active or withdrawn. An action published on a
  // key ends its predecessor there. A result for anything else changes nothing.
  [[nodiscard]] std::vector<Transition> sent(std::string_view action_id, bool published,
                                             std::string_view reason, int64_t ts_ms);

  // Undoes an active intervention: it is rolled_back, and the inverse, itself an entry of the
  // ledger, is to be published under the next revision of the key. Errors: not_found; refused when
  // it is not active, its lease is over, or another is about to replace it.
  [[nodiscard]] Result<Action> roll_back(std::string_view action_id, std::string_view why,
                                         const Issue& issue);

  // Proposals without an answer in time are rejected, leases past their end are ended, and keys
  // whose last record is over are to be tombstoned.
  [[nodiscard]] Ticked tick(int64_t ts_ms);

  // Notes what is known of the outcome; the state stays. False when the action is not listed.
  bool note_outcome(std::string_view action_id, const Outcome& outcome);

  [[nodiscard]] const std::vector<Intervention>& all() const { return state_.interventions; }
  [[nodiscard]] const Intervention* find(std::string_view action_id) const;  // null: not listed
  // Approved or active and not expired, inverses aside, in order of decision.
  [[nodiscard]] std::vector<const Intervention*> in_force(int64_t ts_ms) const;
  [[nodiscard]] std::vector<const Intervention*> waiting() const;  // proposals
  // Sum of blast radius over what is in force.
  [[nodiscard]] double blast_in_force(int64_t ts_ms) const;
  // When anything on the record key last changed state.
  [[nodiscard]] std::optional<int64_t> last_change_ms(std::string_view key) const;

  // How often a state was entered since the ledger began, forgotten ones included.
  [[nodiscard]] uint64_t entered(InterventionState state) const;
  // Changes with every change of the ledger; its cost follows what changed.
  [[nodiscard]] const std::string& digest() const { return state_.digest; }
  [[nodiscard]] const LedgerState& state() const { return state_; }
  [[nodiscard]] std::string encode() const;
  // Replaces the state; "" is the empty ledger. Errors: corrupt, and the state is kept.
  [[nodiscard]] Status decode(std::string_view bytes);

 private:
  Intervention* find_mutable(std::string_view action_id);
  [[nodiscard]] uint64_t next_revision(const std::string& key);
  void enter(Intervention entry);
  Transition move(Intervention& entry, InterventionState to, std::string why, int64_t ts_ms);
  void approve(Intervention& entry, const Issue& issue);
  void changed(const Intervention& entry);
  void forget_finished();

  uint64_t seed_;
  LedgerLimits limits_;
  LedgerState state_;
};

}  // namespace payops::action

namespace payops {
template <>
inline constexpr EnumNames<9> enum_names<action::AnswerResult>{
    "granted", "rejected", "not_signed", "malformed", "unknown",
    "altered", "clock",    "expired",    "repeated"};
}  // namespace payops
