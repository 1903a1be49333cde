// The support agent as a process on Kafka: chat.inbound to chat.outbound, incidents from
// payops.alerts, complaints to support.signals; the same step protocol, state and audit log as the
// payments agent's, under a lease of its own.
#pragma once

#include <functional>
#include <string>

#include "payops/core/result.h"
#include "payops/support_agent/support_agent.h"
#include "support_app_config.h"
#include "support_line.h"

namespace payops::app {

struct LiveSupportSpec {
  SupportAppConfig config;
  bool until_end = false;       // stop at the ends of the input as found at the start
  SupportLine* line = nullptr;  // other ways in than Kafka
  std::function<bool()> stop = [] { return false; };
  std::function<void(const support_agent::ChatReply&)> on_reply =
      [](const support_agent::ChatReply&) {};
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  std::function<void(const std::string&)> on_trouble = [](const std::string&) {};
};

struct LiveSupportResult {
  uint64_t step = 0;
  int64_t replies = 0;  // of this process
  std::map<std::string, int64_t> counts;
};

// Runs until told to stop or, with until_end, until the input is read. Blocks. Errors: as
// run_live_agent().
[[nodiscard]] Result<LiveSupportResult> run_live_support(const LiveSupportSpec& spec);

}  // namespace payops::app
