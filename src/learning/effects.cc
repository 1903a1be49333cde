// The hierarchical normal model of effect factors. Every exact row keeps what its own outcomes say
// (precision, observed); posteriors of a class are rebuilt from those, so that a row can be taken
// out again without a trace.
#include <algorithm>
#include <cmath>
#include <vector>

#include "payops/learning/learning.h"

namespace payops::learning {
namespace {

constexpr double kDayMs = 86'400'000.0;
constexpr std::string_view kClass = "*";

// Sums over the scopes of a class, each an observation of the class mean.
struct Pooled {
  double precision = 0.0;
  double weighted = 0.0;
};

// A scope's own outcomes as an observation of the class mean: the scopes' spread comes on top.
double class_weight(const EffectPosterior& row, const LearningConfig& config) {
  if (row.precision <= 0.0) return 0.0;
  return 1.0 / (1.0 / row.precision + config.scope_sd * config.scope_sd);
}

bool same_class(const EffectKey& key, const EffectKey& other) {
  return key.type == other.type && key.cause == other.cause;
}

// What a scope of unknown history has for a prior.
struct Normal {
  double mean = 0.0;
  double variance = 1.0;
};
Normal predictive(const Pooled& pooled, const LearningConfig& config) {
  const double prior = 1.0 / (config.prior_sd * config.prior_sd);
  const double precision = prior + pooled.precision;
  return {(prior * config.prior_mean + pooled.weighted) / precision,
          1.0 / precision + config.scope_sd * config.scope_sd};
}

// Rebuilds all posteriors of the class of `key` from its rows' own evidence.
void rebuild(EffectTable& table, const EffectKey& key, const LearningConfig& config) {
  const EffectKey class_key{key.type, key.cause, std::string(kClass)};
  table.erase(class_key);
  const auto begin = table.lower_bound({key.type, key.cause, ""});
  Pooled all;
  EffectPosterior of_class;
  bool any = false;
  for (auto it = begin; it != table.end() && same_class(it->first, key); ++it) {
    const EffectPosterior& row = it->second;
    const double weight = class_weight(row, config);
    any = true;
    all.precision += weight;
    all.weighted += weight * row.observed;
    of_class.outcomes += row.outcomes;
    of_class.improved += row.improved;
    of_class.worse += row.worse;
    of_class.updated_ts_ms = std::max(of_class.updated_ts_ms, row.updated_ts_ms);
  }
  if (!any) return;
  for (auto it = begin; it != table.end() && same_class(it->first, key); ++it) {
    EffectPosterior& row = it->second;
    const double weight = class_weight(row, config);
    const Normal prior = predictive(
        {std::max(0.0, all.precision - weight), all.weighted - weight * row.observed}, config);
    const double precision = 1.0 / prior.variance + row.precision;
    row.mean = (prior.mean / prior.variance + row.precision * row.observed) / precision;
    row.sigma = std::sqrt(1.0 / precision);
  }
  const Normal unknown = predictive(all, config);
  of_class.mean = unknown.mean;
  of_class.sigma = std::sqrt(unknown.variance);
  of_class.precision = all.precision;
  of_class.observed = all.precision > 0.0 ? all.weighted / all.precision : 0.0;
  table.emplace(class_key, of_class);
}

// Makes room by dropping the scope that has gone longest without an outcome.
void drop_oldest(EffectTable& table, const LearningConfig& config) {
  while (table.size() > config.scopes_max) {
    auto oldest = table.end();
    for (auto it = table.begin(); it != table.end(); ++it) {
      if (it->first.peer == kClass) continue;
      if (oldest == table.end() || it->second.updated_ts_ms < oldest->second.updated_ts_ms) {
        oldest = it;
      }
    }
    if (oldest == table.end()) return;
    const EffectKey key = oldest->first;
    table.erase(oldest);
    rebuild(table, key, config);
  }
}

Scope parse_scope(const std::string& text) {
  const auto first = text.find('|');
  const auto second = text.find('|', first == std::string::npos ? first : first + 1);
  if (second == std::string::npos) return {text, "", ""};
  return {text.substr(0, first), text.substr(first + 1, second - first - 1),
          text.substr(second + 1)};
}

bool covered(const Scope& outer, const Scope& inner) {
  return (outer.issuer == "*" || outer.issuer == inner.issuer) &&
         (outer.method == "*" || outer.method == inner.method) &&
         (outer.gateway == "*" || outer.gateway == inner.gateway);
}

}  // namespace

void update(EffectTable& table, const Intervention& intervention, const Outcome& outcome,
            int64_t ts_ms, const LearningConfig& config) {
  if (outcome.result == OutcomeResult::pending) return;
  const Action& action = intervention.action;
  const EffectKey key{action.type, intervention.option.cause, to_string(action.scope)};
  EffectPosterior& row = table[key];
  ++row.outcomes;
  row.improved += outcome.result == OutcomeResult::improved;
  row.worse += outcome.result == OutcomeResult::worse;
  // Old outcomes fade, so that a changed world is learnt again.
  if (row.updated_ts_ms != 0) {
    const auto age_ms = static_cast<double>(std::max<int64_t>(0, ts_ms - row.updated_ts_ms));
    row.precision *= std::exp(-age_ms / (config.memory_days * kDayMs));
  }
  row.updated_ts_ms = ts_ms;
  const auto seen = factor_seen(outcome, intervention.option.model_effect, config.model_effect_min);
  if (seen) {
    row.observed = (row.precision * row.observed + seen->precision * seen->factor) /
                   (row.precision + seen->precision);
    row.precision += seen->precision;
  }
  rebuild(table, key, config);
  drop_oldest(table, config);
}

bool reset(EffectTable& table, const Scope& scope, const LearningConfig& config) {
  std::vector<EffectKey> forgotten;
  for (const auto& [key, row] : table) {
    if (key.peer != kClass && covered(scope, parse_scope(key.peer))) forgotten.push_back(key);
  }
  for (const EffectKey& key : forgotten) table.erase(key);
  for (const EffectKey& key : forgotten) rebuild(table, key, config);
  if (scope == Scope{} && !table.empty()) {
    table.clear();
    return true;
  }
  return !forgotten.empty();
}

}  // namespace payops::learning
