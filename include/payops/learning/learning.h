// What became of interventions: counts per arm, an always-valid test of treated against holdout,
// and posteriors of effect factors that the next values are computed with.
//
//   tracker.track(action.action_id, counted_from_ms(action, config));
//   tracker.observe(bucket);                                             // every closed second
//   Outcome o = judge(intervention, tracker.of(id).treated, tracker.of(id).holdout, config);
//   update(effects, intervention, o, ts_ms, config);                     // once, when it is over
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/cell.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/model/intervention.h"

namespace payops::learning {

struct LearningConfig {
  double alpha = 0.05;             // chance of ever calling an intervention that does nothing
                                   // improved or worse, however often it is looked at
  double mixture_sd = 0.1;         // size of the conversion differences the test is best at
  double missing_alpha = 0.001;    // chance of wrongly finding that treated payments are missing
  uint64_t payments_min = 30;      // in each arm before the test speaks
  double stabilise_s = 30.0;       // after issue, not counted
  double margin_share = 0.08;      // of a converted payment's amount (Economics::margin_share)
  double scope_sd = 0.22;          // of effect factors between scopes of a class
  double prior_mean = 1.0;         // of a class' effect factor
  double prior_sd = 0.2;           //   with scope_sd the 0.3 of EffectPosterior's default
  double model_effect_min = 0.02;  // smaller predictions give no factor to learn
  double memory_days = 30.0;       // after which an outcome counts for 1/e
  uint64_t scopes_max = 4096;      // rows of the effect table; the longest unchanged goes first
  // Errors: config, naming the key.
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    return std::make_tuple(field("alpha", &LearningConfig::alpha),
                           field("mixture_sd", &LearningConfig::mixture_sd),
                           field("missing_alpha", &LearningConfig::missing_alpha),
                           field("payments_min", &LearningConfig::payments_min),
                           field("stabilise_s", &LearningConfig::stabilise_s),
                           field("margin_share", &LearningConfig::margin_share),
                           field("scope_sd", &LearningConfig::scope_sd),
                           field("prior_mean", &LearningConfig::prior_mean),
                           field("prior_sd", &LearningConfig::prior_sd),
                           field("model_effect_min", &LearningConfig::model_effect_min),
                           field("memory_days", &LearningConfig::memory_days),
                           field("scopes_max", &LearningConfig::scopes_max));
  }
};

// Payments of one arm of an intervention; amounts in minor units of the reporting currency.
struct ArmTotals {
  uint64_t payments = 0;
  uint64_t conversions = 0;
  uint64_t attempts = 0;
  uint64_t first_approvals = 0;
  int64_t amount_minor = 0;
  int64_t converted_amount_minor = 0;
  uint64_t propensity_ppm_sum = 0;
  ArmTotals& operator+=(const ArmCell& cell);
  bool operator==(const ArmTotals&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("payments", &ArmTotals::payments),
                           field("conversions", &ArmTotals::conversions),
                           field("attempts", &ArmTotals::attempts),
                           field("first_approvals", &ArmTotals::first_approvals),
                           field("amount_minor", &ArmTotals::amount_minor),
                           field("converted_amount_minor", &ArmTotals::converted_amount_minor),
                           field("propensity_ppm_sum", &ArmTotals::propensity_ppm_sum));
  }
};

// What an arm and its counterpart had come to by a moment.
struct Compared {
  int64_t ts_ms = 0;
  ArmTotals treated, holdout;
  static constexpr auto fields() {
    return std::make_tuple(field("ts_ms", &Compared::ts_ms), field("treated", &Compared::treated),
                           field("holdout", &Compared::holdout));
  }
};

struct TrackedAction {
  static constexpr std::size_t kMarksMax = 32;
  static constexpr int64_t kMarkEveryMs = 8000;

  std::string action_id;
  int64_t from_ts_ms = 0;
  ArmTotals treated, holdout, probe;
  int64_t counted_to_ms = 0;
  int64_t improved_to_ms = 0;   // by counts up to when it was first judged improved; 0: not yet
  std::vector<Compared> marks;  // as it stood lately, the oldest first; at most kMarksMax
  static constexpr auto fields() {
    return std::make_tuple(
        field("action_id", &TrackedAction::action_id),
        field("from_ts_ms", &TrackedAction::from_ts_ms), field("treated", &TrackedAction::treated),
        field("holdout", &TrackedAction::holdout), field("probe", &TrackedAction::probe),
        field("counted_to_ms", &TrackedAction::counted_to_ms),
        field("improved_to_ms", &TrackedAction::improved_to_ms),
        field("marks", &TrackedAction::marks));
  }
  // The arms as they stood at `ts_ms`, or a little before; nothing is credited that came later. Of
  // a moment longer ago than the marks reach back, as the oldest has it.
  [[nodiscard]] Compared until(int64_t ts_ms) const;
};

