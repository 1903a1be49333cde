// Small text and file utilities shared by every module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/result.h"

namespace payops {

[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);

// " (did you mean \"x\"?)" for the candidate within an edit distance of a third of the word, or "".
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& candidates);

// Lower-case hexadecimal of bytes, and back; from_hex errors: corrupt.
[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] Result<std::string> from_hex(std::string_view hex);
[[nodiscard]] std::string hex64(uint64_t value);  // 16 digits

// "2026-03-01T12:00:05.250Z"; UTC.
[[nodiscard]] std::string iso_time(int64_t ts_ms);
// "20260301"; UTC.
[[nodiscard]] std::string compact_date(int64_t ts_ms);

// The whole file. Errors: not_found with the system's reason.
[[nodiscard]] Result<std::string> read_file(const std::string& path);

// printf for doubles with a fixed number of decimals, locale-free ("12.50").
[[nodiscard]] std::string fixed(double value, int decimals);

}  // namespace payops
