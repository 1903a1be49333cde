// The payments agent: windows to interventions, as a pure reducer of input blocks. Composed of
// reasoning, decision, safety, action and learning on the agent graph.
//
//   PaymentsAgent agent;
//   agent.configure(config);
//   if (agent.observe(bucket)) …            // a new alarm rose: cut a step now
//   StepOutput out = *agent.step(head, encode_block(head, buckets));   // one cycle
//
// Live, the loop (loop.h) feeds it; in replay, apply() does the same from recorded blocks. Not
// thread-safe; no clock, no I/O.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "payops/action/ledger.h"
#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/decision/planner.h"
#include "payops/graph/graph.h"
#include "payops/learning/learning.h"
#include "payops/model/cell.h"
#include "payops/payments_agent/complaints.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/payments_agent/incidents.h"
#include "payops/payments_agent/step_input.h"
#include "payops/reasoning/reasoner.h"
#include "payops/runtime/step.h"
#include "payops/safety/safety.h"

namespace payops::payments_agent {

struct AgentConfig {
  uint64_t seed = 1;  // of action ids and exploration
  double cycle_interval_s = 8.0;
  double publish_deadline_s = 60.0;  // an action not published by then is withdrawn
  int32_t options_at_gate = 5;       // how many options a cycle takes to the gate at most
  double exploration = 0.0;  // chance that what may be worth something is tried; 0 never tries
  std::vector<std::string> operator_keys;  // Ed25519 public keys whose verdicts count, hex
  reasoning::ReasoningConfig reasoning;
  decision::PlannerConfig planner;
  decision::Economics economics;
  decision::MinimumActionFrequency min_action_frequency;
  safety::Limits limits;
  learning::LearningConfig learning;
  ComplaintConfig complaints;
  Topology topology;  // what gateways share; a file of its own, config/topology.yaml
  Calendar calendar;  // what is known beforehand; likewise, config/calendar.yaml
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    return std::make_tuple(
        field("seed", &AgentConfig::seed),
        field("cycle_interval_s", &AgentConfig::cycle_interval_s),
        field("publish_deadline_s", &AgentConfig::publish_deadline_s),
        field("options_at_gate", &AgentConfig::options_at_gate),
        field("exploration", &AgentConfig::exploration),
        field("operator_keys", &AgentConfig::operator_keys),
        field("reasoning", &AgentConfig::reasoning), field("planner", &AgentConfig::planner),
        field("economics", &AgentConfig::economics),
        field("min_action_frequency", &AgentConfig::min_action_frequency),
        field("limits", &AgentConfig::limits), field("learning", &AgentConfig::learning),
        field("complaints", &AgentConfig::complaints), field("topology", &AgentConfig::topology),
        field("calendar", &AgentConfig::calendar));
  }
};

// What may stand in the place of reasoning's conclusions, for pricing decisions against perfect
// knowledge. Not recorded: a run with insight does not replay.
struct Insight {
  // True when the bucket's second brings something that has to be decided on at once.
  std::function<bool(const ClosedBucket&)> rises;
  // Rewrites the cycle's assessment, and the prices that its decision is made with.
  std::function<void(Assessment&, decision::Economics&)> reveal;
};

class PaymentsAgent final : public Reducer {
 public:
  // `extend` adds a team's own intervention types to the planner; replay needs the same.
  using Extend = std::function<void(decision::Planner&)>;
  explicit PaymentsAgent(Extend extend = [](decision::Planner&) {});
  ~PaymentsAgent() override;

  // Takes effect at once; the state is kept. The step that follows records it.
  void configure(const AgentConfig& config);
  [[nodiscard]] const AgentConfig& config() const;

  // One closed second. True when a new alarm rose. REQUIRES: ascending seconds.
  [[nodiscard]] bool observe(const ClosedBucket& bucket);
  // One cycle over what was observed since the last. `block` is the input as it will be recorded:
  // apply() of it elsewhere gives the same digest. Errors: whatever the graph says.
  [[nodiscard]] Result<StepOutput> step(const InputHead& head, std::string_view block);

  [[nodiscard]] Result<StepOutput> apply(std::string_view block) override;
  [[nodiscard]] std::string snapshot() const override;
  [[nodiscard]] Status restore(std::string_view snapshot) override;

  [[nodiscard]] const CycleReport& report() const;
  [[nodiscard]] const std::vector<graph::NodeTiming>& timings() const;  // of the last cycle
  [[nodiscard]] const Dictionary& dictionary() const;
  [[nodiscard]] int64_t closed_to_ms() const;  // watermark of the last step
  [[nodiscard]] const Totals& totals() const;
  [[nodiscard]] const EffectTable& effects() const;
  [[nodiscard]] const action::Ledger& ledger() const;
  [[nodiscard]] std::size_t series() const;
  [[nodiscard]] const std::map<std::string, Incident>& open_incidents() const;  // by alarm id
  // What people said of them, by incident id.
  [[nodiscard]] const std::map<std::string, IncidentCare>& incident_care() const;
  // What has been confirmed of past incidents' causes.
  [[nodiscard]] const reasoning::CauseCounts& causes() const;
  // How far each way to act may go on its own now: configured, or set by people since.
  [[nodiscard]] std::map<std::string, Mode> modes() const;
  // For a console, see Reasoner::cells().
  [[nodiscard]] std::vector<reasoning::CellReading> cells(std::size_t cells_max) const;
  // Whether complaints alarm.
  [[nodiscard]] bool complaints_alarm() const;
  // The kill switch as thrown by signed messages.
  [[nodiscard]] bool killed() const;

  // For monotonic node times in timings(); without it they are 0.
  void set_ticks(graph::Ticks ticks);
  void set_insight(Insight insight);

  [[nodiscard]] static graph::Shape shape();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::payments_agent
