// A conversation as the agent remembers it between two messages: who, what was said last, and what
// it is waiting for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"

namespace payops::support_agent {

inline constexpr std::size_t kRemembered = 6;  // exchanges kept for context

struct Exchange {
  std::string text;  // the customer's, masked
  std::string intent;
  std::string agent;
  std::string article;  // cited first, or empty
  static constexpr auto fields() {
    return std::make_tuple(field("text", &Exchange::text), field("intent", &Exchange::intent),
                           field("agent", &Exchange::agent), field("article", &Exchange::article));
  }
};

// What the customer's next message may be an answer to.
//   ticket_detail  more for the ticket just opened       code     the one-time code of the step-up
//   choose         which of the articles offered         person   whether a person shall take over
enum class Awaiting : uint8_t { nothing, ticket_detail, code, choose, person };

struct Pending {
  Awaiting what = Awaiting::nothing;
  std::string intent;                // whose flow it is
  std::string question;              // to be asked again after a digression
  std::string text;                  // the message that began it
  std::vector<std::string> choices;  // article ids
  int32_t asked = 0;                 // times
  static constexpr auto fields() {
    return std::make_tuple(field("what", &Pending::what), field("intent", &Pending::intent),
                           field("question", &Pending::question), field("text", &Pending::text),
                           field("choices", &Pending::choices), field("asked", &Pending::asked));
  }
};

struct Session {
  std::string id;
  std::string user_id;
  std::string channel;
  int64_t started_ts = 0;
  int64_t last_ts = 0;
  int64_t verified_until_ms = 0;  // step-up check passed
  std::string code_hash;          // SHA-256 of session id and the one-time code sent
  int64_t code_until_ms = 0;
  int32_t code_tries = 0;
  int32_t failures = 0;  // messages in a row that were not understood
  bool with_person = false;
  std::string handover;     // why, while it is with a person or waits for one
  int64_t handover_ts = 0;  // since when no person has written yet; 0: one has, or need not
  std::string ticket_id;    // the latest
  std::string article;      // cited last
  std::string last_reply;   // id of the latest reply
  Pending pending;
  std::vector<Exchange> recent;  // the oldest first
  static constexpr auto fields() {
    using S = Session;
    return std::make_tuple(
        field("id", &S::id), field("user_id", &S::user_id), field("channel", &S::channel),
        field("started_ts", &S::started_ts), field("last_ts", &S::last_ts),
        field("verified_until_ms", &S::verified_until_ms), field("code_hash", &S::code_hash),
        field("code_until_ms", &S::code_until_ms), field("code_tries", &S::code_tries),
        field("failures", &S::failures), field("with_person", &S::with_person),
        field("handover", &S::handover), field("handover_ts", &S::handover_ts),
        field("ticket_id", &S::ticket_id), field("article", &S::article),
        field("last_reply", &S::last_reply), field("pending", &S::pending),
        field("recent", &S::recent));
  }
};

}  // namespace payops::support_agent

namespace payops {
template <>
inline constexpr EnumNames<5> enum_names<support_agent::Awaiting>{"nothing", "ticket_detail",
                                                                  "code", "choose", "person"};
}  // namespace payops
