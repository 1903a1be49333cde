// The audit folder: hash-chained JSONL, the recorded inputs beside it, checkpoints and public key.
// Its format is told in docs/audit-log.md. One process writes it; anyone may read.
#pragma once

#include <memory>
#include <string>

#include "payops/runtime/step.h"

namespace payops::memory {

struct AuditFilesOptions {
  // A step begins a new file when the current one has reached this size; its lines stay together.
  uint64_t file_bytes_max = uint64_t{64} << 20;
  // Of the key that signs the checkpoints; empty = unsigned. A folder keeps the key it began with.
  std::string public_key_hex{};
  bool sync = true;  // false only where nothing needs to outlive the machine, as in simulation
};

// StepFiles on a real disk. One thread. Order within a step: inputs, synced; audit lines, synced;
// checkpoints.json, replaced as a whole.
class AuditFiles final : public StepFiles {
 public:
  // Creates the folder where there is none. Errors: unavailable, retryable, when another process
  // writes it (named) or the disk refuses.
  [[nodiscard]] static Result<std::unique_ptr<AuditFiles>> open(const std::string& directory,
                                                                AuditFilesOptions options = {});
  ~AuditFiles() override;
  // Errors, besides unavailable: config when the folder holds a log and the store nothing, or the
  // key is another; corrupt when a file lacks or exceeds what the store says it holds.
  [[nodiscard]] Status recover(const std::optional<StepRecord>& last) override;
  [[nodiscard]] StepPlace place(std::string_view block, int64_t ts_ms) override;
  [[nodiscard]] Status append(const StepRecord& record) override;

 private:
  class Folder;
  explicit AuditFiles(std::unique_ptr<Folder> folder);
  std::unique_ptr<Folder> folder_;
};

}  // namespace payops::memory
