#include "payops/model/dimensions.h"

#include "payops/core/check.h"
#include "payops/core/digest.h"

namespace payops {

std::array<SeriesKey, 8> series_of_leaf(const SeriesKey& leaf) {
  std::array<SeriesKey, 8> keys;
  for (unsigned mask = 0; mask < 8; ++mask) {
    keys[mask] = {(mask & 1) != 0 ? leaf.issuer : kAny, (mask & 2) != 0 ? leaf.method : kAny,
                  (mask & 4) != 0 ? leaf.gateway : kAny};
  }
  return keys;
}

std::string to_string(const Scope& scope) {
  return scope.issuer + "|" + scope.method + "|" + scope.gateway;
}

std::optional<Scope> parse_scope(std::string_view text) {
  const std::size_t first = text.find('|');
  const std::size_t second = first == std::string_view::npos ? first : text.find('|', first + 1);
  if (second == std::string_view::npos || text.find('|', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  Scope scope{std::string(text.substr(0, first)),
              std::string(text.substr(first + 1, second - first - 1)),
              std::string(text.substr(second + 1))};
  if (scope.issuer.empty() || scope.method.empty() || scope.gateway.empty()) return std::nullopt;
  return scope;
}

std::string describe(const Scope& scope) {
  std::string text;
  if (scope.issuer != "*") text = "issuer " + scope.issuer;
  if (scope.method != "*") text += text.empty() ? "method " + scope.method : " on " + scope.method;
  if (scope.gateway != "*") {
    text += text.empty() ? "gateway " + scope.gateway : " through " + scope.gateway;
  }
  return text.empty() ? "all payments" : text;
}

std::size_t NameTable::Hash::operator()(std::string_view text) const { return hash64(text); }

NameTable::NameTable(std::size_t limit) : limit_(limit) { assign({"other"}); }

DimId NameTable::intern(std::string_view name) {
  if (const auto it = ids_.find(name); it != ids_.end()) return it->second;
  if (names_.size() >= limit_ || names_.size() >= kAny) return kOther;
  const auto id = static_cast<DimId>(names_.size());
  names_.emplace_back(name);
  ids_.emplace(names_.back(), id);
  return id;
}

DimId NameTable::find(std::string_view name) const {
  const auto it = ids_.find(name);
  return it == ids_.end() ? kOther : it->second;
}

const std::string& NameTable::name(DimId id) const {
  PAYOPS_CHECK(id < names_.size());
  return names_[id];
}

void NameTable::assign(const std::vector<std::string>& names) {
  PAYOPS_CHECK(!names.empty() && names.size() < kAny);
  names_ = names;
  ids_.clear();
  for (std::size_t i = 0; i < names_.size(); ++i) ids_.emplace(names_[i], static_cast<DimId>(i));
}

Scope Dictionary::scope(const SeriesKey& key) const {
  const auto name = [this](Dimension d, DimId id) { return id == kAny ? "*" : of(d).name(id); };
  return {name(Dimension::issuer, key.issuer), name(Dimension::method, key.method),
          name(Dimension::gateway, key.gateway)};
}

SeriesKey Dictionary::key(const Scope& scope) const {
  const auto id = [this](Dimension d, const std::string& name) {
    return name == "*" ? kAny : of(d).find(name);
  };
  return {id(Dimension::issuer, scope.issuer), id(Dimension::method, scope.method),
          id(Dimension::gateway, scope.gateway)};
}

}  // namespace payops
