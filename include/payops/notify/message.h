// What is said to people, and the port that every way of saying it has.
//
//   Delivery d = channel.deliver(message);
//   d.result == retry    the same message may be handed over again later, with the same id
#pragma once

#include <cstdint>
#include <string>

#include "payops/core/fields.h"

namespace payops::notify {

struct Message {
  std::string id{};        // the same whenever the same message is sent again; letters, digits, - _
  int64_t created_ms = 0;  // wall clock; never changes with a repeat
  std::string to{};        // one recipient; empty: whoever the channel is configured for
  std::string thread{};    // messages about one thing share it; may be empty
  std::string subject{};   // one line
  std::string text{};      // plain, lines end in \n
  std::string data{};      // the same for programs: a JSON document, or empty
  bool operator==(const Message&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("id", &Message::id), field("created_ms", &Message::created_ms),
                           field("to", &Message::to), field("thread", &Message::thread),
                           field("subject", &Message::subject), field("text", &Message::text),
                           field("data", &Message::data));
  }
};

enum class DeliveryResult : uint8_t {
  delivered,
  retry,   // nothing is wrong with the message: the other side is away, busy or broken
  refused  // the other side will never take it: what is configured, or the message, is wrong
};

struct Delivery {
  DeliveryResult result = DeliveryResult::delivered;
  std::string why{};           // in a sentence, unless delivered; holds no secret
  int64_t retry_after_ms = 0;  // the other side asks for at least so long a pause
  std::string receipt{};       // what the other side calls the message, where it says so
};

// A way to reach people: a webhook, a mail server, a chat service. One thread.
class Channel {
 public:
  virtual ~Channel() = default;
  // Hands the message over. Blocks for the channel's timeout at most.
  [[nodiscard]] virtual Delivery deliver(const Message& message) = 0;
};

}  // namespace payops::notify

template <>
inline constexpr payops::EnumNames<3> payops::enum_names<payops::notify::DeliveryResult>{
    "delivered", "retry", "refused"};
