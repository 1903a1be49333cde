// Settings of reasoning, each with the default that ships. Rates are shares in [0, 1].
#pragma once

#include <cstdint>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::reasoning {

struct ReasoningConfig {
  double anomaly_threshold = 2.0;  // a reading's z beyond it marks the series degraded on screen
  int64_t display_window_s = 60;   // what z-scores look at; a multiple of 6
  int64_t short_window_s = 30;     // what a path's success is measured over; within the former
  double half_life_s = 3600.0;     // of health baselines, in seconds with traffic
  double volume_half_life_s = 1200.0;
  uint64_t warmup_attempts = 500;        // until then a series is `warming_up`
  uint64_t detect_after_attempts = 100;  // learnt over all series before any alarm may rise
  double false_alarms_per_week = 1.0;    // over all series and detectors of the deployment
  uint64_t min_failures = 4;             // behind any alarm
  double outage_success = 0.30;          // success below it is an outage, above a degradation
  int64_t clear_after_s = 45;            // back within tolerance this long ends an alarm
  int64_t freeze_max_s = 7200;           // an alarm this old becomes the new normal
  double belief_memory = 0.5;            // weight of the last cycle's posterior in the next prior
  uint64_t max_detail_slices = 32'768;   // path x region x merchant x band; beyond: "other"
  uint64_t max_series = 200'000;         // series beyond it are not kept; their parents still count

  static constexpr auto fields() {
    using C = ReasoningConfig;
    return std::make_tuple(
        field("anomaly_threshold", &C::anomaly_threshold),
        field("display_window_s", &C::display_window_s),
        field("short_window_s", &C::short_window_s), field("half_life_s", &C::half_life_s),
        field("volume_half_life_s", &C::volume_half_life_s),
        field("warmup_attempts", &C::warmup_attempts),
        field("detect_after_attempts", &C::detect_after_attempts),
        field("false_alarms_per_week", &C::false_alarms_per_week),
        field("min_failures", &C::min_failures), field("outage_success", &C::outage_success),
        field("clear_after_s", &C::clear_after_s), field("freeze_max_s", &C::freeze_max_s),
        field("belief_memory", &C::belief_memory),
        field("max_detail_slices", &C::max_detail_slices), field("max_series", &C::max_series));
  }
  // Errors: config, naming the key that is out of range.
  [[nodiscard]] Status validate() const;
};

}  // namespace payops::reasoning
