// What a person watching sees of any series: single dimensions, pairs of issuer and method, and
// whole paths. A view of the reasoner's state that nothing decides on and nothing records.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "payops/model/assessment.h"
#include "payops/model/attempt.h"
#include "payops/model/dimensions.h"

namespace payops::reasoning {

// A series over the display window against its baseline. Rates are shares in [0, 1], latency in ms.
// For single dimensions z is that of SeriesStatus; pairs and paths, which may be thin, are tested
// by the arcsine of their shares (Anscombe 1948) and are not called degraded while warming up.
struct CellReading {
  SeriesKey key;
  Scope scope;
  uint64_t attempts = 0;  // in the display window
  double per_s = 0.0;     // attempts a second
  double success = 0.0;   // of first attempts, as in SeriesStatus
  double success_baseline = 0.0;
  double z = 0.0;  // of the worst reading, positive is worse
  Signal signal = Signal::success_rate;
  bool degraded = false;
  bool alarming = false;
  bool warming_up = true;
  double latency_p95_ms = 0.0;
  double latency_baseline_ms = 0.0;
  double retry_rate = 0.0;
  double retry_baseline = 0.0;
  std::array<uint32_t, kDeclineClasses> declines{};  // of first attempts, by class
};

}  // namespace payops::reasoning
