#include "records.h"

#include <algorithm>

#include "payops/core/json_text.h"

namespace payops::payments_agent {
namespace {

constexpr std::size_t kMaxListed = 32;  // series and options in a record

AuditRecord record(std::string kind, int64_t ts_ms, const Json& body) {
  const std::string text = dump(body);
  return {std::move(kind), ts_ms, text.substr(1, text.size() - 2)};
}

// Of a report as it is kept: healthy series and hopeless options are left to the input block, from
// which they can be computed again.
std::vector<SeriesStatus> kept(const std::vector<SeriesStatus>& all) {
  std::vector<SeriesStatus> told;
  for (const SeriesStatus& status : all) {
    const bool tells = status.scope == Scope{} || status.degraded || status.alarming;
    if (tells && told.size() < kMaxListed) told.push_back(status);
  }
  return told;
}
std::vector<Option> kept(const std::vector<Option>& all) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMaxListed))};
}
template <class T>
const T& kept(const T& all) {
  return all;
}

}  // namespace

AuditRecord sent_record(const SendResult& result, int64_t ts_ms) {
  Json body = {{"id", result.id}};
  if (!result.published) body["reason"] = result.reason;
  if (result.uncertain) body["uncertain"] = true;
  return record(result.published ? "published" : "withdrawn", ts_ms, body);
}

AuditRecord transition_record(const action::Transition& transition) {
  return record("transition", transition.ts_ms, {{"transition", to_json(transition)}});
}

AuditRecord verdict_record(const VerdictInput& input, const std::string& result,
                           const std::string& why, int64_t ts_ms) {
  Json body = {{"result", result}, {"why", why}};
  body["verdict"] = to_json(input.verdict);
  return record("verdict", ts_ms, body);
}

AuditRecord incident_record(const Incident& incident, int64_t ts_ms) {
  return record("incident", ts_ms, {{"incident", to_json(incident)}});
}

AuditRecord confirmed_record(const Confirmation& confirmed, int64_t ts_ms) {
  return record("confirmed", ts_ms, {{"confirmed", to_json(confirmed)}});
}

AuditRecord decided_record(const Intervention& intervention, int64_t ts_ms) {
  return record("decided", ts_ms, {{"intervention", to_json(intervention)}});
}

AuditRecord outcome_record(const Intervention& intervention, int64_t ts_ms) {
  return record("outcome", ts_ms,
                {{"action_id", intervention.action.action_id},
                 {"state", name_of(intervention.state)},
                 {"outcome", to_json(intervention.outcome)}});
}

AuditRecord config_record(const InputHead& head) {
  return record("started", step_ms(head),
                {{"build", head.build},
                 {"config_hash", head.config_hash},
                 {"config", Json::parse(head.config)}});
}

AuditRecord input_record(const InputHead& head) {
  return record("input", step_ms(head), {{"counts", to_json(head.counts)}});
}

AuditRecord decision_record(const CycleReport& report) {
  std::string text;
  for_each_field(report, [&](std::string_view name, const auto& member) {
    if (!text.empty()) text += ',';
    text.append("\"").append(name).append("\":");
    append_json(text, kept(member));
  });
  return {"decision", report.at_ms, std::move(text)};
}

OutboxEntry action_message(const Action& action, int64_t not_after_ms) {
  // Undoing and telling people must always be possible: only what starts something on traffic is
  // guarded by the kill switch.
  const bool starts = action.inverse_of.empty() && !safety::is_advisory(action.type);
  return {.id = action.action_id,
          .topic = "actions",
          .key = action.key(),
          .payload = dump(to_json(action)),
          .not_after_ms = action.inverse_of.empty() ? not_after_ms : 0,
          .guarded = starts};
}

OutboxEntry tombstone_message(const std::string& key, const std::string& step_tag) {
  return {.id = "end-" + step_tag + "-" + key,
          .topic = "actions",
          .key = key,
          .payload = "",
          .not_after_ms = 0,
          .guarded = false};
}

OutboxEntry decision_message(const CycleReport& report, const AuditRecord& record,
                             const Intervention* proposal) {
  std::string text = "{" + record.body;
  if (proposal != nullptr) {
    const std::string asked =
        dump({{"proposal", to_json(*proposal)}, {"shown", action::shown_text(*proposal)}});
    text += "," + asked.substr(1, asked.size() - 2);
  }
  return {.id = report.decision_id,
          .topic = "decisions",
          .key = report.decision_id,
          .payload = text + "}",
          .not_after_ms = 0,
          .guarded = false};
}

OutboxEntry incident_message(const Incident& incident, const IncidentCare& care,
                             const std::string& step_tag) {
  Json body = to_json(incident);
  body.update(to_json(care));
  return {.id = incident.id + "-" + step_tag,
          .topic = "alerts",
          .key = incident.id,
          .payload = dump(body),
          .not_after_ms = 0,
          .guarded = false};
}

OutboxEntry dead_letter_message(const observation::DeadLetter& letter, const std::string& source,
                                const std::string& step_tag, std::size_t index) {
  const Json body = {{"reason", name_of(letter.reason)},
                     {"field", letter.field_name},
                     {"topic", source},
                     {"partition", letter.slot},
                     {"offset", letter.offset},
                     {"payload", letter.payload}};
  return {.id = "dlq-" + step_tag + "-" + std::to_string(index),
          .topic = "dead-letters",
          .key = std::string(name_of(letter.reason)),
          .payload = dump(body),
          .not_after_ms = 0,
          .guarded = false};
}

}  // namespace payops::payments_agent
