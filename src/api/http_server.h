// An HTTP server as all of ours are: cpp-httplib's routes and handlers behind a front of our own
// (hub/front.h), the same limits, and errors in JSON. Internal to api.
#pragma once

#include <httplib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "commands.h"
#include "hub/front.h"
#include "payops/core/result.h"

namespace payops::api {

inline constexpr std::size_t kBodyBytesMax = 64U << 10;

void give(httplib::Response& res, const Reply& reply);

// Open it, set its routes, then let it serve. Handlers run in several threads at a time.
class HttpServer final : public httplib::Server {
 public:
  HttpServer();
  // Has its port when it returns, and lets wait who comes. Errors: unavailable, in the system's
  // words; config for a certificate that cannot be used.
  [[nodiscard]] Status open(FrontOptions options);
  void serve();
  void close();  // requests that are being answered are waited for
  [[nodiscard]] uint16_t port() const { return front_->port(); }
  [[nodiscard]] FrontCounts counts() const { return front_ ? front_->counts() : FrontCounts{}; }

 private:
  FrontAnswer answer(const FrontRequest& request);
  std::unique_ptr<Front> front_;
};

}  // namespace payops::api
