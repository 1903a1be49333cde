#include "series.h"

#include <algorithm>

namespace payops::reasoning {

Tally& Tally::operator+=(const Tally& other) {
  attempts += other.attempts;
  failed += other.failed;
  first += other.first;
  approved += other.approved;
  for (std::size_t c = 0; c < technical.size(); ++c) technical[c] += other.technical[c];
  customer += other.customer;
  policy += other.policy;
  fraud += other.fraud;
  timed += other.timed;
  slow += other.slow;
  frozen |= other.frozen;
  expected_technical += other.expected_technical;
  usual_technical += other.usual_technical;
  expected_ok += other.expected_ok;
  return *this;
}

Tally Window::sum(int64_t from, int64_t current) const {
  Tally total;
  const int64_t oldest = std::max({from, current - static_cast<int64_t>(kSlots) + 1,
                                   newest - static_cast<int64_t>(kSlots) + 1, int64_t{0}});
  for (int64_t number = oldest; number <= std::min(newest, current); ++number) {
    total += slot(number);
  }
  return total;
}

uint32_t SeriesStore::find(const SeriesKey& key) const {
  const auto it = index_.find(key.packed());
  return it == index_.end() ? kNone : it->second;
}

uint32_t SeriesStore::add(const SeriesKey& key) {
  const auto index = static_cast<uint32_t>(all.size());
  Series& s = all.emplace_back();
  s.key = key;
  s.depth = static_cast<uint16_t>(key.depth());
  if (s.depth != 2) {
    s.window = static_cast<uint32_t>(windows.size());
    windows.emplace_back();
  }
  if (s.depth <= 1) {
    s.detail = static_cast<uint32_t>(watched.size());
    watched.emplace_back();
    watched_series.push_back(index);
  }
  index_.emplace(key.packed(), index);
  return index;
}

uint32_t SeriesStore::leaf(const SeriesKey& path) {
  if (const uint32_t known = find(path); known != kNone) return all[known].detail;
  const auto keys = series_of_leaf(path);
  uint64_t missing = 0;
  for (const SeriesKey& key : keys) missing += find(key) == kNone;
  if (all.size() + missing > max_series_) {
    ++refused;
    return kNone;
  }
  const auto index = static_cast<uint32_t>(leaves.size());
  Leaf leaf;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const uint32_t known = find(keys[i]);
    leaf.series[i] = known != kNone ? known : add(keys[i]);
  }
  leaf.self = leaf.series[7];
  all[leaf.self].detail = index;
  leaves.push_back(leaf);
  return index;
}

void SeriesStore::encode(Encoder& out) const {
  out.put(all);
  out.put(windows);
  out.put(leaves);
  out.put(watched);
  out.put(watched_series);
  out.put(refused);
}

void SeriesStore::decode(Decoder& in) {
  in.get(all);
  in.get(windows);
  in.get(leaves);
  in.get(watched);
  in.get(watched_series);
  in.get(refused);
  index_.clear();
  for (std::size_t i = 0; i < all.size(); ++i) {
    index_.emplace(all[i].key.packed(), static_cast<uint32_t>(i));
  }
}

}  // namespace payops::reasoning
