// The text of a value's JSON, written straight down: the same bytes as dump(to_json(value)), for
// what is written every cycle. Heavy: include it in .cc files only.
#pragma once

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>

#include "payops/core/json_fields.h"

namespace payops {

template <class T>
void append_json(std::string& out, const T& value);

namespace json_detail {

inline void append_string(std::string& out, std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c < '\x7F' && c != '"' && c != '\\'; };
  std::size_t n = 0;
  while (n < text.size() && plain(text[n])) ++n;
  if (n < text.size()) {
    out += dump(Json(std::string(text)));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 64> digits;
  char* end = digits.data();
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) {
      out += "null";
      return;
    }
    end = nlohmann::detail::to_chars(digits.data(), digits.data() + digits.size(),
                                     static_cast<double>(value));
  } else {
    end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  }
  out.append(digits.data(), end);
}

// "{" or "," before a member, and its name.
inline void append_name(std::string& out, std::string_view name, bool& first) {
  out += first ? '{' : ',';
  first = false;
  append_string(out, name);
  out += ':';
}

}  // namespace json_detail

template <class T>
void append_json(std::string& out, const T& value) {
  bool first = true;
  if constexpr (is_optional<T>) {
    if (value) return append_json(out, *value);
    out += "null";
  } else if constexpr (NamedEnum<T>) {
    json_detail::append_string(out, name_of(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    json_detail::append_number(out, value);
  } else if constexpr (std::is_same_v<T, std::string>) {
    json_detail::append_string(out, value);
  } else if constexpr (Reflected<T>) {
    for_each_field(value, [&](std::string_view name, const auto& member) {
      json_detail::append_name(out, name, first);
      append_json(out, member);
    });
    out += first ? "{}" : "}";
  } else if constexpr (is_string_map<T>) {
    for (const auto& [key, item] : value) {
      json_detail::append_name(out, key, first);
      append_json(out, item);
    }
    out += first ? "{}" : "}";
  } else if constexpr (is_pair<T>) {
    out += '[';
    append_json(out, value.first);
    out += ',';
    append_json(out, value.second);
    out += ']';
  } else {
    static_assert(
        requires { value.begin(); }, "no JSON form: list the struct's fields()");
    for (const auto& item : value) {
      out += first ? '[' : ',';
      first = false;
      append_json(out, item);
    }
    out += first ? "[]" : "]";
  }
}

}  // namespace payops
