// Customers who write to chat.inbound: those whose payment has just failed about that, others about
// anything.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "payops/core/result.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct ChatCrowdSpec {
  streaming::StreamingConfig streaming;
  std::string intents;        // the folder whose examples are what they write
  double rate = 1.0;          // messages a second about anything
  double failed_share = 0.3;  // of the failed attempts that pass by: written about
  double duration_s = 0.0;    // 0: until told to stop
  uint64_t seed = 1;
  std::function<bool()> stop = [] { return false; };
};

// Writes until it is over, and gives how many messages. Failed attempts are those of
// payments.transactions from now on. Errors: as the folder's; unavailable when Kafka is.
[[nodiscard]] Result<uint64_t> run_chat_crowd(const ChatCrowdSpec& spec);

}  // namespace payops::app
