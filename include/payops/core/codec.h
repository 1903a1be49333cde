// Bytes for state, snapshots and input blocks. Integers are LEB128 varints (signed ones zigzag),
// doubles their eight IEEE bytes little-endian, strings and containers a length and then the
// items, structs their fields in order. Equal values give equal bytes, on one architecture.
//
//   std::string bytes = encode(value);
//   Result<Scope> scope = decode<Scope>(bytes);
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops {

class Encoder {
 public:
  explicit Encoder(std::string& out) : out_(out) {}

  void varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }

  template <class T>
  void put(const T& value) {
    if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
      varint(static_cast<uint64_t>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      const auto wide = static_cast<int64_t>(value);
      varint((static_cast<uint64_t>(wide) << 1) ^ static_cast<uint64_t>(wide >> 63));
    } else if constexpr (std::is_integral_v<T>) {
      varint(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      const auto bits = std::bit_cast<uint64_t>(static_cast<double>(value));
      char bytes[8];
      for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(bits >> (8 * i));
      out_.append(bytes, 8);
    } else if constexpr (Reflected<T>) {
      for_each_field(value, [&](std::string_view, const auto& member) { put(member); });
    } else {
      put_container(value);
    }
  }

 private:
  void put_container(const std::string& value) {
    varint(value.size());
    out_.append(value);
  }
  template <class T>
  void put_container(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class A, class B>
  void put_container(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <class T, std::size_t N>
  void put_container(const std::array<T, N>& value) {
    for (const auto& item : value) put(item);
  }
  template <class Container>
  void put_container(const Container& value) {
    varint(value.size());
    for (const auto& item : value) put(item);
  }

  std::string& out_;
};

// Reads what Encoder wrote. After a failed read `ok()` is false and every further value is empty.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && in_.empty(); }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && ok_ && !in_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }

  template <class T>
  void get(T& value) {
    if constexpr (NamedEnum<T>) {
      const uint64_t raw = varint();
      if (raw >= enum_names<T>.size()) ok_ = false;
      value = ok_ ? static_cast<T>(raw) : T{};
    } else if constexpr (std::is_same_v<T, bool> || std::is_enum_v<T>) {
      value = static_cast<T>(varint());
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      const uint64_t raw = varint();
      value = static_cast<T>(static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1));
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(varint());
    } else if constexpr (std::is_floating_point_v<T>) {
      uint64_t bits = 0;
      const std::string_view bytes = take(8);
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        bits |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
      }
      value = static_cast<T>(std::bit_cast<double>(bits));
    } else if constexpr (Reflected<T>) {
      for_each_field(value, [&](std::string_view, auto& member) { get(member); });
    } else {
      get_container(value);
    }
  }

 private:
  std::string_view take(std::size_t n) {
    if (!ok_ || in_.size() < n) {
      ok_ = false;
      return {};
    }
    const std::string_view bytes = in_.substr(0, n);
    in_.remove_prefix(n);
    return bytes;
  }
  // A length that the remaining bytes can hold at one byte an item: a corrupt one asks no memory.
  std::size_t length() {
    const uint64_t n = varint();
    if (n > in_.size()) ok_ = false;
    return ok_ ? static_cast<std::size_t>(n) : 0;
  }
  void get_container(std::string& value) { value = std::string(take(length())); }
  template <class T>
  void get_container(std::optional<T>& value) {
    bool present = false;
    get(present);
    value.reset();
    if (present && ok_) get(value.emplace());
  }
  template <class A, class B>
  void get_container(std::pair<A, B>& value) {
    get(value.first);
    get(value.second);
  }
  template <class T, std::size_t N>
  void get_container(std::array<T, N>& value) {
    for (auto& item : value) get(item);
  }
  template <class T>
  void get_container(std::vector<T>& value) {
    value.clear();
    const std::size_t n = length();
    for (std::size_t i = 0; i < n && ok_; ++i) get(value.emplace_back());
  }
  template <class K, class V>
  void get_container(std::map<K, V>& value) {
    value.clear();
    const std::size_t n = length();
    for (std::size_t i = 0; i < n && ok_; ++i) {
      std::pair<K, V> item;
      get(item);
      if (ok_) value.emplace_hint(value.end(), std::move(item));
    }
  }

  std::string_view in_;
  bool ok_ = true;
};

template <class T>
[[nodiscard]] std::string encode(const T& value) {
  std::string bytes;
  Encoder(bytes).put(value);
  return bytes;
}

// Errors: corrupt, when the bytes end early, go on too long or hold an unknown enum value.
template <class T>
[[nodiscard]] Result<T> decode(std::string_view bytes) {
  T value{};
  Decoder in(bytes);
  in.get(value);
  if (!in.at_end()) return fail(ErrorCode::corrupt, "stored bytes do not decode");
  return value;
}

}  // namespace payops
