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

namespace {

// CLI11's own checks compare, and no comparison with NaN fails.
CLI::Validator number_that(const std::string& is, const std::function<bool(double)>& fits) {
  const auto check = [is, fits](const std::string& text) {
    double value = 0.0;
    const bool number = CLI::detail::lexical_cast(text, value);
    return number && std::isfinite(value) && fits(value) ? std::string()
                                                         : "\"" + text + "\" is no " + is;
  };
  return CLI::Validator(check, "");
}

}  // namespace

CLI::Validator between(double least, double most) {
  char is[96];
  std::snprintf(is, sizeof is, "number from %g to %g", least, most);
  return number_that(is, [=](double value) { return value >= least && value <= most; });
}
CLI::Validator positive_number() {
  return number_that("number above 0", [](double value) { return value > 0.0; });
}
CLI::Validator non_negative_number() {
  return number_that("number from 0 on", [](double value) { return value >= 0.0; });
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
