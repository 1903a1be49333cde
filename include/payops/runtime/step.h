// The step protocol: what one commit covers, the ports it goes through, and the driver that keeps
// the order. Shared by every agent, and by simulation on in-memory ports.
//
// One step, in order:
//   1. the agent (a pure reducer) turns an input block into audit records, outbox entries, digest;
//   2. Store::commit: one synced batch {block, cursors, audit lines, outbox, sent marks, snapshot};
//   3. StepFiles::append: inputs file, audit file and checkpoint written from it, synced;
//   4. for every outbox entry: kill switch and deadline are checked again, then it is published in
//      order, or withdrawn with the reason; without the lease all of them wait for it;
//   5. the results are handed to the agent as part of the next step's input, where they become
//      audit lines `published` / `withdrawn`, and the entries are forgotten by that commit.
// A crash between any two of these repeats or withdraws outbox entries and loses nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/runtime/audit_line.h"

namespace payops {

// A message to publish. The id is deterministic, so a repeat after a crash has the same bytes.
struct OutboxEntry {
  std::string id{};
  std::string topic{};  // logical name: "actions", "decisions", "alerts", "dead-letters"
  std::string key{};
  std::string payload{};     // empty = tombstone
  int64_t not_after_ms = 0;  // event time; withdrawn when later; 0 = no deadline
  bool guarded = false;      // an action: the kill switch withdraws it
  bool operator==(const OutboxEntry&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("id", &OutboxEntry::id), field("topic", &OutboxEntry::topic),
                           field("key", &OutboxEntry::key), field("payload", &OutboxEntry::payload),
                           field("not_after_ms", &OutboxEntry::not_after_ms),
                           field("guarded", &OutboxEntry::guarded));
  }
};

// What became of an outbox entry; input of the next step.
struct SendResult {
  std::string id{};
  bool published = false;
  std::string reason{};  // of a withdrawal: "kill switch", "deadline passed"
  // Withdrawn after a crash or a failed try: an earlier try may have reached the broker all the
  // same, so an agent that must be sure publishes the inverse or a tombstone.
  bool uncertain = false;
  bool operator==(const SendResult&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("id", &SendResult::id), field("published", &SendResult::published),
                           field("reason", &SendResult::reason),
                           field("uncertain", &SendResult::uncertain));
  }
};

// Where reading stands in one partition. On restart reading begins at replay_from; what lies
// before seen_to has been counted once and is counted again only into buckets still open.
struct Cursor {
  std::string topic_id{};  // cluster id / topic id (or name where the broker gives none)
  int32_t partition = 0;
  int64_t replay_from = 0;
  int64_t seen_to = 0;
  std::optional<int64_t> high_ms{};  // event time that the partition has reached, if any is trusted
  std::vector<int64_t> doubts_ms{};  // event times since then, not trusted yet
  bool operator==(const Cursor&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(
        field("topic_id", &Cursor::topic_id), field("partition", &Cursor::partition),
        field("replay_from", &Cursor::replay_from), field("seen_to", &Cursor::seen_to),
        field("high_ms", &Cursor::high_ms), field("doubts_ms", &Cursor::doubts_ms));
  }
};

// What an agent makes of one input block.
struct StepOutput {
  std::vector<AuditRecord> audit{};
  std::vector<OutboxEntry> outbox{};
  std::string digest{};  // of the state after the step and of the block that led to it
  int64_t ts_ms = 0;     // event time of the step
  std::string build{};   // the program that the block says recorded it, where it says so
};

// An agent as a pure function of its inputs.
class Reducer {
 public:
  virtual ~Reducer() = default;
  // Applies one input block (the bytes that the agent's own input side encoded). Other bytes give
  // another digest or an error, whether or not the decision looks at them. Errors: corrupt.
  [[nodiscard]] virtual Result<StepOutput> apply(std::string_view block) = 0;
  // The whole state as bytes, and back; restore("") resets to the empty state.
  [[nodiscard]] virtual std::string snapshot() const = 0;
  [[nodiscard]] virtual Status restore(std::string_view snapshot) = 0;
};

// The body of a step's first audit line, kind "step": which bytes went in and what came out.
struct StepHead {
  uint64_t step = 0;     // 1, 2, …
  std::string inputs{};  // the inputs file that holds the block, and where in it
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string sha256{};  // of those `length` bytes
  std::string digest{};  // of the state after the step
  std::string outbox{};  // SHA-256 of the outbox entries as encoded; empty without any
  std::vector<Cursor> cursors{};
  static constexpr auto fields() {
    return std::make_tuple(field("step", &StepHead::step), field("inputs", &StepHead::inputs),
                           field("offset", &StepHead::offset), field("length", &StepHead::length),
                           field("sha256", &StepHead::sha256), field("digest", &StepHead::digest),
                           field("outbox", &StepHead::outbox),
                           field("cursors", &StepHead::cursors));
  }
};

