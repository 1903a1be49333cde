// payops detect --kind rate: a CSV of attempts and failures in, the alarms of the agent's own
// detector out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/reasoning/rate_detector.h"

namespace payops::app {

struct RateDetection {
  std::string file;  // columns ts_ms, attempts, failures
  double target_false_alarms = 1e-6;
  bool json = false;
};

// What the options' help says of rows and alarms.
extern const char* const kRateDetectionHelp;

struct RateFindings {
  std::vector<reasoning::RateAlarm> alarms;
  uint64_t rows = 0;
  int64_t attempts = 0;
};

// Judges every row by the rows before it. Errors: usage for a file that is no such table, with
// file, line and column.
[[nodiscard]] Result<RateFindings> find_rate_alarms(const RateDetection& options);

// The same, told as a table or as one JSON document on stdout. Gives the exit status.
int detect_rate(const RateDetection& options);

}  // namespace payops::app
