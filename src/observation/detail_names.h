// Which id a region's or merchant's name has: a fixed table of hashes before the dictionary, so
// that a merchant seen once in a day costs no more than one seen all the time, and names beyond the
// limit cost neither memory nor a second look.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "payops/core/digest.h"
#include "payops/model/dimensions.h"

namespace payops::observation {

class DetailNames {
 public:
  static constexpr DimId kMiss = kAny;

  DetailNames(const NameTable& known, std::size_t limit)
      : limit_(limit), slots_(std::bit_ceil(2 * std::max(limit, known.size()) + 2)) {
    for (std::size_t id = 1; id < known.size(); ++id) {
      put(known.names()[id], static_cast<DimId>(id));
    }
  }
  // The id, kOther for no name and for one beyond the limit, kMiss for one that could be learnt.
  [[nodiscard]] DimId find(std::string_view name) const {
    if (name.empty()) return kOther;
    const uint64_t hash = mark(name);
    for (std::size_t at = place(hash);; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash == hash) return slots_[at].id;
      if (slots_[at].hash == 0) return full() ? kOther : kMiss;
    }
  }
  [[nodiscard]] bool full() const { return known_ + 1 >= limit_; }
  // REQUIRES: find(name) is kMiss.
  void put(std::string_view name, DimId id) {
    const uint64_t hash = mark(name);
    std::size_t at = place(hash);
    while (slots_[at].hash != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = {hash, id};
    ++known_;
  }

 private:
  struct Slot {
    uint64_t hash = 0;  // 0: free
    DimId id = kOther;
  };
  static uint64_t mark(std::string_view name) { return hash64(name) | 1; }
  [[nodiscard]] std::size_t place(uint64_t hash) const {
    return static_cast<std::size_t>(hash >> 20) & (slots_.size() - 1);
  }

  std::size_t limit_;
  std::size_t known_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace payops::observation
