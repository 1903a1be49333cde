// One turn of the payments graph while it runs: the state its nodes read, and the deltas they
// return. Private to the module.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "payops/action/ledger.h"
#include "payops/decision/planner.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/payments_agent/step_input.h"
#include "payops/safety/safety.h"

namespace payops::payments_agent {

// Lines and messages that a node adds to the step.
struct Effects {
  std::vector<AuditRecord> audit;
  std::vector<OutboxEntry> outbox;
};

struct Cycle {
  const InputHead* input = nullptr;
  bool killed = false;
  bool must_act = false;
  Assessment assessment;
  decision::Economics economics;
  std::vector<std::string> to_settle;   // proposals that a person said yes to
  std::vector<VerdictInput> asked_for;  // interventions that people ask for
  std::optional<safety::Judgement> chosen;
  CycleReport report;
  Effects effects;
};

struct Observed {
  bool killed = false;
  std::vector<std::string> to_settle;
  std::vector<VerdictInput> asked_for;
  std::vector<VerdictResult> verdicts;
  Effects effects;
};
struct Reasoned {
  Assessment assessment;
  decision::Economics economics;
  Assessment told;  // with what complaints say, which nothing is decided on
  std::vector<ComplaintReading> complaints;
  std::vector<Incident> incidents;
  Effects effects;
};
struct Decided {
  std::vector<Option> options;
  bool must_act = false;
};
struct Gated {
  std::vector<safety::Judgement> considered;
  std::optional<safety::Judgement> chosen;
  bool forced = false;
  std::vector<Asked> asked;
  std::vector<VerdictResult> verdicts;  // on what people asked for
  Effects effects;                      // of that, and of proposals settled
};
struct Acted {
  std::string action_id;
  std::string conclusion;
  Effects effects;
};
struct Learned {
  std::vector<Intervention> outcomes;
  Effects effects;
};

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}
inline void append(Effects& to, Effects&& from) {
  append(to.audit, std::move(from.audit));
  append(to.outbox, std::move(from.outbox));
}

inline void reduce(Cycle& cycle, Observed&& delta) {
  cycle.killed = delta.killed;
  cycle.to_settle = std::move(delta.to_settle);
  cycle.asked_for = std::move(delta.asked_for);
  cycle.report.verdicts = std::move(delta.verdicts);
  append(cycle.effects, std::move(delta.effects));
}
inline void reduce(Cycle& cycle, Reasoned&& delta) {
  cycle.assessment = std::move(delta.assessment);
  cycle.economics = std::move(delta.economics);
  cycle.report.statuses = cycle.assessment.statuses;
  cycle.report.alarms = std::move(delta.told.alarms);
  cycle.report.hypotheses = std::move(delta.told.hypotheses);
  cycle.report.complaints = std::move(delta.complaints);
  cycle.report.incidents = std::move(delta.incidents);
  append(cycle.effects, std::move(delta.effects));
}
inline void reduce(Cycle& cycle, Decided&& delta) {
  cycle.report.options = std::move(delta.options);
  cycle.must_act = delta.must_act;
}
inline void reduce(Cycle& cycle, Gated&& delta) {
  cycle.report.considered = std::move(delta.considered);
  cycle.report.forced = delta.forced;
  cycle.report.asked = std::move(delta.asked);
  append(cycle.report.verdicts, std::move(delta.verdicts));
  cycle.chosen = std::move(delta.chosen);
  append(cycle.effects, std::move(delta.effects));
}
inline void reduce(Cycle& cycle, Acted&& delta) {
  cycle.report.action_id = std::move(delta.action_id);
  cycle.report.conclusion = std::move(delta.conclusion);
  append(cycle.effects, std::move(delta.effects));
}
inline void reduce(Cycle& cycle, Learned&& delta) {
  cycle.report.outcomes = std::move(delta.outcomes);
  append(cycle.effects, std::move(delta.effects));
}

}  // namespace payops::payments_agent
