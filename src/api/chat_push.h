// What the chat page's WebSocket says to each customer: that somebody writes to them, and what was
// written. The page reads the rest, and sends, over HTTP. Internal to api. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "payops/api/access.h"
#include "payops/api/hub.h"
#include "payops/api/support_server.h"

namespace payops::api {

class ChatPush {
 public:
  // `still`: whether they may still sign in as who they are.
  ChatPush(SupportBackend& backend, std::function<bool(const Identity&)> still)
      : backend_(backend), still_(std::move(still)) {}
  // Listens when it returns. Errors: unavailable, naming the port.
  [[nodiscard]] Status open(const SupportServerSpec& spec, std::vector<std::string> origins);
  // 0: it is not open.
  [[nodiscard]] uint16_t port() const { return hub_ == nullptr ? 0 : hub_->port(); }
  // Lets one WebSocket of this user in.
  [[nodiscard]] std::string ticket(const Identity& who);
  // `who` is "agent" or "person".
  void types(const std::string& user, const std::string& session_id, const std::string& who);

 private:
  [[nodiscard]] std::vector<Addressed> take();

  SupportBackend& backend_;
  std::function<bool(const Identity&)> still_;
  Tickets tickets_;
  std::mutex lock_;
  std::deque<Addressed> typing_;
  std::unique_ptr<Hub> hub_;  // the last: its thread uses the others
};

}  // namespace payops::api
