// The support agent over HTTP: chats, tickets, the desk, figures, and a page to chat on. Its
// threads are its own; with the agent it shares a backend.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/support_agent/support_agent.h"

namespace payops::api {

// The agent's process as the server sees it. Any thread; every call waits for the agent's own.
class SupportBackend {
 public:
  virtual ~SupportBackend() = default;
  // The reply, once it is committed. Errors: unavailable, retryable: too much waits, or nothing
  // came in time; usage for a message that cannot be; refused for an id that is taken.
  [[nodiscard]] virtual Result<support_agent::ChatReply> say(
      support_agent::ChatMessage message) = 0;
  // Errors: as above; not_found and usage, in the agent's words.
  [[nodiscard]] virtual Status act(support_agent::DeskCommand command) = 0;
  // JSON. `what` is session, ticket, tickets, user, queue, figures, ready or metrics (text).
  // Errors: not_found.
  [[nodiscard]] virtual Result<std::string> read(const std::string& what,
                                                 const std::string& id) = 0;
  // The replies committed since the last call, a person's and those over Kafka too; of many the
  // newest.
  [[nodiscard]] virtual std::vector<support_agent::ChatReply> take_replies() = 0;
};

struct SupportServerSpec {
  std::string bind = "127.0.0.1";
  int32_t port = 8081;     // 0: any free one
  int32_t ws_port = 8766;  // of the page's WebSocket, likewise; where it is taken the page polls
  std::vector<std::string> origins;  // that may open it; empty: this machine's names at `port`
  std::string users_file;
  int64_t token_s = 900;
  std::string token_key;  // at least 32 bytes; empty: a random one, good while this runs
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
};

class SupportServer {
 public:
  // Serves when it returns. The backend outlives it. Errors: config; unavailable, naming the port.
  [[nodiscard]] static Result<std::unique_ptr<SupportServer>> start(SupportServerSpec spec,
                                                                    SupportBackend& backend);
  ~SupportServer();
  [[nodiscard]] uint16_t port() const;
  [[nodiscard]] std::string address() const;

  struct Impl;
  explicit SupportServer(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::api
