// Errors as values: `Result<T>` is a value or an `Error` that says whether trying again can help.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace payops {

// What went wrong, in the words of the caller's exit status: usage and config are the caller's
// to mend, unavailable means a needed service or disk, corrupt means stored bytes are not ours.
enum class ErrorCode { usage, config, not_found, unavailable, refused, corrupt, limit, internal };

struct Error {
  ErrorCode code = ErrorCode::internal;
  bool retryable = false;
  std::string message;  // what was wrong, where, and what would be right
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::make_unexpected(Error{code, false, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail_retryable(ErrorCode code, std::string message) {
  return tl::make_unexpected(Error{code, true, std::move(message)});
}

}  // namespace payops
