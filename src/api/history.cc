#include "payops/api/history.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "chronicle.h"
#include "payops/action/ledger.h"
#include "payops/api/console_state.h"
#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

constexpr double kMinuteMs = 60'000.0;

Json body_of(const AuditLine& line) {
  return Json::parse("{" + std::string(line.body) + "}", nullptr, false);
}

template <class T>
Result<T> member(const AuditLine& line, const char* name) {
  const Json body = body_of(line);
  return from_json<T>(body.is_object() ? body.value(name, Json()) : Json());
}

bool heartbeat(const Intervention& i) {
  return i.action.type == action_type::kAlertOps && i.action.scope == Scope{};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Newest first, those that the query wants, as {"<name>":[…],"more":bool}.
std::string listed(const char* name, std::vector<std::pair<int64_t, std::string>> items,
                   const PastQuery& query) {
  std::sort(items.begin(), items.end(), std::greater<>());
  const std::string wanted = lower(query.text);
  std::string text = std::string("{\"") + name + "\":[";
  std::size_t count = 0;
  bool more = false;
  for (const auto& [at_ms, value] : items) {
    if (!wanted.empty() && lower(value).find(wanted) == std::string::npos) continue;
    if (count == query.limit) {
      more = true;
      break;
    }
    text += (count++ == 0 ? "" : ",") + value;
  }
  return text + "],\"more\":" + (more ? "true}" : "false}");
}

bool within(const PastQuery& query, int64_t begin_ms, int64_t end_ms) {
  return end_ms >= query.from_ms && (query.to_ms == 0 || begin_ms <= query.to_ms);
}

}  // namespace

void History::take(const AuditLine& line) {
  if (line.kind == "incident") return take_incident(line);
  if (line.kind == "decided") return take_decided(line);
  if (line.kind == "decision") return take_decision(line);
  if (line.kind == "transition") return take_transition(line);
  if (line.kind == "outcome") return take_outcome(line);
  if (line.kind == "verdict") return take_verdict(line);
}

