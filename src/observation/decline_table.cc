#include "payops/observation/decline_table.h"

#include <array>
#include <utility>

#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/yaml_fields.h"

namespace payops::observation {
namespace {

using Section = std::pair<std::string_view, const std::map<std::string, DeclineRule>*>;

std::vector<Section> sections_of(const DeclineCodes& codes) {
  std::vector<Section> sections;
  for_each_field(codes, [&](std::string_view name, const auto& section) {
    sections.emplace_back(name, &section);
  });
  return sections;
}

constexpr std::size_t kMaxCodes = 16'384;

}  // namespace

Status DeclineCodes::validate() const {
  std::map<std::string_view, std::string_view> home;
  for (const auto& [name, section] : sections_of(*this)) {
    for (const auto& [code, rule] : *section) {
      const auto [it, fresh] = home.emplace(code, name);
      if (!fresh) {
        return fail(ErrorCode::config, "the code \"" + code + "\" stands in both " +
                                           std::string(it->second) + " and " + std::string(name));
      }
    }
  }
  if (home.size() > kMaxCodes) {
    return fail(ErrorCode::config, "more than " + std::to_string(kMaxCodes) + " decline codes");
  }
  return {};
}

DeclineTable::DeclineTable(const DeclineCodes& codes) {
  for (const auto& [name, section] : sections_of(codes)) {
    for (const auto& [code, rule] : *section) {
      entries_.push_back({code, {rule.decline_class, rule.hardness}});
    }
  }
  PAYOPS_CHECK(entries_.size() <= kMaxCodes);
  std::size_t room = 16;
  while (room < 4 * entries_.size()) room *= 2;
  slots_.resize(room);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = hash64(entries_[i].code) & (room - 1);
    while (slots_[at] != 0) at = (at + 1) & (room - 1);
    slots_[at] = static_cast<uint16_t>(i + 1);
  }
}

Result<DeclineTable> DeclineTable::load(const std::string& file) {
  auto codes = read_yaml_file<DeclineCodes>(file);
  if (!codes) return tl::make_unexpected(codes.error());
  return DeclineTable(*codes);
}

std::optional<DeclineMeaning> DeclineTable::find(std::string_view code) const {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash64(code) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const Entry& entry = entries_[slots_[at] - std::size_t{1}];
    if (entry.code == code) return entry.meaning;
  }
  return std::nullopt;
}

}  // namespace payops::observation
