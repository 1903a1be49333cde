// Half-precision floats (IEEE 754 binary16) as they lie in a model file.
#pragma once

#include <cstdint>

namespace payops::support_agent {

// Rounded to nearest, ties to even; beyond the largest half is the largest half.
[[nodiscard]] uint16_t to_half(float value);
[[nodiscard]] float from_half(uint16_t half);

}  // namespace payops::support_agent
