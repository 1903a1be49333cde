#include "json_cursor.h"

#include "numbers.h"

namespace payops::observation {
namespace {

constexpr int kMaxDepth = 64;

bool skip_members(JsonCursor& cursor, int depth) {
  cursor.next();
  if (cursor.peek() == '}') {
    cursor.next();
    return true;
  }
  while (cursor.peek() == '"') {
    cursor.next();
    if (cursor.peek() != ':') return false;
    cursor.next();
    if (!skip_value(cursor, depth)) return false;
    const char mark = cursor.peek();
    cursor.next();
    if (mark == '}') return true;
    if (mark != ',') return false;
  }
  return false;
}

bool skip_items(JsonCursor& cursor, int depth) {
  cursor.next();
  if (cursor.peek() == ']') {
    cursor.next();
    return true;
  }
  while (skip_value(cursor, depth)) {
    const char mark = cursor.peek();
    cursor.next();
    if (mark == ']') return true;
    if (mark != ',') return false;
  }
  return false;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four hex digits at `at`, or -1.
int32_t code_unit(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t unit = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

std::size_t put_utf8(uint32_t code, char* out) {
  const auto byte = [](uint32_t value) { return static_cast<char>(value); };
  char bytes[4];
  std::size_t n = 0;
  if (code < 0x80) {
    bytes[n++] = byte(code);
  } else if (code < 0x800) {
    bytes[n++] = byte(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    bytes[n++] = byte(0xE0 | code >> 12);
    bytes[n++] = byte(0x80 | (code >> 6 & 0x3F));
  } else {
    bytes[n++] = byte(0xF0 | code >> 18);
    bytes[n++] = byte(0x80 | (code >> 12 & 0x3F));
    bytes[n++] = byte(0x80 | (code >> 6 & 0x3F));
  }
  if (code >= 0x80) bytes[n++] = byte(0x80 | (code & 0x3F));
  if (out != nullptr) {
    for (std::size_t i = 0; i < n; ++i) out[i] = bytes[i];
  }
  return n;
}

// Reads the escape `\u....` at `at` (the first digit), with its second half where it has one, and
// moves `at` past it. False for a lone half of a pair.
bool read_code_point(std::string_view text, std::size_t& at, uint32_t& code) {
  const int32_t first = code_unit(text, at);
  if (first < 0 || (first >= 0xDC00 && first < 0xE000)) return false;
  at += 4;
  code = static_cast<uint32_t>(first);
  if (first < 0xD800 || first >= 0xDC00) return true;
  if (text.substr(at, 2) != "\\u") return false;
  const int32_t second = code_unit(text, at + 2);
  if (second < 0xDC00 || second >= 0xE000) return false;
  at += 6;
  code = 0x10000 +
         ((static_cast<uint32_t>(first) & 0x3FF) << 10 | (static_cast<uint32_t>(second) & 0x3FF));
  return true;
}

}  // namespace

bool skip_value(JsonCursor& cursor, int depth) {
  const char first = cursor.peek();
  if (first == '{') return depth < kMaxDepth && skip_members(cursor, depth + 1);
  if (first == '[') return depth < kMaxDepth && skip_items(cursor, depth + 1);
  const std::string_view token = cursor.token();
  cursor.next();
  if (std::string_view inside; string_inside(token, inside)) {
    return !cursor.escapes || unescape(inside, nullptr) >= 0;
  }
  return token == "null" || token == "true" || token == "false" || is_number(token);
}

int64_t unescape(std::string_view inside, char* out) {
  static constexpr std::string_view kEscapes = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  std::size_t n = 0;
  for (std::size_t i = 0; i < inside.size();) {
    if (inside[i] != '\\') {
      if (out != nullptr) out[n] = inside[i];
      ++n;
      ++i;
      continue;
    }
    if (++i == inside.size()) return -1;
    const char kind = inside[i++];
    uint32_t code = 0;
    if (kind == 'u') {
      if (!read_code_point(inside, i, code)) return -1;
    } else {
      const std::size_t which = kEscapes.find(kind);
      if (which == std::string_view::npos) return -1;
      code = static_cast<uint32_t>(kMeanings[which]);
    }
    n += put_utf8(code, out == nullptr ? nullptr : out + n);
  }
  return static_cast<int64_t>(n);
}

}  // namespace payops::observation
