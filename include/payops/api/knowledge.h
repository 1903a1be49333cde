// What the agent's process knows that a console can show, as immutable parts: plain values, no
// text. The feed makes them in the agent's thread; console_state.h turns them into what is sent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "payops/graph/graph.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/reasoning/cell_reading.h"

namespace payops::api {

// What does not change while the process runs.
struct Deployment {
  std::string build;
  std::string currency;
  std::map<std::string, std::string> mode;  // action type -> observe, shadow, approve or auto
  double cycle_interval_s = 0.0;
  bool demo = false;
};

// How the process stands, told several times a second.
struct Pulse {
  int64_t wall_ms = 0;                  // by the machine's clock; stale when it lies far back
  int64_t watermark_ms = 0;             // event time that everything has been read up to
  std::string agent_state = "standby";  // acting, observe_only, killed, standby
  std::string why;
  bool killed = false;
  std::optional<int64_t> input_lag;  // messages not read yet
};

inline constexpr std::size_t kSparkPoints = 60;
inline constexpr int64_t kSparkSeconds = 5;
// Success of first attempts per 5 s in thousandths, oldest first; -1 without any.
using Spark = std::array<int16_t, kSparkPoints>;

struct CellView {
  reasoning::CellReading reading;
  Spark spark{};
};

struct CellsView {
  int64_t at_ms = 0;
  std::vector<CellView> cells;
};

// An incident over its whole life, and what the cycles said of it.
struct IncidentView {
  Incident incident;
  Alarm alarm;
  std::vector<Hypothesis> hypotheses;  // as last weighed while it lasted
  std::vector<std::string> action_ids;
  double saved_minor = 0.0;
  double at_risk_minor_per_min = 0.0;
};

// What was weighed when an intervention was decided.
struct Weighed {
  std::vector<Finding> findings;
  std::vector<Option> alternatives;
  std::vector<std::string> why_not;  // of each alternative
  std::string incident_id;
};

struct InterventionView {
  Intervention intervention;
  std::shared_ptr<const Weighed> weighed;  // null: decided before this process began
};

struct CycleView {
  payments_agent::CycleReport report;
  std::vector<IncidentView> incidents;
  std::vector<InterventionView> interventions;
  std::vector<graph::NodeTiming> timings;  // of the nodes that ran
  std::vector<std::string> nodes;          // all of them, in order
  double at_risk_minor_per_min = 0.0;
  double lost_today_minor = 0.0;
  double saved_today_minor = 0.0;
};

struct Knowledge {
  std::shared_ptr<const Deployment> deployment;
  std::shared_ptr<const CycleView> cycle;  // null before the first
  std::shared_ptr<const CellsView> cells;  // null before the first
  Pulse pulse;
};

}  // namespace payops::api
