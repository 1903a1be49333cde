// What the terms of both agents share: from gaining the lease to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <thread>

namespace payops::app {

enum class TermEnd { lease_lost, stopped };

inline constexpr int64_t kPartitionsEveryMs = 30'000;  // new ones are looked for

// Of a step that is committed when told to stop, and that the broker cannot take.
inline constexpr std::string_view kUnsentWaits =
    "what this step was to publish waits in the state for the next start";

inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

inline void sleep_ms(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

}  // namespace payops::app
