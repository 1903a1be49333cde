// From held-out logits to a temperature and a threshold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace payops::support_agent {

struct HeldOutLogits {
  std::vector<float> logits;
  uint32_t intent = 0;  // the true one
};

// The temperature in [0.05, 20] that makes the true intents likeliest (golden-section search on
// its logarithm). 1 when there is nothing to fit.
[[nodiscard]] double fit_temperature(std::span<const HeldOutLogits> held_out);

// A confidence, and whether the answer it came with was right.
struct Judged {
  double confidence = 0.0;
  bool right = false;
};

// Expected calibration error over 15 bins of equal width (Naeini et al. 2015). 0 of nothing.
[[nodiscard]] double expected_calibration_error(std::span<const Judged> judged);

// Of the right in-scope answers at least this share is kept: refusing is no way to be right.
inline constexpr double kLeastKept = 0.95;

// The threshold with the largest share of in-scope messages answered rightly plus share of
// out-of-scope messages refused, among those that keep kLeastKept of the right answers; of equals
// the middle of the range. 0 without out-of-scope messages.
[[nodiscard]] double fit_threshold(std::span<const Judged> in_scope,
                                   std::span<const double> out_of_scope);

}  // namespace payops::support_agent
