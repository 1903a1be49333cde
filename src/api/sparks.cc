#include "sparks.h"

#include <algorithm>

namespace payops::api {
namespace {

constexpr auto kPoints = static_cast<int64_t>(kSparkPoints);
std::size_t place(int64_t slot) { return static_cast<std::size_t>(slot % kPoints); }

}  // namespace

void Sparks::add(const SeriesKey& key, int64_t slot, const Cell& cell) {
  auto it = rings_.find(key.packed());
  if (it == rings_.end()) {
    if (rings_.size() >= series_max_) return;
    it = rings_.emplace(key.packed(), Ring{.newest = slot, .first = {}, .approved = {}}).first;
  }
  Ring& ring = it->second;
  if (slot <= ring.newest - kPoints) return;
  for (int64_t s = std::max(ring.newest + 1, slot - kPoints + 1); s <= slot; ++s) {
    ring.first[place(s)] = ring.approved[place(s)] = 0;
  }
  ring.newest = std::max(ring.newest, slot);
  ring.first[place(slot)] += cell.first_attempts;
  ring.approved[place(slot)] += cell.first_approvals;
}

void Sparks::add(const ClosedBucket& bucket) {
  const int64_t slot = std::max<int64_t>(0, bucket.second / kSparkSeconds);
  newest_ = std::max(newest_, slot);
  for (const LeafCell& leaf : bucket.cells) {
    const SeriesKey& p = leaf.key.path;
    for (const SeriesKey& key :
         {SeriesKey{}, SeriesKey{p.issuer, kAny, kAny}, SeriesKey{kAny, p.method, kAny},
          SeriesKey{kAny, kAny, p.gateway}, SeriesKey{p.issuer, p.method, kAny}, p}) {
      add(key, slot, leaf.cell);
    }
  }
}

Spark Sparks::of(const SeriesKey& key) const {
  Spark spark;
  spark.fill(-1);
  const auto it = rings_.find(key.packed());
  if (it == rings_.end()) return spark;
  const Ring& ring = it->second;
  for (int64_t i = 0; i < kPoints; ++i) {
    const int64_t slot = newest_ - kPoints + 1 + i;
    if (slot < 0 || slot > ring.newest || slot <= ring.newest - kPoints) continue;
    const uint32_t first = ring.first[place(slot)];
    if (first == 0) continue;
    spark[static_cast<std::size_t>(i)] =
        static_cast<int16_t>(1000ULL * ring.approved[place(slot)] / first);
  }
  return spark;
}

}  // namespace payops::api
