#include "chronicle.h"

#include <algorithm>
#include <set>

#include "payops/core/text.h"
#include "payops/decision/situation.h"

namespace payops::api {
namespace {

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kLossWindowMs = 60'000;
constexpr std::size_t kIncidentsMax = 200;
constexpr std::size_t kFinishedMax = 200;
constexpr std::size_t kHypothesesMax = 6;
constexpr std::size_t kAlternativesMax = 5;
constexpr std::size_t kBeliefsMax = 48;
constexpr std::size_t kActionsMax = 50;  // of one incident

bool covers(const Scope& outer, const Scope& inner) {
  const auto fits = [](const std::string& a, const std::string& b) { return a == "*" || a == b; };
  return fits(outer.issuer, inner.issuer) && fits(outer.method, inner.method) &&
         fits(outer.gateway, inner.gateway);
}

bool finished(InterventionState state) {
  return state != InterventionState::proposed && state != InterventionState::approved &&
         state != InterventionState::active;
}

std::string why_not(const Option& option, const payments_agent::CycleReport& report) {
  for (const safety::Judgement& judged : report.considered) {
    if (judged.option.option_id == option.option_id &&
        judged.verdict.outcome == GateOutcome::refuse) {
      return "the gate: " + join(judged.verdict.reasons, "; ");
    }
  }
  return option.nrv.total.low <= 0.0 ? "not surely worth anything"
                                     : "surely worth less than what was chosen";
}

double loss_per_min(const std::deque<std::pair<int64_t, double>>& lost, int64_t begin_ms) {
  if (lost.empty()) return 0.0;
  const auto& [at_ms, minor] = lost.back();
  const bool alone = lost.size() == 1;
  const int64_t from_ms = alone ? begin_ms : lost.front().first;
  const double from_minor = alone ? 0.0 : lost.front().second;
  if (at_ms <= from_ms) return 0.0;
  return std::max(0.0, minor - from_minor) / static_cast<double>(at_ms - from_ms) * 60'000.0;
}

std::string belief_of(const Hypothesis& h) {
  const bool somewhere = h.cause != Cause::none_of_these && h.scope != Scope{};
  return std::string(name_of(h.cause)) + (somewhere ? " " + to_string(h.scope) : "");
}

// Bounded: when there are too many, every second one goes, and the line is half as fine.
void note_beliefs(std::vector<Belief>& beliefs, const std::vector<Hypothesis>& hypotheses,
                  int64_t at_ms) {
  if (!beliefs.empty() && beliefs.back().at_ms >= at_ms) return;
  Belief now{.at_ms = at_ms, .posteriors = {}};
  for (const Hypothesis& h : hypotheses) now.posteriors.emplace_back(belief_of(h), h.posterior);
  beliefs.push_back(std::move(now));
  if (beliefs.size() <= kBeliefsMax) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < beliefs.size(); i += 2) beliefs[kept++] = std::move(beliefs[i]);
  beliefs.resize(kept);
}

}  // namespace

void believe(IncidentView& view, const Alarm& alarm, const payments_agent::CycleReport& report) {
  view.alarm = alarm;
  view.hypotheses.clear();
  for (const Hypothesis& h : report.hypotheses) {
    const bool about = h.cause == Cause::none_of_these || h.cause == Cause::data_problem ||
                       decision::overlaps(h.scope, alarm.scope);
    if (about && view.hypotheses.size() < kHypothesesMax) view.hypotheses.push_back(h);
  }
  note_beliefs(view.beliefs, view.hypotheses, report.at_ms);
}

bool is_about(const Option& option, const Incident& incident) {
  if (option.type == action_type::kAlertOps && option.scope == Scope{}) return false;
  return incident.status != IncidentStatus::resolved &&
         decision::overlaps(incident.instrument, option.scope);
}

