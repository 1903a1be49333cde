// What goes in and out of the support agent, and what it keeps: messages, replies, sessions,
// tickets, notifications. Plain values; their JSON is that of topics, REST and tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/support_agent/intent.h"

namespace payops::support_agent {

inline constexpr std::size_t kTextBytesMax = 40'000;  // of a message; a longer one is refused
inline constexpr std::size_t kIdBytesMax = 128;       // of message, session and user ids

// A message of chat.inbound.
struct ChatMessage {
  std::string message_id;
  std::string session_id;  // empty: the user's open one, or a new one
  std::string user_id;
  std::string channel = "chat";
  std::string text;
  std::string locale = "en";
  int64_t ts_ms = 0;
  std::string traceparent;  // W3C trace context, or empty
  static constexpr auto fields() {
    return std::make_tuple(
        field("message_id", &ChatMessage::message_id),
        field("session_id", &ChatMessage::session_id), field("user_id", &ChatMessage::user_id),
        field("channel", &ChatMessage::channel), field("text", &ChatMessage::text),
        field("locale", &ChatMessage::locale), field("ts_ms", &ChatMessage::ts_ms),
        field("traceparent", &ChatMessage::traceparent));
  }
};

// What a record of chat.inbound says. Errors: corrupt, in a sentence: not JSON, not UTF-8, a field
// missing, of the wrong type or too long.
[[nodiscard]] Result<ChatMessage> parse_chat_message(std::string_view payload);

// What became of a message.
//   answered  from an article, or with what is known     account   own data given, or a change
//   begun ticket    a complaint was registered                 handover  a person takes over asked
//   a question back                            refused   nothing this agent does
enum class Outcome : uint8_t { answered, ticket, account, handover, asked, refused };

// A message of chat.outbound.
struct ChatReply {
  std::string message_id;
  std::string in_reply_to;
  std::string session_id;
  std::string user_id;
  std::string channel;
  std::string text;
  IntentClass intent_class = IntentClass::unknown;
  std::string intent;
  double confidence = 0.0;
  std::string agent;       // the node that answered
  std::string handled_by;  // "agent", or "person" once one has taken over
  Outcome outcome = Outcome::refused;
  std::vector<std::string> citations;  // ids of articles
  std::string ticket_id;
  std::string trace_id;
  int64_t ts_ms = 0;
  static constexpr auto fields() {
    using R = ChatReply;
    return std::make_tuple(
        field("message_id", &R::message_id), field("in_reply_to", &R::in_reply_to),
        field("session_id", &R::session_id), field("user_id", &R::user_id),
        field("channel", &R::channel), field("text", &R::text), field("class", &R::intent_class),
        field("intent", &R::intent), field("confidence", &R::confidence), field("agent", &R::agent),
        field("handled_by", &R::handled_by), field("outcome", &R::outcome),
        field("citations", &R::citations), field("ticket_id", &R::ticket_id),
        field("trace_id", &R::trace_id), field("ts_ms", &R::ts_ms));
  }
};

enum class TicketStatus : uint8_t { open, resolved, escalated };
enum class Priority : uint8_t { low, normal, high, urgent };

struct Ticket {
  std::string id;  // "T-48217", read out digit by digit
  std::string session_id;
  std::string user_id;
  std::string category;
  TicketStatus status = TicketStatus::open;
  Priority priority = Priority::normal;
  std::string subject;  // the customer's words, personal data masked
  std::vector<std::string> notes;
  int64_t created_ts = 0;
  int64_t resolved_ts = 0;
  bool operator==(const Ticket&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("id", &Ticket::id), field("session_id", &Ticket::session_id),
                           field("user_id", &Ticket::user_id), field("category", &Ticket::category),
                           field("status", &Ticket::status), field("priority", &Ticket::priority),
                           field("subject", &Ticket::subject), field("notes", &Ticket::notes),
                           field("created_ts", &Ticket::created_ts),
                           field("resolved_ts", &Ticket::resolved_ts));
  }
};

enum class Channel : uint8_t { email, whatsapp };

// Queued to support.notifications; `target` is masked.
struct Notification {
  std::string id;
  std::string ticket_id;
  std::string user_id;
  Channel channel = Channel::email;
  std::string target;
  std::string text;
  int64_t ts = 0;
  static constexpr auto fields() {
    return std::make_tuple(
        field("id", &Notification::id), field("ticket_id", &Notification::ticket_id),
        field("user_id", &Notification::user_id), field("channel", &Notification::channel),
        field("target", &Notification::target), field("text", &Notification::text),
        field("ts", &Notification::ts));
  }
};

// A payment as the customer may be told of it.
struct KnownPayment {
  std::string payment_id;
  int64_t ts_ms = 0;
  int64_t amount_minor = 0;
  std::string currency = "INR";
  std::string issuer, method, gateway;
  std::string status;  // approved, declined, error, timeout
  std::string decline_code;
  std::string merchant;
  static constexpr auto fields() {
    using P = KnownPayment;
    return std::make_tuple(field("payment_id", &P::payment_id), field("ts_ms", &P::ts_ms),
                           field("amount_minor", &P::amount_minor), field("currency", &P::currency),
                           field("issuer", &P::issuer), field("method", &P::method),
                           field("gateway", &P::gateway), field("status", &P::status),
                           field("decline_code", &P::decline_code),
                           field("merchant", &P::merchant));
  }
};

// What is known of a customer when a message of theirs comes in; part of the step's input.
struct CustomerView {
  std::string name;
  std::string email;  // unmasked; no reply shows it so
  std::string phone;
  std::string card_last4;
  std::vector<std::string> issuers;    // of their instruments
  std::vector<std::string> methods;    // likewise
  std::vector<KnownPayment> payments;  // the newest first, few
  static constexpr auto fields() {
    using C = CustomerView;
    return std::make_tuple(field("name", &C::name), field("email", &C::email),
                           field("phone", &C::phone), field("card_last4", &C::card_last4),
                           field("issuers", &C::issuers), field("methods", &C::methods),
                           field("payments", &C::payments));
  }
};

// "r***@example.com", "******4321", "****4432".
[[nodiscard]] std::string masked_email(std::string_view email);
[[nodiscard]] std::string masked_phone(std::string_view phone);
// The customer's own words as they may be kept and shown: card numbers, long numbers, e-mail
// addresses masked; at most `max_bytes`.
[[nodiscard]] std::string masked_words(std::string_view text, std::size_t max_bytes);

}  // namespace payops::support_agent

namespace payops {
template <>
inline constexpr EnumNames<6> enum_names<support_agent::Outcome>{"answered", "ticket", "account",
                                                                 "handover", "asked",  "refused"};
template <>
inline constexpr EnumNames<3> enum_names<support_agent::TicketStatus>{"OPEN", "RESOLVED",
                                                                      "ESCALATED"};
template <>
inline constexpr EnumNames<4> enum_names<support_agent::Priority>{"low", "normal", "high",
                                                                  "urgent"};
template <>
inline constexpr EnumNames<2> enum_names<support_agent::Channel>{"EMAIL", "WHATSAPP"};
}  // namespace payops
