// The state directory: what every step committed, in RocksDB, one synced batch a step. One process
// owns a directory; others may peek.
#pragma once

#include <memory>
#include <string>

#include "payops/runtime/step.h"
#include "payops/runtime/tables.h"

namespace payops::memory {

inline constexpr uint64_t kSchemaVersion = 1;

// A Store on a real disk, with an agent's tables. One thread. Beside the head it holds the last
// snapshot, the blocks since, the unsettled outbox and the last step's record; older ones go in the
// batch that replaces them, so that the directory's size follows the state and not its age.
//
// A failed commit (disk full, failed sync) leaves the database closed to writes; the next try
// opens it again and repeats the batch, which is harmless if the first one reached the disk.
class RocksStore final : public Store, public Tables {
 public:
  // Creates the directory where there is none. Errors: unavailable, retryable, when another process
  // owns it (named) or the disk refuses; limit, when a newer payops wrote it; corrupt.
  [[nodiscard]] static Result<std::unique_ptr<RocksStore>> open(const std::string& directory);
  // What the directory holds, read beside its owner or without one. Errors: as open(), not_found.
  [[nodiscard]] static Result<Stored> peek(const std::string& directory);

  ~RocksStore() override;
  [[nodiscard]] Result<Stored> load() override;
  [[nodiscard]] Status commit(const StepCommit& commit) override;
  void put_with_next_commit(std::vector<TableRow> rows) override;
  [[nodiscard]] Result<std::optional<std::string>> row(std::string_view table,
                                                       std::string_view key) override;
  [[nodiscard]] Result<std::vector<TableRow>> rows(const RowRange& range) override;

 private:
  class Database;
  explicit RocksStore(std::unique_ptr<Database> database);
  std::unique_ptr<Database> database_;
};

}  // namespace payops::memory
