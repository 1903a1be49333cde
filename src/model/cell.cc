#include "payops/model/cell.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>

#include "payops/core/check.h"

namespace payops {
namespace {

constexpr uint32_t kFirstEdgeMs = 8;

// Visits the counters of a cell in the order they are written.
template <class CellRef, class Visit>
void for_each_counter(CellRef& cell, Visit&& visit) {
  visit(cell.attempts);
  visit(cell.approvals);
  visit(cell.first_attempts);
  visit(cell.first_approvals);
  visit(cell.timeouts);
  for (auto& count : cell.failures) visit(count);
  for (auto& count : cell.first_failures) visit(count);
  visit(cell.amount_minor);
  visit(cell.approved_amount_minor);
  for (auto& count : cell.latency.counts) visit(count);
}

constexpr std::size_t kCounters = 5 + 2 * kDeclineClasses + 2 + kLatencyBuckets;

// A cell is a list of (gap to the next non-zero counter, value), ended by a gap past the last.
void encode_cell(const Cell& cell, Encoder& out) {
  uint64_t gap = 0;
  for_each_counter(cell, [&](auto count) {
    if (count == 0) {
      ++gap;
      return;
    }
    out.varint(gap);
    out.put(count);
    gap = 0;
  });
  out.varint(kCounters);
}

void decode_cell(Decoder& in, Cell& cell) {
  uint64_t gap = in.varint();
  for_each_counter(cell, [&](auto& count) {
    if (gap > 0) {
      --gap;
      return;
    }
    in.get(count);
    gap = in.varint();
  });
}

}  // namespace

std::size_t latency_bucket(uint32_t latency_ms) {
  if (latency_ms < kFirstEdgeMs) return 0;
  const auto octave = static_cast<uint32_t>(std::bit_width(latency_ms)) - 4;  // 8..15 ms -> 0
  const uint32_t quarter = (latency_ms >> (octave + 1)) & 3;
  return std::min<std::size_t>(1 + octave * 4 + quarter, kLatencyBuckets - 1);
}

double latency_bucket_low_ms(std::size_t bucket) {
  if (bucket == 0) return 0.0;
  const std::size_t octave = (bucket - 1) / 4;
  const std::size_t quarter = (bucket - 1) % 4;
  return static_cast<double>(uint64_t{2} << octave) * static_cast<double>(4 + quarter);
}

LatencyHistogram& LatencyHistogram::operator+=(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) counts[i] += other.counts[i];
  return *this;
}

LatencyHistogram& LatencyHistogram::operator-=(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) counts[i] -= other.counts[i];
  return *this;
}

uint64_t LatencyHistogram::total() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

double LatencyHistogram::quantile_ms(double q) const {
  const uint64_t n = total();
  if (n == 0) return 0.0;
  const double target = q * static_cast<double>(n);
  double below = 0.0;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    const auto count = static_cast<double>(counts[i]);
    if (below + count >= target && count > 0.0) {
      const double low = latency_bucket_low_ms(i);
      const double high = latency_bucket_low_ms(i + 1);
      return low + (high - low) * (target - below) / count;
    }
    below += count;
  }
  return latency_bucket_low_ms(kLatencyBuckets);
}

uint32_t Cell::first_technical() const {
  uint32_t sum = 0;
  for (std::size_t c = 0; c < kDeclineClasses; ++c) {
    if (is_technical(static_cast<DeclineClass>(c))) sum += first_failures[c];
  }
  return sum;
}

Cell& Cell::operator+=(const Cell& other) {
  attempts += other.attempts;
  approvals += other.approvals;
  first_attempts += other.first_attempts;
  first_approvals += other.first_approvals;
  timeouts += other.timeouts;
  for (std::size_t c = 0; c < kDeclineClasses; ++c) {
    failures[c] += other.failures[c];
    first_failures[c] += other.first_failures[c];
  }
  amount_minor += other.amount_minor;
  approved_amount_minor += other.approved_amount_minor;
  latency += other.latency;
  return *this;
}

Cell& Cell::operator-=(const Cell& other) {
  attempts -= other.attempts;
  approvals -= other.approvals;
  first_attempts -= other.first_attempts;
  first_approvals -= other.first_approvals;
  timeouts -= other.timeouts;
  for (std::size_t c = 0; c < kDeclineClasses; ++c) {
    failures[c] -= other.failures[c];
    first_failures[c] -= other.first_failures[c];
  }
  amount_minor -= other.amount_minor;
  approved_amount_minor -= other.approved_amount_minor;
  latency -= other.latency;
  return *this;
}

ArmCell& ArmCell::operator+=(const ArmCell& other) {
  PAYOPS_CHECK(action == other.action && arm == other.arm);
  payments += other.payments;
  conversions += other.conversions;
  attempts += other.attempts;
  first_approvals += other.first_approvals;
  amount_minor += other.amount_minor;
  converted_amount_minor += other.converted_amount_minor;
  propensity_ppm_sum += other.propensity_ppm_sum;
  return *this;
}