// The body of a "snapshot" line, the last one of its step.
struct SnapshotMark {
  uint64_t step = 0;
  std::string sha256{};  // of the state's bytes after the step
  static constexpr auto fields() {
    return std::make_tuple(field("step", &SnapshotMark::step),
                           field("sha256", &SnapshotMark::sha256));
  }
};

// The records a step leaves, in order: its head, the agent's own, the snapshot's mark. Replay makes
// them again from the recorded input and compares.
[[nodiscard]] std::vector<AuditRecord> step_records(const StepHead& head, const StepOutput& output,
                                                    const std::optional<SnapshotMark>& snapshot);
// What StepHead::outbox holds for these entries.
[[nodiscard]] std::string outbox_digest(const std::vector<OutboxEntry>& outbox);
// Back from a "step" or "snapshot" line's body. Errors: corrupt.
[[nodiscard]] Result<StepHead> parse_step_head(std::string_view body);
[[nodiscard]] Result<SnapshotMark> parse_snapshot_mark(std::string_view body);

// Where a step's block and lines lie in the files, decided before anything is written so that the
// step's audit line can name it.
struct StepPlace {
  std::string inputs_file{};
  uint64_t offset = 0;
  std::string packed{};  // the block as it lies there
  std::string sha256{};  // of `packed`
  std::string audit_file{};
  uint64_t audit_offset = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("inputs_file", &StepPlace::inputs_file),
                           field("offset", &StepPlace::offset), field("packed", &StepPlace::packed),
                           field("sha256", &StepPlace::sha256),
                           field("audit_file", &StepPlace::audit_file),
                           field("audit_offset", &StepPlace::audit_offset));
  }
};

// What a step leaves in the files. The store keeps the last one, so that files torn by a crash are
// written again from it.
struct StepRecord {
  uint64_t step = 0;
  StepPlace place{};
  std::vector<std::string> audit_lines{};  // final, chained, without newline; never empty
  Checkpoint checkpoint{};                 // of the last line
  static constexpr auto fields() {
    return std::make_tuple(field("step", &StepRecord::step), field("place", &StepRecord::place),
                           field("audit_lines", &StepRecord::audit_lines),
                           field("checkpoint", &StepRecord::checkpoint));
  }
};

// What is committed together.
struct StepCommit {
  StepRecord record{};
  int64_t ts_ms = 0;
  std::string block{};
  std::string digest{};
  std::vector<Cursor> cursors{};
  std::vector<OutboxEntry> outbox{};
  std::vector<std::string> settled{};  // ids of outbox entries whose result this step has recorded
  std::optional<std::string> snapshot{};
};

struct StoredBlock {
  std::string block{};
  std::string digest{};  // of the state after it
};

// What a state directory holds. The steps' records end at `record`.
struct Stored {
  uint64_t step = 0;  // 0 = nothing committed yet
  int64_t ts_ms = 0;
  std::string digest{};
  std::vector<Cursor> cursors{};
  std::vector<OutboxEntry> outbox{};  // committed and not settled, in order
  uint64_t snapshot_step = 0;
  std::string snapshot{};              // state after snapshot_step; empty with snapshot_step 0
  std::vector<StoredBlock> blocks{};   // of steps snapshot_step + 1 … step
  std::optional<StepRecord> record{};  // of `step`
};

class Store {
 public:
  virtual ~Store() = default;
  // Errors: corrupt; limit when written by a newer schema version.
  [[nodiscard]] virtual Result<Stored> load() = 0;
  // Synced when it returns. Errors: unavailable (disk full, fsync failed), retryable: the same
  // commit may be tried again, whether or not it became durable.
  [[nodiscard]] virtual Status commit(const StepCommit& commit) = 0;
};

// The inputs and audit files. They follow the store: after a crash, what it holds and they lack is
// written again, and a torn tail is cut.
class StepFiles {
 public:
  virtual ~StepFiles() = default;
  // Brings the files to the end of `last`, the last committed step's record. Called before the
  // first step; may be called again. Errors: unavailable, retryable; corrupt when files and store
  // do not belong together.
  [[nodiscard]] virtual Status recover(const std::optional<StepRecord>& last) = 0;
  // Where the next step's block and lines will lie. REQUIRES: recover() succeeded.
  [[nodiscard]] virtual StepPlace place(std::string_view block, int64_t ts_ms) = 0;
  // Appends block and lines, writes the checkpoint, syncs. Idempotent for the same record. Errors:
  // unavailable, retryable.
  [[nodiscard]] virtual Status append(const StepRecord& record) = 0;
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  // Publishes all of them, in order and atomically where the broker can. Errors: unavailable,
  // retryable; refused when fenced (another decider has taken over).
  [[nodiscard]] virtual Status publish(const std::vector<OutboxEntry>& entries) = 0;
};

