// audit_logs/checkpoints.json: where the chain stood at the end of the last audit files and stands
// now, signed, so that a cut tail shows.
#pragma once

#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/runtime/audit_line.h"

namespace payops::memory {

inline constexpr const char* kCheckpointsFile = "checkpoints.json";
inline constexpr const char* kPublicKeyFile = "public_key.hex";
inline constexpr std::size_t kCheckpointsMax = 32;  // the last one of so many audit files

// A Checkpoint and the audit file that holds its line.
struct FileCheckpoint {
  std::string file{};
  uint64_t seq = 0;
  std::string hash{};
  int64_t ts_ms = 0;
  std::string sig{};
  bool operator==(const FileCheckpoint&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("file", &FileCheckpoint::file), field("seq", &FileCheckpoint::seq),
                           field("hash", &FileCheckpoint::hash),
                           field("ts_ms", &FileCheckpoint::ts_ms),
                           field("sig", &FileCheckpoint::sig));
  }
};

struct Checkpoints {
  std::string public_key{};                   // hexadecimal; empty = unsigned
  std::vector<FileCheckpoint> checkpoints{};  // ascending; the last one is where the chain stands
  bool operator==(const Checkpoints&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("public_key", &Checkpoints::public_key),
                           field("checkpoints", &Checkpoints::checkpoints));
  }
};

// The file's bytes, and back. Only the exact bytes that `checkpoints_text` writes are accepted, so
// that no byte of it can change unnoticed. Errors: corrupt; not_found without the file.
[[nodiscard]] std::string checkpoints_text(const Checkpoints& checkpoints);
[[nodiscard]] Result<Checkpoints> parse_checkpoints(const std::string& text);
[[nodiscard]] Result<Checkpoints> read_checkpoints(const std::string& directory);

// A checkpoint kept elsewhere: a message of `payops.decisions` as it came, or a whole
// checkpoints.json, of which the last one counts (its hash is of all lines before). Errors:
// corrupt.
[[nodiscard]] Result<Checkpoint> parse_checkpoint(const std::string& text);

}  // namespace payops::memory
