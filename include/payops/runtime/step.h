// The step protocol: what one commit covers, the ports it goes through, and the driver that keeps
// the order. Shared by every agent, and by simulation on in-memory ports.
//
// One step, in order:
//   1. the agent (a pure reducer) turns an input block into audit records, outbox entries, digest;
//   2. Store::commit: one synced batch {block, cursors, audit lines, outbox, sent marks, snapshot};
//   3. StepFiles::bring_up_to_date: inputs file, audit file and checkpoint written from it, synced;
//   4. for every outbox entry: kill switch, deadline and lease are checked again, then it is
//      published in order, or withdrawn with the reason;
//   5. the results are handed to the agent as part of the next step's input, where they become
//      audit lines `published` / `withdrawn`, and the entries are forgotten by that commit.
// A crash between any two of these repeats or withdraws outbox entries and loses nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/clock.h"
#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops {

// A line of the audit log before it is numbered and chained. `body` is the inside of a JSON
// object, without the braces: "\"decision_id\":\"dec-…\",…".
struct AuditRecord {
  std::string kind;
  int64_t ts_ms = 0;  // event time
  std::string body;
  static constexpr auto fields() {
    return std::make_tuple(field("kind", &AuditRecord::kind), field("ts_ms", &AuditRecord::ts_ms),
                           field("body", &AuditRecord::body));
  }
};

// A message to publish. The id is deterministic, so a repeat after a crash has the same bytes.
struct OutboxEntry {
  std::string id;
  std::string topic;  // logical name: "actions", "decisions", "alerts", "dead-letters"
  std::string key;
  std::string payload;          // empty = tombstone
  int64_t not_after_ms = 0;     // event time; withdrawn when later; 0 = no deadline
  bool guarded = false;         // an action: the kill switch withdraws it
  static constexpr auto fields() {
    return std::make_tuple(field("id", &OutboxEntry::id), field("topic", &OutboxEntry::topic),
                           field("key", &OutboxEntry::key),
                           field("payload", &OutboxEntry::payload),
                           field("not_after_ms", &OutboxEntry::not_after_ms),
                           field("guarded", &OutboxEntry::guarded));
  }
};

// What became of an outbox entry; input of the next step.
struct SendResult {
  std::string id;
  bool published = false;
  std::string reason;  // of a withdrawal
  static constexpr auto fields() {
    return std::make_tuple(field("id", &SendResult::id), field("published", &SendResult::published),
                           field("reason", &SendResult::reason));
  }
};

// Where reading stands in one partition. On restart reading begins at replay_from; what lies
// before seen_to has been counted once and is counted again only into buckets still open.
struct Cursor {
  std::string topic_id;  // cluster id / topic id (or name where the broker gives none)
  int32_t partition = 0;
  int64_t replay_from = 0;
  int64_t seen_to = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("topic_id", &Cursor::topic_id),
                           field("partition", &Cursor::partition),
                           field("replay_from", &Cursor::replay_from),
                           field("seen_to", &Cursor::seen_to));
  }
};

// What an agent makes of one input block.
struct StepOutput {
  std::vector<AuditRecord> audit;
  std::vector<OutboxEntry> outbox;
  std::string digest;  // of the state after the step
  int64_t ts_ms = 0;   // event time of the step
};

// An agent as a pure function of its inputs.
class Reducer {
 public:
  virtual ~Reducer() = default;
  // Applies one input block (the bytes that the agent's own input side encoded). Errors: corrupt.
  [[nodiscard]] virtual Result<StepOutput> apply(std::string_view block) = 0;
  // The whole state as bytes, and back; restore("") resets to the empty state.
  [[nodiscard]] virtual std::string snapshot() const = 0;
  [[nodiscard]] virtual Status restore(std::string_view snapshot) = 0;
};

// What is committed together.
struct StepCommit {
  uint64_t step = 0;  // 1, 2, …
  int64_t ts_ms = 0;
  std::string block;
  std::vector<std::string> audit_lines;  // final, chained, without newline
  uint64_t audit_seq = 0;                // of the last line
  std::string audit_hash;                // of the last line
  std::string digest;
  std::vector<Cursor> cursors;
  std::vector<OutboxEntry> outbox;
  std::vector<std::string> settled;  // ids of outbox entries whose result this step has recorded
  std::optional<std::string> snapshot;
};

// What a state directory holds.
struct Stored {
  uint64_t step = 0;  // 0 = nothing committed yet
  int64_t ts_ms = 0;
  uint64_t audit_seq = 0;
  std::string audit_hash;
  std::string digest;
  std::vector<Cursor> cursors;
  std::vector<OutboxEntry> outbox;   // committed and not settled, in order
  uint64_t snapshot_step = 0;
  std::string snapshot;              // state after snapshot_step; empty with snapshot_step 0
  std::vector<std::string> blocks;   // of steps snapshot_step + 1 … step
};

