// One description of a struct serves every format. A struct that lists its fields once
//
//   struct Scope {
//     std::string issuer, method;
//     static constexpr auto fields() {
//       return std::make_tuple(field("issuer", &Scope::issuer), field("method", &Scope::method));
//     }
//   };
//
// can be written to and read from bytes (codec.h), JSON (json_fields.h) and YAML (yaml_fields.h).
// An enum takes part by `template <> inline constexpr EnumNames<E, N> enum_names<E>{...}`: names in
// order of value, values counted from 0.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace payops {

template <class Owner, class Value>
struct Field {
  std::string_view name;
  Value Owner::*member;
};

template <class Owner, class Value>
constexpr Field<Owner, Value> field(std::string_view name, Value Owner::*member) {
  return {name, member};
}

template <class T>
concept Reflected = requires {
  T::fields();
};

// Calls visit(name, member reference) for every field in order.
template <class T, class Visit>
constexpr void for_each_field(T& object, Visit&& visit) {
  std::apply([&](const auto&... f) { (visit(f.name, object.*(f.member)), ...); },
             std::remove_const_t<T>::fields());
}

template <std::size_t N>
using EnumNames = std::array<std::string_view, N>;

template <class E>
inline constexpr std::nullptr_t enum_names = nullptr;

template <class E>
concept NamedEnum = std::is_enum_v<E> &&
    !std::is_same_v<std::remove_cvref_t<decltype(enum_names<E>)>, std::nullptr_t>;

template <NamedEnum E>
constexpr std::string_view name_of(E value) {
  return enum_names<E>[static_cast<std::size_t>(value)];
}

template <NamedEnum E>
constexpr std::optional<E> parse_enum(std::string_view name) {
  for (std::size_t i = 0; i < enum_names<E>.size(); ++i) {
    if (enum_names<E>[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

// Which container a member is, for the formats.
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_string_map = false;
template <class V>
inline constexpr bool is_string_map<std::map<std::string, V>> = true;
template <class T>
inline constexpr bool is_pair = false;
template <class A, class B>
inline constexpr bool is_pair<std::pair<A, B>> = true;

// Equality of all fields, for tests.
template <Reflected T>
bool same_fields(const T& a, const T& b) {
  return std::apply([&](const auto&... f) { return ((a.*(f.member) == b.*(f.member)) && ...); },
                    T::fields());
}

}  // namespace payops
