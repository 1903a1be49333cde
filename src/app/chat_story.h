// Conversations as tests: YAML stories, played against a ChatRoom and held to what they expect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/support_agent/support_agent.h"

namespace payops::app {

struct StoryIncident {
  std::string issuer = "*", method = "*", gateway = "*";
  std::optional<int64_t> since_ms;
  std::string since;  // "14:02", local time of the story's day
  bool routed = false;
  std::string pattern = "issuer_outage";
};

struct StoryPayment {
  support_agent::KnownPayment payment;
  int64_t ago_s = 600;
};

struct StoryTicket {
  std::string id, user, category, status = "OPEN";
};

struct StoryGiven {
  std::string user = "u-story";
  bool verified = false;
  support_agent::CustomerView customer;
  std::vector<StoryIncident> incidents;
  std::vector<StoryPayment> payments;
  std::vector<StoryTicket> tickets;
};

struct StoryReply {
  std::vector<std::string> contains, not_contains;
  std::string matches;
};

// Any of these is right; empty: not looked at.
using AnyOf = std::vector<std::string>;

struct StoryExpectation {
  AnyOf intent_class, intent, agent, outcome;
  StoryReply reply;
  std::optional<std::vector<std::string>> citations;
  bool has_ticket = false, no_ticket = false;
  AnyOf ticket_category, ticket_status, ticket_priority;
  AnyOf handover;  // "true", "false" or a reason
};

struct StoryTurn {
  std::string user;
  std::string locale = "en-IN";
  int64_t after_s = 5;
  int line = 0;
  StoryExpectation expect;
};

struct ChatStory {
  std::string name;
  std::string file;
  StoryGiven given;
  std::vector<StoryTurn> turns;
};

// Errors: config, with file, line and key.
[[nodiscard]] Result<ChatStory> parse_chat_story(const std::string& text, const std::string& file);
// Every *.yaml below the folder, or the one file. Errors: not_found; as above.
[[nodiscard]] Result<std::vector<ChatStory>> read_chat_stories(const std::string& path);

// What did not go as told: "file:line: said …; expected …". Empty: all did.
struct StoryResult {
  std::vector<std::string> failures;
};
[[nodiscard]] Result<StoryResult> play(const ChatStory& story,
                                       const support_agent::Knowledge& knowledge,
                                       const support_agent::SupportConfig& config,
                                       const std::vector<support_agent::FaqArticle>& articles);

}  // namespace payops::app
