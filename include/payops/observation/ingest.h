// What observation reports beside the buckets: counts of what came in, and the messages that could
// not be read.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "payops/core/fields.h"

namespace payops::observation {

// Why a message is a dead letter.
enum class DeadReason : uint8_t {
  empty,      // no payload
  too_large,  // longer than max_message_bytes
  invalid_utf8,
  malformed_json,  // not one JSON object; a mapped field given twice; NaN
  missing_field,   // absent, null or empty
  wrong_type,
  number_out_of_range,  // too large, negative, or not exact in the unit it must have
  unknown_value,        // a status, arm or written time that is none
  unusable_text,  // an id or name too long; a name that is "*" or has '|' or control characters
  unknown_currency,
  negative_amount,
  time_too_old,   // before 2000
  time_in_future  // more than max_future_s ahead
};
inline constexpr std::size_t kDeadReasons = 13;

struct DeadLetter {
  DeadReason reason = DeadReason::empty;
  std::string field_name{};  // the attempt's field at fault, or ""
  int32_t slot = 0;
  int64_t offset = 0;
  std::string payload{};  // valid UTF-8, at most 512 bytes, card-number-like digits masked
  static constexpr auto fields() {
    return std::make_tuple(field("reason", &DeadLetter::reason),
                           field("field", &DeadLetter::field_name),
                           field("slot", &DeadLetter::slot), field("offset", &DeadLetter::offset),
                           field("payload", &DeadLetter::payload));
  }
};

// Every message read for the first time is one of: an attempt, late, a duplicate, a dead letter.
// Counts add up over takes, processes and restarts; a single take's `attempts` can be negative,
// when reading again after a restart shows that an attempt had been counted before.
struct IngestCounts {
  int64_t attempts = 0;                            // counted into a bucket
  int64_t late = 0;                                // of a second already handed out: kept out
  int64_t duplicates = 0;                          // same attempt_id in an open second: kept out
  std::map<std::string, int64_t> dead_letters{};   // by name of reason
  std::map<std::string, int64_t> unknown_codes{};  // failures by a code the table lacks
  int64_t dead_letters_dropped = 0;  // of the above, not held for the dead-letter topic
  int64_t names_to_other = 0;        // attempts with a name beyond max_names
  int64_t keys_to_other = 0;     // attempts whose path was beyond max_leaf_keys or max_open_cells
  int64_t details_to_other = 0;  // first attempts beyond max_detail_keys or max_open_details
  int64_t detail_names_to_other = 0;  // with a region or merchant beyond the names that are kept
  int64_t arms_dropped = 0;           // (attempt, action) pairs beyond the bounds on actions
  int64_t seconds_forced = 0;         // closed early, by max_open_seconds or max_open_attempts
  static constexpr auto fields() {
    return std::make_tuple(field("attempts", &IngestCounts::attempts),
                           field("late", &IngestCounts::late),
                           field("duplicates", &IngestCounts::duplicates),
                           field("dead_letters", &IngestCounts::dead_letters),
                           field("unknown_codes", &IngestCounts::unknown_codes),
                           field("dead_letters_dropped", &IngestCounts::dead_letters_dropped),
                           field("names_to_other", &IngestCounts::names_to_other),
                           field("keys_to_other", &IngestCounts::keys_to_other),
                           field("details_to_other", &IngestCounts::details_to_other),
                           field("detail_names_to_other", &IngestCounts::detail_names_to_other),
                           field("arms_dropped", &IngestCounts::arms_dropped),
                           field("seconds_forced", &IngestCounts::seconds_forced));
  }
  [[nodiscard]] int64_t dead_letters_total() const;
  // Unknown codes beyond kMaxNamedCodes names are added under "other".
  IngestCounts& operator+=(const IngestCounts& more);
  bool operator==(const IngestCounts&) const = default;
};
inline constexpr std::size_t kMaxNamedCodes = 1'024;

}  // namespace payops::observation

namespace payops {
template <>
inline constexpr EnumNames<observation::kDeadReasons> enum_names<observation::DeadReason>{
    "empty",           "too_large",           "invalid_utf8",  "malformed_json", "missing_field",
    "wrong_type",      "number_out_of_range", "unknown_value", "unusable_text",  "unknown_currency",
    "negative_amount", "time_too_old",        "time_in_future"};
}  // namespace payops
