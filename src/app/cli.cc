#include "cli.h"

#include <cstdio>

namespace payops::app {

int exit_status(const Error& error) {
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

int report(const Error& error) {
  std::fprintf(stderr, "payops: %s\n", error.message.c_str());
  return exit_status(error);
}

int report_local(const Error& error) {
  const int status = report(error);
  return status == kExitUnavailable ? kExitUsage : status;
}

}  // namespace payops::app