// When an action's payments begin to count: stabilise_s after its issue.
[[nodiscard]] int64_t counted_from_ms(const Action& action, const LearningConfig& config);

// Counts arms of the actions that it is told to track, and of no others. State: encode() it.
class OutcomeTracker {
 public:
  static constexpr std::size_t kTrackedMax = 1024;

  // From the first full second at or after `from_ts_ms`. Tracking again changes nothing. Errors:
  // limit, when kTrackedMax are tracked.
  [[nodiscard]] Status track(std::string_view action_id, int64_t from_ts_ms);
  void observe(const ClosedBucket& bucket);
  [[nodiscard]] bool tracks(std::string_view action_id) const;
  // Zeros for what is not tracked.
  [[nodiscard]] const TrackedAction& of(std::string_view action_id) const;
  void forget(std::string_view action_id);
  // Notes that what was counted up to now was judged improved.
  void note_improved(std::string_view action_id);
  [[nodiscard]] std::size_t size() const { return actions_.size(); }

  static constexpr auto fields() {
    return std::make_tuple(field("actions", &OutcomeTracker::actions_));
  }

 private:
  std::map<uint64_t, TrackedAction> actions_;  // by hash64 of the id, as attempts carry it
};

// Log of the mixture likelihood ratio of a difference `difference` with variance `variance` against
// none, the difference normal with standard deviation `mixture_sd` (mixture sequential probability
// ratio test: Robbins 1970; Johari, Pekelis and Walsh 2017, for two streams):
//   ½ log(V / (V + τ²)) + d² τ² / (2 V (V + τ²))
// Above log(1/α) it stays valid however often it is looked at.
[[nodiscard]] double log_mixture_ratio(double difference, double variance, double mixture_sd);

// Log of the likelihood ratio of `a` of a + b events falling to one side with a probability that is
// Beta-distributed around `p` (concentration kAllocationPrior), against with probability p. Exact
// for independent events, and as valid under continuous looking as the above (Robbins 1970).
inline constexpr double kAllocationPrior = 20.0;
[[nodiscard]] double log_allocation_ratio(uint64_t a, uint64_t b, double p);

// Treated against holdout as far as counted. `improved` and `worse` as soon as the evidence allows,
// `worse` also after `improved`; `inconclusive` once the intervention is over without either, and
// in particular with no holdout or too few payments: no samples are never success. Before that
// `pending`. The effect's sigma is its standard error; value_minor = effect × treated payments ×
// their mean amount × margin.
//
// Customers whom an intervention keeps off a path may leave without an attempt, and those who stay
// convert well. Where payments can vanish so (suppress_path, or whenever fewer treated payments are
// seen than the holdout's share implies, at missing_alpha), it is judged by intention to treat: the
// conversions of all who were selected, who are known from the holdout since the arms are drawn by
// hash. treated_payments is then that number.
//
// The arms are of the same moments, so a fault that ends by itself does so for both. What they
// differ by afterwards is no effect on the fault: hand in the counts until its end (until()), and
// an improvement seen later as still `pending`.
[[nodiscard]] Outcome judge(const Intervention& intervention, const ArmTotals& treated,
                            const ArmTotals& holdout, const LearningConfig& config);

// Takes an intervention's final outcome into the table: the observed effect over the one the model
// predicted is a normal observation of the factor, in a hierarchical normal model with scopes
// within the class (type, cause) (Gelman et al., Bayesian Data Analysis, ch. 5; the variance
// between scopes given). Rewrites the class' rows: each scope's posterior borrows from the others',
// "*" is what a scope without history has. Nothing is learnt while pending, of arms without
// payments, or where the model predicted next to no effect; the outcome is counted in the latter
// two cases. Call it once per intervention.
void update(EffectTable& table, const Intervention& intervention, const Outcome& outcome,
            int64_t ts_ms, const LearningConfig& config = {});

// Forgets what was learnt of every scope that `scope` covers, in the classes too; Scope{} forgets
// everything. True when there was something.
bool reset(EffectTable& table, const Scope& scope, const LearningConfig& config = {});

}  // namespace payops::learning