DetailCell& DetailCell::operator+=(const DetailCell& other) {
  PAYOPS_CHECK(key == other.key);
  for (std::size_t s = 0; s < kStages; ++s) {
    reached[s] += other.reached[s];
    failed[s] += other.failed[s];
  }
  for (std::size_t c = 0; c < kFaultClasses; ++c) by_class[c] += other.by_class[c];
  return *this;
}

namespace {

// Paths as differences; a first byte says which counts are not zero and holds the band. Most
// cells count one attempt: seven bytes. Which classes are not zero is said where something failed.
void encode_details(const std::vector<DetailCell>& details, Encoder& out) {
  out.varint(details.size());
  int64_t packed = 0;
  for (const DetailCell& cell : details) {
    const auto path = static_cast<int64_t>(cell.key.path.packed());
    uint64_t flags = cell.key.band;
    for (std::size_t s = 0; s < kStages; ++s) {
      flags |= uint64_t{cell.reached[s] != 0} << (2 + s) | uint64_t{cell.failed[s] != 0} << (5 + s);
    }
    out.varint(flags);
    out.put(path - packed);
    packed = path;
    out.put(cell.key.region);
    out.put(cell.key.merchant);
    for (std::size_t s = 0; s < kStages; ++s) {
      if (cell.reached[s] != 0) out.put(cell.reached[s]);
      if (cell.failed[s] != 0) out.put(cell.failed[s]);
    }
    if (flags >> 5 == 0) continue;
    uint64_t classes = 0;
    for (std::size_t c = 0; c < kFaultClasses; ++c) classes |= uint64_t{cell.by_class[c] != 0} << c;
    out.varint(classes);
    for (const uint32_t count : cell.by_class) {
      if (count != 0) out.put(count);
    }
  }
}

// False when a path is out of range.
bool decode_path(Decoder& in, int64_t& packed, SeriesKey& path) {
  int64_t delta = 0;
  in.get(delta);
  if (__builtin_add_overflow(packed, delta, &packed) || packed < 0 || packed >> 48 != 0) {
    return false;
  }
  path = {static_cast<DimId>(packed >> 32), static_cast<DimId>(packed >> 16),
          static_cast<DimId>(packed)};
  return true;
}

bool decode_details(Decoder& in, std::vector<DetailCell>& details) {
  int64_t packed = 0;
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    DetailCell& cell = details.emplace_back();
    const uint64_t flags = in.varint();
    cell.key.band = static_cast<uint8_t>(flags & 3);
    if (!decode_path(in, packed, cell.key.path)) return false;
    in.get(cell.key.region);
    in.get(cell.key.merchant);
    for (std::size_t s = 0; s < kStages; ++s) {
      if ((flags >> (2 + s) & 1) != 0) in.get(cell.reached[s]);
      if ((flags >> (5 + s) & 1) != 0) in.get(cell.failed[s]);
    }
    const bool failed = std::any_of(cell.failed.begin(), cell.failed.end(),
                                    [](uint32_t count) { return count != 0; });
    const uint64_t classes = failed ? in.varint() : 0;
    for (std::size_t c = 0; c < kFaultClasses; ++c) {
      if ((classes >> c & 1) != 0) in.get(cell.by_class[c]);
    }
  }
  return true;
}

}  // namespace

void encode_buckets(const std::vector<ClosedBucket>& buckets, Encoder& out) {
  out.varint(buckets.size());
  int64_t second = 0;
  for (const ClosedBucket& bucket : buckets) {
    out.put(bucket.second - second);
    second = bucket.second;
    out.varint(bucket.cells.size());
    int64_t packed = 0;
    for (const LeafCell& leaf : bucket.cells) {
      const auto path = static_cast<int64_t>(leaf.key.path.packed());
      out.put(path - packed);
      packed = path;
      out.put(leaf.key.arm);
      encode_cell(leaf.cell, out);
    }
    out.put(bucket.arms);
    encode_details(bucket.details, out);
  }
}

Result<std::vector<ClosedBucket>> decode_buckets(Decoder& in) {
  const auto disordered = [] {
    return fail(ErrorCode::corrupt, "input block: seconds or paths are out of order");
  };
  std::vector<ClosedBucket> buckets;
  int64_t second = 0;
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    ClosedBucket& bucket = buckets.emplace_back();
    int64_t delta = 0;
    in.get(delta);
    if (buckets.size() > 1 && delta <= 0) return disordered();
    if (__builtin_add_overflow(second, delta, &second) || second < 0) return disordered();
    bucket.second = second;
    int64_t packed = 0;
    for (uint64_t cells = in.varint(); cells > 0 && in.ok(); --cells) {
      LeafCell& leaf = bucket.cells.emplace_back();
      if (!decode_path(in, packed, leaf.key.path)) return disordered();
      in.get(leaf.key.arm);
      decode_cell(in, leaf.cell);
    }
    in.get(bucket.arms);
    if (!decode_details(in, bucket.details)) return disordered();
  }
  if (!in.ok()) return fail(ErrorCode::corrupt, "input block: buckets end early");
  return buckets;
}

}  // namespace payops
