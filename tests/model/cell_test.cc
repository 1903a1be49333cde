#include "payops/model/cell.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace payops {
namespace {

Cell any_cell() {
  Cell cell;
  cell.attempts = *rc::gen::inRange(0u, 1000u);
  cell.first_attempts = *rc::gen::inRange(0u, 1000u);
  cell.failures[*rc::gen::inRange<std::size_t>(0, kDeclineClasses)] = *rc::gen::inRange(0u, 99u);
  cell.amount_minor = *rc::gen::arbitrary<int64_t>() >> 8;
  const auto latencies = *rc::gen::container<std::vector<uint32_t>>(rc::gen::inRange(0u, 100'000u));
  for (const uint32_t ms : latencies) cell.latency.add(ms);
  return cell;
}

Cell sum(Cell a, const Cell& b) { return a += b; }

TEST_CASE("cells merge associatively and commutatively, and subtract exactly") {
  CHECK(rc::check([] {
    const Cell a = any_cell(), b = any_cell(), c = any_cell();
    RC_ASSERT(sum(a, sum(b, c)) == sum(sum(a, b), c));
    RC_ASSERT(sum(a, b) == sum(b, a));
    Cell difference = sum(a, b);
    difference -= b;
    RC_ASSERT(difference == a);
  }));
}

TEST_CASE("buckets read back from their bytes") {
  CHECK(rc::check([] {
    std::vector<ClosedBucket> buckets;
    for (int64_t second = 1'700'000'000; second < 1'700'000'005; second += 2) {
      ClosedBucket bucket{.second = second, .cells = {}, .arms = {}};
      for (DimId issuer = 0; issuer < *rc::gen::inRange<DimId>(0, 5); ++issuer) {
        bucket.cells.push_back({{{issuer, 3, 1}, Arm::holdout}, any_cell()});
      }
      bucket.arms.push_back({.action = *rc::gen::arbitrary<uint64_t>(), .arm = Arm::treated});
      for (DimId merchant = 0; merchant < *rc::gen::inRange<DimId>(0, 9); ++merchant) {
        DetailCell& detail = bucket.details.emplace_back();
        detail.key = {.path = {merchant, 2, *rc::gen::inRange<DimId>(0, 300)},
                      .region = *rc::gen::inRange<DimId>(0, 255),
                      .merchant = merchant,
                      .band = *rc::gen::inRange<uint8_t>(0, kAmountBands)};
        for (uint32_t& count : detail.reached) count = *rc::gen::inRange(0u, 3u);
        for (uint32_t& count : detail.failed) count = *rc::gen::inRange(0u, 3u);
        const bool failed = std::any_of(detail.failed.begin(), detail.failed.end(),
                                        [](uint32_t count) { return count != 0; });
        for (uint32_t& count : detail.by_class) count = failed ? *rc::gen::inRange(0u, 3u) : 0;
      }
      buckets.push_back(bucket);
    }
    std::string bytes;
    Encoder out(bytes);
    encode_buckets(buckets, out);
    Decoder in(bytes);
    const auto back = decode_buckets(in);
    RC_ASSERT(back.has_value());
    RC_ASSERT(in.at_end());
    RC_ASSERT(*back == buckets);
  }));
}

TEST_CASE("latency quantiles lie within a bucket of the truth") {
  LatencyHistogram histogram;
  for (uint32_t ms = 1; ms <= 10'000; ++ms) histogram.add(ms);
  CHECK(histogram.quantile_ms(0.95) == doctest::Approx(9500).epsilon(0.02));
  CHECK(histogram.quantile_ms(0.5) == doctest::Approx(5000).epsilon(0.02));
  for (std::size_t i = 1; i < kLatencyBuckets; ++i) {
    CHECK(latency_bucket(static_cast<uint32_t>(latency_bucket_low_ms(i))) == i);
    CHECK(latency_bucket(static_cast<uint32_t>(latency_bucket_low_ms(i)) - 1) == i - 1);
  }
}

}  // namespace
}  // namespace payops
