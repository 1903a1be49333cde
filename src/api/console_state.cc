#include "payops/api/console_state.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::api {
namespace {

// A JSON number with so many decimals at most. Rounded, so that noise is no news.
double rounded(double value, int decimals) {
  if (!std::isfinite(value)) return 0.0;
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}
int64_t minor(double value) {
  return std::isfinite(value) && std::fabs(value) < 9e15 ? std::llround(value) : 0;
}

void put(std::string& text, double value, int decimals) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, rounded(value, decimals)).ptr;
  text.append(digits, end);
}
void put(std::string& text, std::string_view name, double value, int decimals) {
  text.append(",\"").append(name).append("\":");
  put(text, value, decimals);
}
void put(std::string& text, std::string_view name, bool value) {
  text.append(",\"").append(name).append(value ? "\":true" : "\":false");
}
std::string json_string(std::string_view raw) { return dump(Json(std::string(raw))); }

// Written by hand: there are thousands of them a second.
std::string cell_text(const CellView& view) {
  const reasoning::CellReading& r = view.reading;
  std::string text;
  text.reserve(768);
  text.append("{\"issuer\":").append(json_string(r.scope.issuer));
  text.append(",\"method\":").append(json_string(r.scope.method));
  text.append(",\"gateway\":").append(json_string(r.scope.gateway));
  text.append(",\"attempts\":").append(std::to_string(r.attempts));
  put(text, "per_s", r.per_s, 2);
  put(text, "success", r.success, 4);
  put(text, "baseline", r.success_baseline, 4);
  put(text, "z", r.z, 2);
  text.append(",\"signal\":\"").append(name_of(r.signal)).append("\"");
  put(text, "degraded", r.degraded);
  put(text, "alarming", r.alarming);
  put(text, "warming_up", r.warming_up);
  put(text, "latency_p95_ms", r.latency_p95_ms, 0);
  put(text, "latency_baseline_ms", r.latency_baseline_ms, 0);
  put(text, "retry_rate", r.retry_rate, 4);
  put(text, "retry_baseline", r.retry_baseline, 4);
  text.append(",\"declines\":{");
  bool first = true;
  for (std::size_t c = 0; c < r.declines.size(); ++c) {
    if (r.declines[c] == 0) continue;
    text.append(first ? "\"" : ",\"").append(name_of(static_cast<DeclineClass>(c)));
    text.append("\":").append(std::to_string(r.declines[c]));
    first = false;
  }
  text.append("},\"spark\":[");
  for (std::size_t i = 0; i < view.spark.size(); ++i) {
    if (i > 0) text += ',';
    if (view.spark[i] < 0) {
      text.append("null");
    } else {
      put(text, view.spark[i] / 1000.0, 3);
    }
  }
  return text.append("]}");
}

Json estimate(const Predicted& e) {
  return {{"mean", minor(e.mean)}, {"low", minor(e.low)}, {"high", minor(e.high)}};
}

Json hypothesis(const Hypothesis& h) {
  return {{"cause", name_of(h.cause)},
          {"scope", to_json(h.scope)},
          {"posterior", rounded(h.posterior, 4)},
          {"for", h.evidence_for},
          {"against", h.evidence_against},
          {"why_not", h.why_not}};
}

std::string_view told_severity(Severity s) {
  return name_of(s == Severity::info ? Severity::low : s);
}

