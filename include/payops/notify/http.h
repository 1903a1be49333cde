// One HTTP request, by libcurl: TLS is checked against the system's certificates, redirects are not
// followed, answers are bounded. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/notify/message.h"

namespace payops::notify {

struct HttpRequest {
  std::string method = "GET";          // or POST
  std::string url{};                   // http:// or https://
  std::vector<std::string> headers{};  // "Name: value"
  std::string body{};                  // of a POST
  int64_t timeout_ms = 15'000;
  std::size_t answer_bytes_max = 1U << 20;
};

struct HttpAnswer {
  int status = 0;
  std::string body{};
  int64_t retry_after_ms = 0;  // the header of that name, in its form of seconds
};

// Errors: unavailable, retryable, when there is no answer; limit for one that is too long; usage.
[[nodiscard]] Result<HttpAnswer> http(const HttpRequest& request);

// What an answer to a delivery means: 2xx delivered; 408, 425, 429 and 5xx retry; all else refused.
// `what` names the other side in the sentence that says why, and must hold no secret.
[[nodiscard]] Delivery judge(const Result<HttpAnswer>& answer, const std::string& what);

}  // namespace payops::notify
