// Seeded worlds with known causes, to measure attribution by: leaf tables in the manner of public
// benchmarks for localising root causes (forecast and real values, a ripple of one size over each
// cause's leaves), and payments with binomial noise.
#pragma once

#include <string>
#include <vector>

#include "payops/reasoning/slice_scan.h"

namespace payops::evaluation {

enum class WorldKind {
  forecast,  // failures are a metric that rises above its forecast, a past period of its own
  drop,      // attempts are a forecast, failures what is missing of it; no history
  binomial,  // failures of attempts, by chance
};

// A family of worlds. Ranges are drawn from uniformly, once a world unless said otherwise.
struct WorldFamily {
  std::string name;
  bool held_out = false;  // of all tuning
  WorldKind kind = WorldKind::binomial;
  std::vector<uint32_t> values;  // how many, by dimension
  std::size_t leaves_max = 1e9;  // a sparse table has this many leaves
  std::size_t periods = 0;       // binomial only; 0: no history
  double volume = 100.0;         // mean of a leaf
  double volume_tail = 1.2;      // sd of its logarithm
  double rate = 0.05;            // binomial: baseline failures
  double rate_spread = 0.0;      // sd of the logarithm of each value's factor on the rate
  double noise_low = 0.0;        // relative noise of a leaf: forecast error, or overdispersion
  double noise_high = 0.0;
  double common_noise = 0.0;  // relative noise that a value's leaves share in a period
  double mix_shift = 0.0;     // sd of the logarithm of each value's factor on volume, now
  std::size_t causes_low = 1;
  std::size_t causes_high = 3;
  std::size_t depth_low = 1;
  std::size_t depth_high = 3;
  bool one_cuboid = false;  // all causes of a world fix the same dimensions
  double size_low = 0.2;    // a cause's size, drawn for each: see WorldKind
  double size_high = 0.9;
  double uneven_high = 0.0;  // sd of the size over a cause's leaves
  double clear = 6.0;        // a cause's excess is at least so many standard deviations
  int upstream_of = -1;      // the last dimension is a function of this one
};

struct World {
  reasoning::SliceCounts counts;
  std::vector<std::vector<int32_t>> causes;  // by dimension a code or reasoning::kAnyValue
};

[[nodiscard]] const std::vector<WorldFamily>& world_families();
// A cause has leaves and an excess that stands out of the noise, no other cause overlaps it,
// and of slices that cover the same leaves it is the one with the fewest fixed dimensions.
[[nodiscard]] World draw_world(const WorldFamily& family, uint64_t seed);

}  // namespace payops::evaluation
