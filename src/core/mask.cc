#include "payops/core/mask.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace payops {
namespace {

constexpr std::size_t kShortestCard = 13;
constexpr std::size_t kLongestCard = 19;
constexpr std::size_t kShown = 4;
// A card number that the cut would split is looked at whole: digits, and a separator between each.
constexpr std::size_t kLookAhead = 2 * kLongestCard;
// Digits of one run that are weighed; beyond it the whole run is masked unweighed.
constexpr std::size_t kMaxRunDigits = 64;

bool in_number(char c) { return c >= '0' && c <= '9'; }

bool luhn_holds(const std::string& text, const std::vector<std::size_t>& at, std::size_t from,
                std::size_t size) {
  int sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    int digit = text[at[from + size - 1 - i]] - '0';
    if (i % 2 == 1) digit = digit * 2 - (digit > 4 ? 9 : 0);
    sum += digit;
  }
  return sum % 10 == 0;
}

void hide(std::string& text, const std::vector<std::size_t>& at, std::size_t from,
          std::size_t size) {
  for (std::size_t i = from; i + kShown < from + size; ++i) text[at[i]] = '*';
}

// One run of digits with single separators: `at` are the digits' places, `starts[i]` tells that
// digit i begins a group.
void mask_run(std::string& text, const std::vector<std::size_t>& at,
              const std::vector<bool>& starts) {
  const std::size_t n = at.size();
  if (n < kShortestCard) return;
  if (n > kMaxRunDigits) return hide(text, at, 0, n);
  const std::string before = text;  // weigh the digits as they came
  const auto begins = [&](std::size_t i) { return i == n || starts[i]; };
  for (std::size_t from = 0; from + kShortestCard <= n; ++from) {
    for (std::size_t size = std::min(kLongestCard, n - from); size >= kShortestCard; --size) {
      std::size_t group = from;  // the group that holds the whole part, if it is one
      while (!starts[group]) --group;
      std::size_t group_end = from + 1;
      while (!begins(group_end)) ++group_end;
      const bool inside_long_group = group_end - group > kLongestCard && from + size <= group_end;
      const bool whole_groups = starts[from] && begins(from + size);
      if (!whole_groups && !inside_long_group) continue;
      const bool time_ms = size == kShortestCard && before[at[from]] == '1';
      if (!time_ms && luhn_holds(before, at, from, size)) hide(text, at, from, size);
    }
  }
}

void mask_cards(std::string& text) {
  std::vector<std::size_t> at;
  std::vector<bool> starts;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && in_number(text[i])) {
      starts.push_back(at.empty() || at.back() + 1 != i);
      at.push_back(i);
      continue;
    }
    const bool separator = i + 1 < text.size() && (text[i] == ' ' || text[i] == '-') &&
                           !at.empty() && at.back() + 1 == i && in_number(text[i + 1]);
    if (separator) continue;
    mask_run(text, at, starts);
    at.clear();
    starts.clear();
  }
}

// The length of the UTF-8 sequence at the front of `text` (Unicode 15, table 3-7), 0 if none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : uint8_t{0};
  };
  const auto tail = [&](std::size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string masked_excerpt(std::string_view payload, std::size_t max_bytes) {
  std::string text(payload.substr(0, max_bytes + kLookAhead));
  mask_cards(text);
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    const std::string_view piece = length == 0 ? "\xEF\xBF\xBD" : rest.substr(0, length);
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
    rest.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace payops
