// A place in an indexed JSON message. Reading past the end meets the zero byte there, which no
// production of the grammar accepts, so a walk ends by itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace payops::observation {

struct JsonCursor {
  const char* text;
  const uint32_t* at;
  bool escapes;  // the message has a backslash somewhere

  [[nodiscard]] char peek() const { return text[*at]; }
  [[nodiscard]] const char* here() const { return text + *at; }
  void next() { ++at; }
  // The string with its quotes, number or literal that begins here, without trailing space.
  [[nodiscard]] std::string_view token() const {
    uint32_t end = at[1];
    while (end > *at && is_space(text[end - 1])) --end;
    return {text + *at, end - *at};
  }
  [[nodiscard]] static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }
};

// A string token's inside, quotes off. False when the token is no string.
[[nodiscard]] inline bool string_inside(std::string_view token, std::string_view& inside) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  inside = token.substr(1, token.size() - 2);
  return true;
}

// Moves past one value of any kind and checks its grammar. False when it is malformed, or nested
// deeper than 64.
[[nodiscard]] bool skip_value(JsonCursor& cursor, int depth = 0);

// Writes the text that a string's inside stands for to `out` and gives its length, or -1 when an
// escape is wrong. Never longer than the inside; `out` may be null: then it only checks.
[[nodiscard]] int64_t unescape(std::string_view inside, char* out);

}  // namespace payops::observation
