// The support agent beside another part of the program, in threads of its own: for the demo, and
// for whoever wants both agents in one process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "payops/core/result.h"
#include "support_app_config.h"

namespace payops::app {

class SupportProcess {
 public:
  // Serves when it returns; until begin() and the agent's own start calls wait. Errors: as
  // SupportServer::start().
  [[nodiscard]] static Result<std::unique_ptr<SupportProcess>> start(
      SupportAppConfig config, std::function<void(const std::string&)> on_note,
      std::function<void(const std::string&)> on_trouble);
  ~SupportProcess();  // stops both
  // Starts the agent, once, with what is left of the processor: payments come first.
  void begin();
  [[nodiscard]] std::string address() const;

 private:
  struct Impl;
  explicit SupportProcess(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::app