// Asked again right before publishing. Where the lease is not held nothing is decided about the
// entries: the step stays pending, and what it had committed goes out, or is withdrawn for its own
// reasons, when the lease is held again.
struct PublishGuard {
  std::function<bool()> killed = [] { return false; };
  std::function<bool()> holds_lease = [] { return true; };
  std::function<int64_t()> event_now_ms = [] { return int64_t{0}; };
};

// Named points between the parts of a step, for tests that kill the process there.
enum class StepPoint { applied, committed, files_synced, published };
template <>
inline constexpr EnumNames<4> enum_names<StepPoint>{"applied", "committed", "files_synced",
                                                    "published"};

struct StepperOptions {
  int64_t snapshot_every_ms = 300'000;   // event time: a snapshot when it enters the next such span
  uint64_t snapshot_every_steps = 1024;  // and at the latest after so many steps
  std::function<void(StepPoint)> at_point = [](StepPoint) {};
  // Ed25519 over the text, in hexadecimal; empty = unsigned.
  std::function<std::string(std::string_view hash_hex)> sign = [](std::string_view) {
    return std::string();
  };
};

// The key of the checkpoint that every step publishes on the logical topic "decisions"; its payload
// is the Checkpoint as JSON. Its results are the Stepper's own and not among results().
inline constexpr std::string_view kCheckpointKey = "checkpoint";

// Drives the protocol. One thread. To drop a pending step (the lease is lost), destroy the Stepper
// and recover() with a new one on the same ports.
class Stepper {
 public:
  Stepper(Reducer& reducer, Store& store, StepFiles& files, Outbox& outbox, PublishGuard guard,
          StepperOptions options);

  // Loads the store, brings the files up to date, rebuilds the reducer's state (snapshot, then
  // blocks, comparing digests), drains or withdraws the outbox. Call before the first step. After a
  // retryable error call it again, or retry() if pending(). Errors: as the ports'; corrupt when a
  // block no longer gives the recorded digest, naming the step.
  [[nodiscard]] Status recover();

  // Cursors as of the last commit.
  [[nodiscard]] const std::vector<Cursor>& cursors() const { return cursors_; }
  // Results of the last publishing (or of recover()), to be put into the next block.
  [[nodiscard]] const std::vector<SendResult>& results() const { return results_; }
  // The last committed step, its event time, and the checkpoint of its last line.
  [[nodiscard]] uint64_t step() const { return step_; }
  [[nodiscard]] int64_t ts_ms() const { return ts_ms_; }
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }

  // Takes one step: `output` is what the reducer gave for `block`, and the block holds results().
  // On a retryable error, the lease not held among them, nothing is lost: call retry() until it
  // succeeds. REQUIRES: recover()
  // succeeded, no step is pending. Errors: as the ports'; internal for a record that cannot become
  // a line.
  [[nodiscard]] Status take(std::string block, StepOutput output, std::vector<Cursor> cursors);
  // Goes on with the pending step where it failed.
  [[nodiscard]] Status retry();
  [[nodiscard]] bool pending() const { return pending_.has_value(); }
  // The pending step is in store and files; only its messages have not gone out. recover() of a
  // later process sends them.
  [[nodiscard]] bool unsent() const { return pending_ && pending_->stage == Stage::publish; }
  // The next step carries a snapshot: before a planned stop, so that another build or config can
  // start from it without recomputing steps that it would decide differently. (A clean stop is a
  // last step with the results so far; without it the last outbox is published again at the start.)
  void request_snapshot() { snapshot_requested_ = true; }

 private:
  enum class Stage { commit, files, publish };
  struct Pending {
    StepCommit commit;
    Stage stage = Stage::commit;
    bool tried = false;  // a publish of it may have reached the broker
  };
  [[nodiscard]] Status rebuild(const Stored& stored);
  [[nodiscard]] StepCommit assemble(std::string block, StepOutput output,
                                    std::vector<Cursor> cursors);
  [[nodiscard]] bool snapshot_due(int64_t ts_ms) const;
  [[nodiscard]] Status advance();
  [[nodiscard]] Status publish();
  [[nodiscard]] std::string withdrawal(const OutboxEntry& entry, bool killed, int64_t now_ms) const;

  Reducer& reducer_;
  Store& store_;
  StepFiles& files_;
  Outbox& outbox_;
  PublishGuard guard_;
  StepperOptions options_;
  std::optional<Pending> pending_;
  bool recovered_ = false;
  bool snapshot_requested_ = false;
  uint64_t step_ = 0;
  int64_t ts_ms_ = 0;
  uint64_t snapshot_step_ = 0;
  Checkpoint checkpoint_{.hash = std::string(kNoHash)};
  std::vector<Cursor> cursors_;
  std::vector<SendResult> results_;   // of the agent's entries
  std::vector<std::string> settled_;  // ids of all entries of the last publishing
};

}  // namespace payops
