// observe, notify, act and learn: the phases that keep the working set.
#include <algorithm>

#include "agent_impl.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "payops/support_agent/waits.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kRecentBytes = 400;
constexpr std::size_t kPendingBytes = 1000;
constexpr std::size_t kUnansweredBytes = 300;
constexpr int64_t kMinuteMs = 60'000;

std::string id_of(std::string_view prefix, uint64_t seed, std::string_view of) {
  return std::string(prefix) + hex64(mix64(seed, hash64(of)));
}

std::string with_ticket(std::string text, const std::string& ticket) {
  constexpr std::string_view kPlace = "{ticket}";
  for (std::size_t at = text.find(kPlace); at != std::string::npos; at = text.find(kPlace, at)) {
    text.replace(at, kPlace.size(), ticket);
    at += ticket.size();
  }
  return text;
}

bool hexadecimal(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The trace id of a W3C traceparent, or one made of the message.
std::string trace_of(const ChatMessage& message) {
  const std::string& parent = message.traceparent;
  if (parent.size() >= 55 && parent.starts_with("00-")) {
    const std::string trace = parent.substr(3, 32);
    if (hexadecimal(trace) && trace != std::string(32, '0')) return trace;
  }
  const uint64_t of = hash64(message.message_id);
  return hex64(of) + hex64(mix64(of));
}

std::string reply_text(const Turn& turn) {
  std::string text;
  for (const Said& said : turn.said) text += (text.empty() ? "" : "\n") + said.text;
  return text;
}

}  // namespace

Observed SupportAgent::Impl::observe(const ChatTurn& t) {
  const ChatMessage& message = *t.turn.message;
  Observed delta;
  const auto named = sessions.find(message.session_id);
  const auto open = session_of.find(message.user_id);
  const bool own = named != sessions.end() && named->second.user_id == message.user_id;
  if (own) {
    delta.session = named->second;
  } else if (open != session_of.end() && sessions.count(open->second) != 0) {
    delta.session = sessions.at(open->second);
  } else {
    delta.session.id = id_of("s-", config.seed, message.user_id + "|" + message.message_id);
    delta.session.user_id = message.user_id;
    delta.session.channel = message.channel;
    delta.session.started_ts = at_ms;
  }
  if (t.arrived->verified) {
    delta.session.verified_until_ms = at_ms + static_cast<int64_t>(config.verified_s * 1000.0);
  }
  Pace& pace = paces[message.user_id];
  const int64_t minute = at_ms / kMinuteMs;
  if (pace.minute != minute) pace = {.minute = minute, .messages = 0};
  delta.limited = ++pace.messages > config.messages_per_minute;
  return delta;
}

Notified SupportAgent::Impl::notify(const ChatTurn& t) const {
  Notified delta;
  const Turn& turn = t.turn;
  const Wish& wish = turn.wish;
  const CustomerView& customer = *turn.customer;
  const bool phone = !customer.phone.empty();
  if (!phone && customer.email.empty()) return delta;
  const auto note = [&](std::string text, const char* what) {
    Notification n;
    n.id = id_of("n-", config.seed, turn.message->message_id + what);
    n.user_id = turn.message->user_id;
    n.channel = phone ? Channel::whatsapp : Channel::email;
    n.target = phone ? masked_phone(customer.phone) : masked_email(customer.email);
    n.text = std::move(text);
    n.ts = at_ms;
    delta.notifications.push_back(std::move(n));
  };
  if (wish.send_code) {
    const uint64_t number = mix64(hash64(t.entropy + turn.session->id), t.place) % 1'000'000;
    delta.code = std::to_string(number);
    delta.code.insert(0, 6 - delta.code.size(), '0');
    note("Your one-time code is " + delta.code + ". Share it with nobody.", "code");
  }
  if (!wish.notify.empty()) note(wish.notify, "ticket");
  return delta;
}

