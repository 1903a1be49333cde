// The step's ports in memory: for simulation in virtual time, and for tests, which make them fail
// and crash at chosen points. They outlive a Stepper as a disk outlives a process.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "payops/runtime/step.h"

namespace payops {

// Makes the next calls of a port fail, retryably: before they had an effect, or after it, as when
// a write reached the disk and its sync was reported as failed.
class Faults {
 public:
  void fail_before(int calls) { before_ = calls; }
  void fail_after(int calls) { after_ = calls; }
  // Runs `effect` between the two. Errors: unavailable, retryable, naming `what`.
  [[nodiscard]] Status run(const char* what, const std::function<void()>& effect);

 private:
  int before_ = 0;
  int after_ = 0;
};

class InMemoryStore final : public Store {
 public:
  [[nodiscard]] Result<Stored> load() override { return stored_; }
  [[nodiscard]] Status commit(const StepCommit& commit) override;
  Faults faults;

 private:
  Stored stored_;
};

// Keeps the lines, and the blocks as they are. `tear_tail()` is what a crash in mid-write leaves.
class InMemoryFiles final : public StepFiles {
 public:
  // keep = false forgets lines and blocks at once: a long simulation needs none of them.
  explicit InMemoryFiles(bool keep = true) : keep_(keep) {}
  [[nodiscard]] Status recover(const std::optional<StepRecord>& last) override;
  [[nodiscard]] StepPlace place(std::string_view block, int64_t ts_ms) override;
  [[nodiscard]] Status append(const StepRecord& record) override;

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] const std::vector<std::string>& blocks() const { return blocks_; }
  [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }
  void tear_tail();
  Faults faults;

 private:
  void write(const StepRecord& record);

  bool keep_;
  std::vector<std::string> lines_;
  std::vector<std::string> blocks_;
  uint64_t inputs_end_ = 0;
  uint64_t audit_end_ = 0;
  uint64_t step_ = 0;
  Checkpoint checkpoint_;
};

// Hands every entry to a callback.
class CollectingOutbox final : public Outbox {
 public:
  explicit CollectingOutbox(std::function<void(const OutboxEntry&)> take)
      : take_(std::move(take)) {}
  [[nodiscard]] Status publish(const std::vector<OutboxEntry>& entries) override;
  // From now on every publish is refused, as when another decider has taken over.
  void fence() { fenced_ = true; }
  Faults faults;

 private:
  std::function<void(const OutboxEntry&)> take_;
  bool fenced_ = false;
};

}  // namespace payops
