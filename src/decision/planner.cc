#include "payops/decision/planner.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "answers.h"
#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/model/relevance.h"

namespace payops::decision {
namespace {

bool plain_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool sound(const Option& option) {
  double sum = 0.0;
  for (const NrvItem& item : option.nrv.items) sum += item.amount_minor;
  const Predicted& total = option.nrv.total;
  return std::isfinite(total.mean) && std::isfinite(total.sigma) && total.sigma >= 0.0 &&
         std::isfinite(total.low) && std::isfinite(total.high) &&
         std::abs(sum - total.mean) <= 1e-9 * std::max(1.0, std::abs(sum)) &&
         option.strength > 0.0 && option.strength <= 1.0 && option.holdout >= 0.0 &&
         option.holdout < 1.0 && option.duration_s > 0.0;
}

// May this option stand beside, or replace, what is in force?
bool permitted(const Situation& situation, const Option& option) {
  for (const Intervention& i : situation.interventions) {
    if (i.action.type != option.type || !i.action.inverse_of.empty()) continue;
    if (!in_force(i, situation.ts_ms)) continue;
    if (i.action.scope != option.scope) continue;
    // The same key: only the next step of what has improved.
    if (i.state != InterventionState::active || i.outcome.result != OutcomeResult::improved) {
      return false;
    }
  }
  return true;
}

Option no_action(const Economics& economics) {
  Option option;
  option.type = std::string(action_type::kNoAction);
  option.option_id = option_id(option.type, option.scope, option.params);
  option.duration_s = economics.horizon_s;
  option.nrv.horizon_s = economics.horizon_s;
  option.reason = "Everything else is valued against leaving things as they are";
  return option;
}

bool smaller(const Option& a, const Option& b) {
  if (a.blast_radius != b.blast_radius) return a.blast_radius < b.blast_radius;
  if (a.risk != b.risk) return a.risk < b.risk;
  if (a.nrv.total.low != b.nrv.total.low) return a.nrv.total.low > b.nrv.total.low;
  return a.option_id < b.option_id;
}

void rank(std::vector<Option>& options, double near_equal_share) {
  std::sort(options.begin(), options.end(), [](const Option& a, const Option& b) {
    const double low_a = a.nrv.total.low, low_b = b.nrv.total.low;
    return low_a != low_b ? low_a > low_b : smaller(a, b);
  });
  for (auto first = options.begin(); first != options.end();) {
    const double best = first->nrv.total.low;
    const double floor = best - near_equal_share * std::abs(best);
    const auto last = std::find_if(first, options.end(),
                                   [&](const Option& o) { return o.nrv.total.low < floor; });
    std::sort(first, last, smaller);
    first = last;
  }
}

// The learnt factor with what the running intervention shows so far: it is in the table only once
// that has ended.
EffectPosterior with_running(EffectPosterior factor, const Intervention& running) {
  const auto seen = factor_seen(running.outcome, running.option.model_effect);
  if (!seen || factor.sigma <= 0.0) return factor;
  const double prior = 1.0 / (factor.sigma * factor.sigma);
  const double precision = prior + seen->precision;
  factor.mean = (prior * factor.mean + seen->precision * seen->factor) / precision;
  factor.sigma = std::sqrt(1.0 / precision);
  return factor;
}

Stakes stakes_of(const Situation& situation, std::string_view type, const Proposal& proposal,
                 const Intervention* running) {
  const Cause cause = proposal.answers ? proposal.answers->cause : Cause::none_of_these;
  Stakes stakes;
  stakes.type = std::string(type);
  stakes.changes = proposal.changes;
  stakes.relief = proposal.relief;
  stakes.duration_s = situation.economics.horizon_s;
  stakes.fault_age_s = fault_age_s(situation, proposal.scope);
  stakes.factor = effect_for(situation.effects, type, cause, proposal.scope);
  if (running != nullptr) {
    stakes.factor = with_running(stakes.factor, *running);
    stakes.replaced_s =
        static_cast<double>(running->action.expires_ts_ms - situation.ts_ms) / 1000.0;
  }
  if (proposal.answers != nullptr) {
    stakes.belief =
        helpful_belief(situation.assessment.hypotheses, type, proposal.scope, proposal.answers->id);
  }
  return stakes;
}

// When the next step of the ramp is likely to take over, or else the renewal of the same.
Takeover takeover(const Situation& situation, const Proposal& proposal, const Stakes& stakes) {
  constexpr double kChance = 0.9;  // a limit may forbid the step
  const Economics& e = situation.economics;
  Takeover next{.chance = kChance, .after_s = (1.0 - e.renew_share) * stakes.duration_s};
  const double most = std::min(proposal.strength_max, e.ramp.back().strength);
  if (stakes.strength * 1.2 >= most) return next;
  double payments = 0.0, conversion = 0.0;
  for (const PathChange& c : stakes.changes) {
    payments += c.payments_per_s;
    conversion += c.payments_per_s * c.nothing.conversion;
  }
  if (payments <= 0.0) return next;
  const double selected = payments * stakes.strength;
  const double judged_s =
      judged_after_s(situation.pace, effect_of(stakes).mean, conversion / payments,
                     selected * (1.0 - stakes.holdout), selected * stakes.holdout);
  next.after_s = std::min(next.after_s, judged_s);
  return next;
}

// Where a target gives way, a third of what would convert there is lost for the minute until that
// is noticed.
Overload overload(const Proposal& proposal, const Stakes& stakes, const Intervention* running) {
  constexpr double kLost = 0.3, kNoticedS = 60.0;
  const double used = proposal.headroom_used * stakes.strength * (1.0 - stakes.holdout);
  if (used <= 0.0) return {};
  // What it has been carrying so far it carries.
  if (running != nullptr && stakes.strength <= 1.01 * running->action.strength) return {};
  return {.chance = overload_chance(used),
          .loss_minor = kLost * kNoticedS * proposal.target_worth_per_s};
}

// Cuts the steps down to `most`; one that would then be below `least`, or no step up from what is
// in force, is not worth taking. Nobody goes to the limit at once: a smaller step shows first what
// can be carried.
void limit(std::vector<RampStep>& steps, double most, double least, double in_force_strength) {
  std::erase_if(steps, [&](RampStep& step) {
    if (step.strength <= most) return false;
    step.strength = most;
    return most < least || most <= in_force_strength || in_force_strength <= 0.0;
  });
}

double blast_radius(const Situation& situation, const Proposal& proposal, double strength) {
  const double all = live_value_per_s(situation.assessment);
  if (!proposal.touches_payments || all <= 0.0) return 0.0;
  const double touched = live_value_per_s(situation.assessment, proposal.scope);
  return strength * proposal.touched_share * touched / all;
}

}  // namespace

std::string option_id(std::string_view type, const Scope& scope,
                      const std::map<std::string, std::string>& params) {
  std::string text = std::string(type) + "|" + to_string(scope);
  for (const auto& [name, value] : params) text += "|" + name + "=" + value;
  return "opt-" + hex64(hash64(text));
}

std::optional<Option> make_option(const Situation& situation, std::string_view type,
                                  const Proposal& proposal) {
  const Scope& where = proposal.scope;
  if (proposal.touches_payments &&
      (where.issuer == kOtherName || where.method == kOtherName || where.gateway == kOtherName)) {
    return std::nullopt;
  }
  // Without an alarm the trouble counts as over, and what is begun would be undone at once.
  if (proposal.touches_payments && trouble_at(situation.assessment, where) != Trouble::lasts) {
    return std::nullopt;
  }
  const Intervention* running = in_force_on(situation, type, proposal.scope);
  Stakes stakes = stakes_of(situation, type, proposal, running);
  std::vector<RampStep> steps;
  if (proposal.touches_payments) {
    if (situation.step) {
      steps = {*situation.step};
    } else {
      steps = ramp_steps(situation, type, proposal.scope, proposal.measured);
      limit(steps, proposal.strength_max, situation.economics.ramp.front().strength,
            strength_in_force(situation, type, proposal.scope));
    }
    if (steps.empty()) return std::nullopt;
  } else {
    steps = {{1.0, 0.0}};
  }
  Option option;
  for (const RampStep& step : steps) {
    stakes.strength = step.strength;
    stakes.holdout = step.holdout;
    if (running != nullptr) {
      stakes.replaced_share =
          treated_share(running->action) / (step.strength * (1.0 - step.holdout));
    }
    if (proposal.touches_payments) stakes.takeover = takeover(situation, proposal, stakes);
    stakes.overload = overload(proposal, stakes, running);
    const Nrv nrv = value(stakes, situation.economics);
    const bool better = nrv.total.low > 0.0 && nrv.total.low > option.nrv.total.low;
    if (!option.type.empty() && !better) continue;
    option.type = std::string(type);
    option.strength = step.strength;
    option.holdout = step.holdout;
    option.nrv = nrv;
  }
  option.scope = proposal.scope;
  option.params = proposal.params;
  option.option_id = option_id(type, proposal.scope, proposal.params);
  option.duration_s = stakes.duration_s;
  option.risk = proposal.risk;
  if (proposal.answers != nullptr) {
    option.cause = proposal.answers->cause;
    option.hypothesis_id = proposal.answers->id;
    option.confidence = stakes.belief;
  }
  option.blast_radius = blast_radius(situation, proposal, option.strength);
  option.evidence_attempts = proposal.evidence_attempts;
  option.effect = effect_of(stakes);
  option.model_effect = model_effect_of(stakes);
  option.reason = proposal.reason;
  return option;
}

Status PlannerConfig::validate() const {
  if (!(near_equal_share >= 0.0 && near_equal_share < 1.0)) {
    return fail(ErrorCode::config, "\"near_equal_share\" must be in [0, 1)");
  }
  if (max_options == 0) return fail(ErrorCode::config, "\"max_options\" must be at least 1");
  return {};
}

Planner::Planner(PlannerConfig config) : config_(std::move(config)), types_(built_in_types()) {}

Status Planner::add(std::unique_ptr<InterventionType> type) {
  const std::string name(type ? type->name() : "");
  if (!plain_name(name)) {
    return fail(ErrorCode::usage, "intervention type \"" + name +
                                      "\": a name is made of lower-case letters, digits and _");
  }
  const std::vector<std::string> known = types();
  if (std::find(known.begin(), known.end(), name) != known.end()) {
    return fail(ErrorCode::usage, "intervention type \"" + name + "\" is registered already");
  }
  types_.push_back(std::move(type));
  return {};
}

std::vector<std::string> Planner::types() const {
  std::vector<std::string> names{std::string(action_type::kNoAction)};
  for (const auto& type : types_) names.emplace_back(type->name());
  return names;
}

std::vector<Option> Planner::plan(const Situation& situation) const {
  std::vector<Option> options;
  std::set<std::string> seen;
  for (const auto& type : types_) {
    const std::string name(type->name());
    if (std::find(config_.disabled.begin(), config_.disabled.end(), name) !=
        config_.disabled.end()) {
      continue;
    }
    std::vector<Option> proposed;
    type->propose(situation, proposed);
    for (Option& option : proposed) {
      option.type = name;
      option.risk = std::max(option.risk, type->risk());
      option.option_id = option_id(option.type, option.scope, option.params);
      if (!sound(option) || !permitted(situation, option)) continue;
      if (seen.insert(option.option_id).second) options.push_back(std::move(option));
    }
  }
  options.push_back(no_action(situation.economics));
  rank(options, config_.near_equal_share);
  // Options that are worth nothing are what a long list loses, never doing nothing.
  while (options.size() > std::max(1u, config_.max_options)) {
    const bool last_is_none = options.back().type == action_type::kNoAction;
    options.erase(options.end() - (last_is_none ? 2 : 1));
  }
  return options;
}

std::optional<Option> Planner::valued_at(const Situation& situation, const Option& option,
                                         double strength, double holdout, double duration_s) const {
  Economics economics = situation.economics;
  economics.horizon_s = duration_s;
  const Situation there{.assessment = situation.assessment,
                        .effects = situation.effects,
                        .interventions = situation.interventions,
                        .economics = economics,
                        .ts_ms = situation.ts_ms,
                        .peaks = situation.peaks,
                        .pace = situation.pace,
                        .step = RampStep{.strength = strength, .holdout = holdout},
                        .paths = situation.paths};
  for (const auto& type : types_) {
    if (type->name() != option.type) continue;
    std::vector<Option> proposed;
    type->propose(there, proposed);
    for (Option& one : proposed) {
      one.risk = std::max(one.risk, type->risk());
      if (one.option_id == option.option_id && sound(one)) return std::move(one);
    }
  }
  return std::nullopt;
}

Choice choose(const std::vector<Option>& ranked, bool force) {
  const Option* nothing = nullptr;
  const Option* harmless = nullptr;
  for (const Option& option : ranked) {
    if (option.type == action_type::kNoAction) {
      nothing = &option;
      continue;
    }
    if (option.nrv.total.low > 0.0) return {.option = option, .forced = false};
    if (harmless == nullptr && option.risk <= RiskClass::low) harmless = &option;
  }
  PAYOPS_CHECK(nothing != nullptr);
  if (force) {
    Economics horizon;
    horizon.horizon_s = nothing->nrv.horizon_s;
    return {.option = harmless != nullptr ? *harmless : baseline_alert(horizon), .forced = true};
  }
  return {.option = *nothing, .forced = false};
}

Option baseline_alert(const Economics& economics) {
  Option option;
  option.type = std::string(action_type::kAlertOps);
  option.params = {{"severity", "info"}};
  option.option_id = option_id(option.type, option.scope, option.params);
  option.strength = 1.0;
  option.duration_s = economics.horizon_s;
  option.nrv.horizon_s = economics.horizon_s;
  option.reason = "Heartbeat: watching, nothing is worth doing";
  return option;
}

bool must_act(const MinimumActionFrequency& rule, bool scheduled) {
  return scheduled && rule.cycles > 0 && rule.idle + 1 >= rule.cycles;
}

MinimumActionFrequency after_cycle(MinimumActionFrequency rule, bool scheduled,
                                   std::string_view taken) {
  if (!taken.empty() && taken != action_type::kNoAction) {
    rule.idle = 0;
  } else if (scheduled && rule.idle + 1 < std::max(rule.cycles, 1u)) {
    ++rule.idle;
  } else if (scheduled && rule.cycles > 0) {
    rule.idle = rule.cycles - 1;  // still due
  }
  return rule;
}

}  // namespace payops::decision
