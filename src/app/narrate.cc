#include "narrate.h"

#include <algorithm>

#include "payops/core/money.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

using payments_agent::CycleReport;

const Reading* reading(const SeriesStatus& status, Signal signal) {
  for (const Reading& r : status.readings) {
    if (r.signal == signal) return &r;
  }
  return nullptr;
}

bool is_issuer(const Scope& s) { return s.issuer != "*" && s.method == "*" && s.gateway == "*"; }
bool is_global(const Scope& s) { return s == Scope{}; }

std::string series_name(const Scope& scope) {
  if (scope.issuer != "*") return scope.issuer;
  if (scope.method != "*") return "method " + scope.method;
  return "gateway " + scope.gateway;
}

// What the word DEGRADED is for, where it is not the success rate before it: the signal that is
// furthest from its usual, or an alarm while no signal is.
std::string degraded_for(const SeriesStatus& status) {
  const Reading* worst = nullptr;
  for (const Reading& r : status.readings) {
    if (!r.warming_up && (worst == nullptr || r.z > worst->z)) worst = &r;
  }
  if (!status.degraded || worst == nullptr) return status.alarming ? "  for its alarm" : "";
  const std::string z = ", z " + fixed(worst->z, 1) + ")";
  switch (worst->signal) {
    case Signal::latency_p95:
      return "  for its p95 (usual " + fixed(worst->baseline, 0) + " ms" + z;
    case Signal::retry_rate:
      return "  for its retries (usual " + percent(worst->baseline) + z;
    case Signal::volume:
      return "  for its volume: " + fixed(worst->value, 1) + "/s (usual " +
             fixed(worst->baseline, 1) + "/s" + z;
    default:
      return "";
  }
}

std::string status_line(const SeriesStatus& status, const Terminal& terminal) {
  const Reading* success = reading(status, Signal::success_rate);
  const Reading* latency = reading(status, Signal::latency_p95);
  const Reading* retries = reading(status, Signal::retry_rate);
  std::string line = "  " + pad(series_name(status.scope), 19);
  line += status.degraded || status.alarming ? terminal.styled(Style::bad, "DEGRADED")
                                             : terminal.styled(Style::good, "HEALTHY ");
  if (success != nullptr) {
    line += "  success " + pad_left(percent(success->value), 7);
    line += success->warming_up ? terminal.styled(Style::dim, " (learning)           ")
                                : " (usual " + pad_left(percent(success->baseline), 7) + ", z " +
                                      pad_left(fixed(success->z, 1), 5) + ")";
  }
  if (latency != nullptr) line += "  p95 " + pad_left(fixed(latency->value, 0), 5) + " ms";
  if (retries != nullptr) line += "  retries " + pad_left(percent(retries->value), 6);
  if (status.degraded || status.alarming) line += degraded_for(status);
  return line + "\n";
}

std::string alarm_line(const Alarm& alarm, const Terminal& terminal) {
  std::string line = "  " + terminal.styled(Style::bad, "!") + " " +
                     terminal.styled(Style::bold, std::string(name_of(alarm.pattern))) + ", " +
                     describe(alarm.scope, alarm.slice) + ", since " +
                     clock_time(alarm.started_ts_ms);
  line += ": ";
  if (alarm.signal == Signal::latency_p95) line += "unusually slow attempts ";
  if (alarm.signal == Signal::complaints) {
    line += std::to_string(alarm.evidence_attempts) + " customers, ";
  }
  line += alarm_quantity(alarm, alarm.observed) + " where " +
          alarm_quantity(alarm, alarm.expected) + " is usual";
  line += " (" + std::string(name_of(alarm.spread)) + ")";
  if (!alarm.announced.empty()) line += ", as announced: " + alarm.announced;
  return line + "\n";
}

std::string hypotheses_line(const std::vector<Hypothesis>& hypotheses) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < hypotheses.size() && i < 3; ++i) {
    const Hypothesis& h = hypotheses[i];
    const bool everywhere = h.scope == Scope{} && h.slice == Slice{};
    const std::string where = everywhere ? "" : " " + describe(h.scope, h.slice);
    parts.push_back(std::string(name_of(h.cause)) + where + " " + percent(h.posterior, 0));
  }
  return "    why: " + join(parts, " | ") + "\n";
}

