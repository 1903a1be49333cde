// JSON for structs that list their fields. Heavy: include it in .cc files only.
//
//   nlohmann::ordered_json j = to_json(value);
//   Result<Action> action = from_json<Action>(j);      // unknown keys are ignored, missing keep
//                                                      // their defaults, wrong types are errors
// Doubles print by the shortest digits that read back as the same value.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops {

using Json = nlohmann::ordered_json;

template <class T>
Json to_json(const T& value);

namespace json_detail {

template <class T>
void read(const Json& j, T& value, const std::string& path) {
  const auto wrong = [&](const char* wanted) {
    throw std::invalid_argument(path + ": expected " + wanted + ", found " + j.type_name());
  };
  if constexpr (is_optional<T>) {
    value.reset();
    if (!j.is_null()) read(j, value.emplace(), path);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!j.is_boolean()) wrong("true or false");
    value = j.get<bool>();
  } else if constexpr (NamedEnum<T>) {
    if (!j.is_string()) wrong("a name");
    const auto parsed = parse_enum<T>(j.get_ref<const std::string&>());
    if (!parsed)
      throw std::invalid_argument(path + ": unknown name \"" + j.get<std::string>() + "\"");
    value = *parsed;
  } else if constexpr (std::is_integral_v<T>) {
    if (!j.is_number_integer()) wrong("a whole number");
    value = j.get<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!j.is_number()) wrong("a number");
    value = j.get<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!j.is_string()) wrong("a string");
    value = j.get<std::string>();
  } else if constexpr (Reflected<T>) {
    if (!j.is_object()) wrong("an object");
    for_each_field(value, [&](std::string_view name, auto& member) {
      if (const auto it = j.find(std::string(name)); it != j.end()) {
        read(*it, member, path + "." + std::string(name));
      }
    });
  } else if constexpr (is_string_map<T>) {
    if (!j.is_object()) wrong("an object");
    value.clear();
    for (const auto& [key, item] : j.items()) read(item, value[key], path + "." + key);
  } else if constexpr (is_pair<T>) {
    if (!j.is_array() || j.size() != 2) wrong("a pair");
    read(j[0], value.first, path + "[0]");
    read(j[1], value.second, path + "[1]");
  } else {
    if (!j.is_array()) wrong("an array");
    if constexpr (requires { value.emplace_back(); }) {
      value.clear();
      for (const auto& item : j) read(item, value.emplace_back(), path + "[]");
    } else {
      if (j.size() != value.size()) wrong("an array of the right length");
      for (std::size_t i = 0; i < value.size(); ++i) read(j[i], value[i], path + "[]");
    }
  }
}

}  // namespace json_detail

template <class T>
Json to_json(const T& value) {
  if constexpr (is_optional<T>) {
    return value ? to_json(*value) : Json(nullptr);
  } else if constexpr (NamedEnum<T>) {
    return Json(std::string(name_of(value)));
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return Json(value);
  } else if constexpr (Reflected<T>) {
    Json object = Json::object();
    for_each_field(value, [&](std::string_view name, const auto& member) {
      object[std::string(name)] = to_json(member);
    });
    return object;
  } else if constexpr (is_string_map<T>) {
    Json object = Json::object();
    for (const auto& [key, item] : value) object[key] = to_json(item);
    return object;
  } else if constexpr (is_pair<T>) {
    return Json::array({to_json(value.first), to_json(value.second)});
  } else if constexpr (requires { value.begin(); }) {
    Json array = Json::array();
    for (const auto& item : value) array.push_back(to_json(item));
    return array;
  } else {
    static_assert(sizeof(T) == 0, "no JSON form: list the struct's fields()");
  }
}

// Errors: corrupt, with the path of the member that does not fit.
template <class T>
[[nodiscard]] Result<T> from_json(const Json& j) {
  T value{};
  try {
    json_detail::read(j, value, "$");
  } catch (const std::exception& e) {
    return fail(ErrorCode::corrupt, e.what());
  }
  return value;
}

// Compact text; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] inline std::string dump(const Json& j) {
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace payops
