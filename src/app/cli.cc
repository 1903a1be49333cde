#include "cli.h"

#include <cstdio>

namespace payops::app {

int report(const Error& error) {
  std::fprintf(stderr, "payops: %s\n", error.message.c_str());
  switch (error.code) {
    case ErrorCode::usage:
    case ErrorCode::config:
    case ErrorCode::not_found:
      return kExitUsage;
    case ErrorCode::unavailable:
      return kExitUnavailable;
    default:
      return kExitNo;
  }
}

}  // namespace payops::app
