#include "half_float.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace payops::support_agent {

namespace {
constexpr float kLargest = 65504.0F;
constexpr uint32_t kBiasGap = 127 - 15;
}  // namespace

uint16_t to_half(float value) {
  const float bounded = std::clamp(value, -kLargest, kLargest);
  const auto bits = std::bit_cast<uint32_t>(bounded);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000U);
  const float magnitude = std::abs(bounded);
  if (magnitude < 0x1.0p-14F) {  // below the normal halves: steps of 2^-24
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24F)));
  }
  const uint32_t kept = bits & 0x7FFFFFFFU;
  const uint32_t odd = (kept >> 13) & 1U;
  const uint32_t rounded = kept + 0xFFFU + odd - (kBiasGap << 23);
  return static_cast<uint16_t>(sign | (rounded >> 13));
}

float from_half(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16;
  const uint32_t exponent = (half >> 10) & 0x1FU;
  const uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + kBiasGap;
  return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

}  // namespace payops::support_agent
