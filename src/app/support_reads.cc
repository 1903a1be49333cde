#include "support_reads.h"

#include <algorithm>

#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/support_agent/waits.h"

namespace payops::app {
namespace {

namespace table = support_agent::table;

constexpr std::size_t kRowsMax = 10'000;
constexpr std::size_t kListed = 200;

Json parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

// The text of a sealed field, or what became of it.
std::string opened(const SupportView& view, const std::string& user, const std::string& context,
                   const Json& sealed) {
  if (!sealed.is_string()) return "";
  const auto bytes = from_hex(sealed.get<std::string>());
  if (!bytes) return "";
  return view.vault.open(user, context, *bytes).value_or("(erased)");
}

Json message_of(const SupportView& view, const std::string& value) {
  Json row = parsed(value);
  const std::string user = row.value("user_id", "");
  row["text"] = opened(view, user, "message|" + row.value("id", ""), row["text"]);
  row.erase("user_id");
  return row;
}

Json ticket_of(const SupportView& view, const std::string& value) {
  Json row = parsed(value);
  const std::string user = row.value("user_id", ""), id = row.value("id", "");
  row["subject"] = opened(view, user, "ticket.subject|" + id, row["subject"]);
  const Json notes = parsed(opened(view, user, "ticket.notes|" + id, row["notes"]));
  row["notes"] = notes.is_array() ? notes : Json::array();
  return row;
}

Result<std::string> session(const SupportView& view, const std::string& id) {
  const auto row = view.tables.row(table::kSessions, id);
  if (!row) return tl::make_unexpected(row.error());
  if (!*row) return fail(ErrorCode::not_found, "there is no session " + id);
  Json out = parsed(**row);
  const auto messages = view.tables.rows(
      {.table = std::string(table::kMessages), .prefix = id + "|", .after = "", .limit = kRowsMax});
  if (!messages) return tl::make_unexpected(messages.error());
  out["messages"] = Json::array();
  for (const TableRow& message : *messages) {
    out["messages"].push_back(message_of(view, message.value));
  }
  return dump(out);
}

Result<std::string> ticket(const SupportView& view, const std::string& id) {
  const auto row = view.tables.row(table::kTickets, id);
  if (!row) return tl::make_unexpected(row.error());
  if (!*row) return fail(ErrorCode::not_found, "there is no ticket " + id);
  return dump(ticket_of(view, **row));
}

// Of the working set, the newest first; `status` may be empty.
std::string tickets(const SupportView& view, const std::string& status) {
  std::vector<const support_agent::Ticket*> fitting;
  for (const auto& [id, t] : view.agent.tickets()) {
    if (status.empty() || name_of(t.status) == status) fitting.push_back(&t);
  }
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const auto* a, const auto* b) { return a->created_ts > b->created_ts; });
  Json list = Json::array();
  for (const auto* t : fitting) {
    if (list.size() < kListed) list.push_back(to_json(*t));
  }
  return dump(Json{{"count", fitting.size()}, {"tickets", list}});
}

// Chats that wait for a person or are with one, with what the agent would say.
std::string queue(const SupportView& view) {
  Json list = Json::array();
  for (const auto& [id, s] : view.agent.sessions()) {
    if (s.handover.empty() && !s.with_person) continue;
    Json entry{{"session_id", id},
               {"user_id", s.user_id},
               {"reason", s.handover},
               {"with_person", s.with_person},
               {"ticket_id", s.ticket_id},
               {"last_ts", s.last_ts},
               {"waits_ms", view.now_ms - s.last_ts}};
    Json said = Json::array();
    for (const auto& e : s.recent) {
      said.push_back({{"text", e.text}, {"intent", e.intent}, {"agent", e.agent}});
    }
    entry["recent"] = said;
    Json suggestions = Json::array();
    if (!s.recent.empty()) {
      for (const auto& hit : view.agent.faq().search(s.recent.back().text, {}, 3)) {
        const auto* article = view.agent.faq().find(hit.id);
        suggestions.push_back({{"article", hit.id}, {"text", article->short_answer()}});
      }
      // Tickets of the same kind that were solved, with what was noted.
      Json similar = Json::array();
      for (const auto& [ticket_id, t] : view.agent.tickets()) {
        const bool solved = t.status == support_agent::TicketStatus::resolved;
        if (solved && t.category == s.recent.back().intent && similar.size() < 3) {
          similar.push_back({{"ticket_id", ticket_id}, {"notes", t.notes}});
        }
      }
      entry["similar"] = similar;
    }
    entry["suggestions"] = suggestions;
    list.push_back(entry);
  }
  return dump(Json{{"waiting", list}});
}

int64_t count_of(const SupportView& view, const std::string& name) {
  const auto it = view.agent.counts().find(name);
  return it == view.agent.counts().end() ? 0 : it->second;
}