std::string enter_action(const std::string& action_id, const Option& option,
                         const std::vector<IncidentView*>& lasting) {
  std::string incident_id;
  double most_minor = -1.0;
  for (IncidentView* view : lasting) {
    if (!is_about(option, view->incident)) continue;
    if (view->incident.lost_minor > most_minor) {
      most_minor = view->incident.lost_minor;
      incident_id = view->incident.id;
    }
    auto& ids = view->action_ids;
    const bool known = std::find(ids.begin(), ids.end(), action_id) != ids.end();
    if (!known && ids.size() < kActionsMax) ids.push_back(action_id);
  }
  return incident_id;
}

std::shared_ptr<Weighed> weighed_in(const payments_agent::CycleReport& report,
                                    const safety::Judgement& chosen) {
  auto weighed = std::make_shared<Weighed>();
  weighed->findings = chosen.pre_mortem.findings;
  for (const Option& option : report.options) {
    if (weighed->alternatives.size() >= kAlternativesMax) break;
    if (option.option_id == chosen.option.option_id) continue;
    weighed->alternatives.push_back(option);
    weighed->why_not.push_back(why_not(option, report));
  }
  return weighed;
}

CycleView Chronicle::cycle(const payments_agent::CycleReport& report,
                           const std::map<std::string, Incident>& open,
                           const std::map<std::string, payments_agent::IncidentCare>& care,
                           const std::vector<Intervention>& ledger) {
  follow_alarms(report, open);
  follow_ends(report);
  count_money(report.at_ms);
  weigh(report);
  CycleView view;
  view.interventions = interventions(ledger, report.at_ms);
  for (auto& [id, life] : lives_) {
    if (const auto said = care.find(id); said != care.end()) life.view.care = said->second;
    life.view.saved_minor = 0.0;
    for (const Intervention& i : ledger) {
      const auto& ids = life.view.action_ids;
      if (std::find(ids.begin(), ids.end(), i.action.action_id) != ids.end()) {
        life.view.saved_minor += i.outcome.value_minor;
      }
    }
  }
  forget(report.at_ms);
  for (const auto& [id, life] : lives_) {
    view.incidents.push_back(life.view);
    if (!inside_another(life)) view.at_risk_minor_per_min += life.view.at_risk_minor_per_min;
  }
  view.lost_today_minor = lost_today_minor_;
  for (const Intervention& i : ledger) {
    const bool judged = i.outcome.result != OutcomeResult::pending;
    if (judged && i.changed_ts_ms / kDayMs == day_) {
      view.saved_today_minor += i.outcome.value_minor;
    }
  }
  view.report = report;
  return view;
}

void Chronicle::follow_alarms(const payments_agent::CycleReport& report,
                              const std::map<std::string, Incident>& open) {
  for (const Alarm& alarm : report.alarms) {
    const auto told = open.find(alarm.id);
    if (told == open.end()) continue;
    const auto [it, fresh] = lives_.try_emplace(told->second.id);
    if (fresh) it->second.counted_minor = counted_of(told->second);
    IncidentView& view = it->second.view;
    const IncidentStatus before = view.incident.status;
    view.incident = told->second;
    if (!fresh && before == IncidentStatus::updated) view.incident.status = before;
    believe(view, alarm, report);
    for (const std::string& id : view.incident.action_ids) {
      auto& ids = view.action_ids;
      const bool known = std::find(ids.begin(), ids.end(), id) != ids.end();
      if (!known && ids.size() < kActionsMax) ids.push_back(id);
    }
    auto& lost = it->second.lost;
    lost.emplace_back(report.at_ms, view.incident.lost_minor);
    while (lost.size() > 2 && lost.front().first < report.at_ms - kLossWindowMs) lost.pop_front();
    view.at_risk_minor_per_min = loss_per_min(lost, view.incident.begin_ts_ms);
  }
}

void Chronicle::follow_ends(const payments_agent::CycleReport& report) {
  for (const Incident& changed : report.incidents) {
    const auto it = lives_.find(changed.id);
    if (it == lives_.end()) continue;
    it->second.view.incident = changed;
    if (changed.status != IncidentStatus::resolved) continue;
    it->second.view.alarm.ended_ts_ms = changed.end_ts_ms;
    it->second.view.at_risk_minor_per_min = 0.0;
  }
}

