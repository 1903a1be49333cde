// Asking for memory before it is needed.
#pragma once

namespace payops::observation {

// Asks for the line of memory at `place`, which need not be valid. The empty asm is an effect: GCC
// 12 takes a function that only prefetches for one without any and drops its calls.
[[gnu::always_inline]] inline void prefetch(const void* place) {
  __builtin_prefetch(place);
  asm volatile("");
}

}  // namespace payops::observation
