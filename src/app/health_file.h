// <state>/health.json: what a container's health check reads. Replaced as a whole, once a second
// and whenever readiness changes.
#pragma once

#include <cstdint>
#include <string>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::app {

struct HealthReport {
  bool ready = false;
  std::string why;  // not ready, or only observing
  uint64_t step = 0;
  int64_t event_ts_ms = 0;
  int64_t written_ts_ms = 0;  // wall clock
  static constexpr auto fields() {
    return std::make_tuple(field("ready", &HealthReport::ready), field("why", &HealthReport::why),
                           field("step", &HealthReport::step),
                           field("event_ts_ms", &HealthReport::event_ts_ms),
                           field("written_ts_ms", &HealthReport::written_ts_ms));
  }
};

class HealthFile {
 public:
  explicit HealthFile(std::string directory) : path_(std::move(directory) + "/health.json") {}
  // Where the disk refuses, the file stays as it was: its growing old is what tells. Errors:
  // unavailable, retryable, with the reason.
  [[nodiscard]] Status write(HealthReport report, int64_t now_ms);

 private:
  std::string path_;
  HealthReport last_;
};

}  // namespace payops::app
