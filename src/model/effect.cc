#include "payops/model/effect.h"

#include <cmath>

namespace payops {

std::optional<FactorSeen> factor_seen(const Outcome& outcome, double predicted,
                                      double predicted_min) {
  const bool measured = outcome.treated_payments > 0 && outcome.holdout_payments > 0 &&
                        outcome.effect.sigma > 0.0 && std::abs(predicted) >= predicted_min;
  if (!measured) return std::nullopt;
  return FactorSeen{outcome.effect.mean / predicted, std::pow(predicted / outcome.effect.sigma, 2)};
}

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
