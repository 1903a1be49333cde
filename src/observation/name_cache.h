// A small memory of ids before the dictionary: names up to 16 bytes, compared as two words. Names
// handed in can be read 16 bytes from their start (kTokenPadding), so that no branch hangs on their
// length.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "payops/model/dimensions.h"

namespace payops::observation {

class NameCache {
 public:
  static constexpr DimId kMiss = kAny;

  [[nodiscard]] DimId find(std::string_view name) const {
    const Words words = words_of(name);
    const Entry& entry = entries_[place(words)];
    return entry.words == words && words.size != 0 ? entry.id : kMiss;
  }
  void put(std::string_view name, DimId id) {
    const Words words = words_of(name);
    if (words.size != 0) entries_[place(words)] = {words, id};
  }

 private:
  // The bytes, zeros behind them, and the length. Size 0: none.
  struct Words {
    uint64_t head = 0;
    uint64_t tail = 0;
    uint64_t size = 0;
    bool operator==(const Words&) const = default;
  };
  struct Entry {
    Words words;
    DimId id = 0;
  };
  static constexpr std::size_t kEntries = 64;

  static Words words_of(std::string_view name) {
    const std::size_t n = name.size();
    if (n - 1 >= 16) return {};
    Words words{0, 0, n};
    std::memcpy(&words.head, name.data(), 8);
    std::memcpy(&words.tail, name.data() + 8, 8);
    const uint64_t some = ~uint64_t{0} >> (64 - 8 * (n & 7)) % 64;  // of n mod 8 bytes; 0: all
    words.head &= n < 8 ? some : ~uint64_t{0};
    words.tail &= n <= 8 ? 0 : some;
    return words;
  }
  static std::size_t place(const Words& words) {
    const uint64_t mixed = (words.head ^ (words.tail << 7) ^ words.size) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 58);
  }

  std::array<Entry, kEntries> entries_{};
};

}  // namespace payops::observation
