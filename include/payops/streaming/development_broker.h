// A Kafka broker inside the process, for demos and tests without Java: librdkafka's mock cluster
// with every topic of payops created. Clients in this and other processes of this machine reach it
// by its loopback port. It is no Kafka: say notice() where it starts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "payops/streaming/config.h"

namespace payops::streaming {

class DevelopmentBroker {
 public:
  // Topics get the config's prefix, names and partitions; its bootstrap is ignored. Errors:
  // unavailable when no port can be had.
  [[nodiscard]] static Result<std::unique_ptr<DevelopmentBroker>> start(
      const StreamingConfig& config = {});
  ~DevelopmentBroker();

  [[nodiscard]] const std::string& bootstrap() const;  // "127.0.0.1:port"
  // What it does not promise, in a few lines for the terminal.
  [[nodiscard]] static std::string_view notice();

  // Drops every connection and takes none until it is called with true: for tests.
  void set_reachable(bool reachable);

 private:
  struct Impl;
  explicit DevelopmentBroker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
