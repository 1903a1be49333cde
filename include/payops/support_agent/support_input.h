// What one step of the support agent consumes, recorded as the step's input block. Customers' words
// and data lie in it sealed with the customer's own key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/effect.h"
#include "payops/runtime/step.h"
#include "payops/support_agent/chat.h"
#include "payops/support_agent/faq.h"
#include "payops/support_agent/vault.h"

namespace payops::support_agent {

// A message with what the process knew of its sender.
struct ArrivedMessage {
  ChatMessage message;
  CustomerView customer;
  bool verified = false;  // the channel has checked who they are
  static constexpr auto fields() {
    return std::make_tuple(field("message", &ArrivedMessage::message),
                           field("customer", &ArrivedMessage::customer),
                           field("verified", &ArrivedMessage::verified));
  }
};

// Of the support desk and of the API: what people and programs have done.
//   ticket       PATCH: value OPEN, RESOLVED or ESCALATED (may be empty), text a note
//   open_ticket  for user_id; text its category, value its status, ticket_id a number or empty
//   feedback     message_id of a reply, value "up" or "down"
//   take_over, reply, hand_back   a person with a session; text is what they write
//   notify_test  value EMAIL or WHATSAPP, text the target
//   erase        of user_id; rows: the keys of what is to go, as table NUL key
struct DeskCommand {
  std::string id;
  std::string kind;
  std::string by;
  std::string user_id, session_id, ticket_id, message_id;
  std::string text, value;
  std::vector<std::string> rows;
  static constexpr auto fields() {
    using C = DeskCommand;
    return std::make_tuple(field("id", &C::id), field("kind", &C::kind), field("by", &C::by),
                           field("user_id", &C::user_id), field("session_id", &C::session_id),
                           field("ticket_id", &C::ticket_id), field("message_id", &C::message_id),
                           field("text", &C::text), field("value", &C::value),
                           field("rows", &C::rows));
  }
};

struct ChatDeadLetter {
  std::string reason;
  std::string topic;  // by its name on the broker
  int32_t partition = 0;
  int64_t offset = 0;
  std::string payload;  // excerpt, masked
  static constexpr auto fields() {
    using D = ChatDeadLetter;
    return std::make_tuple(field("reason", &D::reason), field("topic", &D::topic),
                           field("partition", &D::partition), field("offset", &D::offset),
                           field("payload", &D::payload));
  }
};

struct SupportInput {
  uint64_t step = 0;
  int64_t at_ms = 0;  // by the process' clock; never falls
  bool stopping = false;
  std::string build;
  std::string config;      // JSON, where it changed; else empty
  std::string model_hash;  // of what understands messages
  bool articles_changed = false;
  std::vector<FaqArticle> articles;  // all of them, where they changed
  std::vector<ArrivedMessage> messages;
  std::vector<Incident> incidents;                           // as payops.alerts told them
  std::vector<std::pair<std::string, std::string>> actions;  // id, type
  std::vector<DeskCommand> commands;
  std::vector<ChatDeadLetter> dead_letters;
  std::string entropy;         // what one-time codes are made of; random, used once
  std::vector<int64_t> ticks;  // every reading of the clock in the graph, ns since the first
  std::vector<SendResult> results;
};

[[nodiscard]] std::string encode_input(const SupportInput& input, Vault& vault);

struct OpenedInput {
  SupportInput input;
  std::size_t erased = 0;  // messages whose key is gone; they are left out
};
// Errors: corrupt.
[[nodiscard]] Result<OpenedInput> decode_input(std::string_view block, Vault& vault);

}  // namespace payops::support_agent
