// PAYOPS_CHECK states an invariant and stays on in release: a broken one ends the process at once,
// because going on would write wrong state.
#pragma once

namespace payops {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}

#define PAYOPS_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::payops::check_failed(#condition, __FILE__, __LINE__))
