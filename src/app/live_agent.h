// The payments agent as a process on Kafka: lease, state, input, cycles, and what it does when one
// of them is in trouble.
//
// A term begins when the lease is gained: state is opened and rebuilt from the last commit, reading
// goes on at its cursors. It ends with the lease, with a stop, or with the input's end; what is not
// committed is dropped. Nothing is lost by that: it is read again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "app_config.h"
#include "payops/api/feed.h"
#include "payops/core/result.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/runtime/step.h"

namespace payops::app {

struct LiveAgentSpec {
  AppConfig config;
  bool until_end = false;  // stop at the ends of the input as found at the start
  std::function<bool()> stop = [] { return false; };
  std::function<void(const payments_agent::CycleReport&)> on_cycle =
      [](const payments_agent::CycleReport&) {};
  std::function<void(const OutboxEntry&)> on_published = [](const OutboxEntry&) {};
  // Where a console is told of everything, and the key that its people's verdicts are signed with.
  api::Feed* feed = nullptr;
  std::string console_key_hex;
  // One line of what is going on: waiting for the lease, trouble, recovery.
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  std::function<void(const std::string&)> on_trouble = [](const std::string&) {};
};

struct LiveAgentResult {
  payments_agent::Totals since_start;  // counted by this process
  payments_agent::Totals total;        // since the state began
  uint64_t step = 0;                   // the last committed one
};

// Runs until told to stop or, with until_end, until the input is read. Blocks. Errors: config;
// unavailable when Kafka cannot be reached within connect_timeout_s at the start; corrupt or limit
// when the state cannot be used.
[[nodiscard]] Result<LiveAgentResult> run_live_agent(const LiveAgentSpec& spec);

}  // namespace payops::app
