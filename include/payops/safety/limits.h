// What an intervention must never exceed, and how cautious the pre-mortem is. Part of the agent's
// configuration; shares are of 1, money is minor units of the reporting currency.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/decision.h"

namespace payops::safety {

struct Limits {
  // How far an action type may go alone: the lowest of `mode` (a cap on everything) and its own
  // entry in `modes`, or `default_mode` without one.
  Mode mode = Mode::automatic;
  Mode default_mode = Mode::automatic;
  std::map<std::string, Mode> modes;

  // Share of live value touched: by one action, by all in force together, and within an hour (per
  // key its largest, so that renewing an action does not count it twice).
  double max_blast_action = 0.30;
  double max_blast_concurrent = 0.45;
  double max_blast_hour = 0.60;

  // Belief in the hypothesis that an action answers: below the floor it is refused. In all those
  // it would help under: below min_confidence a person is asked.
  double min_confidence = 0.8;
  double confidence_floor = 0.5;

  // Rest after the last change on an action key; doubles with every failure in a row (rolled back,
  // worse, rejected). An improvement on the key lifts it, so that a ramp can go on.
  double cooldown_s = 300.0;
  double max_cooldown_s = 3600.0;
  double renew_before_s = 180.0;       // an improving lease may be renewed when this little is left
  uint64_t max_actions_per_hour = 20;  // the breaker; alerts do not count

  double probe_floor = 0.02;  // share of a path's traffic never taken off it, 0.01 to 0.05
  uint64_t min_evidence_attempts = 500;  // seen on source and target before traffic is moved
  double max_duration_s = 3600.0;        // the longest lease
  double max_data_age_s = 30.0;          // older evidence moves nothing
  double approval_timeout_s = 900.0;     // no answer by then means no
  std::vector<std::string> regulated_merchants;  // an action with such a `merchant` asks a person

  // Pre-mortem verdicts. Actions on retries alone risk little and may be less sure.
  double max_failure_probability = 0.7;
  double max_failure_probability_retries = 0.95;
  double max_cost_ratio = 1.0;          // expected cost of failure over expected gain
  double trial_cost_minor = 10'000.0;   // an expected cost up to this is accepted without gain
  double max_fraud_probability = 0.05;  // above, a person is asked

  // Pre-mortem constants.
  double change_time_s = 600.0;     // time scale on which faults come and go
  double flap_window_s = 1800.0;    // alternations this recent count
  double max_load_increase = 1.0;   // extra load a target is trusted to carry, over its own
  uint64_t min_probes_per_min = 1;  // attempts left on a path to see it recover
  double fraud_loss_share = 0.02;   // of the value exposed to a fraud burst, lost

  // Mitigation. Strength starts at a step of the ramp by the probability of failure: the last
  // below ramp_full_below, the first above ramp_first_above; each improvement allows the next.
  std::vector<double> ramp = {0.05, 0.25, 1.0};
  double ramp_full_below = 0.3;
  double ramp_first_above = 0.5;
  double min_holdout = 0.05;
  double trial_duration_s = 600.0;  // the lease below full strength

  // Errors: config, in a sentence.
  [[nodiscard]] Status validate() const;

  static constexpr auto fields() {
    return std::make_tuple(
        field("mode", &Limits::mode), field("default_mode", &Limits::default_mode),
        field("modes", &Limits::modes), field("max_blast_action", &Limits::max_blast_action),
        field("max_blast_concurrent", &Limits::max_blast_concurrent),
        field("max_blast_hour", &Limits::max_blast_hour),
        field("min_confidence", &Limits::min_confidence),
        field("confidence_floor", &Limits::confidence_floor),
        field("cooldown_s", &Limits::cooldown_s), field("max_cooldown_s", &Limits::max_cooldown_s),
        field("renew_before_s", &Limits::renew_before_s),
        field("max_actions_per_hour", &Limits::max_actions_per_hour),
        field("probe_floor", &Limits::probe_floor),
        field("min_evidence_attempts", &Limits::min_evidence_attempts),
        field("max_duration_s", &Limits::max_duration_s),
        field("max_data_age_s", &Limits::max_data_age_s),
        field("approval_timeout_s", &Limits::approval_timeout_s),
        field("regulated_merchants", &Limits::regulated_merchants),
        field("max_failure_probability", &Limits::max_failure_probability),
        field("max_failure_probability_retries", &Limits::max_failure_probability_retries),
        field("max_cost_ratio", &Limits::max_cost_ratio),
        field("trial_cost_minor", &Limits::trial_cost_minor),
        field("max_fraud_probability", &Limits::max_fraud_probability),
        field("change_time_s", &Limits::change_time_s),
        field("flap_window_s", &Limits::flap_window_s),
        field("max_load_increase", &Limits::max_load_increase),
        field("min_probes_per_min", &Limits::min_probes_per_min),
        field("fraud_loss_share", &Limits::fraud_loss_share), field("ramp", &Limits::ramp),
        field("ramp_full_below", &Limits::ramp_full_below),
        field("ramp_first_above", &Limits::ramp_first_above),
        field("min_holdout", &Limits::min_holdout),
        field("trial_duration_s", &Limits::trial_duration_s));
  }
};

}  // namespace payops::safety
