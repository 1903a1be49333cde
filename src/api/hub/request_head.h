// Where a request ends: as much of HTTP/1 as it takes to know that. Internal to hub/.
#pragma once

#include <cstddef>
#include <string>

namespace payops::api {

struct RequestEnd {
  enum class Kind { more, whole, bad };
  Kind kind = Kind::more;
  std::size_t bytes = 0;        // whole: of the request, from the beginning
  bool body_left_out = false;   // whole: it is larger than the limit; the bytes are the head alone
  bool wants_continue = false;  // more: it waits to be told to send its body
  int status = 0;               // bad: what is to be answered
  const char* why = "";
};

// Needs the bytes that have come so far, from a request's beginning.
RequestEnd request_end(const std::string& bytes, std::size_t head_max, std::size_t body_max);

}  // namespace payops::api
