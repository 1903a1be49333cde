#include "payops/notify/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "curl.h"

namespace payops::notify {
namespace {

constexpr int64_t kRetryAfterMaxS = 86'400;

struct Receiving {
  HttpAnswer answer;
  std::size_t bytes_max = 0;
};

std::size_t take_body(const char* bytes, std::size_t, std::size_t count, void* into) {
  auto& receiving = *static_cast<Receiving*>(into);
  if (receiving.answer.body.size() + count > receiving.bytes_max) return 0;
  receiving.answer.body.append(bytes, count);
  return count;
}

std::size_t take_header(const char* bytes, std::size_t, std::size_t count, void* into) {
  constexpr std::string_view kName = "retry-after:";
  const std::string_view line(bytes, count);
  const bool named = line.size() > kName.size() &&
                     std::equal(kName.begin(), kName.end(), line.begin(), [](char want, char c) {
                       return want == std::tolower(static_cast<unsigned char>(c));
                     });
  if (named) {
    const std::size_t at = line.find_first_of("0123456789", kName.size());
    int64_t seconds = 0;
    if (at != std::string_view::npos &&
        std::from_chars(line.data() + at, line.data() + line.size(), seconds).ec == std::errc()) {
      static_cast<Receiving*>(into)->answer.retry_after_ms =
          std::min(seconds, kRetryAfterMaxS) * 1000;
    }
  }
  return count;
}

}  // namespace

Result<HttpAnswer> http(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "POST") {
    return fail(ErrorCode::usage, "a request is GET or POST, not " + request.method);
  }
  if (request.url.rfind("http://", 0) != 0 && request.url.rfind("https://", 0) != 0) {
    return fail(ErrorCode::usage, "an address begins with http:// or https://");
  }
  const CurlHandle curl = open_curl();
  if (curl == nullptr) return fail_retryable(ErrorCode::unavailable, "libcurl does not start");
  CurlList headers;
  for (const std::string& header : request.headers) append(headers, header);
  append(headers, "Expect:");  // no waiting for 100 Continue
  Receiving receiving{.answer = {}, .bytes_max = request.answer_bytes_max};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "payops");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &receiving);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &receiving);
  if (request.method == "POST") {
    curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) {
    return fail(ErrorCode::limit,
                "the answer has more than " + std::to_string(request.answer_bytes_max) + " bytes");
  }
  if (code != CURLE_OK) {
    return fail_retryable(ErrorCode::unavailable,
                          reason[0] != '\0' ? reason : curl_easy_strerror(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  receiving.answer.status = static_cast<int>(status);
  return std::move(receiving.answer);
}

Delivery judge(const Result<HttpAnswer>& answer, const std::string& what) {
  if (!answer) {
    const bool again = answer.error().retryable;
    return {.result = again ? DeliveryResult::retry : DeliveryResult::refused,
            .why = what + ": " + answer.error().message};
  }
  const int status = answer->status;
  if (status >= 200 && status < 300) return {};
  const bool again = status == 408 || status == 425 || status == 429 || status >= 500;
  std::string said = answer->body.substr(0, 200);
  for (char& c : said) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return {.result = again ? DeliveryResult::retry : DeliveryResult::refused,
          .why = what + " answers with status " + std::to_string(status) +
                 (said.empty() ? "" : ": " + said),
          .retry_after_ms = answer->retry_after_ms};
}

}  // namespace payops::notify
