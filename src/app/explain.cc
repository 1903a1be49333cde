#include "explain.h"

#include <algorithm>
#include <functional>
#include <set>

#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/memory/audit_reader.h"
#include "payops/payments_agent/agent.h"
#include "payops/safety/safety.h"

namespace payops::app {
namespace {

using Visit = std::function<Status(const AuditLine& line, const memory::LogLine& where)>;

// Hands every whole line of the log to `visit`, in order.
Status for_each_line(const std::string& directory, const Visit& visit) {
  auto reader = memory::AuditReader::open(directory);
  if (!reader) return tl::make_unexpected(reader.error());
  memory::LogLine where;
  for (;;) {
    const auto more = reader->next(where);
    if (!more) return tl::make_unexpected(more.error());
    if (!*more || where.torn) return {};  // torn: a step being written now
    const auto line = parse_line(where.text);
    if (!line) {
      return fail(ErrorCode::corrupt,
                  where.file + ":" + std::to_string(where.number) + ": " + line.error().message);
    }
    if (Status status = visit(*line, where); !status) return status;
  }
}

Json body_of(const AuditLine& line) {
  Json body = Json::parse("{" + std::string(line.body) + "}", nullptr, false);
  return body.is_object() ? body : Json::object();
}

LogPlace place_of(const AuditLine& line, const memory::LogLine& where) {
  return {line.seq, line.ts_ms, std::string(line.hash), where.file, where.number};
}

bool mentions(const AuditLine& line, const std::string& id) {
  return line.body.find(id) != std::string_view::npos;
}

// A text member, or "" where there is none.
std::string text_at(const Json& body, const char* key) {
  const auto at = body.is_object() ? body.find(key) : body.end();
  return at != body.end() && at->is_string() ? at->get<std::string>() : std::string();
}

// Which decision is meant; "" when the log knows of none.
Result<std::string> resolve(const std::string& directory, const std::string& wanted) {
  if (wanted.starts_with("dec-")) return wanted;
  const bool last = wanted == "last";
  std::string touched, did, any, named;
  const Status read =
      for_each_line(directory, [&](const AuditLine& line, const memory::LogLine&) -> Status {
        if (line.kind == "decision" && last) any = text_at(body_of(line), "decision_id");
        if (line.kind != "decided" || (!last && !mentions(line, wanted))) return {};
        const auto decided = from_json<Intervention>(body_of(line).value("intervention", Json()));
        if (!decided) return tl::make_unexpected(decided.error());
        const Action& action = decided->action;
        if (action.action_id == wanted) named = action.decision_id;
        if (!last || !action.inverse_of.empty()) return {};
        did = action.decision_id;
        if (!safety::is_advisory(action.type)) touched = action.decision_id;
        return {};
      });
  if (!read) return tl::make_unexpected(read.error());
  if (!last) return named;
  return !touched.empty() ? touched : !did.empty() ? did : any;
}

// Collects what the log says of one decision, line by line.
class Gatherer {
 public:
  explicit Gatherer(std::string decision_id) : id_(std::move(decision_id)) {}

  Status take(const AuditLine& line, const memory::LogLine& where) {
    if (line.kind == "started" && !found_) return take_start(line);
    if (line.kind == "step" && !found_) {
      auto head = parse_step_head(line.body);
      if (!head) return tl::make_unexpected(head.error());
      story_.step = std::move(*head);
    } else if (line.kind == "decision" && mentions(line, id_)) {
      return take_decision(line, where);
    } else if (line.kind == "decided") {
      return take_decided(line, where);
    } else if (!ids_.empty()) {
      return take_event(line, where);
    }
    return {};
  }

  std::optional<Explanation> result() && {
    if (!found_) return std::nullopt;
    return std::move(story_);
  }

 private:
  Status take_start(const AuditLine& line) {
    const Json body = body_of(line);
    story_.build = text_at(body, "build");
    story_.config_hash = text_at(body, "config_hash");
    const auto config =
        from_json<payments_agent::AgentConfig>(body.value("config", Json::object()));
    if (!config) return tl::make_unexpected(config.error());
    story_.currency = config->economics.reporting_currency;
    story_.anomaly_threshold = config->reasoning.anomaly_threshold;
    return {};
  }

