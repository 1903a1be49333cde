// The words of an explanation, part by part.
#include <algorithm>

#include "explain.h"
#include "narrate.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

using payments_agent::CycleReport;

constexpr double kHardlyPossible = 0.001;  // less is named, not told
constexpr std::size_t kHypothesesTold = 6;
constexpr std::size_t kOptionsTold = 6;

std::string heading(const std::string& text, const Terminal& terminal) {
  return "\n" + terminal.styled(Style::bold, text) + "\n";
}

std::string quantity(Signal signal, double value) {
  switch (signal) {
    case Signal::latency_p95:
      return fixed(value, 0) + " ms";
    case Signal::volume:
      return fixed(value, 1) + "/s";
    case Signal::complaints:
      return fixed(value, 1) + " an hour";
    default:
      return percent(value);
  }
}

std::string spelled(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string more_text(std::size_t count, const std::string& how) {
  return count == 0 ? "" : "  and " + std::to_string(count) + " more, " + how + "\n";
}

std::string alarm_text(const Alarm& a) {
  std::string text = "  " + spelled(name_of(a.pattern)) + ", " + describe(a.scope, a.slice) + " (" +
                     std::string(name_of(a.spread)) + "), since " + clock_time(a.started_ts_ms) +
                     ", noticed " + clock_time(a.raised_ts_ms);
  // What a detector of success counts are the failures that are not the customer's own, one of
  // latency the attempts that are slow.
  const std::string counted = a.signal == Signal::success_rate  ? "technical failures"
                              : a.signal == Signal::latency_p95 ? "unusually slow attempts"
                                                                : spelled(name_of(a.signal));
  text += "\n    " + counted + " " + alarm_quantity(a, a.observed) + " where " +
          alarm_quantity(a, a.expected) + " is usual, over " + std::to_string(a.evidence_attempts) +
          (a.signal == Signal::complaints ? " complaints" : " attempts");
  if (a.excess_failures > 0.5) {
    text += ", " + fixed(a.excess_failures, 0) + " failures more than usual";
  }
  if (!a.announced.empty()) text += "\n    announced in the calendar: " + a.announced;
  return text + "\n    the detector's statistic reached " + fixed(a.statistic, 1) + ", it needs " +
         fixed(a.threshold, 1) + " (" + fixed(a.false_alarms_per_week, 4) +
         " false alarms a week) [" + a.id + "]\n";
}

// The readings that make a series DEGRADED; all of them where it alarms.
std::string status_text(const SeriesStatus& s, double anomaly_threshold) {
  std::vector<std::string> parts;
  for (const Reading& r : s.readings) {
    if (r.warming_up || (!s.alarming && r.z <= anomaly_threshold)) continue;
    parts.push_back(spelled(name_of(r.signal)) + " " + quantity(r.signal, r.value) + " (usual " +
                    quantity(r.signal, r.baseline) + ", z " + fixed(r.z, 1) + ")");
  }
  if (parts.empty()) return "";
  return "  " + describe(s.scope) + (s.degraded ? ", DEGRADED: " : ": ") + join(parts, ", ") + "\n";
}

std::string seen_text(const Explanation& e, const Terminal& terminal) {
  std::string text = heading("What was seen", terminal);
  if (e.report.alarms.empty()) text += "  no alarm was in force\n";
  for (const Alarm& alarm : e.report.alarms) text += alarm_text(alarm);
  for (const SeriesStatus& status : e.report.statuses) {
    text += status_text(status, e.anomaly_threshold);
  }
  for (const std::string& sentence : disagreements(e.report, e.anomaly_threshold)) {
    text += "  z-score and detector differ: " + sentence + "\n";
  }
  return text;
}

std::string hypotheses_text(const CycleReport& report, const Terminal& terminal) {
  if (report.hypotheses.empty()) return "";
  std::string text = heading("What could explain it", terminal);
  std::size_t told = 0;
  for (const Hypothesis& h : report.hypotheses) {
    if (told > 0 && (told >= kHypothesesTold || h.posterior < kHardlyPossible)) break;
    ++told;
    text += "  " + pad_left(percent(h.posterior), 7) + "  " + spelled(name_of(h.cause));
    if (h.cause != Cause::none_of_these) text += ", " + describe(h.scope, h.slice);
    text += " (" + percent(h.prior) + " before looking)\n";
    for (const std::string& line : h.evidence_for) text += "           for: " + line + "\n";
    for (const std::string& line : h.evidence_against) text += "           against: " + line + "\n";
    if (!h.why_not.empty()) text += "           why not: " + h.why_not + "\n";
  }
  return text + more_text(report.hypotheses.size() - told, "less likely");
}

std::string items_text(const Nrv& nrv, const std::string& currency) {
  std::vector<std::string> parts;
  for (const NrvItem& item : nrv.items) {
    if (item.amount_minor == 0.0) continue;
    parts.push_back(spelled(item.name) + " " + money(item.amount_minor, currency));
  }
  return join(parts, ", ");
}

std::string option_text(const Option& o, std::size_t rank, const std::string& currency) {
  std::string text = "  " + std::to_string(rank) + ". " +
                     describe_action(o.type, o.scope, o.params, o.strength) + "\n     worth " +
                     describe_value(o.nrv.total, currency);
  if (const std::string items = items_text(o.nrv, currency); !items.empty()) {
    text += ": " + items;
  }
  text += "\n";
  if (o.strength > 0.0) {
    text += "     touches " + percent(o.blast_radius) + " of live value for " +
            fixed(o.duration_s, 0) + " s, risk " + std::string(name_of(o.risk)) + ", holdout " +
            percent(o.holdout, 0) + "; a treated payment converts " +
            fixed(o.effect.mean * 100, 1) +
            " points more often (90 %: " + fixed(o.effect.low() * 100, 1) + " to " +
            fixed(o.effect.high() * 100, 1) + ")\n";
  }
  return o.reason.empty() ? text : text + "     " + o.reason + "\n";
}

std::string options_text(const Explanation& e, const Terminal& terminal) {
  if (e.report.options.empty()) return "";
  std::string text = heading("What could be done, best first, against doing nothing", terminal);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < e.report.options.size(); ++i) {
    const Option& option = e.report.options[i];
    const bool weighed = std::any_of(
        e.report.considered.begin(), e.report.considered.end(),
        [&](const safety::Judgement& j) { return j.option.option_id == option.option_id; });
    if (i >= kOptionsTold && !weighed) {
      ++left_out;
      continue;
    }
    text += option_text(option, i + 1, e.currency);
  }
  return text + more_text(left_out, "ranked lower");
}

