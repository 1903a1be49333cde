// What the terms of both agents share: from gaining the lease to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

namespace payops::app {

enum class TermEnd { lease_lost, stopped };

inline constexpr int64_t kPartitionsEveryMs = 30'000;  // new ones are looked for

inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline void sleep_ms(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

}  // namespace payops::app
