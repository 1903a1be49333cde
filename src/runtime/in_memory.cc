#include "payops/runtime/in_memory.h"

#include <algorithm>

#include "payops/core/check.h"
#include "payops/core/digest.h"

namespace payops {

Status Faults::run(const char* what, const std::function<void()>& effect) {
  if (before_ > 0) {
    --before_;
    return fail_retryable(ErrorCode::unavailable, std::string(what) + " failed, as asked");
  }
  effect();
  if (after_ > 0) {
    --after_;
    return fail_retryable(ErrorCode::unavailable, std::string(what) + " done but not confirmed");
  }
  return {};
}

Status InMemoryStore::commit(const StepCommit& commit) {
  return faults.run("commit", [&] {
    const uint64_t step = commit.record.step;
    if (step == stored_.step) return;  // a repeat of the last one
    PAYOPS_CHECK(step == stored_.step + 1);
    stored_.step = step;
    stored_.ts_ms = commit.ts_ms;
    stored_.digest = commit.digest;
    stored_.cursors = commit.cursors;
    stored_.record = commit.record;
    std::erase_if(stored_.outbox, [&](const OutboxEntry& entry) {
      return std::find(commit.settled.begin(), commit.settled.end(), entry.id) !=
             commit.settled.end();
    });
    stored_.outbox.insert(stored_.outbox.end(), commit.outbox.begin(), commit.outbox.end());
    if (commit.snapshot) {
      stored_.snapshot_step = step;
      stored_.snapshot = *commit.snapshot;
      stored_.blocks.clear();
    } else {
      stored_.blocks.push_back({.block = commit.block, .digest = commit.digest});
    }
  });
}

Status InMemoryFiles::recover(const std::optional<StepRecord>& last) {
  if (last && last->step >= step_) write(*last);
  return {};
}

StepPlace InMemoryFiles::place(std::string_view block, int64_t /*ts_ms*/) {
  return {.inputs_file = "inputs-memory",
          .offset = inputs_end_,
          .packed = std::string(block),
          .sha256 = sha256_hex(block),
          .audit_file = "audit-memory",
          .audit_offset = audit_end_};
}

Status InMemoryFiles::append(const StepRecord& record) {
  return faults.run("append", [&] { write(record); });
}

void InMemoryFiles::write(const StepRecord& record) {
  inputs_end_ = record.place.offset + record.place.packed.size();
  audit_end_ = record.place.audit_offset + record.audit_lines.size();
  step_ = record.step;
  checkpoint_ = record.checkpoint;
  if (!keep_) return;
  PAYOPS_CHECK(record.place.audit_offset <= lines_.size() && record.step <= blocks_.size() + 1);
  lines_.resize(record.place.audit_offset);
  lines_.insert(lines_.end(), record.audit_lines.begin(), record.audit_lines.end());
  blocks_.resize(record.step - 1);
  blocks_.push_back(record.place.packed);
}

void InMemoryFiles::tear_tail() {
  if (lines_.empty()) return;
  lines_.back().resize(lines_.back().size() / 2);
}

Status CollectingOutbox::publish(const std::vector<OutboxEntry>& entries) {
  if (fenced_) return fail(ErrorCode::refused, "fenced: another decider has taken over");
  return faults.run("publish", [&] {
    for (const OutboxEntry& entry : entries) take_(entry);
  });
}

}  // namespace payops
