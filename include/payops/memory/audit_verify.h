// Is this audit folder what was written? Every changed byte and every cut is found.
#pragma once

#include <optional>
#include <string>

#include "payops/memory/checkpoints.h"
#include "payops/runtime/audit_line.h"

namespace payops::memory {

struct VerifyOptions {
  // A checkpoint from elsewhere (the topic): the log must reach and match it. Whoever can rewrite
  // the folder can rewrite checkpoints.json; what stands in the topic is out of his reach.
  std::optional<Checkpoint> checkpoint{};
  // The key that must have signed; empty = the one in the folder, if any.
  std::string public_key_hex{};
};

struct VerifyReport {
  bool ok = false;
  uint64_t files = 0;
  uint64_t lines = 0;
  uint64_t steps = 0;
  uint64_t input_bytes = 0;
  uint64_t last_seq = 0;
  std::string last_hash{};
  int64_t last_ts_ms = 0;
  bool signature_checked = false;
  std::string bad_file{};  // the first that is wrong, and why
  uint64_t bad_line = 0;   // 0 = the file as a whole
  std::string reason{};
  static constexpr auto fields() {
    return std::make_tuple(
        field("ok", &VerifyReport::ok), field("files", &VerifyReport::files),
        field("lines", &VerifyReport::lines), field("steps", &VerifyReport::steps),
        field("input_bytes", &VerifyReport::input_bytes),
        field("last_seq", &VerifyReport::last_seq), field("last_hash", &VerifyReport::last_hash),
        field("last_ts_ms", &VerifyReport::last_ts_ms),
        field("signature_checked", &VerifyReport::signature_checked),
        field("bad_file", &VerifyReport::bad_file), field("bad_line", &VerifyReport::bad_line),
        field("reason", &VerifyReport::reason));
  }
};

// Checks the chain line by line, the recorded inputs against the hashes in it, the checkpoints and
// their signatures. Lines after the last checkpoint are allowed: a running agent is between the two
// for a moment; inputs after the last line only while a process holds the folder. A log that was
// removed as a whole is found by what is left of it, or by the given checkpoint. Errors: not_found
// when there is no folder, or nothing of a log in it; unavailable when a file cannot be read.
[[nodiscard]] Result<VerifyReport> audit_verify(const std::string& directory,
                                                const VerifyOptions& options = {});

}  // namespace payops::memory