std::string judgement_text(const safety::Judgement& judged, const std::string& currency,
                           const Terminal& terminal) {
  const Option& o = judged.option;
  std::string text = "  " + describe_action(o.type, o.scope, o.params, o.strength) +
                     ", as it came to the gate: holdout " + percent(o.holdout, 0) + ", touches " +
                     percent(o.blast_radius) + ", for " + fixed(o.duration_s, 0) + " s, worth " +
                     describe_value(o.nrv.total, currency) + "\n";
  if (!judged.pre_mortem.findings.empty()) {
    text += "    an hour later it made things worse, " +
            percent(judged.pre_mortem.failure_probability) + " likely, costing " +
            money(judged.pre_mortem.expected_cost_minor, currency) + " in expectation. Why?\n";
  }
  std::vector<std::string> unlikely;
  for (const Finding& f : judged.pre_mortem.findings) {
    if (f.probability < kHardlyPossible) {
      unlikely.push_back(spelled(name_of(f.mode)));
      continue;
    }
    text += "      " + pad_left(percent(f.probability), 7) + "  " + spelled(name_of(f.mode)) +
            " (" + money(f.cost_minor, currency) + "): " + f.because + "\n";
    if (!f.mitigation.empty()) text += "               so: " + f.mitigation + "\n";
    if (!f.rollback_when.empty()) text += "               undo when " + f.rollback_when + "\n";
  }
  if (!unlikely.empty()) {
    text += "      below " + percent(kHardlyPossible) + ": " + join(unlikely, ", ") + "\n";
  }
  const bool allowed = judged.verdict.outcome == GateOutcome::allow;
  text += "    the gate: " + terminal.styled(allowed ? Style::good : Style::warn,
                                             spelled(name_of(judged.verdict.outcome)));
  if (judged.verdict.reasons.empty()) return text + ", no limit spoke\n";
  return text + "; " + join(judged.verdict.reasons, "; ") + "\n";
}

std::string gate_text(const Explanation& e, const Terminal& terminal) {
  std::string text = heading("Pre-mortem and gate", terminal);
  if (e.report.considered.empty()) {
    return text + "  no option's value was surely positive: none was taken to the gate\n";
  }
  for (const safety::Judgement& judged : e.report.considered) {
    text += judgement_text(judged, e.currency, terminal);
  }
  return text;
}

std::string done_text(const Explanation& e, const Terminal& terminal) {
  std::string text = heading("What was done", terminal) + "  " + e.report.conclusion + "\n";
  if (e.report.forced) text += "  it was forced by the minimum action frequency\n";
  for (const Intervention& i : e.actions) {
    const Action& a = i.action;
    text += "  " + a.action_id + ": " +
            (a.inverse_of.empty() ? "" : "the inverse of " + a.inverse_of + ", ") +
            describe_action(a.type, a.scope, a.params, a.strength) + ", a lease until " +
            clock_time(a.expires_ts_ms) + "\n";
  }
  for (const ActionEvent& event : e.events) {
    text += "    " + clock_time(event.place.ts_ms) + "  " + event.action_id + "  " + event.text +
            " [seq " + std::to_string(event.place.seq) + "]\n";
  }
  return text;
}

