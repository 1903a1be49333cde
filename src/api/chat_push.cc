#include "chat_push.h"

#include <iterator>
#include <utility>

#include "payops/core/clock.h"
#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

constexpr int kTickMs = 25;
constexpr int kHeartbeatMs = 10'000;  // a page that hears none for two of them connects anew
constexpr std::size_t kClientsMax = 1024;
constexpr std::size_t kTypingMax = 1024;  // the oldest goes

}  // namespace

Status ChatPush::open(const SupportServerSpec& spec, std::vector<std::string> origins) {
  HubOptions options;
  options.bind = spec.bind;
  options.port = static_cast<uint16_t>(spec.ws_port);
  options.origins = std::move(origins);
  options.clients_max = kClientsMax;
  options.tick_ms = kTickMs;
  options.heartbeat_ms = kHeartbeatMs;
  HubSource source;
  source.admit = [this](const std::string& ticket) -> HubSource::Guest {
    auto who = tickets_.use(ticket, SystemClock().now_ms());
    if (!who) return {};
    std::string name = who->user;
    return {.still_welcome = [this, who = std::move(*who)] { return still_(who); },
            .name = std::move(name)};
  };
  source.hello = [] { return std::string(); };
  // Who comes, or has missed something, reads the conversation.
  source.snapshot = [] { return std::string(R"({"kind":"look"})"); };
  source.delta = [] { return std::string(); };
  source.heartbeat = [] { return std::string(R"({"kind":"heartbeat"})"); };
  source.addressed = [this] { return take(); };
  std::string error;
  hub_ = Hub::start(std::move(options), std::move(source), error);
  if (hub_ == nullptr) return fail(ErrorCode::unavailable, error);
  return {};
}

std::string ChatPush::ticket(const Identity& who) {
  return tickets_.issue(who, SystemClock().now_ms());
}

void ChatPush::types(const std::string& user, const std::string& session_id,
                     const std::string& who) {
  if (hub_ == nullptr) return;
  const std::lock_guard lock(lock_);
  if (typing_.size() >= kTypingMax) typing_.pop_front();
  typing_.push_back(
      {user, dump(Json{{"kind", "typing"}, {"session_id", session_id}, {"who", who}})});
}

std::vector<Addressed> ChatPush::take() {
  std::vector<Addressed> taken;
  {
    const std::lock_guard lock(lock_);
    taken.assign(std::make_move_iterator(typing_.begin()), std::make_move_iterator(typing_.end()));
    typing_.clear();
  }
  for (const support_agent::ChatReply& reply : backend_.take_replies()) {
    taken.push_back({reply.user_id, dump(Json{{"kind", "reply"}, {"reply", to_json(reply)}})});
  }
  return taken;
}

}  // namespace payops::api