Json incident(const IncidentView& view) {
  const Incident& i = view.incident;
  Json hypotheses = Json::array();
  for (const Hypothesis& h : view.hypotheses) hypotheses.push_back(hypothesis(h));
  Json beliefs = Json::array();
  for (const Belief& belief : view.beliefs) {
    Json posteriors = Json::object();
    for (const auto& [cause, p] : belief.posteriors) posteriors[cause] = rounded(p, 3);
    beliefs.push_back({{"at_ms", belief.at_ms}, {"posteriors", std::move(posteriors)}});
  }
  const Hypothesis* leading = view.hypotheses.empty() ? nullptr : &view.hypotheses.front();
  return {{"id", i.id},
          {"status", name_of(i.status)},
          {"severity", told_severity(i.severity)},
          {"pattern", i.pattern},
          {"spread", name_of(i.spread)},
          {"scope", to_json(i.instrument)},
          {"started_ms", i.begin_ts_ms},
          {"raised_ms", view.alarm.raised_ts_ms},
          {"ended_ms", i.end_ts_ms},
          {"observed", rounded(view.alarm.observed, 4)},
          {"expected", rounded(view.alarm.expected, 4)},
          {"statistic", rounded(view.alarm.statistic, 2)},
          {"threshold", rounded(view.alarm.threshold, 2)},
          {"cause", leading != nullptr ? std::string(name_of(leading->cause)) : i.cause},
          {"cause_scope", leading != nullptr ? to_json(leading->scope) : to_json(i.instrument)},
          {"posterior", rounded(leading != nullptr ? leading->posterior : i.confidence, 4)},
          {"hypotheses", std::move(hypotheses)},
          {"beliefs", std::move(beliefs)},
          {"interventions", view.action_ids},
          {"acknowledged_by", view.care.acknowledged_by},
          {"silenced_until_ms", view.care.silenced_until_ms},
          {"notes", view.care.notes},
          {"saved_minor", minor(view.saved_minor)},
          {"at_risk_minor_per_min", minor(view.at_risk_minor_per_min)},
          {"text", i.message}};
}

Json finding(const Finding& f) {
  return {{"mode", name_of(f.mode)},           {"probability", rounded(f.probability, 4)},
          {"cost_minor", minor(f.cost_minor)}, {"because", f.because},
          {"mitigation", f.mitigation},        {"rollback_when", f.rollback_when}};
}

Json outcome(const Outcome& o) {
  return {{"result", name_of(o.result)},
          {"treated", {{"payments", o.treated_payments}, {"conversions", o.treated_conversions}}},
          {"holdout", {{"payments", o.holdout_payments}, {"conversions", o.holdout_conversions}}},
          {"effect",
           {{"mean", rounded(o.effect.mean, 4)},
            {"low", rounded(o.effect.low(), 4)},
            {"high", rounded(o.effect.high(), 4)}}},
          {"value_minor", minor(o.value_minor)}};
}

Json intervention(const InterventionView& view) {
  const Intervention& i = view.intervention;
  const Option& o = i.option;
  Json nrv = estimate(o.nrv.total);
  nrv["items"] = Json::array();
  for (const NrvItem& item : o.nrv.items) {
    nrv["items"].push_back({{"name", item.name}, {"amount_minor", minor(item.amount_minor)}});
  }
  Json findings = Json::array();
  Json alternatives = Json::array();
  if (view.weighed != nullptr) {
    for (const Finding& f : view.weighed->findings) findings.push_back(finding(f));
    for (std::size_t a = 0; a < view.weighed->alternatives.size(); ++a) {
      const Option& other = view.weighed->alternatives[a];
      alternatives.push_back({{"type", other.type},
                              {"scope", to_json(other.scope)},
                              {"nrv", estimate(other.nrv.total)},
                              {"why_not", view.weighed->why_not[a]}});
    }
  }
  return {{"id", i.action.action_id},
          {"type", i.action.type},
          {"scope", to_json(i.action.scope)},
          {"params", to_json(i.action.params)},
          {"strength", rounded(i.action.strength, 4)},
          {"holdout", rounded(i.action.holdout, 4)},
          {"state", name_of(i.state)},
          {"decided_ms", i.decided_ts_ms},
          {"issued_ms", i.action.issued_ts_ms},
          {"expires_ms", i.action.expires_ts_ms},
          {"answer_by_ms", i.answer_by_ts_ms},
          {"shown_hash", i.shown_hash},
          {"risk", name_of(o.risk)},
          {"reason", o.reason},
          {"confidence", rounded(o.confidence, 4)},
          {"blast_radius", rounded(o.blast_radius, 4)},
          {"nrv", std::move(nrv)},
          {"findings", std::move(findings)},
          {"gate", i.gate_reasons},
          {"alternatives", std::move(alternatives)},
          {"incident_id", view.weighed != nullptr ? view.weighed->incident_id : ""},
          {"outcome", outcome(i.outcome)},
          {"decision_id", i.action.decision_id},
          {"why", i.why}};
}

