// The operator console's server: pages and commands by HTTP, what is known by WebSocket
// (docs/console-protocol.md). Its threads are its own; with the agent it shares a feed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "payops/api/config.h"
#include "payops/api/feed.h"
#include "payops/api/hub.h"
#include "payops/api/past.h"
#include "payops/api/simulator.h"
#include "payops/core/result.h"
#include "payops/model/decision.h"

namespace payops::api {

// Where a person's signed verdict goes so that the agent reads it: payops.approvals.
class VerdictSink {
 public:
  virtual ~VerdictSink() = default;
  // Any thread, one at a time. Errors: unavailable.
  [[nodiscard]] virtual Status send(const Verdict& verdict) = 0;
};

struct ConsoleSpec {
  ConsoleConfig config;
  Simulator* simulator = nullptr;  // of a demo; outlives the console
  Past* past = nullptr;            // the audit log, if there is one to ask; outlives the console
  std::string signing_key_hex;     // secret; the agent trusts its public half
  std::string token_key;           // at least 32 bytes; empty: a random one, good while this runs
  int64_t answer_wait_ms = 5000;   // how long a command waits for the agent's answer
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  std::function<void(HubOptions&)> adjust_hub = [](HubOptions&) {};  // for tests
};

// What the agent is taken to be when nothing has been heard of it for so long.
inline constexpr int64_t kStaleAfterMs = 5000;

class Console {
 public:
  // Serves when it returns. The feed and the sink outlive it. Errors: config for users, keys and
  // addresses; unavailable, naming the port, when one is taken.
  [[nodiscard]] static Result<std::unique_ptr<Console>> start(ConsoleSpec spec, Feed& feed,
                                                              VerdictSink& verdicts);
  ~Console();
  [[nodiscard]] uint16_t http_port() const;
  [[nodiscard]] uint16_t ws_port() const;
  [[nodiscard]] std::string address() const;  // "http://localhost:8080"
  [[nodiscard]] HubCounts hub() const;

  struct Impl;
  explicit Console(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::api