std::string figures(const SupportView& view) {
  Json out;
  Json intents = Json::object(), handovers = Json::object(), outcomes = Json::object();
  int64_t handed_over = 0;
  for (const auto& [name, count] : view.agent.counts()) {
    if (name.starts_with("intent.")) intents[name.substr(7)] = count;
    if (name.starts_with("outcome.")) outcomes[name.substr(8)] = count;
    if (name.starts_with("handover.")) {
      handovers[name.substr(9)] = count;
      handed_over += count;
    }
  }
  const int64_t sessions = count_of(view, "sessions");
  const int64_t alone = std::max<int64_t>(0, sessions - handed_over);
  out["messages"] = count_of(view, "messages");
  out["sessions"] = sessions;
  out["open_sessions"] = view.agent.sessions().size();
  out["resolved_alone_share"] =
      sessions > 0 ? static_cast<double>(alone) / static_cast<double>(sessions) : 0.0;
  out["handovers"] = handovers;
  out["intents"] = intents;
  out["outcomes"] = outcomes;
  out["ratings"] = {{"up", count_of(view, "feedback.up")},
                    {"down", count_of(view, "feedback.down")}};
  const auto waits = [&](std::string_view kind) {
    Json told = Json::object();
    for (const auto& [name, share] : {std::pair{"p50_ms", 0.5}, std::pair{"p99_ms", 0.99}}) {
      const auto within = support_agent::wait_within(view.agent.counts(), kind, share);
      if (within) told[name] = *within;
    }
    return told;
  };
  out["response"] = {{"agent", waits(support_agent::kReplyWaits)},
                     {"person", waits(support_agent::kPersonWaits)}};
  out["saved_minor"] = static_cast<double>(alone) * view.agent.config().handover_cost_minor;
  out["unanswered"] = Json::array();
  const auto rows = view.tables.rows(
      {.table = std::string(table::kUnanswered), .prefix = "", .after = "", .limit = kRowsMax});
  if (rows) {
    for (auto it = rows->rbegin(); it != rows->rend() && out["unanswered"].size() < 50; ++it) {
      Json row = parsed(it->value);
      const std::string user = row.value("user_id", "");
      row["text"] = opened(view, user, "unanswered|" + row.value("reply_id", ""), row["text"]);
      row.erase("user_id");
      out["unanswered"].push_back(row);
    }
  }
  return dump(out);
}

// Everything there is of a user, readable.
Result<std::string> user(const SupportView& view, const std::string& id) {
  Json out{{"user_id", id}};
  std::size_t found = 0;
  for (const std::string& key : rows_of_user(view.tables, id)) {
    const std::size_t cut = key.find('\0');
    const std::string of = key.substr(0, cut), at = key.substr(cut + 1);
    if (of == table::kByUser) continue;
    const auto row = view.tables.row(of, at);
    if (!row) return tl::make_unexpected(row.error());
    if (!*row) continue;
    ++found;
    Json value = parsed(**row);
    if (of == table::kMessages) value = message_of(view, **row);
    if (of == table::kTickets) value = ticket_of(view, **row);
    if (of == table::kNotifications) {
      value["text"] = opened(view, id, "notification|" + value.value("id", ""), value["text"]);
    }
    if (of == table::kUnanswered) {
      value["text"] = opened(view, id, "unanswered|" + value.value("reply_id", ""), value["text"]);
    }
    out[of].push_back(value);
  }
  if (found == 0) return fail(ErrorCode::not_found, "nothing is kept of this user");
  return dump(out);
}

std::string ready(const SupportView& view) {
  return dump(Json{{"ready", view.broker_up && view.trouble.empty()},
                   {"kafka", view.broker_up ? "up" : "down"},
                   {"store", "up"},
                   {"why", view.trouble},
                   {"step", view.step},
                   {"articles", view.agent.faq().articles().size()},
                   {"open_incidents", view.agent.incidents().size()}});
}

// A Prometheus name of a count's, with its label.
std::string metrics(const SupportView& view) {
  std::string text;
  std::string last;
  for (const auto& [name, count] : view.agent.counts()) {
    const std::size_t dot = name.find('.');
    const std::string family = "payops_support_" + name.substr(0, dot) + "_total";
    if (family != last) text += "# TYPE " + family + " counter\n";
    last = family;
    text += family;
    if (dot != std::string::npos) text += "{name=\"" + name.substr(dot + 1) + "\"}";
    text += " " + std::to_string(count) + "\n";
  }
  text += "# TYPE payops_support_open_sessions gauge\npayops_support_open_sessions " +
          std::to_string(view.agent.sessions().size()) + "\n";
  text += "# TYPE payops_support_open_incidents gauge\npayops_support_open_incidents " +
          std::to_string(view.agent.incidents().size()) + "\n";
  text +=
      "# TYPE payops_support_step gauge\npayops_support_step " + std::to_string(view.step) + "\n";
  return text;
}

}  // namespace

std::vector<std::string> rows_of_user(Tables& tables, const std::string& user_id) {
  std::vector<std::string> keys;
  const std::string prefix = to_hex(user_id) + "|";
  std::string after;
  for (;;) {
    const auto rows = tables.rows({.table = std::string(table::kByUser),
                                   .prefix = prefix,
                                   .after = after,
                                   .limit = kRowsMax});
    if (!rows || rows->empty()) return keys;
    for (const TableRow& row : *rows) {
      const std::string rest = row.key.substr(prefix.size());
      const std::size_t bar = rest.find('|');
      keys.push_back(rest.substr(0, bar) + '\0' + rest.substr(bar + 1));
      keys.push_back(std::string(table::kByUser) + '\0' + row.key);
    }
    after = rows->back().key;
  }
}

Result<std::string> read_support(const SupportView& view, const std::string& what,
                                 const std::string& id) {
  if (what == "session") return session(view, id);
  if (what == "ticket") return ticket(view, id);
  if (what == "tickets") return tickets(view, id);
  if (what == "user") return user(view, id);
  if (what == "queue") return queue(view);
  if (what == "figures") return figures(view);
  if (what == "ready") return ready(view);
  if (what == "metrics") return metrics(view);
  return fail(ErrorCode::not_found, "there is no \"" + what + "\"");
}

}  // namespace payops::app
