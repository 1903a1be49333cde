// Ways for tests to break a real process at an exact point. Inert unless PAYOPS_TEST_HOOKS=1.
#pragma once

#include <functional>

#include "payops/runtime/step.h"

namespace payops::app {

// PAYOPS_CRASH_AT="committed:3": SIGKILL to this process the third time a step reaches that point
// (applied, committed, files_synced, published).
[[nodiscard]] std::function<void(StepPoint)> crash_point_from_environment();

}  // namespace payops::app
