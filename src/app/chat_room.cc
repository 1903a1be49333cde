#include "chat_room.h"

#include <utility>

#include "payops/core/digest.h"

namespace payops::app {

using support_agent::SupportInput;

Result<std::unique_ptr<ChatRoom>> ChatRoom::open(const support_agent::Knowledge& knowledge,
                                                 const support_agent::SupportConfig& config,
                                                 std::vector<support_agent::FaqArticle> articles,
                                                 int64_t now_ms,
                                                 support_agent::SupportAgent::Extend extend) {
  std::unique_ptr<ChatRoom> room(new ChatRoom(std::move(extend)));
  room->now_ms_ = now_ms;
  room->agent_.know(knowledge);
  if (Status configured = room->agent_.configure(config); !configured) {
    return tl::make_unexpected(configured.error());
  }
  SupportInput input;
  input.step = 1;
  input.at_ms = now_ms;
  input.articles_changed = true;
  input.articles = std::move(articles);
  const auto taken = room->agent_.step(std::move(input));
  if (!taken) return tl::make_unexpected(taken.error());
  return room;
}

void ChatRoom::set_incidents(std::vector<Incident> incidents,
                             std::vector<std::pair<std::string, std::string>> actions) {
  incidents_ = std::move(incidents);
  actions_ = std::move(actions);
}

void ChatRoom::set_customer(support_agent::CustomerView customer, bool verified) {
  customer_ = std::move(customer);
  verified_ = verified;
}

void ChatRoom::open_ticket(const std::string& id, const std::string& user_id,
                           const std::string& category, const std::string& status) {
  support_agent::DeskCommand command;
  command.id = "open-" + id;
  command.kind = "open_ticket";
  command.ticket_id = id;
  command.user_id = user_id;
  command.text = category;
  command.value = status;
  commands_.push_back(std::move(command));
}

Result<ChatRoom::Answer> ChatRoom::say(const std::string& user_id, const std::string& text,
                                       const std::string& locale) {
  SupportInput input;
  input.step = agent_.steps() + 1;
  input.at_ms = now_ms_;
  input.incidents = std::exchange(incidents_, {});
  input.actions = std::exchange(actions_, {});
  input.commands = std::exchange(commands_, {});
  input.entropy = sha256_hex(std::to_string(said_));
  const std::string id = "m-" + std::to_string(++said_);
  support_agent::ChatMessage message;
  message.message_id = id;
  message.user_id = user_id;
  message.text = text;
  message.locale = locale;
  message.ts_ms = now_ms_;
  input.messages.push_back({.message = message, .customer = customer_, .verified = verified_});
  auto taken = agent_.step(std::move(input));
  if (!taken) return tl::make_unexpected(taken.error());
  if (agent_.replies().empty()) return fail(ErrorCode::internal, "no reply");
  Answer answer;
  answer.reply = agent_.replies().front();
  answer.output = std::move(taken->output);
  if (const auto* session = agent_.session(answer.reply.session_id)) answer.session = *session;
  const auto ticket = agent_.tickets().find(answer.reply.ticket_id);
  if (ticket != agent_.tickets().end()) answer.changed.push_back(ticket->second);
  constexpr std::string_view kBefore = "one-time code is ";
  for (const auto& notification : agent_.notifications()) {
    const std::size_t at = notification.text.find(kBefore);
    if (at != std::string::npos) answer.code = notification.text.substr(at + kBefore.size(), 6);
  }
  return answer;
}

}  // namespace payops::app
