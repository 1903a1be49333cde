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
  // The first difference between the two: where (JSON pointer, RFC 6901) and both values as JSON,
  // cut to some hundred bytes; "nothing" for one that is missing.
  std::string path{};
  std::string recorded_value{};
  std::string computed_value{};
  // The build named by the first input that another one recorded; empty = all by this one.
  std::string other_build{};
  static constexpr auto fields() {
    return std::make_tuple(
        field("ok", &ReplayReport::ok), field("steps", &ReplayReport::steps),
        field("lines", &ReplayReport::lines), field("bad_step", &ReplayReport::bad_step),
        field("bad_seq", &ReplayReport::bad_seq), field("reason", &ReplayReport::reason),
        field("recorded", &ReplayReport::recorded), field("computed", &ReplayReport::computed),
        field("path", &ReplayReport::path), field("recorded_value", &ReplayReport::recorded_value),
        field("computed_value", &ReplayReport::computed_value),
        field("other_build", &ReplayReport::other_build));
  }
};

struct ReplayOptions {
  std::string build{};  // of this program, as it records it; empty = builds are not compared
  std::function<void(uint64_t step)> progress = [](uint64_t) {};  // told each step that agrees
};

// Replays the whole log from step 1; the reducer is reset first. Memory is bounded by the largest
// step. A log of another build may agree; where it does not, the reason says whose it is. Errors:
// not_found when there is no log, or it does not begin at step 1; unavailable when a file cannot be
// read.
[[nodiscard]] Result<ReplayReport> replay(const std::string& directory, Reducer& reducer,
                                          const ReplayOptions& options = {});

}  // namespace payops::memory
