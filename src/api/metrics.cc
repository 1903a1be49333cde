#include "metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "families.h"
#include "payops/core/money.h"
#include "payops/core/text.h"
#include "payops/model/dimensions.h"

namespace payops::api {
namespace {

double as_double(auto count) { return static_cast<double>(count); }

Families::Labels labels_of(const Scope& scope) {
  return {{"issuer", scope.issuer}, {"method", scope.method}, {"gateway", scope.gateway}};
}

// The single dimensions and all payments: pairs and paths would be too many series.
void put_series(Families& page, const Knowledge& known) {
  if (known.cells == nullptr) return;
  using reasoning::CellReading;
  const auto each = [&](const char* name, const char* help, auto value) {
    page.gauge(name, help);
    for (const CellView& cell : known.cells->cells) {
      if (cell.reading.key.depth() > 1) continue;
      page.value(value(cell.reading), labels_of(cell.reading.scope));
    }
  };
  each("payops_success_ratio", "Success of first attempts in the last minute.",
       [](const CellReading& r) { return r.success; });
  each("payops_success_ratio_baseline", "The success that is usual.",
       [](const CellReading& r) { return r.success_baseline; });
  each("payops_health_z", "Worst reading in standard errors; positive is worse than usual.",
       [](const CellReading& r) { return r.z; });
  each("payops_degraded", "1 while any reading lies beyond anomaly_threshold.",
       [](const CellReading& r) { return r.degraded ? 1.0 : 0.0; });
  each("payops_alarming", "1 while an alarm is about it.",
       [](const CellReading& r) { return r.alarming ? 1.0 : 0.0; });
  each("payops_warming_up", "1 while too little is known of what is usual.",
       [](const CellReading& r) { return r.warming_up ? 1.0 : 0.0; });
  each("payops_attempts_per_second", "Attempts a second in the last minute.",
       [](const CellReading& r) { return r.per_s; });
  each("payops_latency_p95_seconds", "95th percentile of attempts' latency.",
       [](const CellReading& r) { return r.latency_p95_ms / 1000.0; });
  each("payops_latency_p95_baseline_seconds", "The 95th percentile that is usual.",
       [](const CellReading& r) { return r.latency_baseline_ms / 1000.0; });
  each("payops_retry_ratio", "Share of attempts that are retries.",
       [](const CellReading& r) { return r.retry_rate; });
  page.gauge("payops_declines", "Failures in the last minute by who caused them.");
  for (const CellView& cell : known.cells->cells) {
    if (cell.reading.key.depth() > 1) continue;
    for (std::size_t c = 0; c < cell.reading.declines.size(); ++c) {
      if (cell.reading.declines[c] == 0) continue;
      auto labels = labels_of(cell.reading.scope);
      labels.emplace_back("class", std::string(name_of(static_cast<DeclineClass>(c))));
      page.value(as_double(cell.reading.declines[c]), labels);
    }
  }
}

void put_ingest(Families& page, const observation::IngestCounts& counts) {
  const auto one = [&](const char* name, const char* help, int64_t value) {
    page.counter(name, help).value(as_double(value));
  };
  one("payops_attempts_total", "Attempts counted.", counts.attempts);
  one("payops_late_total", "Attempts too late to count.", counts.late);
  one("payops_duplicates_total", "Attempts that came twice.", counts.duplicates);
  one("payops_forced_seconds_total", "Seconds closed early by a bound.", counts.seconds_forced);
  page.counter("payops_dead_letters_total", "Messages that were no attempts, by reason.");
  // All reasons, so that a rate can be taken from the first one on.
  for (const std::string_view reason : enum_names<observation::DeadReason>) {
    const auto it = counts.dead_letters.find(std::string(reason));
    const int64_t n = it == counts.dead_letters.end() ? 0 : it->second;
    page.value(as_double(n), {{"reason", std::string(reason)}});
  }
}

// The interventions in view, added up by type: what was done to whom, and what it was worth.
void put_interventions(Families& page, const CycleView& cycle) {
  using Key = std::pair<std::string, std::string>;
  std::map<Key, int> states;
  std::map<Key, double> payments, conversions;
  std::map<std::string, double> value_minor, nrv_minor;
  for (const InterventionView& view : cycle.interventions) {
    const Intervention& i = view.intervention;
    const std::string& type = i.action.type;
    ++states[{type, std::string(name_of(i.state))}];
    payments[{type, "treated"}] += as_double(i.outcome.treated_payments);
    payments[{type, "holdout"}] += as_double(i.outcome.holdout_payments);
    conversions[{type, "treated"}] += as_double(i.outcome.treated_conversions);
    conversions[{type, "holdout"}] += as_double(i.outcome.holdout_conversions);
    value_minor[type] += i.outcome.value_minor;
    if (i.state == InterventionState::active) nrv_minor[type] += i.option.nrv.total.mean;
  }
  page.gauge("payops_interventions", "Interventions in view by type and state.");
  for (const auto& [key, n] : states) page.value(n, {{"type", key.first}, {"state", key.second}});
  page.gauge("payops_intervention_payments", "Payments under interventions in view, by arm.");
  for (const auto& [key, n] : payments) page.value(n, {{"type", key.first}, {"arm", key.second}});
  page.gauge("payops_intervention_conversions", "Those of them that converted.");
  for (const auto& [key, n] : conversions) {
    page.value(n, {{"type", key.first}, {"arm", key.second}});
  }
  page.gauge("payops_intervention_value_minor", "What interventions in view were worth.");
  for (const auto& [type, v] : value_minor) page.value(v, {{"type", type}});
  page.gauge("payops_active_nrv_minor", "Net revenue value expected of those in force.");
  for (const auto& [type, v] : nrv_minor) page.value(v, {{"type", type}});
}

void put_decision(Families& page, const CycleView& cycle) {
  page.gauge("payops_decision_nrv_minor",
             "Net revenue value in the last decision: of the best option and of the chosen one.");
  const auto put = [&](const char* of, const Predicted& nrv) {
    page.value(nrv.low, {{"of", of}, {"bound", "low"}});
    page.value(nrv.mean, {{"of", of}, {"bound", "mean"}});
    page.value(nrv.high, {{"of", of}, {"bound", "high"}});
  };
  const payments_agent::CycleReport& report = cycle.report;
  if (!report.options.empty()) put("best", report.options.front().nrv.total);
  if (!report.action_id.empty() && !report.considered.empty()) {
    put("chosen", report.considered.back().option.nrv.total);
  }
}

void put_incidents(Families& page, const CycleView& cycle) {
  std::map<std::pair<std::string, std::string>, int> open;
  for (const IncidentView& view : cycle.incidents) {
    if (view.incident.status == IncidentStatus::resolved) continue;
    ++open[{view.incident.pattern, std::string(name_of(view.incident.severity))}];
  }
  page.gauge("payops_incidents_open", "Incidents that last.").value(as_double([&] {
    int n = 0;
    for (const auto& [key, count] : open) n += count;
    return n;
  }()));
  page.gauge("payops_patterns", "Incidents that last, by pattern and severity.");
  for (const auto& [key, n] : open) {
    page.value(n, {{"pattern", key.first}, {"severity", key.second}});
  }
}

void put_cycle(Families& page, const CycleView& cycle) {
  const Meters none;
  const Meters& meters = cycle.meters != nullptr ? *cycle.meters : none;
  put_ingest(page, meters.ingest);
  page.histogram("payops_cycle_seconds", "Time of the agent's graph in a cycle.", kCycleBoundsS,
                 meters.cycles, meters.cycles_s);
  const payments_agent::Totals& t = cycle.report.totals;
  page.counter("payops_alarms_total", "Alarms since the state began.").value(as_double(t.alarms));
  page.counter("payops_actions_total", "Actions since the state began.")
      .value(as_double(t.actions));
  page.counter("payops_gate_total", "Options judged by the gate, by outcome.");
  for (const std::string_view outcome : enum_names<GateOutcome>) {
    const auto it = meters.gate.find(std::string(outcome));
    page.value(it == meters.gate.end() ? 0.0 : as_double(it->second),
               {{"outcome", std::string(outcome)}});
  }
  page.counter("payops_outcomes_total", "Interventions judged, by type and result.");
  for (const auto& [key, n] : meters.outcomes) {
    page.value(as_double(n), {{"type", key.first}, {"result", key.second}});
  }
  page.gauge("payops_at_risk_minor_per_minute", "Money being lost, minor units a minute.")
      .value(cycle.at_risk_minor_per_min);
  page.gauge("payops_lost_today_minor", "Money lost since UTC midnight or the process' start.")
      .value(cycle.lost_today_minor);
  page.gauge("payops_saved_today_minor", "What judged interventions were worth since then.")
      .value(cycle.saved_today_minor);
  page.gauge("payops_node_seconds", "Time of each node of the graph in the last cycle.");
  for (const graph::NodeTiming& node : cycle.timings) {
    page.value(as_double(node.duration_ns) * 1e-9, {{"node", node.node}});
  }
  put_incidents(page, cycle);
  put_interventions(page, cycle);
  put_decision(page, cycle);
}

void put_load(Families& page, const Pulse& pulse) {
  const Load& load = pulse.load;
  page.summary("payops_ingest_seconds", "Time to decode and count messages, by message.",
               load.messages, as_double(load.ingest_ns) * 1e-9);
  page.summary("payops_step_seconds", "Time of steps: the cycle, its commit and publishing.",
               load.steps, as_double(load.steps_ns) * 1e-9);
  page.gauge("payops_input_lag_messages", "Messages that Kafka has and the agent has not read.");
  if (pulse.input_lag) page.value(as_double(*pulse.input_lag));
  page.gauge("payops_queue_depth", "What waits inside the agent, by queue.")
      .value(as_double(load.open_seconds), {{"queue", "open_seconds"}})
      .value(as_double(load.open_attempts), {{"queue", "open_attempts"}})
      .value(as_double(load.dead_letters), {{"queue", "dead_letters"}})
      .value(load.step_pending ? 1.0 : 0.0, {{"queue", "unpublished_steps"}});
}

void put_console(Families& page, const HubCounts& hub, const FrontCounts& front,
                 uint64_t requests) {
  page.gauge("payops_console_clients", "WebSockets open.").value(as_double(hub.clients));
  const auto one = [&](const char* name, const char* help, uint64_t value) {
    page.counter(name, help).value(as_double(value));
  };
  one("payops_console_refused_total", "WebSockets refused.", hub.refused);
  one("payops_console_lagged_total", "Clients that fell behind.", hub.lagged);
  one("payops_console_closed_slow_total", "Clients closed for reading slowly.", hub.closed_slow);
  one("payops_console_requests_total", "HTTP requests.", requests);
  page.gauge("payops_console_connections", "HTTP connections open.")
      .value(as_double(front.connections));
  page.counter("payops_console_connections_cut_total",
               "HTTP connections closed for being slow, or to make room.")
      .value(as_double(front.too_slow), {{"why", "slow"}})
      .value(as_double(front.made_room), {{"why", "room"}});
}

// What the process costs, by the names that every Prometheus client gives them.
void put_process(Families& page) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return as_double(t.tv_sec) + as_double(t.tv_usec) * 1e-6;
  };
  page.counter("process_cpu_seconds_total", "User and system CPU time.")
      .value(seconds(used.ru_utime) + seconds(used.ru_stime));
  const auto pages = read_file("/proc/self/statm");
  double virtual_pages = 0.0, resident_pages = 0.0;
  if (pages) std::istringstream(*pages) >> virtual_pages >> resident_pages;
  const auto page_bytes = as_double(sysconf(_SC_PAGESIZE));
  page.gauge("process_virtual_memory_bytes", "Virtual memory.").value(virtual_pages * page_bytes);
  page.gauge("process_resident_memory_bytes", "Resident memory.")
      .value(resident_pages * page_bytes);
  std::error_code error;
  std::size_t files = 0;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    ++files;
  }
  rlimit most{};
  getrlimit(RLIMIT_NOFILE, &most);
  page.gauge("process_open_fds", "Open file descriptors.").value(as_double(files));
  page.gauge("process_max_fds", "The most of them.").value(as_double(most.rlim_cur));
}

}  // namespace

