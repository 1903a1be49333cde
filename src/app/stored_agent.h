// The agent as its state directory has it, for commands that only look: computed from the last
// snapshot and the steps since, beside a running owner or without one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/payments_agent/agent.h"
#include "payops/runtime/step.h"

namespace payops::app {

struct StoredAgent {
  Stored held;
  std::unique_ptr<payments_agent::PaymentsAgent> agent;
};

// Errors: not_found without a state there; limit when a newer payops wrote it; corrupt, also when
// the steps do not lead to the digest on record; unavailable.
[[nodiscard]] Result<StoredAgent> restore_stored(const std::string& state_dir);

// A row of the effect table, with the 90 % interval of its factor.
struct EffectRow {
  std::string type;
  Cause cause = Cause::none_of_these;
  std::string peer;  // a scope, or "*" for the class
  double mean = 0.0;
  double sigma = 0.0;
  double low = 0.0;
  double high = 0.0;
  uint64_t outcomes = 0;
  uint64_t improved = 0;
  uint64_t worse = 0;
  int64_t updated_ts_ms = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("type", &EffectRow::type), field("cause", &EffectRow::cause),
                           field("peer", &EffectRow::peer), field("mean", &EffectRow::mean),
                           field("sigma", &EffectRow::sigma), field("low", &EffectRow::low),
                           field("high", &EffectRow::high), field("outcomes", &EffectRow::outcomes),
                           field("improved", &EffectRow::improved),
                           field("worse", &EffectRow::worse),
                           field("updated_ts_ms", &EffectRow::updated_ts_ms));
  }
};

// How likely each cause is behind an incident, before anything is seen of it.
struct CauseRow {
  Cause cause = Cause::none_of_these;
  double confirmed = 0.0;  // incidents, by weight
  double prior = 0.0;      // share of all incidents; maintenance and none_of_these aside
  double guess = 0.0;      // the same before any was confirmed
  static constexpr auto fields() {
    return std::make_tuple(field("cause", &CauseRow::cause),
                           field("confirmed", &CauseRow::confirmed),
                           field("prior", &CauseRow::prior), field("guess", &CauseRow::guess));
  }
};
[[nodiscard]] std::vector<CauseRow> stored_causes(const payments_agent::PaymentsAgent& agent);

[[nodiscard]] std::vector<EffectRow> stored_effects(const payments_agent::PaymentsAgent& agent);

}  // namespace payops::app
