#include "payops/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace payops {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "payops: invariant broken: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace payops
