// The state as a stream of numbered messages, for the hub and for whoever asks by HTTP. Internal to
// api. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "payops/api/console_state.h"
#include "payops/api/feed.h"

namespace payops::api {

class Stream {
 public:
  Stream(const Feed& feed, std::string epoch);
  [[nodiscard]] std::string hello() const;
  [[nodiscard]] std::string snapshot();
  // What is new since the last call; empty when nothing is.
  [[nodiscard]] std::string delta();
  [[nodiscard]] std::string heartbeat();

 private:
  const Feed& feed_;
  const std::string epoch_;
  std::mutex lock_;
  std::shared_ptr<const Knowledge> known_;  // what state_ is of
  ConsoleState state_;
  uint64_t seq_ = 1;
};

}  // namespace payops::api
