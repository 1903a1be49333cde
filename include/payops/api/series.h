// A series' values over time, as a console draws them: counts by slots of time, and the success
// that was usual then.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "payops/model/attempt.h"

namespace payops::api {

struct SeriesPoint {
  int64_t ts_ms = 0;  // where the slot begins
  uint32_t attempts = 0;
  uint32_t first_attempts = 0;
  uint32_t first_approvals = 0;
  std::array<uint32_t, kDeclineClasses> declines{};  // of first attempts, by class
  float p50_ms = 0.0F;                               // latency of all attempts
  float p95_ms = 0.0F;
  float p99_ms = 0.0F;
  float usual = -1.0F;  // success rate, as last read within the slot; below 0: not known
};

struct SeriesValues {
  int64_t slot_ms = 0;              // 0: nothing is known of the series
  std::vector<SeriesPoint> points;  // ascending, one a slot without gaps
};

// {"slot_ms","points":[{"ts_ms","attempts","success","baseline","sd","p50_ms",…,"retry_rate",
// "declines":{}}]}: rates in [0, 1], null where nothing is known; "sd" is the binomial one of the
// slot's first attempts about the usual rate.
[[nodiscard]] std::string series_text(const SeriesValues& values);
// The same as CSV (RFC 4180), a column for each decline class.
[[nodiscard]] std::string series_csv(const SeriesValues& values);

}  // namespace payops::api