std::string converted(uint64_t part, uint64_t whole) {
  if (whole == 0) return "none";
  return percent(static_cast<double>(part) / static_cast<double>(whole)) + " of " +
         std::to_string(whole) + " payments";
}

std::string outcome_text(const Explanation& e, const Terminal& terminal) {
  if (e.actions.empty()) return "";
  std::string text = heading("What came of it", terminal);
  if (!e.outcome) return text + "  no outcome is on record for it (yet)\n";
  const Outcome& o = *e.outcome;
  const Style style = o.result == OutcomeResult::improved ? Style::good
                      : o.result == OutcomeResult::worse  ? Style::bad
                                                          : Style::dim;
  text += "  " + terminal.styled(style, std::string(name_of(o.result))) + ": treated " +
          converted(o.treated_conversions, o.treated_payments) + " converted, holdout " +
          converted(o.holdout_conversions, o.holdout_payments);
  if (o.treated_payments == 0 || o.holdout_payments == 0) {
    return text + "; without both arms nothing can be said\n";
  }
  return text + "; difference " + fixed(o.effect.mean * 100, 1) +
         " points (90 %: " + fixed(o.effect.low() * 100, 1) + " to " +
         fixed(o.effect.high() * 100, 1) + "), log evidence " + fixed(o.log_evidence, 1) +
         ", worth " + money(o.value_minor, e.currency) + "\n";
}

std::string record_text(const Explanation& e, const Terminal& terminal) {
  return heading("On record", terminal) + "  audit seq " + std::to_string(e.place.seq) + ", hash " +
         e.place.hash + "\n  " + e.place.file + " line " + std::to_string(e.place.line) +
         "\n  computed from " + e.step.inputs + " bytes " + std::to_string(e.step.offset) + " to " +
         std::to_string(e.step.offset + e.step.length) + ", SHA-256 " + e.step.sha256 + "\n  " +
         e.build + ", configuration " + e.config_hash + "\n";
}

bool overlap(const Scope& a, const Scope& b) {
  const auto meet = [](const std::string& x, const std::string& y) {
    return x == "*" || y == "*" || x == y;
  };
  return meet(a.issuer, b.issuer) && meet(a.method, b.method) && meet(a.gateway, b.gateway);
}

}  // namespace

std::vector<std::string> disagreements(const CycleReport& report, double anomaly_threshold) {
  std::vector<std::string> sentences;
  const std::string limit = fixed(anomaly_threshold, 1);
  for (const Alarm& alarm : report.alarms) {
    if (alarm.ended_ts_ms != 0) continue;
    for (const SeriesStatus& s : report.statuses) {
      if (s.scope != alarm.scope || s.degraded) continue;
      sentences.push_back("the detector alarms on " + describe(alarm.scope) + " (" +
                          spelled(name_of(alarm.signal)) + ", statistic " +
                          fixed(alarm.statistic, 1) + " over " + fixed(alarm.threshold, 1) +
                          "), no z-score there is beyond " + limit +
                          ": a change too small for the display window, or fading from it");
    }
  }
  std::vector<std::string> sharing;
  for (const SeriesStatus& s : report.statuses) {
    if (!s.degraded || s.alarming) continue;
    const bool shares =
        std::any_of(report.alarms.begin(), report.alarms.end(), [&](const Alarm& alarm) {
          return alarm.ended_ts_ms == 0 && overlap(alarm.scope, s.scope);
        });
    if (shares) {
      sharing.push_back(describe(s.scope));
      continue;
    }
    const auto worst =
        std::max_element(s.readings.begin(), s.readings.end(),
                         [](const Reading& a, const Reading& b) { return a.z < b.z; });
    if (worst == s.readings.end()) continue;
    sentences.push_back(describe(s.scope) + " shows DEGRADED (" + spelled(name_of(worst->signal)) +
                        " z " + fixed(worst->z, 1) + ", beyond " + limit +
                        ") and no detector alarms on it: evidence that has not lasted, or what a "
                        "fault elsewhere drives there");
  }
  if (!sharing.empty()) {
    sentences.push_back(
        "DEGRADED without an alarm of their own, since they share payments with "
        "what alarms: " +
        join(sharing, ", "));
  }
  return sentences;
}

std::string explanation_text(const Explanation& e, const Terminal& terminal) {
  const CycleReport& r = e.report;
  std::string text = terminal.styled(Style::bold, "Decision " + r.decision_id) + ", " +
                     iso_time(r.at_ms) + ", step " + std::to_string(r.step) +
                     (r.trigger == "alarm" ? ", taken at once on a new alarm" : ", " + r.trigger) +
                     "\n";
  if (!r.observe_only.empty()) text += "  only observing: " + r.observe_only + "\n";
  return text + seen_text(e, terminal) + hypotheses_text(r, terminal) + options_text(e, terminal) +
         gate_text(e, terminal) + done_text(e, terminal) + outcome_text(e, terminal) +
         record_text(e, terminal);
}

}  // namespace payops::app
