// The inner loops of the network, over rows of floats whose length is a multiple of 8. Every lane
// is computed on its own (sums go in eight fixed lanes), so a wider vector unit gives the same
// bits.
#pragma once

#include <cstddef>

namespace payops::support_agent {

struct AdamStep {
  float rate;            // of this step, bias of the first moment corrected
  float root_scale;      // 1 / sqrt(bias correction of the second moment)
  float gradient_scale;  // 1 / items in the batch
};
inline constexpr float kAdamBeta1 = 0.9F;
inline constexpr float kAdamBeta2 = 0.999F;
inline constexpr float kAdamEpsilon = 1e-8F;

// to += factor × from
void add_scaled(float* to, const float* from, float factor, std::size_t n);
[[nodiscard]] float dot(const float* a, const float* b, std::size_t n);
// One step of Adam on n parameters with their moments.
void adam(float* parameter, float* first, float* second, const float* gradient, std::size_t n,
          const AdamStep& step);

}  // namespace payops::support_agent