std::string decision_lines(const CycleReport& report, const std::string& currency,
                           const Terminal& terminal) {
  std::string text;
  for (const safety::Judgement& judged : report.considered) {
    const Option& o = judged.option;
    const bool acted = judged.verdict.outcome == GateOutcome::allow;
    text += acted ? terminal.styled(Style::good, "  -> ") : terminal.styled(Style::warn, "  x  ");
    text += describe_action(o.type, o.scope, o.params, o.strength) + "\n       NRV " +
            describe_value(o.nrv.total, currency) + ", blast radius " + percent(o.blast_radius) +
            ", " + std::string(name_of(judged.verdict.outcome));
    if (!acted && !judged.verdict.reasons.empty()) text += ": " + judged.verdict.reasons.front();
    text += "\n";
  }
  return text;
}

std::string outcome_lines(const CycleReport& report, const std::string& currency,
                          const Terminal& terminal) {
  std::string text;
  for (const Intervention& i : report.outcomes) {
    const Style style = i.outcome.result == OutcomeResult::improved ? Style::good
                        : i.outcome.result == OutcomeResult::worse  ? Style::bad
                                                                    : Style::dim;
    text += "  = " +
            describe_action(i.action.type, i.action.scope, i.action.params, i.action.strength) +
            ": " + terminal.styled(style, std::string(name_of(i.outcome.result)));
    if (i.outcome.treated_payments > 0) {
      const auto rate = [](uint64_t part, uint64_t whole) {
        return whole == 0 ? std::string("none")
                          : percent(static_cast<double>(part) / static_cast<double>(whole)) +
                                " of " + std::to_string(whole);
      };
      text += ", converted " + rate(i.outcome.treated_conversions, i.outcome.treated_payments) +
              " treated against " +
              rate(i.outcome.holdout_conversions, i.outcome.holdout_payments) + " held out, " +
              money(i.outcome.value_minor, currency);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string percent(double share, int decimals) { return fixed(share * 100.0, decimals) + " %"; }

std::string alarm_quantity(const Alarm& alarm, double value) {
  if (alarm.signal == Signal::complaints) return fixed(value, 1) + " an hour";
  return alarm.signal == Signal::volume ? fixed(value, 1) + "/s" : percent(value);
}

std::string clock_time(int64_t ts_ms) { return iso_time(ts_ms).substr(11, 8); }

std::string describe_value(const Predicted& value, const std::string& currency) {
  return money(value.mean, currency) + " (90 %: " + major_text(value.low, currency) + " to " +
         major_text(value.high, currency) + ")";
}

std::string describe_action(const std::string& type, const Scope& scope,
                            const std::map<std::string, std::string>& params, double strength) {
  std::string text = type + ", " + describe(scope);
  for (const auto& [name, value] : params) text += ", " + name + " " + value;
  if (strength > 0.0) text += ", " + percent(strength, 0) + " of customers";
  return text;
}

std::string cycle_text(const CycleReport& report, const std::string& currency,
                       const Terminal& terminal) {
  std::string headline = clock_time(report.at_ms) + "  cycle " +
                         std::to_string(report.totals.cycles) +
                         (report.trigger == "alarm" ? " (on an alarm)" : "");
  for (const SeriesStatus& status : report.statuses) {
    if (!is_global(status.scope)) continue;
    if (const Reading* volume = reading(status, Signal::volume)) {
      headline += "   " + fixed(volume->value, 1) + " attempts/s";
    }
    if (const Reading* success = reading(status, Signal::success_rate)) {
      headline += "   success " + percent(success->value);
    }
  }
  std::string text = terminal.styled(Style::bold, headline) + "\n";
  if (!report.observe_only.empty()) {
    text += terminal.styled(Style::warn, "  only observing: " + report.observe_only) + "\n";
  }
  for (const SeriesStatus& status : report.statuses) {
    if (is_global(status.scope)) continue;
    if (is_issuer(status.scope) || status.alarming) text += status_line(status, terminal);
  }
  for (const Alarm& alarm : report.alarms) text += alarm_line(alarm, terminal);
  if (!report.hypotheses.empty()) text += hypotheses_line(report.hypotheses);
  text += decision_lines(report, currency, terminal);
  text += outcome_lines(report, currency, terminal);
  return text + "  " + terminal.styled(Style::dim, report.conclusion) + "\n";
}

}  // namespace payops::app
