#include "payops/reasoning/cusum.h"

#include <algorithm>
#include <cmath>

namespace payops::reasoning {

double share_llr(double n, double k, double p0, double g) {
  const double success = std::log1p(-g);
  const double failure = k > 0.0 ? k * std::log1p(g * (1.0 - p0) / p0) : 0.0;
  return failure + (n - k) * success;
}

void share_llrs(double n, double k, double p0, const double* g, double* llr, std::size_t count) {
  const double ratio = (1.0 - p0) / p0;
  for (std::size_t j = 0; j < count; ++j) llr[j] = (n - k) * std::log1p(-g[j]);
  if (k <= 0.0) return;
  for (std::size_t j = 0; j < count; ++j) llr[j] += k * std::log(1.0 + g[j] * ratio);
}

double drop_llr(double k, double mean, double g) {
  return (k > 0.0 ? k * std::log1p(-g) : 0.0) + mean * g;
}

double share_threshold(double arl, double p0, double g) {
  const double p1 = p0 + (1.0 - p0) * g;
  const double jump = std::log(p1 / p0);
  const double information = p1 * jump + (1.0 - p1) * std::log1p(-g);
  // A failure lifts the statistic by `jump`, successes lower it by small steps: heights of new
  // records are about uniform below the jump, the excess over a far threshold about triangular.
  const double zeta = 2.0 / jump * (1.0 - (1.0 - std::exp(-jump)) / jump);
  return std::max(kLeastThreshold, std::log(arl * information * zeta * zeta));
}

double drop_threshold(double arl_s, double rate, double g) {
  const double information = rate * (g + (1.0 - g) * std::log1p(-g));
  return std::max(kLeastThreshold, std::log(arl_s * information));
}

}  // namespace payops::reasoning
