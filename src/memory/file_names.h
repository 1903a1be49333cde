// Names of audit and inputs files: <kind>-YYYYMMDD-NNN<suffix>. They sort in the order of writing:
// the date never goes back, whatever event time does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace payops::memory {

struct FileKind {
  std::string_view prefix;
  std::string_view suffix;
};
inline constexpr FileKind kAuditKind{"audit-", ".jsonl"};
inline constexpr FileKind kInputsKind{"inputs-", ".zst"};
inline constexpr const char* kOwnerFile = ".owner";  // locked by the process that writes the folder

// Whether it is exactly such a name (and so no path to elsewhere).
[[nodiscard]] bool is_file_name(const FileKind& kind, std::string_view name);

// The file after `current` ("" = none yet) for a step at `ts_ms`: a new one when the day has
// changed or `full`. The 999th of a day takes everything that follows on it.
[[nodiscard]] std::string next_file_name(const FileKind& kind, const std::string& current,
                                         bool full, int64_t ts_ms);

}  // namespace payops::memory
