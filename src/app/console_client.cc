#include "console_client.h"

#include "payops/notify/http.h"

namespace payops::app {
namespace {

constexpr int64_t kTimeoutMs = 5'000;
constexpr std::size_t kAnswerMax = 64U << 20;

// As a form has it.
std::string encoded(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return out;
}

// What a refusal says of itself.
std::string detail_of(const notify::HttpAnswer& answer) {
  const Json body = Json::parse(answer.body, nullptr, false);
  for (const char* key : {"error_description", "detail"}) {
    if (body.is_object() && body.contains(key) && body[key].is_string()) {
      return body[key].get<std::string>();
    }
  }
  return "status " + std::to_string(answer.status);
}

}  // namespace

Result<ConsoleClient> ConsoleClient::at(std::string address) {
  while (!address.empty() && address.back() == '/') address.pop_back();
  if (address.rfind("http://", 0) != 0 && address.rfind("https://", 0) != 0) {
    return fail(ErrorCode::usage,
                "the console's address begins with http:// or https://, not \"" + address + "\"");
  }
  return ConsoleClient(std::move(address));
}

Status ConsoleClient::sign_in(const std::string& user, const std::string& password) {
  notify::HttpRequest request;
  request.method = "POST";
  request.url = address_ + "/oauth2/token";
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = "grant_type=password&username=" + encoded(user) + "&password=" + encoded(password);
  request.timeout_ms = kTimeoutMs;
  const auto answer = notify::http(request);
  if (!answer) return tl::make_unexpected(answer.error());
  if (answer->status != 200) {
    return fail(ErrorCode::refused, address_ + " refuses the sign-in: " + detail_of(*answer));
  }
  const Json body = Json::parse(answer->body, nullptr, false);
  if (!body.is_object() || !body.contains("access_token") || !body["access_token"].is_string()) {
    return fail(ErrorCode::corrupt, address_ + " gives no token; is it a payops console?");
  }
  token_ = body["access_token"].get<std::string>();
  return {};
}

Result<Json> ConsoleClient::snapshot() const {
  notify::HttpRequest request;
  request.url = address_ + "/api/state";
  request.headers = {"Authorization: Bearer " + token_};
  request.timeout_ms = kTimeoutMs;
  request.answer_bytes_max = kAnswerMax;
  const auto answer = notify::http(request);
  if (!answer) return tl::make_unexpected(answer.error());
  if (answer->status == 401 || answer->status == 403) {
    return fail(ErrorCode::refused, address_ + ": " + detail_of(*answer));
  }
  if (answer->status != 200) {
    return fail_retryable(ErrorCode::unavailable, address_ + ": " + detail_of(*answer));
  }
  Json body = Json::parse(answer->body, nullptr, false);
  if (!body.is_object() || !body.contains("state")) {
    return fail(ErrorCode::corrupt, address_ + " gives no state; is it a payops console?");
  }
  return body;
}

}  // namespace payops::app
