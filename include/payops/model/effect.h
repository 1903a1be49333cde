// What has been learnt of the effect of interventions: plain data, looked up by whoever values an
// option and updated by learning from outcomes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "payops/core/fields.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"

namespace payops {

// Which effects are taken to be alike. `peer` is the exact scope, or "*" for all scopes of the
// class, from which a scope without history borrows.
struct EffectKey {
  std::string type;
  Cause cause = Cause::none_of_these;
  std::string peer = "*";
  auto operator<=>(const EffectKey&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("type", &EffectKey::type), field("cause", &EffectKey::cause),
                           field("peer", &EffectKey::peer));
  }
};

// A factor on the effect that reasoning predicts for an option (1 = as predicted, 0 = no effect,
// negative = harm), as a normal posterior.
struct EffectPosterior {
  double mean = 1.0;
  double sigma = 0.3;
  uint64_t outcomes = 0;
  uint64_t improved = 0;
  uint64_t worse = 0;
  int64_t updated_ts_ms = 0;
  double precision = 0.0;  // 1 / variance of what this row's own outcomes say together
  double observed = 0.0;   // and their precision-weighted mean; learning rebuilds classes from both
  static constexpr auto fields() {
    return std::make_tuple(
        field("mean", &EffectPosterior::mean), field("sigma", &EffectPosterior::sigma),
        field("outcomes", &EffectPosterior::outcomes),
        field("improved", &EffectPosterior::improved), field("worse", &EffectPosterior::worse),
        field("updated_ts_ms", &EffectPosterior::updated_ts_ms),
        field("precision", &EffectPosterior::precision),
        field("observed", &EffectPosterior::observed));
  }
};

using EffectTable = std::map<EffectKey, EffectPosterior>;

// What an outcome says of the factor: the observed effect over the predicted one, and 1 / variance
// of that. Nothing when an arm is empty or next to no effect was predicted (below
// kPredictedEffectMin).
inline constexpr double kPredictedEffectMin = 0.02;
struct FactorSeen {
  double factor = 0.0;
  double precision = 0.0;
};
[[nodiscard]] std::optional<FactorSeen> factor_seen(const Outcome& outcome, double predicted,
                                                    double predicted_min = kPredictedEffectMin);

// The posterior for an option: that of its scope, or of its class, or the prior.
[[nodiscard]] EffectPosterior effect_for(const EffectTable& table, std::string_view type,
                                         Cause cause, const Scope& scope);

// An alarm's life as payops.alerts tells it, in the shape of a payment-downtime event.
enum class IncidentStatus : uint8_t { started, updated, resolved };
template <>
inline constexpr EnumNames<3> enum_names<IncidentStatus>{"started", "updated", "resolved"};

enum class Severity : uint8_t { info, low, medium, high };
template <>
inline constexpr EnumNames<4> enum_names<Severity>{"info", "low", "medium", "high"};

struct Incident {
  std::string id;  // "inc-" + 16 hex
  IncidentStatus status = IncidentStatus::started;
  Severity severity = Severity::low;
  std::string pattern;
  Spread spread = Spread::localized;
  Scope instrument;
  Slice slice{};  // the part of the instrument's payments that it is about
  int64_t begin_ts_ms = 0;
  int64_t updated_ts_ms = 0;
  int64_t end_ts_ms = 0;  // 0 while it lasts
  std::string cause;      // that explains this alarm best
  double confidence = 0.0;
  double lost_minor = 0.0;  // excess failures × mean amount, reporting currency
  std::vector<std::string> alarm_ids;
  std::vector<std::string> action_ids;
  std::string message;  // in a sentence
  static constexpr auto fields() {
    return std::make_tuple(
        field("id", &Incident::id), field("status", &Incident::status),
        field("severity", &Incident::severity), field("pattern", &Incident::pattern),
        field("spread", &Incident::spread), field("instrument", &Incident::instrument),
        field("slice", &Incident::slice), field("begin_ts_ms", &Incident::begin_ts_ms),
        field("updated_ts_ms", &Incident::updated_ts_ms), field("end_ts_ms", &Incident::end_ts_ms),
        field("cause", &Incident::cause), field("confidence", &Incident::confidence),
        field("lost_minor", &Incident::lost_minor), field("alarm_ids", &Incident::alarm_ids),
        field("action_ids", &Incident::action_ids), field("message", &Incident::message));
  }
};

}  // namespace payops
