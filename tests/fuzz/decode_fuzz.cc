// Messages from a topic, one a line: whatever they are, each is counted exactly once, every counted
// attempt comes out in a bucket, and a dead letter is short, readable and without card numbers.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "payops/core/check.h"
#include "payops/model/dimensions.h"
#include "payops/observation/observer.h"

namespace payops::observation {
namespace {

constexpr int64_t kNowMs = 1'772'438'405'000;
constexpr std::size_t kMaxMessages = 64;

// Thirteen to nineteen digits in a row that pass the check of card numbers (Luhn 1954); thirteen
// that begin with 1 are a time.
bool has_card_number(std::string_view text) {
  for (std::size_t end = 0; end < text.size();) {
    std::size_t begin = end;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (begin == end) {
      ++end;
      continue;
    }
    const std::size_t digits = end - begin;
    if (digits < 13 || digits > 19 || (digits == 13 && text[begin] == '1')) continue;
    int sum = 0;
    for (std::size_t i = end; i-- > begin;) {
      const int digit = text[i] - '0';
      const int doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
      sum += (end - i) % 2 == 0 ? doubled : digit;
    }
    if (sum % 10 == 0) return true;
  }
  return false;
}

void run(std::string_view text) {
  ObservationConfig config;
  config.max_names = 8;
  config.max_leaf_keys = 4;
  config.max_message_bytes = 1024;
  const DeclineTable declines;
  const FieldMapping mapping;
  Dictionary dictionary;
  Observer observer(config, declines, mapping, dictionary);
  std::size_t messages = 0;
  while (!text.empty() && messages < kMaxMessages) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + (line.size() < text.size() ? 1 : 0));
    // Exactly as many bytes as there are, so that reading past them is found.
    const auto bytes = std::make_unique<char[]>(line.size());
    if (!line.empty()) std::memcpy(bytes.get(), line.data(), line.size());
    observer.add({0, static_cast<int64_t>(messages++), {bytes.get(), line.size()}}, kNowMs);
  }
  observer.finish();

  int64_t counted = 0;
  ClosedBucket bucket;
  while (observer.next_closed(bucket)) {
    for (const LeafCell& leaf : bucket.cells) counted += leaf.cell.attempts;
  }
  const IngestCounts counts = observer.take_counts();
  PAYOPS_CHECK(counted == counts.attempts);
  PAYOPS_CHECK(counts.attempts + counts.late + counts.duplicates + counts.dead_letters_total() ==
               static_cast<int64_t>(messages));
  for (const DeadLetter& letter : observer.take_dead_letters()) {
    PAYOPS_CHECK(letter.payload.size() <= 512);
    PAYOPS_CHECK(!has_card_number(letter.payload));
  }
}

}  // namespace
}  // namespace payops::observation

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t size) {
  payops::observation::run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
