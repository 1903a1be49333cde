#include "payops/safety/limits.h"

#include <cmath>

#include "payops/core/text.h"

namespace payops::safety {
namespace {

struct Range {
  const char* name;
  double value, low, high;
};

}  // namespace

Status Limits::validate() const {
  const double week_s = 7.0 * 86'400;
  const Range ranges[] = {
      {"max_blast_action", max_blast_action, 0, 1},
      {"max_blast_concurrent", max_blast_concurrent, 0, 1},
      {"max_blast_hour", max_blast_hour, 0, 1},
      {"min_confidence", min_confidence, 0, 1},
      {"confidence_floor", confidence_floor, 0, 1},
      {"cooldown_s", cooldown_s, 0, week_s},
      {"max_cooldown_s", max_cooldown_s, cooldown_s, week_s},
      {"renew_before_s", renew_before_s, 0, 86'400},
      {"probe_floor", probe_floor, 0.01, 0.05},
      {"max_duration_s", max_duration_s, 1, 86'400},
      {"max_data_age_s", max_data_age_s, 1, 3600},
      {"approval_timeout_s", approval_timeout_s, 1, 86'400},
      {"max_failure_probability", max_failure_probability, 0, 1},
      {"max_failure_probability_retries", max_failure_probability_retries, 0, 1},
      {"max_cost_ratio", max_cost_ratio, 0, 1000},
      {"trial_cost_minor", trial_cost_minor, 0, 1e12},
      {"max_fraud_probability", max_fraud_probability, 0, 1},
      {"change_time_s", change_time_s, 1, week_s},
      {"flap_window_s", flap_window_s, 1, week_s},
      {"max_load_increase", max_load_increase, 0.01, 100},
      {"fraud_loss_share", fraud_loss_share, 0, 1},
      {"ramp_full_below", ramp_full_below, 0, 1},
      {"ramp_first_above", ramp_first_above, ramp_full_below, 1},
      {"min_holdout", min_holdout, 0, 0.5},
      {"trial_duration_s", trial_duration_s, 1, 86'400},
  };
  for (const Range& r : ranges) {
    if (!(r.value >= r.low && r.value <= r.high)) {
      return fail(ErrorCode::config, std::string("\"") + r.name + "\" must lie from " +
                                         fixed(r.low, 2) + " to " + fixed(r.high, 2) + ", not " +
                                         fixed(r.value, 4));
    }
  }
  double before = 0.0;
  for (const double step : ramp) {
    if (!(step > before && step <= 1.0)) {
      return fail(ErrorCode::config, "\"ramp\" must rise within (0, 1]");
    }
    before = step;
  }
  if (before != 1.0) return fail(ErrorCode::config, "\"ramp\" must end with 1");
  return {};
}

}  // namespace payops::safety
