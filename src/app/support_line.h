// Where other threads meet the support agent's: what they ask waits here, bounded, until the
// agent's thread takes it up and answers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "payops/api/support_server.h"

namespace payops::app {

class SupportLine final : public api::SupportBackend {
 public:
  explicit SupportLine(std::size_t waiting_max = 4096, int64_t patience_ms = 10'000)
      : waiting_max_(waiting_max), patience_ms_(patience_ms) {}

  // Any thread.
  [[nodiscard]] Result<support_agent::ChatReply> say(support_agent::ChatMessage message) override;
  [[nodiscard]] Status act(support_agent::DeskCommand command) override;
  [[nodiscard]] Result<std::string> read(const std::string& what, const std::string& id) override;
  [[nodiscard]] std::vector<support_agent::ChatReply> take_replies() override;

  // The agent's thread. At most `most` messages; an erasure comes alone, after the rest.
  struct Work {
    std::vector<support_agent::ChatMessage> messages;
    std::vector<support_agent::DeskCommand> commands;
  };
  [[nodiscard]] Work take(std::size_t most);
  [[nodiscard]] bool waiting() const;
  // Waits until something is there, at most so long.
  void await(int64_t timeout_ms) const;
  using Reader = std::function<Result<std::string>(const std::string& what, const std::string& id)>;
  void answer_reads(const Reader& reader);
  void answer(const support_agent::ChatReply& reply);
  void refuse(const std::string& message_id, const Error& error);
  void answer(const support_agent::CommandResult& result);
  // Nobody answers any more.
  void close();

 private:
  struct Call {
    std::string id;
    std::optional<support_agent::ChatMessage> message;
    std::optional<support_agent::DeskCommand> command;
    std::string what, of;  // a read
    bool taken = false, done = false;
    Result<support_agent::ChatReply> reply = fail(ErrorCode::internal, "");
    Result<std::string> text = fail(ErrorCode::internal, "");
  };
  using Handle = std::shared_ptr<Call>;
  [[nodiscard]] Status await_answer(const Handle& call);
  void finish(const Handle& call);

  std::size_t waiting_max_;
  int64_t patience_ms_;
  mutable std::mutex lock_;
  mutable std::condition_variable arrived_;
  std::condition_variable done_;
  std::deque<Handle> waiting_;
  std::multimap<std::string, Handle> under_way_;  // by message or command id
  std::deque<support_agent::ChatReply> told_;     // not taken yet
  bool closed_ = false;
};

}  // namespace payops::app