class Store {
 public:
  virtual ~Store() = default;
  // Errors: corrupt; limit when written by a newer schema version.
  [[nodiscard]] virtual Result<Stored> load() = 0;
  // Synced when it returns. Errors: unavailable (disk full, fsync failed), retryable: the same
  // commit may be tried again.
  [[nodiscard]] virtual Status commit(const StepCommit& commit) = 0;
};

// Where a block lies in the inputs file, named in the step's audit line before it is written.
struct BlockPlace {
  std::string file;
  uint64_t offset = 0;
  uint64_t length = 0;  // compressed bytes
  std::string sha256;   // of the compressed bytes, hex
};

// The inputs and audit files. They follow the store: after a crash, what it holds and they lack is
// written again, and a torn tail is cut.
class StepFiles {
 public:
  virtual ~StepFiles() = default;
  // Brings the files to the end of what the store committed. Called once before the first step.
  [[nodiscard]] virtual Status recover() = 0;
  // Where `block` will lie when it is appended next.
  [[nodiscard]] virtual BlockPlace place(std::string_view block, int64_t ts_ms) = 0;
  // Appends the commit's block and audit lines, writes the checkpoint, syncs. Idempotent for the
  // same commit. Errors: unavailable, retryable.
  [[nodiscard]] virtual Status append(const StepCommit& commit) = 0;
};

class Outbox {
 public:
  virtual ~Outbox() = default;
  // Publishes all of them, in order and atomically where the broker can. Errors: unavailable,
  // retryable; refused when fenced (another decider has taken over).
  [[nodiscard]] virtual Status publish(const std::vector<OutboxEntry>& entries) = 0;
};

// Asked again right before publishing.
struct PublishGuard {
  std::function<bool()> killed = [] { return false; };
  std::function<bool()> holds_lease = [] { return true; };
  std::function<int64_t()> event_now_ms = [] { return int64_t{0}; };
};

// Named points between the parts of a step, for tests that kill the process there.
enum class StepPoint { applied, committed, files_synced, published };

struct StepperOptions {
  int64_t snapshot_every_ms = 300'000;  // event time
  std::function<void(StepPoint)> at_point = [](StepPoint) {};
  std::function<std::string(std::string_view hash_hex)> sign = [](std::string_view) { return std::string(); };
};

// Drives the protocol. One thread.
class Stepper {
 public:
  Stepper(Reducer& reducer, Store& store, StepFiles& files, Outbox& outbox, PublishGuard guard,
          StepperOptions options);

  // Loads the store, brings the files up to date, rebuilds the reducer's state (snapshot, then
  // blocks, comparing digests), drains or withdraws the outbox. Call once, before the first step.
  [[nodiscard]] Status recover();

  // Cursors as of the last commit.
  [[nodiscard]] const std::vector<Cursor>& cursors() const { return cursors_; }
  // Results of the last publishing (or of recover()), to be put into the next block.
  [[nodiscard]] const std::vector<SendResult>& results() const { return results_; }
  [[nodiscard]] uint64_t step() const { return step_; }

  // Takes one step: `output` is what the reducer gave for `block`. On a retryable error nothing is
  // lost: call retry() until it succeeds. REQUIRES: recover() succeeded, no step is pending.
  [[nodiscard]] Status take(std::string block, StepOutput output, std::vector<Cursor> cursors);
  // Goes on with the pending step where it failed.
  [[nodiscard]] Status retry();
  [[nodiscard]] bool pending() const { return pending_.has_value(); }

 private:
  struct Pending {
    StepCommit commit;
    int stage = 0;  // 0 commit, 1 files, 2 publish
  };
  [[nodiscard]] StepCommit assemble(std::string block, StepOutput output,
                                    std::vector<Cursor> cursors);
  [[nodiscard]] Status advance();
  [[nodiscard]] Status publish(const std::vector<OutboxEntry>& entries);

  Reducer& reducer_;
  Store& store_;
  StepFiles& files_;
  Outbox& outbox_;
  PublishGuard guard_;
  StepperOptions options_;
  std::optional<Pending> pending_;
  std::vector<Cursor> cursors_;
  std::vector<SendResult> results_;
  uint64_t step_ = 0;
  uint64_t audit_seq_ = 0;
  std::string audit_hash_;
  int64_t snapshot_ts_ms_ = 0;
};

// Chains a record: the finished line, without newline, whose last 75 bytes are
// ,"hash":"<64 hex>"}.
[[nodiscard]] std::string chain_line(const AuditRecord& record, uint64_t seq,
                                     std::string_view previous_hash);
// The hash at the end of a finished line. REQUIRES: line.size() > 75.
[[nodiscard]] std::string_view line_hash(std::string_view line);

inline constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

}  // namespace payops
