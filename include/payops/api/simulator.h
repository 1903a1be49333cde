// The world behind a demo, where there is one: what is true in it, to be seen beside what the agent
// believes, and ways to disturb it.
#pragma once

#include <string>

#include "payops/core/result.h"

namespace payops::api {

// Any thread. Texts are JSON, as docs/console-protocol.md has them.
class Simulator {
 public:
  virtual ~Simulator() = default;
  [[nodiscard]] virtual std::string state() = 0;
  // {"fault":{…}}, {"rate_tps":N} or {"speed":N}. Taken up at the world's next turn. Errors: usage
  // for what is none of these, or out of range; config for a fault that this world cannot have.
  [[nodiscard]] virtual Status command(const std::string& json) = 0;
};

}  // namespace payops::api
