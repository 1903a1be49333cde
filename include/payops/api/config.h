// The operator console as config/agent.yaml tells of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::api {

struct ConsoleConfig {
  bool enabled = true;
  std::string bind = "127.0.0.1";
  int32_t http_port = 8080;  // 0: any free one
  int32_t ws_port = 8765;    // likewise
  // Origins that browsers may open the WebSocket from; empty: this machine's names at http_port.
  std::vector<std::string> origins;
  std::string tls_cert;  // PEM files of a certificate chain and its key: HTTPS and WSS
  std::string tls_key;
  std::string users_file = ".payops_users.json";  // made by `payops users add`
  int32_t clients_max = 256;                      // WebSockets at once
  int32_t cells_max = 4000;                       // series shown at most, those with most attempts
  int32_t series_max = 500;                       // of which a day's values are kept, 170 kB each
  int32_t token_s = 900;                          // how long a sign-in lasts
  [[nodiscard]] Status validate() const;
  static constexpr auto fields() {
    using C = ConsoleConfig;
    return std::make_tuple(field("enabled", &C::enabled), field("bind", &C::bind),
                           field("http_port", &C::http_port), field("ws_port", &C::ws_port),
                           field("origins", &C::origins), field("tls_cert", &C::tls_cert),
                           field("tls_key", &C::tls_key), field("users_file", &C::users_file),
                           field("clients_max", &C::clients_max), field("cells_max", &C::cells_max),
                           field("series_max", &C::series_max), field("token_s", &C::token_s));
  }
};

}  // namespace payops::api
