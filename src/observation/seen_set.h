// The attempt ids of one open second, as 63-bit hashes: flat, linear probing, memory kept over
// reuse. Each remembers whether it was first met in a message read again after a restart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "prefetch.h"

namespace payops::observation {

enum class Seen : uint8_t {
  first,         // not met before
  before,        // a duplicate
  counted_twice  // read again now, after a fresh message with the id: one of the two was a
                 // duplicate
};

class SeenSet {
 public:
  // Forgets everything; takes room for about `expected` ids.
  void reset(std::size_t expected) {
    std::size_t room = kSmallest;
    while (room < 2 * expected) room *= 2;
    if (table_.size() < room || table_.size() > 16 * room) table_ = std::vector<uint64_t>(room);
    mask_ = room - 1;
    std::fill_n(table_.begin(), room, 0);
    size_ = 0;
  }

  [[nodiscard]] std::size_t size() const { return size_; }

  // Asks for the memory that insert() will look at first.
  void fetch(uint64_t hash) const {
    prefetch(&table_[static_cast<std::size_t>(hash >> 1) & mask_]);
  }

  // `again`: the message was reported before a restart.
  [[nodiscard]] Seen insert(uint64_t hash, bool again) {
    const uint64_t id = (hash & ~kFresh) == 0 ? 2 : hash & ~kFresh;
    for (std::size_t at = static_cast<std::size_t>(id >> 1) & mask_;; at = (at + 1) & mask_) {
      uint64_t& entry = table_[at];
      if (entry == 0) {
        entry = id | (again ? 0 : kFresh);
        if (2 * ++size_ > mask_) grow();
        return Seen::first;
      }
      if ((entry & ~kFresh) != id) continue;
      if (!again || (entry & kFresh) == 0) return Seen::before;
      entry = id;
      return Seen::counted_twice;
    }
  }

 private:
  static constexpr std::size_t kSmallest = 64;
  static constexpr uint64_t kFresh = 1;

  void grow() {
    const std::size_t room = 2 * (mask_ + 1);
    std::vector<uint64_t> larger(std::max(room, table_.size()));
    for (std::size_t i = 0; i <= mask_; ++i) {
      if (table_[i] == 0) continue;
      std::size_t at = static_cast<std::size_t>(table_[i] >> 1) & (room - 1);
      while (larger[at] != 0) at = (at + 1) & (room - 1);
      larger[at] = table_[i];
    }
    table_.swap(larger);
    mask_ = room - 1;
  }

  std::vector<uint64_t> table_ = std::vector<uint64_t>(kSmallest);
  std::size_t mask_ = kSmallest - 1;
  std::size_t size_ = 0;
};

}  // namespace payops::observation
