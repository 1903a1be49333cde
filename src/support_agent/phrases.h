// What several agents say and ask for. Private to the module.
#pragma once

#include <string>

#include "payops/support_agent/chat_node.h"

namespace payops::support_agent {

// "charged twice" of "charged_twice".
[[nodiscard]] std::string in_words(std::string_view intent);

// A ticket for what the customer says, not numbered yet.
[[nodiscard]] Ticket new_ticket(const Turn& turn, std::string_view category);

// Asks for the one-time code before anything personal; goes on with `intent` when it is right. A
// customer without an address goes to a person.
[[nodiscard]] Contribution ask_for_code(const Turn& turn, std::string_view intent);

// An open ticket of this customer in the category, or null.
[[nodiscard]] const Ticket* open_ticket(const Turn& turn, std::string_view category);

}  // namespace payops::support_agent
