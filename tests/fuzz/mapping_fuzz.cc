// Any bytes, under any mapping, on any slots: nothing crashes, and every message is an attempt,
// late, a duplicate or a dead letter. The first byte chooses the mapping; each following message is
// a byte of slot and pace, two bytes of length and its text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "payops/core/check.h"
#include "payops/observation/observer.h"

namespace {

using namespace payops;
using namespace payops::observation;

FieldMapping mapping_of(uint8_t choice) {
  FieldMapping mapping;
  if ((choice & 1) != 0) {
    mapping.amount_minor = {.path = "amount.value", .unit = AmountUnit::major, .quoted = true};
    mapping.currency.path = "amount.currency";
    mapping.ts_ms = {.path = "time.at", .unit = TimeUnit::iso8601};
  }
  if ((choice & 2) != 0) {
    mapping.status.values = {{"00", "approved"}, {"*", "declined"}};
    mapping.status.number = true;
    mapping.gateway.constant = "PAYU";
    mapping.attempt_no = {.path = "try", .quoted = true};
  }
  if ((choice & 4) != 0) {
    mapping.payment_id.path = "attempt_id";
    mapping.latency_ms = {.path = "latency", .unit = DurationUnit::s};
    mapping.attempt_id.number = true;
  }
  if ((choice & 8) != 0) mapping.ts_ms = {.path = "ts", .unit = TimeUnit::s, .quoted = true};
  PAYOPS_CHECK(mapping.validate().has_value());
  return mapping;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr int64_t kNow = 1'772'366'460'000;
  ObservationConfig config;
  config.max_message_bytes = 4'096;
  config.max_names = 8;
  config.max_leaf_keys = 8;
  config.max_open_seconds = 16;
  Dictionary dictionary;
  Observer observer(config, DeclineTable(), mapping_of(data[0]), dictionary);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  int64_t messages = 0;
  int64_t now_ms = kNow;
  ClosedBucket bucket;
  uint64_t counted = 0;
  const auto drain = [&] {
    while (observer.next_closed(bucket)) {
      for (const LeafCell& leaf : bucket.cells) counted += leaf.cell.attempts;
    }
  };
  while (rest.size() > 3) {
    const auto byte = [&](std::size_t i) { return static_cast<uint8_t>(rest[i]); };
    const uint8_t control = byte(0);
    const std::size_t length =
        std::min<std::size_t>(byte(1) | std::size_t{byte(2)} << 8, rest.size() - 3);
    now_ms += control >> 4;
    observer.add({control & 3, messages++, rest.substr(3, length)}, now_ms);
    if ((control & 4) != 0) observer.at_end(control & 3, now_ms);
    if ((control & 8) != 0) observer.tick(now_ms + 5'000);
    drain();
    rest.remove_prefix(3 + length);
  }
  observer.finish();
  drain();
  const IngestCounts counts = observer.take_counts();
  PAYOPS_CHECK(counts.attempts + counts.late + counts.duplicates + counts.dead_letters_total() ==
               messages);
  PAYOPS_CHECK(counted == static_cast<uint64_t>(counts.attempts));
  return 0;
}