bool Chronicle::inside_another(const Life& life) const {
  return std::any_of(lives_.begin(), lives_.end(), [&](const auto& item) {
    const Incident& other = item.second.view.incident;
    const Incident& own = life.view.incident;
    return other.id != own.id && other.status != IncidentStatus::resolved &&
           other.instrument != own.instrument && covers(other.instrument, own.instrument);
  });
}

// What has been counted already of an incident that goes on from another, wider, narrower or moved:
// its loss is told from the same beginning.
double Chronicle::counted_of(const Incident& incident) const {
  double counted = 0.0;
  for (const auto& [id, life] : lives_) {
    const Incident& other = life.view.incident;
    if (other.id == incident.id || other.begin_ts_ms < incident.begin_ts_ms) continue;
    const bool meet = covers(other.instrument, incident.instrument) ||
                      covers(incident.instrument, other.instrument);
    if (meet) counted += life.counted_minor;
  }
  return std::min(counted, incident.lost_minor);
}

// What an incident has lost since it was last counted. A wider incident counts the narrower ones.
void Chronicle::count_money(int64_t at_ms) {
  if (at_ms / kDayMs != day_) {
    day_ = at_ms / kDayMs;
    lost_today_minor_ = 0.0;
  }
  for (auto& [id, life] : lives_) {
    const double lost_minor = life.view.incident.lost_minor;
    if (!inside_another(life)) {
      lost_today_minor_ += std::max(0.0, lost_minor - life.counted_minor);
    }
    life.counted_minor = std::max(life.counted_minor, lost_minor);
  }
}

void Chronicle::weigh(const payments_agent::CycleReport& report) {
  std::vector<IncidentView*> lasting;
  for (auto& [id, life] : lives_) lasting.push_back(&life.view);
  const auto weigh_one = [&](const std::string& action_id, const safety::Judgement& chosen) {
    auto weighed = weighed_in(report, chosen);
    weighed->incident_id = enter_action(action_id, chosen.option, lasting);
    weighed_[action_id] = std::move(weighed);
  };
  for (const payments_agent::Asked& asked : report.asked) {
    weigh_one(asked.action_id, asked.judgement);
  }
  if (!report.action_id.empty() && !report.considered.empty()) {
    weigh_one(report.action_id, report.considered.back());
  }
}

std::vector<InterventionView> Chronicle::interventions(const std::vector<Intervention>& ledger,
                                                       int64_t at_ms) {
  std::vector<InterventionView> shown;
  std::set<std::string> ids;
  std::size_t over = 0;
  for (auto it = ledger.rbegin(); it != ledger.rend(); ++it) {
    if (!it->action.inverse_of.empty()) continue;
    if (finished(it->state)) {
      if (it->changed_ts_ms + keep_ms_ < at_ms || over >= kFinishedMax) continue;
      ++over;
    }
    ids.insert(it->action.action_id);
    const auto known = weighed_.find(it->action.action_id);
    shown.push_back({*it, known == weighed_.end() ? nullptr : known->second});
  }
  std::erase_if(weighed_, [&](const auto& item) { return ids.count(item.first) == 0; });
  return shown;
}

void Chronicle::forget(int64_t at_ms) {
  std::erase_if(lives_, [&](const auto& item) {
    const Incident& incident = item.second.view.incident;
    return incident.status == IncidentStatus::resolved && incident.end_ts_ms + keep_ms_ < at_ms;
  });
  while (lives_.size() > kIncidentsMax) {
    auto oldest = lives_.begin();
    for (auto it = lives_.begin(); it != lives_.end(); ++it) {
      if (it->second.view.incident.updated_ts_ms < oldest->second.view.incident.updated_ts_ms) {
        oldest = it;
      }
    }
    lives_.erase(oldest);
  }
}

}  // namespace payops::api
