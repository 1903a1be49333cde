// The console beside the agent: one object that a live agent's callbacks feed and that serves.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app_config.h"
#include "payops/api/console.h"
#include "payops/api/feed.h"
#include "payops/core/result.h"

namespace payops::app {

class ConsoleProcess {
 public:
  // `simulator`: of a demo, else null; outlives this. Makes the console's signing key in the state
  // directory on first use, and serves. Errors: as Console::start(); unavailable when the state
  // directory cannot be written.
  [[nodiscard]] static Result<std::unique_ptr<ConsoleProcess>> start(
      const AppConfig& config, api::Simulator* simulator,
      std::function<void(const std::string&)> on_note);
  ~ConsoleProcess();

  [[nodiscard]] api::Feed& feed();
  // Whose verdicts this agent alone counts, beside those of agent.operator_keys.
  [[nodiscard]] const std::string& public_key_hex() const;
  [[nodiscard]] std::string address() const;

 private:
  struct Impl;
  explicit ConsoleProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::app
