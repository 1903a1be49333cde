#include "float_rows.h"

#include <cmath>

namespace payops::support_agent {
namespace {

constexpr std::size_t kLanes = 8;

#define PAYOPS_ALWAYS_INLINE __attribute__((always_inline)) inline

PAYOPS_ALWAYS_INLINE void add_scaled_body(float* __restrict to, const float* __restrict from,
                                          float factor, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

PAYOPS_ALWAYS_INLINE float dot_body(const float* __restrict a, const float* __restrict b,
                                    std::size_t n) {
  float lane[kLanes] = {};
  for (std::size_t i = 0; i < n; i += kLanes) {
    for (std::size_t l = 0; l < kLanes; ++l) lane[l] += a[i + l] * b[i + l];
  }
  return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

PAYOPS_ALWAYS_INLINE void adam_body(float* __restrict parameter, float* __restrict first,
                                    float* __restrict second, const float* __restrict gradient,
                                    std::size_t n, const AdamStep& step) {
  const float rate = step.rate, root_scale = step.root_scale, scale = step.gradient_scale;
  for (std::size_t i = 0; i < n; ++i) {
    const float g = gradient[i] * scale;
    const float m = kAdamBeta1 * first[i] + (1.0F - kAdamBeta1) * g;
    const float v = kAdamBeta2 * second[i] + (1.0F - kAdamBeta2) * (g * g);
    first[i] = m;
    second[i] = v;
    parameter[i] -= rate * m / (std::sqrt(v) * root_scale + kAdamEpsilon);
  }
}

#if defined(__x86_64__)
#define PAYOPS_WIDE __attribute__((target("avx2")))
PAYOPS_WIDE void add_scaled_wide(float* to, const float* from, float factor, std::size_t n) {
  add_scaled_body(to, from, factor, n);
}
PAYOPS_WIDE float dot_wide(const float* a, const float* b, std::size_t n) {
  return dot_body(a, b, n);
}
PAYOPS_WIDE void adam_wide(float* parameter, float* first, float* second, const float* gradient,
                           std::size_t n, const AdamStep& step) {
  adam_body(parameter, first, second, gradient, n, step);
}
bool wide() {
  static const bool kWide = __builtin_cpu_supports("avx2") != 0;
  return kWide;
}
#endif

}  // namespace

void add_scaled(float* to, const float* from, float factor, std::size_t n) {
#if defined(__x86_64__)
  if (wide()) return add_scaled_wide(to, from, factor, n);
#endif
  add_scaled_body(to, from, factor, n);
}

float dot(const float* a, const float* b, std::size_t n) {
#if defined(__x86_64__)
  if (wide()) return dot_wide(a, b, n);
#endif
  return dot_body(a, b, n);
}

void adam(float* parameter, float* first, float* second, const float* gradient, std::size_t n,
          const AdamStep& step) {
#if defined(__x86_64__)
  if (wide()) return adam_wide(parameter, first, second, gradient, n, step);
#endif
  adam_body(parameter, first, second, gradient, n, step);
}

}  // namespace payops::support_agent
