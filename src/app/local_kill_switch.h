// The kill switch outside Kafka: a file that exists, or a signal. One thread.
#pragma once

#include <unistd.h>

#include <string>

#include "terminal.h"

namespace payops::app {

// Outlives a term of the lease.
class LocalKillSwitch {
 public:
  explicit LocalKillSwitch(std::string file) : file_(std::move(file)) {}
  bool on() {
    if (const int request = Signals::take_kill_request(); request >= 0) by_signal_ = request == 1;
    return by_signal_ || access(file_.c_str(), F_OK) == 0;
  }
  // Who threw it, while it is on.
  [[nodiscard]] std::string by() const { return by_signal_ ? "a signal" : "the file " + file_; }

 private:
  std::string file_;
  bool by_signal_ = false;
};

}  // namespace payops::app