const reasoning::CellReading* everything(const Knowledge& known) {
  if (known.cells == nullptr) return nullptr;
  for (const CellView& cell : known.cells->cells) {
    if (cell.reading.key == SeriesKey{}) return &cell.reading;
  }
  return nullptr;
}

Json header(const Knowledge& known) {
  const Deployment& d = *known.deployment;
  const CycleView none;
  const CycleView& cycle = known.cycle != nullptr ? *known.cycle : none;
  const reasoning::CellReading* all = everything(known);
  const Pulse& p = known.pulse;
  return {{"step", cycle.report.step},
          {"at_ms", cycle.report.at_ms},
          {"watermark_ms", std::max<int64_t>(0, p.watermark_ms) / 1000 * 1000},
          {"build", d.build},
          {"agent_state", p.agent_state},
          {"why", p.why},
          {"mode", cycle.modes.empty() ? to_json(d.mode) : to_json(cycle.modes)},
          {"killed", p.killed},
          {"currency", d.currency},
          {"attempts_per_s", rounded(all != nullptr ? all->per_s : 0.0, 1)},
          {"success", rounded(all != nullptr ? all->success : 0.0, 4)},
          {"at_risk_minor_per_min", minor(cycle.at_risk_minor_per_min)},
          {"lost_today_minor", minor(cycle.lost_today_minor)},
          {"saved_today_minor", minor(cycle.saved_today_minor)},
          {"input_lag", p.input_lag ? Json(*p.input_lag) : Json(nullptr)},
          {"dead_letters", cycle.report.totals.dead_letters},
          {"conclusion", cycle.report.conclusion},
          {"demo", d.demo},
          {"cycle_interval_s", d.cycle_interval_s}};
}

Json node(const std::string& name, const CycleView& cycle) {
  const auto it = std::find_if(cycle.timings.begin(), cycle.timings.end(),
                               [&](const graph::NodeTiming& t) { return t.node == name; });
  const bool ran = it != cycle.timings.end();
  return {{"node", name}, {"phase", name}, {"us", ran ? it->duration_ns / 1000 : 0}, {"ran", ran}};
}

Values cells_of(const Knowledge& known) {
  Values values;
  if (known.cells == nullptr) return values;
  for (const CellView& cell : known.cells->cells) {
    values.emplace(to_string(cell.reading.scope), cell_text(cell));
  }
  return values;
}

Values incidents_of(const CycleView& cycle) {
  Values values;
  for (const IncidentView& view : cycle.incidents) {
    values.emplace(view.incident.id, dump(incident(view)));
  }
  return values;
}

Values interventions_of(const CycleView& cycle) {
  Values values;
  for (const InterventionView& view : cycle.interventions) {
    values.emplace(view.intervention.action.action_id, dump(intervention(view)));
  }
  return values;
}

Values effects_of(const CycleView& cycle) {
  Values values;
  for (const auto& [key, posterior] : cycle.effects) {
    if (posterior.outcomes == 0) continue;  // as it was before anything was tried
    const Estimate factor{.mean = posterior.mean, .sigma = posterior.sigma};
    values.emplace(key.type + "|" + std::string(name_of(key.cause)) + "|" + key.peer,
                   dump(Json{{"type", key.type},
                             {"cause", name_of(key.cause)},
                             {"peer", key.peer},
                             {"factor",
                              {{"mean", rounded(factor.mean, 3)},
                               {"low", rounded(factor.low(), 3)},
                               {"high", rounded(factor.high(), 3)}}},
                             {"outcomes", posterior.outcomes},
                             {"improved", posterior.improved},
                             {"worse", posterior.worse},
                             {"updated_ms", posterior.updated_ts_ms}}));
  }
  return values;
}

Values graph_of(const CycleView& cycle) {
  Values values;
  for (const std::string& name : cycle.nodes) values.emplace(name, dump(node(name, cycle)));
  return values;
}

void compare(const Values& before, const Values& after, Values& set,
             std::vector<std::string>& remove) {
  for (const auto& [key, value] : after) {
    const auto was = before.find(key);
    if (was == before.end() || was->second != value) set.emplace(key, value);
  }
  for (const auto& [key, value] : before) {
    if (after.find(key) == after.end()) remove.push_back(key);
  }
}

