// What a message shows without any model: names, amounts, mood, yes and no, other languages,
// attempts to get at what is not theirs. Private to the module; pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "payops/support_agent/chat_node.h"

namespace payops::support_agent {

struct Clues {
  Entities entities;
  double sentiment = 0.0;
  bool abusive = false;
  bool cancels = false;
  bool corrects = false;
  bool yes = false, no = false;
  bool begins_as_follow_up = false;
  bool foreign = false;
  bool others_data = false;
  bool steers = false;  // tries to give the agent instructions
  bool thanks = false, greets = false;
  bool small_talk_only = false;  // nothing but that
  bool asks = false, how_to = false;
  std::size_t words = 0;
};

[[nodiscard]] Clues clues_of(std::string_view text, const SupportConfig& config);

// A whole phrase, word for word, in a message cut into words.
[[nodiscard]] bool has_phrase(const std::vector<std::string>& words, std::string_view phrase);

}  // namespace payops::support_agent