Acted SupportAgent::Impl::act(const ChatTurn& t) {
  const Turn& turn = t.turn;
  const ChatMessage& message = *turn.message;
  const Wish& wish = turn.wish;
  Acted delta;
  Session session = t.session;
  std::string ticket_id = session.ticket_id;
  const bool ticket_wanted = wish.ticket.has_value() && turn.withheld.empty();
  if (ticket_wanted) {
    Ticket ticket = *wish.ticket;
    if (ticket.id.empty()) {
      ticket.id = "T-" + std::to_string(steps) + "-" + std::to_string(t.place + 1);
      ++counts["tickets"];
    }
    ticket_id = delta.ticket_changed = ticket.id;
    put_ticket(ticket, delta.effects);
  }
  ChatReply& reply = delta.reply;
  reply.message_id = id_of("r-", config.seed, message.message_id);
  reply.in_reply_to = message.message_id;
  reply.session_id = session.id;
  reply.user_id = message.user_id;
  reply.channel = message.channel;
  reply.text = with_ticket(reply_text(turn), ticket_id);
  const IntentAnswer& main = turn.understanding.main;
  reply.intent_class = main.intent.top;
  reply.intent = main.intent.name;
  reply.confidence = main.confidence;
  reply.agent = turn.agents.empty() ? turn.route.agent : turn.agents.front();
  reply.outcome = turn.said.empty() ? Outcome::refused : turn.said.front().outcome;
  for (const Said& said : turn.said) {
    reply.citations.insert(reply.citations.end(), said.citations.begin(), said.citations.end());
  }
  reply.ticket_id = ticket_wanted ? ticket_id : "";
  reply.trace_id = trace_of(message);
  reply.ts_ms = at_ms;

  if (session.last_ts == 0) ++counts["sessions"];
  session.last_ts = at_ms;
  session.ticket_id = ticket_id;
  if (!reply.citations.empty()) session.article = reply.citations.front();
  session.last_reply = reply.message_id;
  if (wish.verified) {
    session.verified_until_ms = at_ms + static_cast<int64_t>(config.verified_s * 1000.0);
    session.code_hash.clear();
    session.code_tries = 0;
  }
  if (!t.code.empty()) {
    session.code_hash = sha256_hex(session.id + "|" + t.code);
    session.code_until_ms = at_ms + static_cast<int64_t>(config.code_s * 1000.0);
    session.code_tries = 0;
  }
  const bool wrong_code = turn.session->pending.what == Awaiting::code && wish.count_failure &&
                          turn.route.agent == "account";
  if (wrong_code) ++session.code_tries;
  if (!wish.handover.empty()) {
    if (session.handover.empty()) session.handover_ts = at_ms;
    session.handover = wish.handover;
    ++counts["handover." + wish.handover];
  } else if (turn.understanding.cancels && !session.with_person) {
    session.handover.clear();  // they go on with the agent
    session.handover_ts = 0;
  }
  reply.handled_by = session.with_person ? "person" : "agent";
  session.failures = wish.count_failure && !wrong_code ? session.failures + 1 : 0;
  session.pending = wish.pending.value_or(Pending{});
  session.pending.text = masked_words(session.pending.text, kPendingBytes);
  session.recent.push_back({.text = masked_words(message.text, kRecentBytes),
                            .intent = reply.intent,
                            .agent = reply.agent,
                            .article = reply.citations.empty() ? "" : reply.citations.front()});
  if (session.recent.size() > kRemembered) session.recent.erase(session.recent.begin());
  delta.session = session;
  sessions[session.id] = session;
  session_of[session.user_id] = session.id;

  put_message(session, message.message_id, "USER", message.text, t.place * 2, delta.effects);
  put_message(session, reply.message_id, "AGENT", reply.text, t.place * 2 + 1, delta.effects);
  put_session(session, delta.effects);
  for (Notification n : t.notifications) {
    n.ticket_id = ticket_id;
    n.text = with_ticket(std::move(n.text), ticket_id);
    put_notification(n, delta.effects);
  }
  put_reply(reply, sha256_hex(message.text), delta.effects);
  return delta;
}

Learned SupportAgent::Impl::learn(const ChatTurn& t) {
  Learned delta;
  const ChatReply& reply = t.reply;
  ++counts["messages"];
  ++counts["intent." + reply.intent];
  ++counts["class." + std::string(name_of(reply.intent_class))];
  ++counts["outcome." + std::string(name_of(reply.outcome))];
  ++counts["agent." + reply.agent];
  const int64_t written_ms = t.turn.message->ts_ms;
  if (written_ms > 0 && reply.handled_by == "agent") {
    count_wait(counts, kReplyWaits, at_ms - written_ms);
  }
  if (t.turn.wish.count_failure || reply.outcome == Outcome::asked) {
    const std::string words = masked_words(t.turn.message->text, kUnansweredBytes);
    const Json row{
        {"text", to_hex(vault->seal(reply.user_id, "unanswered|" + reply.message_id, words))},
        {"user_id", reply.user_id},
        {"reply_id", reply.message_id},
        {"intent", reply.intent},
        {"outcome", name_of(reply.outcome)},
        {"ts", at_ms}};
    const std::string key = hex64(static_cast<uint64_t>(at_ms)) + reply.message_id;
    delta.effects.rows.push_back({std::string(table::kUnanswered), key, dump(row)});
    delta.effects.rows.push_back(
        {std::string(table::kByUser), by_user_key(reply.user_id, table::kUnanswered, key), "1"});
    ++counts["unanswered"];
  }
  // A complaint about paying is evidence for the payments agent.
  const Understanding& u = t.turn.understanding;
  const auto about_paying = [](const std::string& intent) {
    return intent == "payment_failed_why" || intent == "payment_debited_not_credited";
  };
  // One customer who says it again and again is one complaint.
  const auto& recent = t.session.recent;
  const bool again = std::any_of(recent.begin(), recent.end() - (recent.empty() ? 0 : 1),
                                 [&](const Exchange& e) { return about_paying(e.intent); });
  if (!about_paying(reply.intent) || again) return delta;
  const KnownPayment* payment = t.turn.look_up.payment;
  const CustomerView& c = *t.turn.customer;
  const auto only = [](const std::vector<std::string>& held) {
    return held.size() == 1 ? held.front() : std::string("*");
  };
  const auto pick = [&](const std::string& said, const std::string& paid,
                        const std::vector<std::string>& held) {
    return !said.empty() ? said : !paid.empty() ? paid : only(held);
  };
  const std::string none;
  const std::string issuer =
      pick(u.entities.issuer, payment != nullptr ? payment->issuer : none, c.issuers);
  const std::string method =
      pick(u.entities.method, payment != nullptr ? payment->method : none, c.methods);
  const std::string id = "sig-" + reply.message_id.substr(2);
  const Json signal{{"signal_id", id},  {"ts_ms", at_ms},         {"issuer", issuer},
                    {"method", method}, {"intent", reply.intent}, {"confidence", reply.confidence}};
  delta.effects.outbox.push_back({.id = id,
                                  .topic = "support.signals",
                                  .key = issuer + "|" + method,
                                  .payload = dump(signal)});
  ++counts["signals"];
  return delta;
}

}  // namespace payops::support_agent
