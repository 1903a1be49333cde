// Moments as people and systems write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace payops {

// "2026-03-01T12:00:05.250+05:30" as ms since 1970. The date and the time to the minute are needed;
// 'T' may be a space or 't', zone one of Z, ±hh, ±hhmm, ±hh:mm or none (UTC); a 60th second is the
// next minute's first. Parts of a millisecond are cut off. Allocates nothing.
[[nodiscard]] std::optional<int64_t> parse_iso8601(std::string_view text);

// The same, or a whole number of ms since 1970.
[[nodiscard]] std::optional<int64_t> parse_moment(std::string_view text);

}  // namespace payops
