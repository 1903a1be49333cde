// The audit lines and messages of the payments agent: the one place that knows their shape. Private
// to the module; docs/events.md describes what goes out.
#pragma once

#include <cstdint>
#include <string>

#include "payops/action/ledger.h"
#include "payops/model/effect.h"
#include "payops/model/intervention.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/payments_agent/incidents.h"
#include "payops/payments_agent/step_input.h"
#include "payops/runtime/step.h"

namespace payops::payments_agent {

// A result of publishing, with what was published if the ledger knows it.
[[nodiscard]] AuditRecord sent_record(const SendResult& result, int64_t ts_ms);
[[nodiscard]] AuditRecord transition_record(const action::Transition& transition);
[[nodiscard]] AuditRecord verdict_record(const VerdictInput& input, const std::string& result,
                                         const std::string& why, int64_t ts_ms);
[[nodiscard]] AuditRecord incident_record(const Incident& incident, int64_t ts_ms);
[[nodiscard]] AuditRecord confirmed_record(const Confirmation& confirmed, int64_t ts_ms);
[[nodiscard]] AuditRecord decided_record(const Intervention& intervention, int64_t ts_ms);
[[nodiscard]] AuditRecord outcome_record(const Intervention& intervention, int64_t ts_ms);
[[nodiscard]] AuditRecord config_record(const InputHead& head);
// Counts of the step's input, where there is something that was kept out.
[[nodiscard]] AuditRecord input_record(const InputHead& head);
// The whole cycle, with the series that are in trouble only.
[[nodiscard]] AuditRecord decision_record(const CycleReport& report);

// `step_tag` names the step in a message's id: PaymentsAgent::Impl::step_tag.
[[nodiscard]] OutboxEntry action_message(const Action& action, int64_t not_after_ms);
[[nodiscard]] OutboxEntry tombstone_message(const std::string& key, const std::string& step_tag);
// The cycle as its decision_record() has it, with the proposal a person is asked about, if any.
[[nodiscard]] OutboxEntry decision_message(const CycleReport& report, const AuditRecord& record,
                                           const Intervention* proposal);
[[nodiscard]] OutboxEntry incident_message(const Incident& incident, const IncidentCare& care,
                                           const std::string& step_tag);
[[nodiscard]] OutboxEntry dead_letter_message(const observation::DeadLetter& letter,
                                              const std::string& source,
                                              const std::string& step_tag, std::size_t index);

}  // namespace payops::payments_agent