void append_object(std::string& text, const Values& values) {
  text += '{';
  bool first = true;
  for (const auto& [key, value] : values) {
    if (!first) text += ',';
    first = false;
    text.append(json_string(key)).append(":").append(value);
  }
  text += '}';
}

}  // namespace

ConsoleState state_of(const Knowledge& known) {
  ConsoleState state;
  (void)advance(state, nullptr, known);
  return state;
}

bool Delta::empty() const {
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    if (!set[s].empty() || !remove[s].empty()) return false;
  }
  return true;
}

Delta diff(const ConsoleState& before, const ConsoleState& after) {
  Delta delta;
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    compare(before.sections[s], after.sections[s], delta.set[s], delta.remove[s]);
  }
  return delta;
}

Delta advance(ConsoleState& state, const Knowledge* before, const Knowledge& now) {
  Delta delta;
  const auto put_section = [&](Section section, Values values) {
    const auto s = static_cast<std::size_t>(section);
    compare(state.sections[s], values, delta.set[s], delta.remove[s]);
    state.sections[s] = std::move(values);
  };
  put_section(Section::header, {{"now", dump(header(now))}});
  if (before == nullptr || before->cells != now.cells) put_section(Section::cells, cells_of(now));
  if (before == nullptr || before->cycle != now.cycle) {
    const CycleView none;
    const CycleView& cycle = now.cycle != nullptr ? *now.cycle : none;
    put_section(Section::incidents, incidents_of(cycle));
    put_section(Section::interventions, interventions_of(cycle));
    put_section(Section::graph, graph_of(cycle));
    put_section(Section::effects, effects_of(cycle));
  }
  return delta;
}

void apply(const Delta& delta, ConsoleState& state) {
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    for (const std::string& key : delta.remove[s]) state.sections[s].erase(key);
    for (const auto& [key, value] : delta.set[s]) {
      state.sections[s].insert_or_assign(key, value);
    }
  }
}

std::string incident_text(const IncidentView& view) { return dump(incident(view)); }
std::string intervention_text(const InterventionView& view) { return dump(intervention(view)); }

std::string state_text(const ConsoleState& state) {
  std::string text = "{";
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    text.append(s == 0 ? "\"" : ",\"").append(kSections[s]).append("\":");
    append_object(text, state.sections[s]);
  }
  return text.append("}");
}

std::string snapshot_text(const ConsoleState& state, std::string_view epoch, uint64_t seq,
                          int64_t server_ms) {
  return "{\"type\":\"snapshot\",\"epoch\":\"" + std::string(epoch) +
         "\",\"seq\":" + std::to_string(seq) + ",\"server_ms\":" + std::to_string(server_ms) +
         ",\"state\":" + state_text(state) + "}";
}

std::string delta_text(const Delta& delta, uint64_t seq, int64_t server_ms) {
  std::string text = "{\"type\":\"delta\",\"seq\":" + std::to_string(seq) +
                     ",\"server_ms\":" + std::to_string(server_ms) + ",\"set\":{";
  bool first = true;
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    if (delta.set[s].empty()) continue;
    text.append(first ? "\"" : ",\"").append(kSections[s]).append("\":");
    append_object(text, delta.set[s]);
    first = false;
  }
  text.append("},\"remove\":{");
  first = true;
  for (std::size_t s = 0; s < kSections.size(); ++s) {
    if (delta.remove[s].empty()) continue;
    text.append(first ? "\"" : ",\"").append(kSections[s]).append("\":");
    text.append(dump(Json(delta.remove[s])));
    first = false;
  }
  return text.append("}}");
}

std::string hello_text(std::string_view epoch, int heartbeat_ms, int stale_after_ms) {
  return "{\"type\":\"hello\",\"protocol\":1,\"epoch\":\"" + std::string(epoch) +
         "\",\"heartbeat_ms\":" + std::to_string(heartbeat_ms) +
         ",\"stale_after_ms\":" + std::to_string(stale_after_ms) + "}";
}

std::string heartbeat_text(uint64_t seq, int64_t server_ms, int64_t watermark_ms) {
  return "{\"type\":\"heartbeat\",\"seq\":" + std::to_string(seq) +
         ",\"server_ms\":" + std::to_string(server_ms) +
         ",\"watermark_ms\":" + std::to_string(watermark_ms) + "}";
}

}  // namespace payops::api
