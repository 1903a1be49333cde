// The parts of the payments agent and the phases composed of them. Private to the module: each
// part is written by one phase only, and read by those after it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cycle.h"
#include "payops/payments_agent/agent.h"

namespace payops::payments_agent {

// The kill switch as thrown by signed messages; a switch thrown by file or signal is input.
struct KillSwitch {
  bool on = false;
  int64_t thrown_ts_ms = 0;  // of the verdict; older ones are repeats
  static constexpr auto fields() {
    return std::make_tuple(field("on", &KillSwitch::on),
                           field("thrown_ts_ms", &KillSwitch::thrown_ts_ms));
  }
};

// Modes that people have set since the configuration was read; they stand above it.
struct Modes {
  std::map<std::string, Mode> by_type;
  int64_t set_ts_ms = 0;  // of the last verdict; older ones are repeats
  static constexpr auto fields() {
    return std::make_tuple(field("by_type", &Modes::by_type),
                           field("set_ts_ms", &Modes::set_ts_ms));
  }
};

// How the id of a hypothesis begins that a person's wish stands for.
inline constexpr std::string_view kAskedFor = "asked-";

[[nodiscard]] inline bool touches_traffic(const Intervention& intervention) {
  return !safety::is_advisory(intervention.action.type) && intervention.action.inverse_of.empty();
}

struct PaymentsAgent::Impl {
  explicit Impl(Extend extend_planner);

  // What a snapshot holds.
  AgentConfig config;
  std::string config_hash;  // SHA-256 of the configuration's text as recorded
  Dictionary dictionary;
  reasoning::Reasoner reasoner;           // reason
  action::Ledger ledger;                  // observe, gate, act, learn: in that order
  learning::OutcomeTracker tracker;       // learn
  EffectTable effects;                    // learn
  decision::TrafficPeaks peaks;           // reason
  decision::MinimumActionFrequency rule;  // act
  Incidents incidents;                    // reason
  Complaints complaints;                  // reason
  KillSwitch kill_switch;                 // observe
  int64_t last_reset_ts_ms = 0;           // observe
  Modes modes;                            // observe
  Totals totals;
  int64_t closed_to_ms = 0;
  uint64_t origin = 0;  // the lease's epoch at the first step: tells one state's ids from another's
  std::string digest;

  // What the configuration makes.
  Extend extend;
  std::unique_ptr<decision::Planner> planner;
  graph::Graph<Cycle> graph;
  graph::Ticks ticks = [] { return int64_t{0}; };
  Insight insight;  // empty: reasoning's own conclusions
  CycleReport report;
  std::vector<graph::NodeTiming> timings;

  void configure(const AgentConfig& next);
  // What ids are made of beside the step. That of the first state a cluster has seen is the seed.
  [[nodiscard]] uint64_t id_seed() const;
  // The step in the ids of messages: "17", or in later states "3.17".
  [[nodiscard]] std::string step_tag(const Cycle& cycle) const;
  [[nodiscard]] Result<StepOutput> step(const InputHead& head, std::string_view block);
  // The configured limits under the modes that people have set.
  [[nodiscard]] safety::Limits limits() const;
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] Status decode(std::string_view bytes);

  // The nodes.
  [[nodiscard]] Observed observe(const Cycle& cycle);
  [[nodiscard]] Reasoned reason(const Cycle& cycle);
  [[nodiscard]] Decided decide(const Cycle& cycle) const;
  [[nodiscard]] Gated gate(const Cycle& cycle);
  [[nodiscard]] Acted act(const Cycle& cycle);
  [[nodiscard]] Learned learn(const Cycle& cycle);

 private:
  void take_verdict(const VerdictInput& input, const Cycle& cycle, Observed& delta);
  void take_kill(const VerdictInput& input, int64_t ts_ms, Observed& delta);
  void take_reset(const VerdictInput& input, int64_t ts_ms, Observed& delta);
  void take_mode(const VerdictInput& input, int64_t ts_ms, Observed& delta);
  void take_care(const VerdictInput& input, int64_t ts_ms, Observed& delta);
  void propose(const VerdictInput& input, const Cycle& cycle, Gated& delta);
  void roll_back(const std::string& action_id, const std::string& why, const Cycle& cycle,
                 Effects& effects);
  [[nodiscard]] safety::Evidence evidence(const Cycle& cycle, bool forced,
                                          const std::string& answering,
                                          const Assessment& held) const;
  // Before the gate, and as it is worth what the limits leave of it.
  [[nodiscard]] std::optional<safety::Judgement> explored(const Cycle& cycle) const;
  [[nodiscard]] safety::Judgement judged(const Cycle& cycle, const Option& option,
                                         bool forced) const;
  // `assessment` must live as long as what is given.
  [[nodiscard]] decision::Situation situation(const Cycle& cycle,
                                              const Assessment& assessment) const;
  [[nodiscard]] action::Issue issue(const Cycle& cycle) const;
  void settle(const std::string& action_id, const Cycle& cycle, Effects& effects);
  void count_confirmed(int64_t ts_ms, Effects& effects);
  void conclude(const Intervention& intervention, int64_t ts_ms, Learned& delta);
  [[nodiscard]] std::string state_digest(std::string_view block);
};

// The graph of the cycle; `impl` null gives the shape only.
[[nodiscard]] Result<graph::Graph<Cycle>> cycle_graph(PaymentsAgent::Impl* impl);

}  // namespace payops::payments_agent
