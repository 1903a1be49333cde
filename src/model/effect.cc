#include "payops/model/effect.h"

namespace payops {

EffectPosterior effect_for(const EffectTable& table, std::string_view type, Cause cause,
                           const Scope& scope) {
  const EffectKey exact{std::string(type), cause, to_string(scope)};
  if (const auto it = table.find(exact); it != table.end()) return it->second;
  if (const auto it = table.find({std::string(type), cause, "*"}); it != table.end()) {
    return it->second;
  }
  return {};
}

}  // namespace payops
