// config/support.yaml: everything the support process is told, in one file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/simulators/continuous_stream.h"
#include "payops/streaming/config.h"
#include "payops/support_agent/support_config.h"

namespace payops::app {

struct SupportProcessConfig {
  std::string state_dir = ".payops_support";
  std::string audit_dir = "audit_logs/support";
  std::string articles = "config/support/faq";     // looked at again every few seconds
  std::string intents = "config/support/intents";  // what the model is made of
  std::string model;                               // a trained one instead
  std::string model_dir;                           // where the model is kept; empty: state_dir
  std::string topology = "config/topology.yaml";   // read into agent.topology, as the agent's
  std::string customers;                           // YAML of customers known beforehand, or nothing
  bool follow_payments = true;  // remembers each customer's last payments from the stream
  static constexpr auto fields() {
    using C = SupportProcessConfig;
    return std::make_tuple(field("state_dir", &C::state_dir), field("audit_dir", &C::audit_dir),
                           field("articles", &C::articles), field("intents", &C::intents),
                           field("model", &C::model), field("model_dir", &C::model_dir),
                           field("topology", &C::topology), field("customers", &C::customers),
                           field("follow_payments", &C::follow_payments));
  }
};

struct SupportHttpConfig {
  bool enabled = true;
  std::string bind = "127.0.0.1";
  int32_t port = 8081;     // 0: any free one
  int32_t ws_port = 8766;  // of the page's WebSocket, likewise; where it is taken the page polls
  // Origins that browsers may open the WebSocket from; empty: this machine's names at `port`.
  std::vector<std::string> origins;
  std::string users_file = ".payops_users.json";  // the console's
  int32_t token_s = 900;
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    using C = SupportHttpConfig;
    return std::make_tuple(field("enabled", &C::enabled), field("bind", &C::bind),
                           field("port", &C::port), field("ws_port", &C::ws_port),
                           field("origins", &C::origins), field("users_file", &C::users_file),
                           field("token_s", &C::token_s));
  }
};

struct SupportAppConfig {
  SupportProcessConfig process;
  streaming::StreamingConfig streaming;
  support_agent::SupportConfig agent;
  SupportHttpConfig http;
  simulators::StreamLogging logging;
  static constexpr auto fields() {
    using C = SupportAppConfig;
    return std::make_tuple(field("process", &C::process), field("streaming", &C::streaming),
                           field("agent", &C::agent), field("http", &C::http),
                           field("logging", &C::logging));
  }
};

// The file, as given or as it comes with payops; its folders likewise. Errors: not_found; config,
// with file, line and key.
[[nodiscard]] Result<SupportAppConfig> load_support_config(const std::string& file);

}  // namespace payops::app
