// What is kept of the details of attempts, so that an excess can be laid to a region, a merchant, a
// band of amounts or a stage: counts of the last five minutes in sub-windows, and forgetting sums
// of what came before, by slice (path x region x merchant x band). Bounded: slices beyond the limit
// are counted in the one of all "other".
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/model/cell.h"

namespace payops::reasoning {

// By stage: the first attempts that came to it and no further, and those that failed there.
template <class Number>
struct StageCounts {
  std::array<Number, kStages> reached{};
  std::array<Number, kStages> failed{};
  template <class Other>
  void add(const StageCounts<Other>& other) {
    for (std::size_t s = 0; s < kStages; ++s) {
      reached[s] += static_cast<Number>(other.reached[s]);
      failed[s] += static_cast<Number>(other.failed[s]);
    }
  }
  // Those that came to the stage at all: each is one chance to be lost there.
  [[nodiscard]] Number trials(std::size_t stage) const {
    Number sum{};
    for (std::size_t s = stage; s < kStages; ++s) sum += reached[s];
    return sum;
  }
  static constexpr auto fields() {
    return std::make_tuple(field("reached", &StageCounts::reached),
                           field("failed", &StageCounts::failed));
  }
};

class DetailStore {
 public:
  static constexpr std::size_t kSlots = 30;

  DetailStore(std::size_t slices_max, int64_t slot_s, double half_life_s);
  DetailStore(DetailStore&&) noexcept;
  DetailStore& operator=(DetailStore&&) noexcept;
  ~DetailStore();

  // Counts a closed second. Seconds come in ascending order.
  void add(const std::vector<DetailCell>& details, int64_t second);
  // What came since this second is under a fault and is never to be learnt from.
  void freeze(int64_t from_second);

  // A slice with attempts since some moment, and what would have been usual for them.
  struct Active {
    DetailKey key;
    uint32_t path = 0;   // a number below paths(), the same for slices of one path
    uint32_t slice = 0;  // a number below slices()
    StageCounts<double> now;
    std::array<double, kFaultClasses> by_class{};  // of its failures, as kFaults
    std::array<double, kStages> rate{};  // usual share of the trials of a stage that fail there
  };
  // The same of the whole path.
  struct PathUsual {
    std::array<double, kStages> rate{};
    std::array<double, kStages> failures{};           // how many past ones that rests on
    std::array<double, kFaultClasses> class_share{};  // of the usual failures
  };
  struct Since {
    std::vector<Active> slices;  // in the order in which they were met
    std::vector<PathUsual> paths;
  };
  // Costs little when it was asked with the same second in the last sub-window or the one before.
  // Valid until anything else is called.
  [[nodiscard]] const Since& since(int64_t from_second) const;
  // Has it learnt from so many first attempts, forgetting as they are forgotten?
  [[nodiscard]] bool knows(double attempts) const;
  [[nodiscard]] std::size_t paths() const { return path_ids_.size(); }
  [[nodiscard]] std::size_t slices() const { return slices_.size(); }

  void encode(Encoder& out) const;
  // False, and empty, when what was read is inconsistent.
  [[nodiscard]] bool decode(Decoder& in);
  void digest(StateDigest& digest) const;

 private:
  struct KeyFields {
    SeriesKey path;
    uint16_t region = 0, merchant = 0, band = 0;
    static constexpr auto fields() {
      return std::make_tuple(field("path", &KeyFields::path), field("region", &KeyFields::region),
                             field("merchant", &KeyFields::merchant),
                             field("band", &KeyFields::band));
    }
  };
  struct SliceRecord {
    KeyFields key;
    StageCounts<float> past;
    std::array<float, kFaultClasses> by_class{};  // of its failures
    static constexpr auto fields() {
      return std::make_tuple(field("key", &SliceRecord::key), field("past", &SliceRecord::past),
                             field("by_class", &SliceRecord::by_class));
    }
  };
  struct Counts : StageCounts<uint32_t> {
    std::array<uint32_t, kFaultClasses> by_class{};  // of its failures
    template <class Other>                           // Counts or a DetailCell
    void add(const Other& other) {
      for (std::size_t s = 0; s < kStages; ++s) {
        reached[s] += other.reached[s];
        failed[s] += other.failed[s];
      }
      for (std::size_t c = 0; c < kFaultClasses; ++c) by_class[c] += other.by_class[c];
    }
    void take(const Counts& other) {  // REQUIRES: it was added
      for (std::size_t s = 0; s < kStages; ++s) {
        reached[s] -= other.reached[s];
        failed[s] -= other.failed[s];
      }
      for (std::size_t c = 0; c < kFaultClasses; ++c) by_class[c] -= other.by_class[c];
    }
    static constexpr auto fields() {
      return std::make_tuple(field("reached", &Counts::reached), field("failed", &Counts::failed),
                             field("by_class", &Counts::by_class));
    }
  };
  struct Entry {
    uint32_t slice = 0;
    Counts counts;
    static constexpr auto fields() {
      return std::make_tuple(field("slice", &Entry::slice), field("counts", &Entry::counts));
    }
  };
  struct Slot {
    int64_t number = 0;  // second / slot length
    bool frozen = false;
    std::vector<Entry> entries;
    static constexpr auto fields() {
      return std::make_tuple(field("number", &Slot::number), field("frozen", &Slot::frozen),
                             field("entries", &Slot::entries));
    }
  };
  struct Hash {
    std::size_t operator()(const DetailKey& key) const;
  };
  [[nodiscard]] static DetailKey key_of(const KeyFields& fields);
  [[nodiscard]] uint32_t slice_of(const DetailKey& key);
  void advance(int64_t number);
  void absorb(const Slot& slot);
  void forget_idle();
  void reindex();
  [[nodiscard]] uint32_t path_id(const SeriesKey& path);
  class Usual;
  struct Memory;
  using Classes = std::array<double, kFaultClasses>;
  void learn_usual() const;
  void meet_new() const;
  void tell_usual(std::size_t stage) const;

  std::size_t slices_max_;
  int64_t slot_s_;
  float keep_;  // of the past, per sub-window
  std::vector<SliceRecord> slices_;
  std::deque<Slot> slots_;       // rising; the newest still filling
  std::vector<uint32_t> place_;  // by slice: 1 + its entry in the newest slot
  std::unordered_map<DetailKey, uint32_t, Hash> index_;
  std::vector<uint32_t> path_of_;  // by slice
  std::unordered_map<uint64_t, uint32_t> path_ids_;
  std::unique_ptr<Memory> memory_;  // of since(), which is asked every cycle of an alarm
};

}  // namespace payops::reasoning
