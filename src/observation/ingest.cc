#include "payops/observation/ingest.h"

namespace payops::observation {

int64_t IngestCounts::dead_letters_total() const {
  int64_t total = 0;
  for (const auto& [reason, count] : dead_letters) total += count;
  return total;
}

IngestCounts& IngestCounts::operator+=(const IngestCounts& more) {
  attempts += more.attempts;
  late += more.late;
  duplicates += more.duplicates;
  for (const auto& [reason, count] : more.dead_letters) dead_letters[reason] += count;
  for (const auto& [code, count] : more.unknown_codes) {
    const bool named = unknown_codes.size() < kMaxNamedCodes || unknown_codes.count(code) != 0;
    unknown_codes[named ? code : "other"] += count;
  }
  dead_letters_dropped += more.dead_letters_dropped;
  names_to_other += more.names_to_other;
  keys_to_other += more.keys_to_other;
  details_to_other += more.details_to_other;
  detail_names_to_other += more.detail_names_to_other;
  arms_dropped += more.arms_dropped;
  seconds_forced += more.seconds_forced;
  return *this;
}

}  // namespace payops::observation
