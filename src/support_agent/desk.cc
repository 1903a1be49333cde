// What people do: the support desk's answers and tickets, ratings, erasure.
#include <algorithm>
#include <utility>

#include "agent_impl.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "payops/support_agent/waits.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kNotesMax = 20;
constexpr std::size_t kNoteBytes = 1000;

}  // namespace

std::string SupportAgent::Impl::change_ticket(const DeskCommand& command, Effects& effects) {
  const auto it = tickets.find(command.ticket_id);
  if (it == tickets.end()) return "there is no ticket " + command.ticket_id;
  Ticket ticket = it->second;
  if (!command.value.empty()) {
    const auto status = parse_enum<TicketStatus>(command.value);
    if (!status) return "the status must be OPEN, RESOLVED or ESCALATED";
    ticket.status = *status;
    ticket.resolved_ts = *status == TicketStatus::resolved ? at_ms : 0;
  }
  if (!command.text.empty() && ticket.notes.size() < kNotesMax) {
    ticket.notes.push_back(command.by + ": " + masked_words(command.text, kNoteBytes));
  }
  put_ticket(ticket, effects);
  return "";
}

std::string SupportAgent::Impl::open_ticket(const DeskCommand& command, Effects& effects) {
  const auto status = parse_enum<TicketStatus>(command.value);
  if (!status) return "the status must be OPEN, RESOLVED or ESCALATED";
  if (command.user_id.empty() || command.text.empty())
    return "a ticket needs a user and a category";
  if (tickets.count(command.ticket_id) != 0) return "the ticket is there already";
  Ticket ticket;
  ticket.id = command.ticket_id.empty() ? "T-" + std::to_string(steps) + "-0" : command.ticket_id;
  ticket.user_id = command.user_id;
  ticket.category = command.text;
  ticket.status = *status;
  ticket.created_ts = at_ms;
  put_ticket(ticket, effects);
  return "";
}

std::string SupportAgent::Impl::reply_as_person(const DeskCommand& command, std::size_t place,
                                                Effects& effects) {
  const auto it = sessions.find(command.session_id);
  if (it == sessions.end()) return "there is no open session " + command.session_id;
  Session& session = it->second;
  if (command.kind == "hand_back") {
    session.with_person = false;
    session.handover.clear();
    session.handover_ts = 0;
    session.failures = 0;
    put_session(session, effects);
    return "";
  }
  session.with_person = true;
  if (command.kind == "take_over") {
    put_session(session, effects);
    return "";
  }
  if (command.text.empty()) return "a reply needs a text";
  ChatReply reply;
  reply.message_id = "r-" + hex64(mix64(config.seed, hash64(command.id)));
  reply.session_id = session.id;
  reply.user_id = session.user_id;
  reply.channel = session.channel;
  reply.text = command.text;
  reply.agent = "person";
  reply.handled_by = "person";
  reply.outcome = Outcome::answered;
  reply.ticket_id = session.ticket_id;
  reply.ts_ms = at_ms;
  if (session.handover_ts > 0) count_wait(counts, kPersonWaits, at_ms - session.handover_ts);
  session.handover_ts = 0;
  session.last_reply = reply.message_id;
  put_message(session, reply.message_id, "AGENT", reply.text, 0x8000 + place, effects);
  put_session(session, effects);
  put_reply(reply, "", effects);
  replies.push_back(std::move(reply));
  return "";
}

std::string SupportAgent::Impl::erase_user(const DeskCommand& command, Effects& effects) {
  const std::string& user = command.user_id;
  std::erase_if(sessions, [&](const auto& s) { return s.second.user_id == user; });
  session_of.erase(user);
  std::erase_if(tickets, [&](const auto& t) { return t.second.user_id == user; });
  std::erase_if(ticket_order, [&](const auto& id) { return tickets.count(id) == 0; });
  paces.erase(user);
  for (auto it = remembered.begin(); it != remembered.end();) {
    const Json reply = Json::parse(it->second.reply, nullptr, false);
    const bool theirs = !reply.is_discarded() && reply.value("user_id", "") == user;
    if (theirs) it->second.reply.clear();  // the id stays taken
    ++it;
  }
  for (const std::string& key : command.rows) {
    const std::size_t cut = key.find('\0');
    if (cut == std::string::npos) continue;
    effects.rows.push_back({key.substr(0, cut), key.substr(cut + 1), ""});
  }
  ++counts["erased"];
  return "";
}

void SupportAgent::Impl::take_command(const DeskCommand& command, std::size_t place,
                                      Effects& effects) {
  std::string problem;
  if (command.kind == "ticket") {
    problem = change_ticket(command, effects);
  } else if (command.kind == "open_ticket") {
    problem = open_ticket(command, effects);
  } else if (command.kind == "take_over" || command.kind == "reply" ||
             command.kind == "hand_back") {
    problem = reply_as_person(command, place, effects);
  } else if (command.kind == "feedback") {
    if (command.value != "up" && command.value != "down") {
      problem = "a rating is \"up\" or \"down\"";
    } else {
      ++counts["feedback." + command.value];
    }
  } else if (command.kind == "notify_test") {
    const auto channel = parse_enum<Channel>(command.value);
    if (!channel) {
      problem = "the channel must be EMAIL or WHATSAPP";
    } else {
      const std::string target =
          *channel == Channel::email ? masked_email(command.text) : masked_phone(command.text);
      put_notification({.id = "n-" + hex64(mix64(config.seed, hash64(command.id))),
                        .ticket_id = "",
                        .user_id = command.by,
                        .channel = *channel,
                        .target = target,
                        .text = "This is a test.",
                        .ts = at_ms},
                       effects);
    }
  } else if (command.kind == "erase") {
    problem = erase_user(command, effects);
  } else {
    problem = "there is no command \"" + command.kind + "\"";
  }
  effects.audit.push_back(audit_record("desk", at_ms,
                                       dump(Json{{"command_id", command.id},
                                                 {"what", command.kind},
                                                 {"by", command.by},
                                                 {"session_id", command.session_id},
                                                 {"ticket_id", command.ticket_id},
                                                 {"value", command.value},
                                                 {"problem", problem}})));
  results.push_back({command.id, problem});
}

}  // namespace payops::support_agent
