// A support agent without Kafka, disk or clock: for stories, evaluation and a look from the
// terminal. The same reducer and graph as live; time moves when told to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "payops/support_agent/support_agent.h"

namespace payops::app {

class ChatRoom {
 public:
  // Errors: config.
  [[nodiscard]] static Result<std::unique_ptr<ChatRoom>> open(
      const support_agent::Knowledge& knowledge, const support_agent::SupportConfig& config,
      std::vector<support_agent::FaqArticle> articles, int64_t now_ms,
      support_agent::SupportAgent::Extend extend = [](support_agent::ChatNodes&) {});

  void pass_ms(int64_t ms) { now_ms_ += ms; }
  [[nodiscard]] int64_t now_ms() const { return now_ms_; }
  void set_incidents(std::vector<Incident> incidents,
                     std::vector<std::pair<std::string, std::string>> actions);
  // What is known of the customers who write from now on.
  void set_customer(support_agent::CustomerView customer, bool verified);

  // A ticket that was there before.
  void open_ticket(const std::string& id, const std::string& user_id, const std::string& category,
                   const std::string& status);

  struct Answer {
    support_agent::ChatReply reply;
    support_agent::Session session;              // after it
    std::vector<support_agent::Ticket> changed;  // the reply's own
    std::string code;                            // a one-time code sent in this turn
    StepOutput output;
  };
  [[nodiscard]] Result<Answer> say(const std::string& user_id, const std::string& text,
                                   const std::string& locale = "en-IN");

  [[nodiscard]] support_agent::SupportAgent& agent() { return agent_; }

 private:
  explicit ChatRoom(support_agent::SupportAgent::Extend extend)
      : agent_(vault_, std::move(extend)) {}

  support_agent::DerivedVault vault_;
  support_agent::SupportAgent agent_;
  support_agent::CustomerView customer_;
  bool verified_ = false;
  int64_t now_ms_ = 0;
  uint64_t said_ = 0;
  std::vector<Incident> incidents_;
  std::vector<support_agent::DeskCommand> commands_;
  std::vector<std::pair<std::string, std::string>> actions_;
};

}  // namespace payops::app
