// One second of event time while attempts are still counted into it.
#pragma once

#include <cstdint>
#include <vector>

#include "payops/model/cell.h"
#include "prefetch.h"
#include "seen_set.h"

namespace payops::observation {

// An attempt as it is counted.
struct Counted {
  LeafKey key;
  AttemptStatus status = AttemptStatus::approved;
  DeclineClass decline_class = DeclineClass::unknown;  // of a failure
  bool first = true;                                   // attempt_no 1
  uint32_t latency_ms = 0;
  int64_t amount_minor = 0;  // reporting currency
  DimId region = kOther;
  DimId merchant = kOther;
  uint8_t band = 0;
  AttemptStage stage = AttemptStage::authorised;
};

class OpenSecond {
 public:
  static constexpr std::size_t kMaxArms = 256;

  // Makes it empty for another second, keeping its memory.
  void reset(int64_t second, std::size_t expected_attempts);

  [[nodiscard]] int64_t second() const { return second_; }
  [[nodiscard]] SeenSet& seen() { return seen_; }
  [[nodiscard]] std::size_t attempts() const { return seen_.size(); }
  [[nodiscard]] std::size_t cell_count() const { return cells_.size(); }
  [[nodiscard]] std::size_t detail_count() const { return details_.size(); }

  // Counts the attempt into the cell of its key; a key not yet there makes one while fewer than
  // `max_cells` exist, else the attempt goes to path "other". False when it did.
  bool count(const Counted& attempt, std::size_t max_cells);
  // Counts the details of a first attempt; a key beyond `max_cells` goes to that of all "other".
  // False when it did.
  bool count_detail(const Counted& attempt, std::size_t max_cells);
  // Counts it under an action. False when a new (action, arm) is beyond kMaxArms.
  bool count_arm(const Counted& attempt, uint64_t action, double propensity);

  // Asks for the memory in which an id and a key will be looked up; later, for that of the cell.
  void fetch_slots(uint64_t id, const Counted& attempt) const {
    seen_.fetch(id);
    prefetch(&index_[place_of(pack(attempt.key))]);
    prefetch(&detail_index_[place_of(detail_key(attempt))]);
  }
  void fetch_cell(const Counted& attempt) const;

  // Remembers the first message of each slot in this second.
  void note_offset(int32_t slot, int64_t offset) {
    const auto at = static_cast<std::size_t>(slot);
    if (at >= first_offsets_.size()) first_offsets_.resize(at + 1, kNone);
    if (offset < first_offsets_[at]) first_offsets_[at] = offset;
  }
  // kNone when the slot has no message here.
  [[nodiscard]] int64_t first_offset(int32_t slot) const {
    const auto at = static_cast<std::size_t>(slot);
    return at < first_offsets_.size() ? first_offsets_[at] : kNone;
  }
  static constexpr int64_t kNone = INT64_MAX;

  // Gives what was counted, sorted by key, in exchange for the memory of `out`.
  void move_to(ClosedBucket& out);

 private:
  // Where a key's cell lies in cells_; open addressing. Packed keys are never 0: bit 63 is set.
  struct Slot {
    uint64_t packed = 0;
    std::size_t cell = 0;
  };
  [[nodiscard]] static uint64_t pack(const LeafKey& key) {
    return uint64_t{1} << 63 | key.path.packed() << 2 | static_cast<uint64_t>(key.arm);
  }
  [[nodiscard]] std::size_t place_of(uint64_t packed) const {
    return static_cast<std::size_t>((packed * 0x9E3779B97F4A7C15u) >> 32) & (index_.size() - 1);
  }
  // The same for details: a number only, 1 + that of the cell, which has the key. Most are of a key
  // of their own, and a hundred seconds may be open: every byte here is memory to wait for.
  using DetailSlot = uint32_t;
  [[nodiscard]] static DetailKey detail_key(const Counted& a) {
    return {.path = a.key.path, .region = a.region, .merchant = a.merchant, .band = a.band};
  }
  [[nodiscard]] std::size_t place_of(const DetailKey& key) const {
    const uint64_t rest = uint64_t{key.region} << 24 | uint64_t{key.merchant} << 8 | key.band;
    const uint64_t mixed = (key.path.packed() ^ rest << 20) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 32) & (detail_index_.size() - 1);
  }
  [[nodiscard]] DetailSlot& slot_of(const DetailKey& key);
  DetailCell& make_detail(const DetailKey& key, DetailSlot* slot);
  void sort_details();
  [[nodiscard]] Slot& slot_of(uint64_t packed);  // its own or the free one
  [[nodiscard]] Cell* find(const LeafKey& key);
  [[nodiscard]] Cell& make(const LeafKey& key);
  void grow_index();

  int64_t second_ = 0;
  SeenSet seen_;
  std::vector<LeafCell> cells_;
  std::vector<Slot> index_ = std::vector<Slot>(64);
  struct DetailOrder {
    uint64_t path = 0;
    uint32_t rest = 0;  // region, merchant, band: 8, 16, 8 bits
    uint32_t cell = 0;
  };
  std::vector<DetailCell> details_;
  std::vector<DetailSlot> detail_index_ = std::vector<DetailSlot>(64);
  std::vector<DetailOrder> order_, order_spare_;  // of details_, while they are sorted
  std::vector<DetailCell> sorted_;
  std::vector<ArmCell> arms_;
  std::vector<int64_t> first_offsets_;
};

}  // namespace payops::observation
