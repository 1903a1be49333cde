#include "payops/payments_agent/incidents.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "payops/core/text.h"
#include "payops/decision/situation.h"
#include "payops/reasoning/cause_counts.h"

namespace payops::payments_agent {
namespace {

// The mean amount of a payment in the scope, over its live paths.
double mean_amount_minor(const Assessment& assessment, const Scope& scope) {
  double payments = 0.0;
  double amount = 0.0;
  for (const PathStats& path : assessment.paths) {
    if (!decision::covers(scope, path.path)) continue;
    payments += path.payments_per_s;
    amount += path.payments_per_s * path.amount_minor_mean;
  }
  return payments > 0.0 ? amount / payments : 0.0;
}

Severity severity_of(const Alarm& alarm) {
  if (!alarm.announced.empty()) return Severity::low;  // nobody need be woken for it
  if (alarm.signal != Signal::success_rate) {
    return alarm.spread == Spread::systemic ? Severity::high : Severity::medium;
  }
  const double lost_share = alarm.observed - alarm.expected;
  if (lost_share > 0.5 || alarm.spread == Spread::systemic) return Severity::high;
  return lost_share > 0.15 ? Severity::medium : Severity::low;
}

Incident describe_alarm(const Alarm& alarm, const Assessment& assessment,
                        const std::vector<Intervention>& interventions) {
  Incident incident;
  incident.id = "inc" + alarm.id.substr(3);
  incident.severity = severity_of(alarm);
  incident.pattern = name_of(alarm.pattern);
  incident.spread = alarm.spread;
  incident.instrument = alarm.scope;
  incident.begin_ts_ms = alarm.started_ts_ms;
  incident.updated_ts_ms = assessment.ts_ms;
  incident.end_ts_ms = alarm.ended_ts_ms;
  incident.slice = alarm.slice;
  incident.cause = name_of(alarm.cause);
  incident.confidence = alarm.certainty;
  incident.lost_minor =
      std::round(std::max(0.0, alarm.excess_failures) * mean_amount_minor(assessment, alarm.scope));
  incident.alarm_ids = {alarm.id};
  for (const Intervention& intervention : interventions) {
    // The heartbeat is about nothing in particular.
    const bool heartbeat = intervention.action.type == action_type::kAlertOps &&
                           intervention.action.scope == Scope{} && alarm.scope != Scope{};
    if (!heartbeat && intervention.decided_ts_ms >= alarm.started_ts_ms &&
        decision::overlaps(intervention.action.scope, alarm.scope) &&
        intervention.state == InterventionState::active) {
      incident.action_ids.push_back(intervention.action.action_id);
    }
  }
  incident.message = incident.pattern + " at " + describe(alarm.scope, alarm.slice) + " since " +
                     iso_time(alarm.started_ts_ms);
  if (!alarm.announced.empty()) incident.message += ", as announced: " + alarm.announced;
  return incident;
}

// The payments that it is about. Of which class most failures are may change from cycle to cycle.
Slice blamed(const Incident& incident) {
  Slice slice = incident.slice;
  slice.decline = "*";
  return slice;
}

bool worth_telling(const Incident& before, const Incident& now) {
  return before.severity != now.severity || before.cause != now.cause ||
         before.action_ids != now.action_ids || before.pattern != now.pattern ||
         blamed(before) != blamed(now);
}

}  // namespace

Status Incidents::care(const std::string& incident_id, std::string_view verb, const std::string& by,
                       const std::string& text, int64_t ts_ms) {
  if (verb == "cause") return name_cause(incident_id, by, text);
  const bool lasts = std::any_of(open_.begin(), open_.end(),
                                 [&](const auto& item) { return item.second.id == incident_id; });
  if (!lasts) return fail(ErrorCode::not_found, "there is no such incident, or it is over");
  IncidentCare next = care_[incident_id];
  if (verb == "ack") {
    next.acknowledged_by = by;
  } else if (verb == "note") {
    if (text.empty()) return fail(ErrorCode::usage, "a note needs a text");
    if (next.notes.size() >= kNotesMax) return fail(ErrorCode::usage, "it has 20 notes already");
    next.notes.push_back(by + ": " + text);
  } else if (verb == "silence") {
    int64_t minutes = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
    if (error != std::errc() || end != text.data() + text.size() || minutes < 0 ||
        minutes > kSilenceMaxMinutes) {
      return fail(ErrorCode::usage, "it is silenced for 0 to 1440 minutes, not \"" + text + "\"");
    }
    next.silenced_until_ms = minutes == 0 ? 0 : ts_ms + minutes * 60'000;
  } else {
    return fail(ErrorCode::usage, "an incident is acknowledged, noted, silenced or named, not \"" +
                                      std::string(verb) + "\"");
  }
  care_[incident_id] = std::move(next);
  told_.push_back(incident_id);
  return {};
}

Status Incidents::name_cause(const std::string& incident_id, const std::string& by,
                             const std::string& text) {
  const auto cause = parse_enum<Cause>(text);
  if (!cause || !reasoning::CauseCounts::counts(*cause)) {
    return fail(ErrorCode::usage, "\"" + text + "\" is no cause that can be behind an incident");
  }
  const bool lasts = std::any_of(open_.begin(), open_.end(),
                                 [&](const auto& item) { return item.second.id == incident_id; });
  if (lasts) {  // counted when it is over: until then a person may say otherwise
    care_[incident_id].confirmed_cause = text;
    care_[incident_id].confirmed_by = by;
    told_.push_back(incident_id);
    return {};
  }
  const auto over = std::find_if(past_.begin(), past_.end(), [&](const Past& past) {
    return past.counted.incident_id == incident_id;
  });
  if (over == past_.end()) {
    return fail(ErrorCode::not_found, "there is no such incident, or it is long over");
  }
  if (over->counted.weight > 0.0) {
    confirmed_.push_back(over->counted);
    confirmed_.back().weight = -over->counted.weight;
  }
  over->counted = {.incident_id = incident_id, .cause = *cause, .weight = kSaidWeight, .by = by};
  confirmed_.push_back(over->counted);
  return {};
}

// What an incident that is over says of its cause: a person's word, or else that what was done for
// it helped.
void Incidents::settle_cause(const std::string& alarm_id, const Incident& over) {
  Past past{.counted = {.incident_id = over.id, .cause = {}, .weight = 0.0, .by = {}},
            .instrument = over.instrument,
            .begin_ts_ms = over.begin_ts_ms,
            .end_ts_ms = over.end_ts_ms};
  const auto said = care_.find(over.id);
  if (said != care_.end() && !said->second.confirmed_cause.empty()) {
    past.counted.cause = *parse_enum<Cause>(said->second.confirmed_cause);
    past.counted.weight = kSaidWeight;
    past.counted.by = said->second.confirmed_by;
  } else if (const auto helped = helped_.find(alarm_id); helped != helped_.end()) {
    past.counted = helped->second;
  }
  helped_.erase(alarm_id);
  if (past.counted.weight > 0.0) confirmed_.push_back(past.counted);
  if (past_.size() >= kPastMax) past_.erase(past_.begin());
  past_.push_back(std::move(past));
}

void Incidents::helped(const Intervention& intervention) {
  const Cause cause = intervention.option.cause;
  const bool tells = intervention.outcome.result == OutcomeResult::improved &&
                     reasoning::CauseCounts::counts(cause) &&
                     intervention.option.confidence >= kConfirmedConfidence;
  if (!tells) return;
  Confirmation seen{.incident_id = {},
                    .cause = cause,
                    .weight = kSeenWeight,
                    .by = intervention.action.action_id};
  for (const auto& [alarm_id, incident] : open_) {
    if (intervention.decided_ts_ms < incident.begin_ts_ms ||
        !decision::overlaps(intervention.action.scope, incident.instrument)) {
      continue;
    }
    seen.incident_id = incident.id;
    helped_.emplace(alarm_id, std::move(seen));
    return;
  }
  for (Past& past : past_) {
    if (past.counted.weight > 0.0 || intervention.decided_ts_ms < past.begin_ts_ms ||
        intervention.decided_ts_ms > past.end_ts_ms ||
        !decision::overlaps(intervention.action.scope, past.instrument)) {
      continue;
    }
    seen.incident_id = past.counted.incident_id;
    past.counted = seen;
    confirmed_.push_back(std::move(seen));
    return;
  }
}

std::vector<Confirmation> Incidents::take_confirmed() { return std::exchange(confirmed_, {}); }

std::vector<Incident> Incidents::update(const Assessment& assessment,
                                        const std::vector<Intervention>& interventions) {
  std::vector<Incident> changed;
  std::map<std::string, Incident> still_open;
  const auto said = [&](const std::string& id) {
    return std::find(told_.begin(), told_.end(), id) != told_.end();
  };
  for (const Alarm& alarm : assessment.alarms) {
    Incident now = describe_alarm(alarm, assessment, interventions);
    const auto before = open_.find(alarm.id);
    if (before == open_.end()) {
      changed.push_back(now);
    } else if (worth_telling(before->second, now) || said(now.id)) {
      now.status = IncidentStatus::updated;
      changed.push_back(now);
    }
    open_.erase(alarm.id);
    still_open.emplace(alarm.id, std::move(now));
  }
  for (auto& [alarm_id, incident] : open_) {
    incident.status = IncidentStatus::resolved;
    incident.updated_ts_ms = assessment.ts_ms;
    incident.end_ts_ms = assessment.ts_ms;
    for (const Alarm& alarm : assessment.ended) {
      if (alarm.id == alarm_id) incident.end_ts_ms = alarm.ended_ts_ms;
    }
    incident.message =
        incident.pattern + " at " + describe(incident.instrument, incident.slice) + " is over";
    settle_cause(alarm_id, incident);
    changed.push_back(incident);
  }
  open_ = std::move(still_open);
  told_.clear();
  std::erase_if(care_, [&](const auto& item) {
    return std::none_of(open_.begin(), open_.end(),
                        [&](const auto& open) { return open.second.id == item.first; });
  });
  return changed;
}

}  // namespace payops::payments_agent