  Status take_decision(const AuditLine& line, const memory::LogLine& where) {
    auto report = from_json<payments_agent::CycleReport>(body_of(line));
    if (!report) return tl::make_unexpected(report.error());
    if (report->decision_id != id_) return {};
    story_.report = std::move(*report);
    story_.place = place_of(line, where);
    found_ = true;
    return {};
  }

  Status take_decided(const AuditLine& line, const memory::LogLine& where) {
    auto decided = from_json<Intervention>(body_of(line).value("intervention", Json()));
    if (!decided) return tl::make_unexpected(decided.error());
    const Action& action = decided->action;
    const bool undoes = ids_.contains(action.inverse_of);
    if (action.decision_id != id_ && !undoes && !ids_.contains(action.action_id)) return {};
    if (undoes) {
      add(line, where, action.inverse_of, "to be undone by " + action.action_id);
    } else if (ids_.contains(action.action_id)) {
      add(line, where, action.action_id, "approved by a person, judged again and to be published");
    } else {
      add(line, where, action.action_id, "decided: " + std::string(name_of(decided->state)));
    }
    const auto known =
        std::find_if(story_.actions.begin(), story_.actions.end(),
                     [&](const Intervention& i) { return i.action.action_id == action.action_id; });
    ids_.insert(action.action_id);
    if (known == story_.actions.end()) {
      story_.actions.push_back(std::move(*decided));
    } else {
      *known = std::move(*decided);
    }
    return {};
  }

  Status take_event(const AuditLine& line, const memory::LogLine& where) {
    const bool concerns = std::any_of(ids_.begin(), ids_.end(), [&](const std::string& action_id) {
      return mentions(line, action_id);
    });
    if (!concerns) return {};
    const Json body = body_of(line);
    if (line.kind == "published" || line.kind == "withdrawn") {
      const std::string id = text_at(body, "id");
      if (!ids_.contains(id)) return {};
      const std::string reason = text_at(body, "reason");
      add(line, where, id,
          std::string(line.kind) + (reason.empty() ? "" : ": " + reason) +
              (body.contains("uncertain") ? ", though it may have gone out" : ""));
    } else if (line.kind == "transition") {
      const Json t = body.value("transition", Json());
      const std::string id = text_at(t, "action_id");
      if (!ids_.contains(id)) return {};
      const std::string why = text_at(t, "why");
      add(line, where, id,
          text_at(t, "from") + " -> " + text_at(t, "to") + (why.empty() ? "" : ": " + why));
    } else if (line.kind == "verdict") {
      const Json v = body.value("verdict", Json());
      const std::string id = text_at(v, "proposal_id");
      if (!ids_.contains(id)) return {};
      add(line, where, id,
          text_at(v, "by") + " said " + text_at(v, "verdict") + ": " + text_at(body, "result") +
              ", " + text_at(body, "why"));
    } else if (line.kind == "outcome") {
      return take_outcome(line, where, body);
    }
    return {};
  }

  Status take_outcome(const AuditLine& line, const memory::LogLine& where, const Json& body) {
    const std::string id = text_at(body, "action_id");
    if (!ids_.contains(id)) return {};
    auto outcome = from_json<Outcome>(body.value("outcome", Json()));
    if (!outcome) return tl::make_unexpected(outcome.error());
    add(line, where, id, "outcome: " + std::string(name_of(outcome->result)));
    story_.outcome = *outcome;
    return {};
  }

  void add(const AuditLine& line, const memory::LogLine& where, const std::string& action_id,
           std::string text) {
    story_.events.push_back({place_of(line, where), action_id, std::move(text)});
  }

  std::string id_;
  std::set<std::string> ids_;  // actions of the decision, and those that undo them
  bool found_ = false;
  Explanation story_;
};

}  // namespace

Result<std::optional<Explanation>> find_decision(const std::string& directory,
                                                 const std::string& wanted) {
  const auto id = resolve(directory, wanted);
  if (!id) return tl::make_unexpected(id.error());
  if (id->empty()) return std::nullopt;
  Gatherer gatherer(*id);
  const Status read =
      for_each_line(directory, [&](const AuditLine& line, const memory::LogLine& where) {
        return gatherer.take(line, where);
      });
  if (!read) return tl::make_unexpected(read.error());
  return std::move(gatherer).result();
}

}  // namespace payops::app
