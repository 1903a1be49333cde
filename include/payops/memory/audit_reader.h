// Reading an audit folder: its lines in order, the recorded inputs, an export for spreadsheets.
// Streaming: memory is bounded by the longest line, whatever the length of the log.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "payops/runtime/step.h"

namespace payops::memory {

// A line as it lies in a file.
struct LogLine {
  std::string file{};   // name within the folder
  uint64_t number = 0;  // from 1, within the file
  std::string text{};   // without newline
  bool torn = false;    // the file ended before the newline
};

class AuditReader {
 public:
  // Errors: not_found when the folder holds no audit file.
  [[nodiscard]] static Result<AuditReader> open(const std::string& directory);
  AuditReader(AuditReader&&) noexcept;
  AuditReader& operator=(AuditReader&&) noexcept;
  ~AuditReader();

  // The next line of all files in order; false after the last. Nothing is checked but the length.
  // Errors: corrupt for a line longer than kAuditLineBytesMax; unavailable, not_found.
  [[nodiscard]] Result<bool> next(LogLine& line);

 private:
  class Files;
  explicit AuditReader(std::unique_ptr<Files> files);
  std::unique_ptr<Files> files_;
};

// Whether the folder holds anything of a log: an audit or an inputs file, or checkpoints.
[[nodiscard]] bool holds_log(const std::string& directory);

// A recorded input as the step's line names it, unpacked. Errors: corrupt when its bytes are not
// the ones named; not_found.
[[nodiscard]] Result<std::string> read_block(const std::string& directory, const StepHead& head);

// The whole log as CSV (RFC 4180): seq, time, ts_ms, kind, record; `record` is the line's body as a
// JSON object. `write` gets the text in pieces. Errors: corrupt, naming the line that is none.
[[nodiscard]] Status audit_export_csv(const std::string& directory,
                                      const std::function<void(std::string_view)>& write);

}  // namespace payops::memory
