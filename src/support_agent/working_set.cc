// What a step leaves behind: rows, messages out, and the bounds of what is remembered.
#include <algorithm>

#include "agent_impl.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kTicketsMax = 20'000;
constexpr std::size_t kPacesMax = 20'000;
constexpr int64_t kSweepEveryMs = 60'000;

TableRow row_of(std::string_view table, const std::string& key, const Json& value) {
  return {std::string(table), key, dump(value)};
}

TableRow by_user(const std::string& user, std::string_view table, const std::string& key) {
  return {std::string(table::kByUser), by_user_key(user, table, key), "1"};
}

}  // namespace

std::string by_user_key(std::string_view user_id, std::string_view table, std::string_view key) {
  return to_hex(user_id) + "|" + std::string(table) + "|" + std::string(key);
}

void SupportAgent::Impl::put_session(const Session& session, Effects& effects) {
  const bool open = sessions.count(session.id) != 0;
  effects.rows.push_back(row_of(table::kSessions, session.id,
                                Json{{"id", session.id},
                                     {"user_id", session.user_id},
                                     {"channel", session.channel},
                                     {"started_ts", session.started_ts},
                                     {"last_ts", session.last_ts},
                                     {"status", open ? "OPEN" : "CLOSED"},
                                     {"handover", session.handover},
                                     {"with_person", session.with_person},
                                     {"ticket_id", session.ticket_id}}));
  effects.rows.push_back(by_user(session.user_id, table::kSessions, session.id));
}

void SupportAgent::Impl::put_message(const Session& session, const std::string& id,
                                     std::string_view sender, const std::string& text,
                                     std::size_t place, Effects& effects) {
  const std::string key = session.id + "|" + hex64((steps << 16) + place);
  effects.rows.push_back(
      row_of(table::kMessages, key,
             Json{{"id", id},
                  {"session_id", session.id},
                  {"user_id", session.user_id},
                  {"sender", sender},
                  {"text", to_hex(vault->seal(session.user_id, "message|" + id, text))},
                  {"ts", at_ms}}));
  effects.rows.push_back(by_user(session.user_id, table::kMessages, key));
}

void SupportAgent::Impl::put_ticket(const Ticket& ticket, Effects& effects) {
  const bool known = tickets.count(ticket.id) != 0;
  tickets[ticket.id] = ticket;
  if (!known) ticket_order.push_back(ticket.id);
  if (ticket_order.size() > kTicketsMax) {
    tickets.erase(ticket_order.front());
    ticket_order.erase(ticket_order.begin());
  }
  Json row = to_json(ticket);
  const auto sealed = [&](const std::string& what, const std::string& text) {
    return to_hex(vault->seal(ticket.user_id, "ticket." + what + "|" + ticket.id, text));
  };
  row["subject"] = sealed("subject", ticket.subject);
  row["notes"] = sealed("notes", dump(to_json(ticket.notes)));
  effects.rows.push_back(row_of(table::kTickets, ticket.id, row));
  effects.rows.push_back(by_user(ticket.user_id, table::kTickets, ticket.id));
  Json told = to_json(ticket);
  told.erase("subject");
  told.erase("notes");
  effects.outbox.push_back({.id = ticket.id + "-" + std::to_string(steps),
                            .topic = "support.tickets",
                            .key = ticket.id,
                            .payload = dump(told)});
}

void SupportAgent::Impl::put_notification(const Notification& notification, Effects& effects) {
  Json row = to_json(notification);
  row["text"] = to_hex(
      vault->seal(notification.user_id, "notification|" + notification.id, notification.text));
  effects.rows.push_back(row_of(table::kNotifications, notification.id, row));
  effects.rows.push_back(by_user(notification.user_id, table::kNotifications, notification.id));
  effects.outbox.push_back({.id = notification.id,
                            .topic = "support.notifications",
                            .key = notification.user_id,
                            .payload = dump(to_json(notification))});
  notifications.push_back(notification);
  ++counts["notifications"];
}

void SupportAgent::Impl::put_reply(const ChatReply& reply, const std::string& text_hash,
                                   Effects& effects) {
  const std::string payload = dump(to_json(reply));
  effects.outbox.push_back({.id = reply.message_id,
                            .topic = "chat.outbound",
                            .key = reply.session_id,
                            .payload = payload});
  if (!text_hash.empty()) remember(reply.in_reply_to, {text_hash, payload});
}

void SupportAgent::Impl::remember(const std::string& message_id, Remembered what) {
  const auto most = static_cast<std::size_t>(config.remembered_messages);
  if (remembered_order.size() < most) {
    remembered_order.push_back(message_id);
  } else {
    std::string& oldest = remembered_order[remembered_next % remembered_order.size()];
    remembered.erase(oldest);
    oldest = message_id;
    ++remembered_next;
  }
  remembered[message_id] = std::move(what);
}

void SupportAgent::Impl::close_session(const std::string& id, Effects& effects) {
  const auto it = sessions.find(id);
  if (it == sessions.end()) return;
  const Session session = std::move(it->second);
  sessions.erase(it);
  const auto of = session_of.find(session.user_id);
  if (of != session_of.end() && of->second == id) session_of.erase(of);
  put_session(session, effects);
}

// Sessions nobody writes in are closed; above the bound the longest silent go first.
void SupportAgent::Impl::close_idle(Effects& effects) {
  const auto most = static_cast<std::size_t>(config.sessions_max);
  if (at_ms - swept_ms < kSweepEveryMs && sessions.size() <= most) return;
  swept_ms = at_ms;
  const int64_t idle_ms = static_cast<int64_t>(config.session_idle_s * 1000.0);
  std::vector<std::pair<int64_t, std::string>> silent;
  for (const auto& [id, session] : sessions) silent.emplace_back(session.last_ts, id);
  std::sort(silent.begin(), silent.end());
  std::size_t left = silent.size();
  for (const auto& [last_ts, id] : silent) {
    if (at_ms - last_ts <= idle_ms && left <= most) break;
    close_session(id, effects);
    --left;
  }
  const int64_t minute = at_ms / 60'000;
  if (paces.size() > kPacesMax) {
    std::erase_if(paces, [&](const auto& entry) { return entry.second.minute != minute; });
  }
}

}  // namespace payops::support_agent
