#include <utility>

#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/runtime/step.h"

namespace payops {
namespace {

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

OutboxEntry checkpoint_entry(const Checkpoint& checkpoint) {
  return {
      .id = "checkpoint-" + std::to_string(checkpoint.seq) + "-" + checkpoint.hash.substr(0, 16),
      .topic = "decisions",
      .key = std::string(kCheckpointKey),
      .payload = dump(to_json(checkpoint))};
}

bool is_checkpoint(const OutboxEntry& entry) {
  return entry.key == kCheckpointKey && entry.topic == "decisions";
}

}  // namespace

Stepper::Stepper(Reducer& reducer, Store& store, StepFiles& files, Outbox& outbox,
                 PublishGuard guard, StepperOptions options)
    : reducer_(reducer),
      store_(store),
      files_(files),
      outbox_(outbox),
      guard_(std::move(guard)),
      options_(std::move(options)) {
  PAYOPS_CHECK(options_.snapshot_every_ms > 0 && options_.snapshot_every_steps > 0);
}

Status Stepper::recover() {
  pending_.reset();
  recovered_ = false;
  auto stored = store_.load();
  if (!stored) return tl::make_unexpected(stored.error());
  if (const Status files = files_.recover(stored->record); !files) return files;
  if (const Status state = rebuild(*stored); !state) return state;
  step_ = stored->step;
  ts_ms_ = stored->ts_ms;
  snapshot_step_ = stored->snapshot_step;
  cursors_ = std::move(stored->cursors);
  if (stored->record) checkpoint_ = stored->record->checkpoint;
  results_.clear();
  settled_.clear();
  recovered_ = true;
  if (stored->outbox.empty()) return {};
  // Whether the entries went out before the crash is not known: `tried`.
  Pending drain{.commit = {}, .stage = Stage::publish, .tried = true};
  drain.commit.outbox = std::move(stored->outbox);
  pending_ = std::move(drain);
  return advance();
}

Status Stepper::rebuild(const Stored& stored) {
  if (const Status restored = reducer_.restore(stored.snapshot); !restored) return restored;
  uint64_t step = stored.snapshot_step;
  for (const StoredBlock& block : stored.blocks) {
    ++step;
    const auto output = reducer_.apply(block.block);
    if (!output) {
      return fail(ErrorCode::corrupt,
                  "step " + std::to_string(step) +
                      " cannot be recomputed from its recorded input: " + output.error().message);
    }
    if (output->digest != block.digest) {
      return fail(ErrorCode::corrupt,
                  "step " + std::to_string(step) + " recomputed from its recorded input gives " +
                      "digest " + output->digest + ", recorded is " + block.digest +
                      ": start with the build and config that wrote this state and stop it " +
                      "cleanly once, or begin with an empty state directory");
    }
  }
  PAYOPS_CHECK(step == stored.step);
  return {};
}

bool Stepper::snapshot_due(int64_t ts_ms) const {
  if (snapshot_requested_) return true;
  if (step_ + 1 - snapshot_step_ >= options_.snapshot_every_steps) return true;
  const int64_t span = options_.snapshot_every_ms;
  return step_ > 0 && floor_div(ts_ms, span) > floor_div(ts_ms_, span);
}

StepCommit Stepper::assemble(std::string block, StepOutput output, std::vector<Cursor> cursors) {
  StepCommit commit;
  StepRecord& record = commit.record;
  record.step = step_ + 1;
  record.place = files_.place(block, output.ts_ms);
  std::optional<SnapshotMark> mark;
  if (snapshot_due(output.ts_ms)) {
    commit.snapshot = reducer_.snapshot();
    mark = SnapshotMark{.step = record.step, .sha256 = sha256_hex(*commit.snapshot)};
  }
  const StepHead head{.step = record.step,
                      .inputs = record.place.inputs_file,
                      .offset = record.place.offset,
                      .length = record.place.packed.size(),
                      .sha256 = record.place.sha256,
                      .digest = output.digest,
                      .outbox = outbox_digest(output.outbox),
                      .cursors = cursors};
  Checkpoint& at = record.checkpoint;
  at = checkpoint_;
  for (const AuditRecord& line : step_records(head, output, mark)) {
    record.audit_lines.push_back(chain_line(line, ++at.seq, at.hash));
    at.hash = std::string(line_hash(record.audit_lines.back()));
    at.ts_ms = line.ts_ms;
  }
  at.sig = options_.sign(at.hash);
  commit.ts_ms = output.ts_ms;
  commit.block = std::move(block);
  commit.digest = std::move(output.digest);
  commit.cursors = std::move(cursors);
  commit.outbox = std::move(output.outbox);
  commit.outbox.push_back(checkpoint_entry(at));
  commit.settled = settled_;
  return commit;
}

Status Stepper::take(std::string block, StepOutput output, std::vector<Cursor> cursors) {
  PAYOPS_CHECK(recovered_ && !pending_);
  for (const AuditRecord& record : output.audit) {
    if (const Status fits = check_record(record); !fits) return fits;
    if (record.kind == "step" || record.kind == "snapshot") {
      return fail(ErrorCode::internal,
                  "audit record \"" + record.kind + "\": the stepper writes these lines itself");
    }
  }
  options_.at_point(StepPoint::applied);
  pending_ = Pending{.commit = assemble(std::move(block), std::move(output), std::move(cursors))};
  return advance();
}

Status Stepper::retry() {
  PAYOPS_CHECK(pending_);
  return advance();
}

Status Stepper::advance() {
  StepCommit& commit = pending_->commit;
  if (pending_->stage == Stage::commit) {
    if (const Status committed = store_.commit(commit); !committed) return committed;
    pending_->stage = Stage::files;
    step_ = commit.record.step;
    ts_ms_ = commit.ts_ms;
    checkpoint_ = commit.record.checkpoint;
    cursors_ = commit.cursors;
    results_.clear();
    settled_.clear();
    if (commit.snapshot) {
      snapshot_step_ = step_;
      snapshot_requested_ = false;
    }
    options_.at_point(StepPoint::committed);
  }
  if (pending_->stage == Stage::files) {
    if (const Status appended = files_.append(commit.record); !appended) return appended;
    pending_->stage = Stage::publish;
    options_.at_point(StepPoint::files_synced);
  }
  if (const Status published = publish(); !published) return published;
  options_.at_point(StepPoint::published);
  pending_.reset();
  return {};
}

std::string Stepper::withdrawal(const OutboxEntry& entry, bool killed, int64_t now_ms) const {
  if (entry.guarded && killed) return "kill switch";
  if (entry.not_after_ms != 0 && now_ms > entry.not_after_ms) return "deadline passed";
  return "";
}

Status Stepper::publish() {
  const std::vector<OutboxEntry>& entries = pending_->commit.outbox;
  if (entries.empty()) return {};
  if (!guard_.holds_lease()) {
    return fail_retryable(ErrorCode::unavailable,
                          "the lease is not held: what is committed goes out once it is again");
  }
  const bool killed = guard_.killed();
  const int64_t now_ms = guard_.event_now_ms();
  std::vector<OutboxEntry> due;
  std::vector<SendResult> results;
  std::vector<std::string> settled;
  for (const OutboxEntry& entry : entries) {
    const std::string reason = withdrawal(entry, killed, now_ms);
    if (reason.empty()) due.push_back(entry);
    settled.push_back(entry.id);
    if (is_checkpoint(entry)) continue;
    results.push_back({.id = entry.id,
                       .published = reason.empty(),
                       .reason = reason,
                       .uncertain = !reason.empty() && pending_->tried});
  }
  if (!due.empty()) {
    if (const Status published = outbox_.publish(due); !published) {
      pending_->tried = true;
      return published;
    }
  }
  results_ = std::move(results);
  settled_ = std::move(settled);
  return {};
}

}  // namespace payops
