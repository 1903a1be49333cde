#include "request_head.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace payops::api {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::size_t kDigitsMax = 12;

bool same_name(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

RequestEnd bad(int status, const char* why) {
  RequestEnd end;
  end.kind = RequestEnd::Kind::bad;
  end.status = status;
  end.why = why;
  return end;
}

// What the header fields say of the body.
struct Body {
  uint64_t length = 0;
  bool length_said = false;
  bool wants_continue = false;
  RequestEnd fault;
};

void read_field(std::string_view name, std::string_view value, Body& body) {
  if (same_name(name, "transfer-encoding")) body.fault = bad(411, "say the body's length");
  if (same_name(name, "expect") && same_name(value, "100-continue")) body.wants_continue = true;
  if (!same_name(name, "content-length")) return;
  const bool digits =
      !value.empty() && value.size() <= kDigitsMax &&
      std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || body.length_said) {
    body.fault = bad(400, "one Content-Length, in digits");
    return;
  }
  body.length_said = true;
  for (const char c : value) body.length = body.length * 10 + static_cast<uint64_t>(c - '0');
}

Body body_of(std::string_view head) {
  Body body;
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::size_t begin = at + 2;
    at = head.find("\r\n", begin);
    const std::string_view line =
        head.substr(begin, at == std::string_view::npos ? at : at - begin);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || line.find_first_of(" \t") < colon) {
      body.fault = bad(400, "a header field is NAME: VALUE");
    } else {
      read_field(line.substr(0, colon), trimmed(line.substr(colon + 1)), body);
    }
    if (body.fault.status != 0) break;
  }
  return body;
}

}  // namespace

RequestEnd request_end(const std::string& bytes, std::size_t head_max, std::size_t body_max) {
  const std::size_t found = bytes.find(kEnd);
  const std::size_t head = found == std::string::npos ? bytes.size() : found + kEnd.size();
  if (head > head_max) return bad(431, "the request's head is too large");
  if (found == std::string::npos) return {};
  Body body = body_of(std::string_view(bytes).substr(0, found));
  if (body.fault.status != 0) return body.fault;
  RequestEnd end;
  end.body_left_out = body.length > body_max;
  end.bytes = head + (end.body_left_out ? 0 : static_cast<std::size_t>(body.length));
  if (bytes.size() >= end.bytes) end.kind = RequestEnd::Kind::whole;
  end.wants_continue = body.wants_continue;
  return end;
}

}  // namespace payops::api
