// Whether a message is what was asked for to complete a ticket. Private to the module.
#pragma once

#include "payops/support_agent/chat_node.h"

namespace payops::support_agent {

inline constexpr std::size_t kDetailBytesMax = 60;

// "The order was Rs 2,040 at Lakeside Books": an amount, in few words, and no question. A longer
// message, or one that says "also", may be another matter.
[[nodiscard]] inline bool gives_detail(const Turn& turn) {
  const Understanding& u = turn.understanding;
  const std::string& text = turn.message->text;
  return turn.session->pending.what == Awaiting::ticket_detail && u.entities.amount_minor &&
         !u.asks && !u.main.intent.to_person && text.size() <= kDetailBytesMax &&
         !text.starts_with("also") && !text.starts_with("Also");
}

}  // namespace payops::support_agent