void History::take_incident(const AuditLine& line) {
  auto told = member<Incident>(line, "incident");
  if (!told) return;
  IncidentView& view = incidents_[told->id];
  const double lost_before = view.incident.lost_minor;
  const int64_t before_ms = view.incident.updated_ts_ms;
  view.incident = std::move(*told);
  const Incident& i = view.incident;
  const bool over = i.status == IncidentStatus::resolved;
  for (const std::string& alarm_id : i.alarm_ids) {
    if (over) {
      incident_by_alarm_.erase(alarm_id);
    } else {
      incident_by_alarm_[alarm_id] = i.id;
    }
  }
  for (const std::string& id : i.action_ids) {
    auto& ids = view.action_ids;
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  const double minutes =
      static_cast<double>(i.updated_ts_ms - (before_ms > 0 ? before_ms : i.begin_ts_ms)) /
      kMinuteMs;
  view.at_risk_minor_per_min =
      over || minutes <= 0.0 ? 0.0 : std::max(0.0, i.lost_minor - lost_before) / minutes;
  forget();
}

void History::take_decided(const AuditLine& line) {
  auto decided = member<Intervention>(line, "intervention");
  if (!decided || !decided->action.inverse_of.empty() || heartbeat(*decided)) return;
  Told& told = interventions_[decided->action.action_id];
  if (told.seq == 0) {
    told.seq = line.seq;
    told.hash = line.hash;
  }
  told.view.intervention = std::move(*decided);
  forget();
}

void History::take_decision(const AuditLine& line) {
  if (line.body.find("\"alarms\":[]") != std::string_view::npos &&
      line.body.find("\"action_id\":\"\"") != std::string_view::npos &&
      line.body.find("\"asked\":[]") != std::string_view::npos) {
    return;  // nothing was wrong and nothing done: most cycles
  }
  const auto report = from_json<payments_agent::CycleReport>(body_of(line));
  if (!report) return;
  for (const Alarm& alarm : report->alarms) {
    const auto id = incident_by_alarm_.find(alarm.id);
    if (id != incident_by_alarm_.end()) believe(incidents_[id->second], alarm, *report);
  }
  std::vector<IncidentView*> lasting;
  for (const auto& [alarm, id] : incident_by_alarm_) lasting.push_back(&incidents_[id]);
  const auto weigh = [&](const std::string& action_id, const safety::Judgement& chosen) {
    const auto told = interventions_.find(action_id);
    if (told == interventions_.end()) return;
    auto weighed = weighed_in(*report, chosen);
    weighed->incident_id = enter_action(action_id, chosen.option, lasting);
    told->second.view.weighed = std::move(weighed);
  };
  for (const payments_agent::Asked& asked : report->asked) weigh(asked.action_id, asked.judgement);
  if (!report->considered.empty()) weigh(report->action_id, report->considered.back());
}

// A person's word on an incident, as far as it counted.
void History::take_verdict(const AuditLine& line) {
  const Json body = body_of(line);
  if (!body.is_object() || body.value("result", "") != "granted") return;
  const auto verdict = from_json<Verdict>(body.value("verdict", Json()));
  if (!verdict) return;
  const auto it = incidents_.find(verdict->proposal_id);
  if (it == incidents_.end()) return;
  payments_agent::IncidentCare& care = it->second.care;
  if (verdict->verdict == "ack") care.acknowledged_by = verdict->by;
  if (verdict->verdict == "note") care.notes.push_back(verdict->by + ": " + verdict->shown_hash);
  if (verdict->verdict == "silence") {
    const std::string& minutes = verdict->shown_hash;
    int64_t count = 0;
    (void)std::from_chars(minutes.data(), minutes.data() + minutes.size(), count);
    care.silenced_until_ms = count == 0 ? 0 : line.ts_ms + count * 60'000;
  }
}

void History::take_transition(const AuditLine& line) {
  const auto transition = member<action::Transition>(line, "transition");
  if (!transition) return;
  const auto told = interventions_.find(transition->action_id);
  if (told == interventions_.end()) return;
  Intervention& i = told->second.view.intervention;
  i.state = transition->to;
  i.why = transition->why;
  i.changed_ts_ms = transition->ts_ms;
}

void History::take_outcome(const AuditLine& line) {
  const Json body = body_of(line);
  if (!body.is_object()) return;
  const auto told = interventions_.find(body.value("action_id", ""));
  const auto outcome = from_json<Outcome>(body.value("outcome", Json()));
  if (told != interventions_.end() && outcome) told->second.view.intervention.outcome = *outcome;
}

void History::forget() {
  const auto drop_oldest = [](auto& map, std::size_t most, const auto& age) {
    if (map.size() <= most) return;
    map.erase(std::min_element(map.begin(), map.end(), [&](const auto& a, const auto& b) {
      return age(a.second) < age(b.second);
    }));
  };
  drop_oldest(incidents_, limits_.incidents_max,
              [](const IncidentView& v) { return v.incident.updated_ts_ms; });
  drop_oldest(interventions_, limits_.interventions_max,
              [](const Told& t) { return t.view.intervention.decided_ts_ms; });
  std::erase_if(incident_by_alarm_,
                [&](const auto& item) { return incidents_.find(item.second) == incidents_.end(); });
}

double History::saved_minor(const IncidentView& view) const {
  double saved = 0.0;
  for (const std::string& id : view.action_ids) {
    const auto told = interventions_.find(id);
    if (told != interventions_.end()) saved += told->second.view.intervention.outcome.value_minor;
  }
  return saved;
}

std::string History::incidents(const PastQuery& query) const {
  std::vector<std::pair<int64_t, std::string>> items;
  for (const auto& [id, view] : incidents_) {
    const Incident& i = view.incident;
    const bool over = i.status == IncidentStatus::resolved;
    if (!within(query, i.begin_ts_ms, over ? i.end_ts_ms : i.updated_ts_ms)) continue;
    IncidentView shown = view;
    shown.saved_minor = saved_minor(view);
    if (over) shown.alarm.ended_ts_ms = i.end_ts_ms;
    items.emplace_back(i.begin_ts_ms, incident_text(shown));
  }
  return listed("incidents", std::move(items), query);
}

std::string History::interventions(const PastQuery& query) const {
  std::vector<std::pair<int64_t, std::string>> items;
  for (const auto& [id, told] : interventions_) {
    const Intervention& i = told.view.intervention;
    if (!within(query, i.decided_ts_ms, i.decided_ts_ms)) continue;
    std::string text = intervention_text(told.view);
    text.pop_back();
    text += ",\"audit_seq\":" + std::to_string(told.seq) + ",\"audit_hash\":\"" + told.hash + "\"}";
    items.emplace_back(i.decided_ts_ms, std::move(text));
  }
  return listed("interventions", std::move(items), query);
}

}  // namespace payops::api
