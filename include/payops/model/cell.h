// Counters of attempts, mergeable by addition: the leaf cells of a one-second bucket, and every
// sum of them. A closed bucket is all that observation passes on, and all that replay needs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "payops/core/codec.h"
#include "payops/model/attempt.h"
#include "payops/model/dimensions.h"

namespace payops {

// Latency in log-linear buckets, four to the octave from 8 ms to 65 s: exact under addition and
// subtraction, quantiles within about 12 %.
inline constexpr std::size_t kLatencyBuckets = 54;
[[nodiscard]] std::size_t latency_bucket(uint32_t latency_ms);
[[nodiscard]] double latency_bucket_low_ms(std::size_t bucket);  // inclusive lower edge

struct LatencyHistogram {
  std::array<uint32_t, kLatencyBuckets> counts{};
  void add(uint32_t latency_ms) { ++counts[latency_bucket(latency_ms)]; }
  LatencyHistogram& operator+=(const LatencyHistogram& other);
  LatencyHistogram& operator-=(const LatencyHistogram& other);
  [[nodiscard]] uint64_t total() const;
  // The q-quantile in ms, interpolated within its bucket; 0 when empty. 0 < q < 1.
  [[nodiscard]] double quantile_ms(double q) const;
  bool operator==(const LatencyHistogram&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("counts", &LatencyHistogram::counts));
  }
};

// What is counted of the attempts in a cell. "First" counts only attempts with attempt_no 1, the
// ones that detection reads; the rest feeds retry statistics and money.
struct Cell {
  uint32_t attempts = 0;
  uint32_t approvals = 0;
  uint32_t first_attempts = 0;
  uint32_t first_approvals = 0;
  uint32_t timeouts = 0;
  std::array<uint32_t, kDeclineClasses> failures{};        // all attempts, by class
  std::array<uint32_t, kDeclineClasses> first_failures{};  // first attempts, by class
  int64_t amount_minor = 0;                                // of first attempts, reporting currency
  int64_t approved_amount_minor = 0;                       // of approvals, reporting currency
  LatencyHistogram latency;                                // all attempts

  [[nodiscard]] uint32_t retries() const { return attempts - first_attempts; }
  // Technical failures among first attempts: what issuer and gateway health move on.
  [[nodiscard]] uint32_t first_technical() const;
  Cell& operator+=(const Cell& other);
  Cell& operator-=(const Cell& other);
  bool operator==(const Cell&) const = default;
};

// The finest key that is counted: path and arm.
struct LeafKey {
  SeriesKey path;  // no kAny
  Arm arm = Arm::none;
  auto operator<=>(const LeafKey&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &LeafKey::path), field("arm", &LeafKey::arm));
  }
};

struct LeafCell {
  LeafKey key;
  Cell cell;
  bool operator==(const LeafCell&) const = default;
};

// Payments under one intervention and arm. A payment counts at its first attempt and converts at
// its (only) approval, whichever attempt that was.
struct ArmCell {
  uint64_t action = 0;  // hash64 of the action's id
  Arm arm = Arm::none;
  uint32_t payments = 0;
  uint32_t conversions = 0;
  uint32_t attempts = 0;
  uint32_t first_approvals = 0;
  int64_t amount_minor = 0;
  int64_t converted_amount_minor = 0;
  uint64_t propensity_ppm_sum = 0;  // sum over payments of propensity × 10⁶

  ArmCell& operator+=(const ArmCell& other);  // REQUIRES: same action and arm
  bool operator==(const ArmCell&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(
        field("action", &ArmCell::action), field("arm", &ArmCell::arm),
        field("payments", &ArmCell::payments), field("conversions", &ArmCell::conversions),
        field("attempts", &ArmCell::attempts), field("first_approvals", &ArmCell::first_approvals),
        field("amount_minor", &ArmCell::amount_minor),
        field("converted_amount_minor", &ArmCell::converted_amount_minor),
        field("propensity_ppm_sum", &ArmCell::propensity_ppm_sum));
  }
};

// The finest key of the details that attribution asks for. `band` is the amount's: 0 the smallest.
inline constexpr std::size_t kAmountBands = 4;
struct DetailKey {
  SeriesKey path;  // no kAny
  DimId region = kOther;
  DimId merchant = kOther;
  uint8_t band = 0;
  auto operator<=>(const DetailKey&) const = default;
};

// First attempts by the stage they came to, and of these the faults (is_fault); the same faults by
// decline class, as kFaults.
struct DetailCell {
  DetailKey key;
  std::array<uint32_t, kStages> reached{};
  std::array<uint32_t, kStages> failed{};
  std::array<uint32_t, kFaultClasses> by_class{};
  DetailCell& operator+=(const DetailCell& other);  // REQUIRES: same key
  bool operator==(const DetailCell&) const = default;
};

// One second of event time, closed: no further attempt will be counted in it. Sorted by key. The
// details are bounded by themselves: what is beyond the bound is in the cell of all `other`.
struct ClosedBucket {
  int64_t second = 0;  // ts_ms / 1000
  std::vector<LeafCell> cells;
  std::vector<ArmCell> arms;
  std::vector<DetailCell> details{};
  bool operator==(const ClosedBucket&) const = default;
};

// Compact bytes of buckets in ascending order of second: keys and seconds delta-coded, zero
// counters not written. Errors of the reader: corrupt.
void encode_buckets(const std::vector<ClosedBucket>& buckets, Encoder& out);
[[nodiscard]] Result<std::vector<ClosedBucket>> decode_buckets(Decoder& in);

}  // namespace payops
