// Ranks what could be done now by what it is surely worth. A team adds a way to act by implementing
// InterventionType and registering it; examples/custom_intervention.cc is one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/decision/economics.h"
#include "payops/decision/nrv.h"
#include "payops/decision/situation.h"

namespace payops::decision {

// One way to act. Implementations hold no mutable state: a plan is a function of its situation.
class InterventionType {
 public:
  virtual ~InterventionType() = default;
  // Lower-case name, stable for ever: it is in ids, keys and the audit log.
  [[nodiscard]] virtual std::string_view name() const = 0;
  // The least risk that any option of this type has.
  [[nodiscard]] virtual RiskClass risk() const = 0;
  // Appends the options that answer the situation, best made with `make_option`.
  virtual void propose(const Situation& situation, std::vector<Option>& options) const = 0;
};

// What a type says of one option; the rest follows from the situation.
struct Proposal {
  Scope scope;
  std::map<std::string, std::string> params;
  const Hypothesis* answers = nullptr;  // the hypothesis; nullptr for none
  std::vector<PathChange> changes;
  double headroom_used = 0.0;       // of a reroute's target, at full strength; may be above 1
  double target_worth_per_s = 0.0;  // what converts there a second, in money
  Relief relief;                    // of a storm, for those not treated
  bool measured = false;         // both sides of `changes` are seen on live traffic, none supposed
  bool touches_payments = true;  // ramped, judged by a holdout, with a blast radius
  double touched_share = 1.0;    // of the scope's live value, at full strength
  double strength_max = 1.0;     // what limits such as headroom leave
  RiskClass risk = RiskClass::none;
  uint64_t evidence_attempts = 0;
  std::string reason;  // in a sentence
};

// The proposal as an option: ramped, with learnt effect and value. The step of the ramp that
// is surely worth most is taken, the smallest where none is surely worth anything. Nothing when the
// ledger allows no step, or the limits less than the ramp's smallest.
[[nodiscard]] std::optional<Option> make_option(const Situation& situation, std::string_view type,
                                                const Proposal& proposal);

// "opt-" + 16 hex of type, scope and params.
[[nodiscard]] std::string option_id(std::string_view type, const Scope& scope,
                                    const std::map<std::string, std::string>& params);

struct PlannerConfig {
  double near_equal_share = 0.05;     // of a lower bound: closer ones are ranked by blast radius
  uint32_t max_options = 64;          // kept per plan, of which no_action is always one
  std::vector<std::string> disabled;  // types that propose nothing; no_action cannot be
  // Errors: config, naming the key.
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    return std::make_tuple(field("near_equal_share", &PlannerConfig::near_equal_share),
                           field("max_options", &PlannerConfig::max_options),
                           field("disabled", &PlannerConfig::disabled));
  }
};

class Planner {
 public:
  // With the built-in types.
  explicit Planner(PlannerConfig config = {});
  // Registers a type. Errors: usage for a name that is empty, taken, or not [a-z0-9_]+.
  [[nodiscard]] Status add(std::unique_ptr<InterventionType> type);
  [[nodiscard]] std::vector<std::string> types() const;

  // Every option, best first: by the lower bound of the value; near-equals by smaller blast radius,
  // then lower risk. Always holds no_action, worth exactly 0. What a type proposes wrongly (a value
  // that is not finite or not the sum of its items, a strength outside (0, 1], a key in force that
  // it may not replace) is left out.
  [[nodiscard]] std::vector<Option> plan(const Situation& situation) const;

  // A planned option at another strength, holdout and duration, valued anew: what a limit made
  // smaller is not worth its part of the whole. Nothing where its type does not propose it so.
  [[nodiscard]] std::optional<Option> valued_at(const Situation& situation, const Option& option,
                                                double strength, double holdout,
                                                double duration_s) const;

 private:
  PlannerConfig config_;
  std::vector<std::unique_ptr<InterventionType>> types_;
};

// The types that come with payops, besides no_action: alert_ops, adjust_retry,
// reduce_retry_attempts, suppress_path, reroute_traffic.
[[nodiscard]] std::vector<std::unique_ptr<InterventionType>> built_in_types();

// What a cycle does.
struct Choice {
  Option option;
  bool forced = false;  // only because the minimum action frequency asked for it
};

// The first option that is surely worth something, else no_action; when `force`, instead of
// no_action the best-ranked one of risk none or low, whatever its value, or baseline_alert.
// REQUIRES: `ranked` is a plan.
[[nodiscard]] Choice choose(const std::vector<Option>& ranked, bool force);

// The heartbeat: alert_ops on everything, severity info, never sent to people, worth 0.
[[nodiscard]] Option baseline_alert(const Economics& economics);

// The rule that an agent must show life: after cycles − 1 scheduled cycles without an action, the
// next scheduled one is forced.
struct MinimumActionFrequency {
  uint32_t cycles = 6;  // 0 = off
  uint32_t idle = 0;    // scheduled cycles since the last action
  static constexpr auto fields() {
    return std::make_tuple(field("cycles", &MinimumActionFrequency::cycles),
                           field("idle", &MinimumActionFrequency::idle));
  }
};
// Must this cycle act?
[[nodiscard]] bool must_act(const MinimumActionFrequency& rule, bool scheduled);
// The rule after a cycle that took an action of `taken`; no_action (or "") is none.
[[nodiscard]] MinimumActionFrequency after_cycle(MinimumActionFrequency rule, bool scheduled,
                                                 std::string_view taken);

}  // namespace payops::decision
