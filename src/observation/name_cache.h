// A small memory of ids before the dictionary: names up to 16 bytes, compared as two words.
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
  // First and last bytes (they overlap) and the length: as unambiguous as the name. Size 0: none.
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

  template <class Word>
  static uint64_t load(const char* p) {
    Word word;
    std::memcpy(&word, p, sizeof word);
    return word;
  }
  static Words words_of(std::string_view name) {
    const char* const p = name.data();
    const std::size_t n = name.size();
    if (n > 16 || n == 0) return {};
    if (n >= 8) return {load<uint64_t>(p), load<uint64_t>(p + n - 8), n};
    if (n >= 4) return {load<uint32_t>(p), load<uint32_t>(p + n - 4), n};
    const uint64_t bytes =
        load<uint8_t>(p) << 16 | load<uint8_t>(p + n / 2) << 8 | load<uint8_t>(p + n - 1);
    return {bytes, 0, n};
  }
  static std::size_t place(const Words& words) {
    const uint64_t mixed = (words.head ^ (words.tail << 7) ^ words.size) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 58);
  }

  std::array<Entry, kEntries> entries_{};
};

}  // namespace payops::observation