std::string Metrics::text(const Knowledge& known, const HubCounts& hub, const FrontCounts& front,
                          int64_t now_ms) const {
  Families page;
  page.gauge("payops_minor_per_major", "Minor units in one of the currency that amounts are in.")
      .value(minor_per_major(known.deployment->currency));
  page.gauge("payops_build_info", "The program's version and the currency of its amounts.")
      .value(1.0, {{"version", known.deployment->build}, {"currency", known.deployment->currency}});
  page.gauge("payops_agent_state", "1 for the state that the agent is in.");
  for (const char* state : {"acting", "observe_only", "killed", "standby"}) {
    page.value(known.pulse.agent_state == state ? 1.0 : 0.0, {{"state", state}});
  }
  page.gauge("payops_heard_of_agent_seconds", "Since anything was heard of the agent's loop.")
      .value(known.pulse.wall_ms > 0 ? as_double(now_ms - known.pulse.wall_ms) / 1000.0 : -1.0);
  page.gauge("payops_watermark_timestamp_seconds", "Event time read up to, since 1970.")
      .value(as_double(known.pulse.watermark_ms) / 1000.0);
  put_load(page, known.pulse);
  put_series(page, known);
  if (known.cycle != nullptr) put_cycle(page, *known.cycle);
  put_console(page, hub, front, requests_);
  put_process(page);
  return page.text();
}

}  // namespace payops::api
