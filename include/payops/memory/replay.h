// Every step computed again from its recorded input, by the reducer that decided it: the same state
// digests, the same records, the same messages, or the first step that differs, named.
#pragma once

#include <functional>
#include <string>

#include "payops/runtime/step.h"

namespace payops::memory {

struct ReplayReport {
  bool ok = false;
  uint64_t steps = 0;  // that agree
  uint64_t lines = 0;
  uint64_t bad_step = 0;  // the first that differs; 0 = none
  uint64_t bad_seq = 0;
  std::string reason{};
  std::string recorded{};  // the line as it lies there, and as computed now; empty where the
  std::string computed{};  // difference is not in a line
  static constexpr auto fields() {
    return std::make_tuple(
        field("ok", &ReplayReport::ok), field("steps", &ReplayReport::steps),
        field("lines", &ReplayReport::lines), field("bad_step", &ReplayReport::bad_step),
        field("bad_seq", &ReplayReport::bad_seq), field("reason", &ReplayReport::reason),
        field("recorded", &ReplayReport::recorded), field("computed", &ReplayReport::computed));
  }
};

// Replays the whole log from step 1; the reducer is reset first. `progress` is told each step that
// agrees. Memory is bounded by the largest step. Errors: not_found when there is no log, or it does
// not begin at step 1; unavailable when a file cannot be read.
[[nodiscard]] Result<ReplayReport> replay(
    const std::string& directory, Reducer& reducer,
    const std::function<void(uint64_t step)>& progress = [](uint64_t) {});

}  // namespace payops::memory
