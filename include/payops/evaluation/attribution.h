// How often the scan for causes names exactly the right slices, in worlds where they are known.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/evaluation/calibration.h"

namespace payops::evaluation {

// Of a family of worlds. Right is a cause with the very dimensions and values of a true one.
struct AttributionFamily {
  std::string name;
  bool held_out = false;
  uint64_t worlds = 0;
  uint64_t leaves = 0;  // of the first world
  uint64_t causes = 0;
  uint64_t asserted = 0;
  uint64_t right = 0;
  uint64_t false_alarms = 0;  // worlds without a cause in which one was asserted
  double precision = 1.0;     // right ÷ asserted; 1 when nothing was asserted
  double recall = 1.0;        // right ÷ causes; 1 when there are none
  double f1 = 1.0;
  double seconds_mean = 0.0;  // of one scan, CPU
  double seconds_max = 0.0;
  static constexpr auto fields() {
    using F = AttributionFamily;
    return std::make_tuple(
        field("name", &F::name), field("held_out", &F::held_out), field("worlds", &F::worlds),
        field("leaves", &F::leaves), field("causes", &F::causes), field("asserted", &F::asserted),
        field("right", &F::right), field("false_alarms", &F::false_alarms),
        field("precision", &F::precision), field("recall", &F::recall), field("f1", &F::f1),
        field("seconds_mean", &F::seconds_mean), field("seconds_max", &F::seconds_max));
  }
};

struct AttributionFigures {
  std::vector<AttributionFamily> families;
  AttributionFamily tuning;    // pooled
  AttributionFamily held_out;  // pooled
  // Of every candidate, asserted or not, by the probability it was given.
  std::vector<ReliabilityBin> bins;
  double expected_calibration_error = 0.0;
  static constexpr auto fields() {
    using F = AttributionFigures;
    return std::make_tuple(field("families", &F::families), field("tuning", &F::tuning),
                           field("held_out", &F::held_out), field("bins", &F::bins),
                           field("expected_calibration_error", &F::expected_calibration_error));
  }
};

struct AttributionDraw {
  uint64_t worlds = 30;  // of each family
  uint64_t seed = 1;
  unsigned jobs = 1;
  std::function<double()> cpu_seconds = [] { return 0.0; };  // of the calling thread so far
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {};
};

// The same figures, times apart, for any number of jobs.
[[nodiscard]] AttributionFigures measure_attribution(const AttributionDraw& draw);

}  // namespace payops::evaluation
