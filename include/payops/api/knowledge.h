// What the agent's process knows that a console can show, as immutable parts: plain values, no
// text. The feed makes them in the agent's thread; console_state.h turns them into what is sent.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "payops/graph/graph.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/observation/ingest.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/payments_agent/incidents.h"
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

// What the process' work costs and what waits in it. Times and counts since it began.
struct Load {
  uint64_t messages = 0;  // decoded, and the time that took
  int64_t ingest_ns = 0;
  uint64_t steps = 0;  // taken, and the time they took: cycle, commit and publishing
  int64_t steps_ns = 0;
  std::size_t open_seconds = 0;  // waiting for the watermark
  std::size_t open_attempts = 0;
  std::size_t dead_letters = 0;  // held until the next step
  bool step_pending = false;     // committed, and not published yet
};

// How the process stands, told several times a second.
struct Pulse {
  int64_t wall_ms = 0;                  // by the machine's clock; stale when it lies far back
  int64_t watermark_ms = 0;             // event time that everything has been read up to
  int64_t moved_wall_ms = 0;            // when that last went on; the feed sees to it
  std::string agent_state = "standby";  // acting, observe_only, killed, standby
  std::string why;
  bool killed = false;
  std::optional<int64_t> input_lag;  // messages not read yet
  Load load;
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

// What was believed at a moment: explanation ("issuer_down HDFC|*|*") and probability.
struct Belief {
  int64_t at_ms = 0;
  std::vector<std::pair<std::string, double>> posteriors;
};

// An incident over its whole life, and what the cycles said of it.
struct IncidentView {
  Incident incident;
  Alarm alarm;
  std::vector<Hypothesis> hypotheses;  // as last weighed while it lasted
  std::vector<Belief> beliefs;         // over its life, thinned out
  std::vector<std::string> action_ids;
  payments_agent::IncidentCare care;  // what people said of it
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

// Counted over the cycles since the process began.
inline constexpr std::array<double, 12> kCycleBoundsS{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                      0.05,   0.1,   0.25,   0.5,   1.0,  2.5};
struct Meters {
  observation::IngestCounts ingest;
  std::array<uint64_t, kCycleBoundsS.size() + 1> cycles{};  // by the first bound not exceeded
  double cycles_s = 0.0;                                    // together
  std::map<std::string, uint64_t> gate;                     // outcome of the gate -> options
  std::map<std::pair<std::string, std::string>, uint64_t> outcomes;  // type, result -> how many
};

struct CycleView {
  payments_agent::CycleReport report;
  std::vector<IncidentView> incidents;
  std::vector<InterventionView> interventions;
  std::vector<graph::NodeTiming> timings;  // of the nodes that ran
  std::vector<std::string> nodes;          // all of them, in order
  std::shared_ptr<const Meters> meters;    // null: nothing was counted
  EffectTable effects;                     // learnt so far
  std::map<std::string, Mode> modes;       // of each way to act, as set now
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
