// Issuers, methods and gateways as dense ids, and the series they span.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "payops/core/fields.h"

namespace payops {

using DimId = uint16_t;
inline constexpr DimId kOther = 0;     // names beyond the dictionary's limit share this id
inline constexpr DimId kAny = 0xFFFF;  // a series that does not look at this dimension

enum class Dimension : uint8_t { issuer, method, gateway };
template <>
inline constexpr EnumNames<3> enum_names<Dimension>{"issuer", "method", "gateway"};
inline constexpr std::size_t kDimensions = 3;

// What attribution knows of an attempt beside its path, by name.
enum class Detail : uint8_t { region, merchant };
template <>
inline constexpr EnumNames<2> enum_names<Detail>{"region", "merchant"};
inline constexpr std::size_t kDetails = 2;

// Which attempts a series counts: those whose dimensions equal the key's where it is not kAny.
struct SeriesKey {
  DimId issuer = kAny;
  DimId method = kAny;
  DimId gateway = kAny;
  auto operator<=>(const SeriesKey&) const = default;

  [[nodiscard]] constexpr uint64_t packed() const {
    return uint64_t{issuer} << 32 | uint64_t{method} << 16 | gateway;
  }
  [[nodiscard]] constexpr int depth() const {
    return (issuer != kAny) + (method != kAny) + (gateway != kAny);
  }
  // True when every attempt of `inner` is also one of this series.
  [[nodiscard]] constexpr bool covers(const SeriesKey& inner) const {
    return (issuer == kAny || issuer == inner.issuer) &&
           (method == kAny || method == inner.method) &&
           (gateway == kAny || gateway == inner.gateway);
  }
  static constexpr auto fields() {
    return std::make_tuple(field("issuer", &SeriesKey::issuer), field("method", &SeriesKey::method),
                           field("gateway", &SeriesKey::gateway));
  }
};

// The eight series an attempt of leaf (issuer, method, gateway) belongs to, global first, leaf
// last.
[[nodiscard]] std::array<SeriesKey, 8> series_of_leaf(const SeriesKey& leaf);

// A scope by names, as people and routers read it; "*" is any.
struct Scope {
  std::string issuer = "*";
  std::string method = "*";
  std::string gateway = "*";
  auto operator<=>(const Scope&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("issuer", &Scope::issuer), field("method", &Scope::method),
                           field("gateway", &Scope::gateway));
  }
};

// "HDFC|card|*"
[[nodiscard]] std::string to_string(const Scope& scope);
// Back from to_string(); nothing when it is not three non-empty parts.
[[nodiscard]] std::optional<Scope> parse_scope(std::string_view text);
// "issuer HDFC on card", "gateway PAYU", "all payments"
[[nodiscard]] std::string describe(const Scope& scope);

// Names of one dimension in order of first appearance; id 0 is "other". Bounded: once `limit` names
// are known, every new name gets kOther. Lookup of a known name allocates nothing.
class NameTable {
 public:
  explicit NameTable(std::size_t limit = 4096);
  // The id of `name`, learning it if there is room.
  [[nodiscard]] DimId intern(std::string_view name);
  [[nodiscard]] DimId find(std::string_view name) const;  // kOther when unknown
  [[nodiscard]] const std::string& name(DimId id) const;  // REQUIRES: id < size()
  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::size_t limit() const { return limit_; }
  void set_limit(std::size_t limit) { limit_ = limit; }
  // Replaces the table by names in id order, starting with "other".
  void assign(const std::vector<std::string>& names);
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };
  std::size_t limit_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, DimId, Hash, std::equal_to<>> ids_;
};

// The tables together; deterministic, since ids follow the order of the input.
struct Dictionary {
  std::array<NameTable, kDimensions> tables;
  std::array<NameTable, kDetails> details{NameTable(64), NameTable(256)};
  [[nodiscard]] NameTable& of(Dimension d) { return tables[static_cast<std::size_t>(d)]; }
  [[nodiscard]] const NameTable& of(Dimension d) const {
    return tables[static_cast<std::size_t>(d)];
  }
  [[nodiscard]] const NameTable& of(Detail d) const { return details[static_cast<std::size_t>(d)]; }
  [[nodiscard]] Scope scope(const SeriesKey& key) const;
  [[nodiscard]] SeriesKey key(const Scope& scope) const;  // unknown names become kOther
};

// Names learnt since the last step, in id order per dimension; part of a step's input.
struct DictionaryDelta {
  std::array<std::vector<std::string>, kDimensions> added;
  std::array<std::vector<std::string>, kDetails> details{};
  static constexpr auto fields() {
    return std::make_tuple(field("added", &DictionaryDelta::added),
                           field("details", &DictionaryDelta::details));
  }
};

}  // namespace payops
