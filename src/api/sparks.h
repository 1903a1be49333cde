// Success of the last five minutes per series, for the small lines in a grid: kept here because the
// agent itself needs no such memory. Internal to api.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "payops/api/knowledge.h"
#include "payops/model/cell.h"

namespace payops::api {

class Sparks {
 public:
  explicit Sparks(std::size_t series_max) : series_max_(series_max) {}
  void add(const ClosedBucket& bucket);
  // All -1 for a series without traffic, or met when there was no more room.
  [[nodiscard]] Spark of(const SeriesKey& key) const;

 private:
  struct Ring {
    int64_t newest = 0;  // slot: second / kSparkSeconds
    std::array<uint32_t, kSparkPoints> first{}, approved{};
  };
  void add(const SeriesKey& key, int64_t slot, const Cell& cell);
  std::size_t series_max_;
  int64_t newest_ = 0;
  std::unordered_map<uint64_t, Ring> rings_;
};

}  // namespace payops::api
