#include "metrics.h"

#include <charconv>
#include <cmath>
#include <set>

#include "payops/model/dimensions.h"

namespace payops::api {
namespace {

std::string number(double value) {
  if (!std::isfinite(value)) return "NaN";
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string label(const char* name, const std::string& value) {
  std::string text = std::string(name) + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text + '"';
}

class Page {
 public:
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    text_.append(name).append(" ").append(type).append("\n");
  }
  void value(double v, const std::string& labels = {}) {
    text_.append(name_);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(number(v)).append("\n");
  }
  void one(const char* name, const char* type, const char* help, double v) {
    family(name, type, help);
    value(v);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  const char* name_ = "";
  std::string text_;
};

std::string scope_labels(const Scope& scope) {
  return label("issuer", scope.issuer) + "," + label("method", scope.method) + "," +
         label("gateway", scope.gateway);
}

// The single dimensions and all payments: pairs and paths would be too many series.
void put_series(Page& page, const Knowledge& known) {
  if (known.cells == nullptr) return;
  const auto each = [&](auto value) {
    for (const CellView& cell : known.cells->cells) {
      if (cell.reading.key.depth() > 1) continue;
      page.value(value(cell.reading), scope_labels(cell.reading.scope));
    }
  };
  page.family("payops_success_rate", "gauge", "Success of first attempts in the last minute.");
  each([](const reasoning::CellReading& r) { return r.success; });
  page.family("payops_success_rate_baseline", "gauge", "The success that is usual.");
  each([](const reasoning::CellReading& r) { return r.success_baseline; });
  page.family("payops_health_z", "gauge", "Worst reading in standard errors; positive is worse.");
  each([](const reasoning::CellReading& r) { return r.z; });
  page.family("payops_series_attempts_per_second", "gauge", "Attempts a second.");
  each([](const reasoning::CellReading& r) { return r.per_s; });
  page.family("payops_latency_p95_seconds", "gauge", "95th percentile of attempts' latency.");
  each([](const reasoning::CellReading& r) { return r.latency_p95_ms / 1000.0; });
}

void put_cycle(Page& page, const CycleView& cycle) {
  const payments_agent::Totals& t = cycle.report.totals;
  page.one("payops_attempts_total", "counter", "Attempts read.", static_cast<double>(t.attempts));
  page.one("payops_late_total", "counter", "Attempts too late to count.",
           static_cast<double>(t.late));
  page.one("payops_duplicates_total", "counter", "Attempts that came twice.",
           static_cast<double>(t.duplicates));
  page.one("payops_dead_letters_total", "counter", "Messages that were no attempts.",
           static_cast<double>(t.dead_letters));
  page.one("payops_cycles_total", "counter", "Cycles.", static_cast<double>(t.cycles));
  page.one("payops_alarms_total", "counter", "Alarms.", static_cast<double>(t.alarms));
  page.one("payops_actions_total", "counter", "Actions published.", static_cast<double>(t.actions));
  page.one("payops_at_risk_minor_per_minute", "gauge", "Money being lost, minor units a minute.",
           cycle.at_risk_minor_per_min);
  std::map<std::string, int> incidents, interventions;
  for (const IncidentView& view : cycle.incidents) {
    ++incidents[std::string(name_of(view.incident.status))];
  }
  for (const InterventionView& view : cycle.interventions) {
    ++interventions[std::string(name_of(view.intervention.state))];
  }
  page.family("payops_incidents", "gauge", "Incidents in view by status.");
  for (const auto& [status, n] : incidents) page.value(n, label("status", status));
  page.family("payops_interventions", "gauge", "Interventions in view by state.");
  for (const auto& [state, n] : interventions) page.value(n, label("state", state));
  page.family("payops_node_seconds", "gauge", "Time of each node in the last cycle.");
  for (const graph::NodeTiming& t2 : cycle.timings) {
    page.value(static_cast<double>(t2.duration_ns) * 1e-9, label("node", t2.node));
  }
}

}  // namespace

std::string Metrics::text(const Knowledge& known, const HubCounts& hub, int64_t now_ms) const {
  Page page;
  page.family("payops_build_info", "gauge", "The program's version.");
  page.value(1.0, label("version", known.deployment->build));
  page.family("payops_agent_state", "gauge", "1 for the state that the agent is in.");
  for (const char* state : {"acting", "observe_only", "killed", "standby"}) {
    page.value(known.pulse.agent_state == state ? 1.0 : 0.0, label("state", state));
  }
  page.one("payops_heard_of_agent_seconds", "gauge", "Since anything was heard of the agent.",
           static_cast<double>(now_ms - known.pulse.wall_ms) / 1000.0);
  page.one("payops_watermark_seconds", "gauge", "Event time read up to, seconds since 1970.",
           static_cast<double>(known.pulse.watermark_ms) / 1000.0);
  put_series(page, known);
  if (known.cycle != nullptr) put_cycle(page, *known.cycle);
  page.one("payops_console_clients", "gauge", "WebSockets open.", static_cast<double>(hub.clients));
  page.one("payops_console_refused_total", "counter", "WebSockets refused.",
           static_cast<double>(hub.refused));
  page.one("payops_console_lagged_total", "counter", "Clients that fell behind.",
           static_cast<double>(hub.lagged));
  page.one("payops_console_closed_slow_total", "counter", "Clients closed for reading slowly.",
           static_cast<double>(hub.closed_slow));
  page.one("payops_console_requests_total", "counter", "HTTP requests.",
           static_cast<double>(requests_));
  return page.take();
}

}  // namespace payops::api
