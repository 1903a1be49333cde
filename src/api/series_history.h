// What a console draws of each series: the last hour by 5 s, the last day by the minute. Kept here
// because the agent itself needs no such memory. Internal to api.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "payops/api/knowledge.h"
#include "payops/api/series.h"
#include "payops/model/cell.h"

namespace payops::api {

class SeriesHistory {
 public:
  // At most so many series, in the order in which they are met: about 170 kB each after a day.
  explicit SeriesHistory(std::size_t series_max) : series_max_(series_max) {}
  // REQUIRES: ascending seconds.
  void add(const ClosedBucket& bucket);
  // What is usual now.
  void usual(const CellsView& cells);
  // By 5 s where that reaches back to `from_ms`, else by the minute. Whole slots only.
  [[nodiscard]] SeriesValues of(const SeriesKey& key, int64_t from_ms, int64_t to_ms) const;

 private:
  struct Tier {
    Cell open;  // of the slot that is being filled
    int64_t open_slot = -1;
    std::deque<SeriesPoint> done;
    void add(const Cell& cell, int64_t slot, int64_t slot_ms, std::size_t keep, float usual);
  };
  struct Series {
    Tier fine, coarse;
    float usual = -1.0F;
  };
  void add(const SeriesKey& key, int64_t second, const Cell& cell);

  std::size_t series_max_;
  int64_t newest_second_ = 0;
  std::unordered_map<uint64_t, Series> series_;
};

}  // namespace payops::api
