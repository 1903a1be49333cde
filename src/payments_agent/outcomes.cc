// learn: what interventions did, treated against holdout, and the end of those that are not needed
// or do harm.
#include <algorithm>
#include <utility>

#include "agent_impl.h"
#include "records.h"

namespace payops::payments_agent {
namespace {

// Is there still an alarm where the intervention works? A cause that has gone takes its
// intervention with it: what helped in an outage costs customers after it.
// What a person asked for stands until it ends, or does harm: they knew of something else.
bool still_needed(const Intervention& intervention, const Assessment& assessment) {
  if (intervention.option.hypothesis_id.starts_with(kAskedFor)) return true;
  return std::any_of(assessment.alarms.begin(), assessment.alarms.end(), [&](const Alarm& alarm) {
    return decision::overlaps(alarm.scope, intervention.action.scope);
  });
}

// Since when the trouble an intervention answers has been over, as far as reasoning has noticed; 0
// while it lasts, or where there is none to judge by.
int64_t over_since_ms(const Intervention& intervention, const Assessment& assessment) {
  int64_t since_ms = 0;
  for (const std::vector<Alarm>* alarms : {&assessment.alarms, &assessment.ended}) {
    for (const Alarm& alarm : *alarms) {
      if (!decision::overlaps(alarm.scope, intervention.action.scope)) continue;
      if (alarm.recovered_ts_ms == 0) return 0;
      since_ms = std::max(since_ms, alarm.recovered_ts_ms);
    }
  }
  return since_ms;
}

// The outcome so far, credited with nothing that the arms differed by once the trouble was over.
Outcome outcome_of(Intervention intervention, const learning::TrackedAction& counted,
                   const Assessment& assessment, const learning::LearningConfig& config) {
  const int64_t over_ms = over_since_ms(intervention, assessment);
  if (over_ms == 0) return learning::judge(intervention, counted.treated, counted.holdout, config);
  if (intervention.outcome.result == OutcomeResult::improved && counted.improved_to_ms > over_ms) {
    intervention.outcome.result = OutcomeResult::pending;
  }
  const learning::Compared seen = counted.until(over_ms);
  return learning::judge(intervention, seen.treated, seen.holdout, config);
}

// Of a reroute that overloads its target: what it gained its own, others have lost and more.
Outcome harmful(Outcome outcome) {
  outcome.result = OutcomeResult::worse;
  outcome.value_minor = std::min(0.0, outcome.value_minor);
  return outcome;
}

// Since when traffic has been sent where an intervention sends it, by this one, by what it took
// over from or by others beside it.
int64_t sent_since_ms(const std::vector<Intervention>& all, const Intervention& intervention) {
  const Action& action = intervention.action;
  int64_t since_ms = action.issued_ts_ms;
  for (const Intervention& i : all) {
    const bool there = i.action.type == action.type && i.action.inverse_of.empty() &&
                       i.action.params == action.params;
    const bool begun = i.state == InterventionState::active || i.state == InterventionState::ended;
    if (there && begun && i.action.expires_ts_ms >= action.issued_ts_ms) {
      since_ms = std::min(since_ms, i.action.issued_ts_ms);
    }
  }
  return since_ms;
}

// Does a reroute that has begun to work cost its target's customers more than it gains its own?
bool overloads(const Intervention& intervention, const Outcome& outcome, int64_t since_ms,
               const Assessment& assessment, int64_t ts_ms,
               const learning::LearningConfig& config) {
  if (intervention.state != InterventionState::active ||
      ts_ms < learning::counted_from_ms(intervention.action, config)) {
    return false;
  }
  const Estimate& gained = outcome.effect.sigma > 0.0 ? outcome.effect : intervention.option.effect;
  return decision::overloads_target(assessment, intervention.action, since_ms, gained.mean);
}

}  // namespace

void PaymentsAgent::Impl::roll_back(const std::string& action_id, const std::string& why,
                                    const Cycle& cycle, Effects& delta) {
  const auto inverse = ledger.roll_back(action_id, why, issue(cycle));
  if (!inverse) return;  // no longer the last on its key: what followed it ended it
  delta.audit.push_back(
      decided_record(*ledger.find(inverse->action_id), cycle.input->watermark_ms));
  delta.outbox.push_back(action_message(*inverse, 0));
}

void PaymentsAgent::Impl::conclude(const Intervention& intervention, int64_t ts_ms,
                                   Learned& delta) {
  learning::update(effects, intervention, intervention.outcome, ts_ms, config.learning);
  totals.saved_minor += intervention.outcome.value_minor;
  tracker.forget(intervention.action.action_id);
  incidents.helped(intervention);
  count_confirmed(ts_ms, delta.effects);
  delta.effects.audit.push_back(outcome_record(intervention, ts_ms));
  delta.outcomes.push_back(intervention);
}

// learn: treated against holdout; what made things worse is rolled back at once.
Learned PaymentsAgent::Impl::learn(const Cycle& cycle) {
  Learned delta;
  const int64_t ts_ms = cycle.input->watermark_ms;
  std::vector<std::string> watched;
  for (const Intervention& i : ledger.all()) {
    if (!touches_traffic(i)) continue;
    const std::string& id = i.action.action_id;
    const bool fresh = i.state == InterventionState::active && !tracker.tracks(id) &&
                       i.outcome.result == OutcomeResult::pending;
    // Full only with more actions in force than the gate's breaker lets through in hours; what is
    // not tracked is judged inconclusive.
    if (fresh) (void)tracker.track(id, learning::counted_from_ms(i.action, config.learning));
    if (tracker.tracks(id)) watched.push_back(id);
  }
  for (const std::string& id : watched) {
    const learning::TrackedAction counted = tracker.of(id);
    const Intervention* listed = ledger.find(id);
    if (listed == nullptr) {  // forgotten: finished long ago
      tracker.forget(id);
      continue;
    }
    const Intervention before = *listed;
    Outcome outcome = outcome_of(before, counted, cycle.assessment, config.learning);
    const bool overload = overloads(before, outcome, sent_since_ms(ledger.all(), before),
                                    cycle.assessment, ts_ms, config.learning);
    if (overload) outcome = harmful(std::move(outcome));
    if (outcome.result == OutcomeResult::improved) tracker.note_improved(id);
    ledger.note_outcome(id, outcome);
    if (before.state == InterventionState::active) {
      if (overload) {
        const std::string& to = before.action.params.at("to_gateway");
        decision::remember_overload(peaks, cycle.assessment, to);
        roll_back(id, "it overloads " + to, cycle, delta.effects);
      } else if (outcome.result == OutcomeResult::worse) {
        roll_back(id, "made things worse", cycle, delta.effects);
      } else if (cycle.killed) {
        roll_back(id, "kill switch", cycle, delta.effects);
      } else if (!still_needed(before, cycle.assessment)) {
        roll_back(id, "the trouble it answered is over", cycle, delta.effects);
      }
    }
    const Intervention* now = ledger.find(id);
    if (now->state != InterventionState::active) {
      Outcome last = outcome_of(*now, counted, cycle.assessment, config.learning);
      if (overload) last = harmful(std::move(last));
      ledger.note_outcome(id, last);
      conclude(*ledger.find(id), ts_ms, delta);
    } else if (outcome.result != before.outcome.result) {
      delta.effects.audit.push_back(outcome_record(*now, ts_ms));
      delta.outcomes.push_back(*now);
    }
  }
  return delta;
}

}  // namespace payops::payments_agent
