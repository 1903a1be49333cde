// A webhook as Standard Webhooks 1.0 has it: three headers, HMAC-SHA256 over id, time and body.
#include <sodium.h>

#include <utility>
#include <vector>

#include "payops/core/check.h"
#include "payops/core/clock.h"
#include "payops/notify/channels.h"
#include "payops/notify/http.h"

namespace payops::notify {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kSecretMin = 24;
constexpr std::size_t kSecretMax = 64;

std::string base64(const unsigned char* bytes, std::size_t count) {
  std::string text(sodium_base64_encoded_len(count, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, count, sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);  // without the terminator
  return text;
}

class Webhook final : public Channel {
 public:
  Webhook(std::string url, std::string key, int64_t timeout_s)
      : url_(std::move(url)), key_(std::move(key)), timeout_ms_(timeout_s * 1000) {}

  // The time is that of this try, so that a receiver may refuse old ones; the id and the body are
  // the message's.
  Delivery deliver(const Message& message) override {
    const int64_t now_s = SystemClock().now_ms() / 1000;
    HttpRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers = {
        "Content-Type: application/json", "webhook-id: " + message.id,
        "webhook-timestamp: " + std::to_string(now_s),
        "webhook-signature: " + webhook_signature(key_, message.id, now_s, message.data)};
    request.body = message.data;
    request.timeout_ms = timeout_ms_;
    return judge(http(request), "the webhook");
  }

 private:
  std::string url_;
  std::string key_;
  int64_t timeout_ms_;
};

}  // namespace

std::string webhook_signature(const std::string& key, const std::string& id, int64_t timestamp_s,
                              const std::string& body) {
  PAYOPS_CHECK(sodium_init() >= 0);
  const std::string text = id + "." + std::to_string(timestamp_s) + "." + body;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                              key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                text.size());
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_final(&state, mac);
  return "v1," + base64(mac, sizeof mac);
}

Result<std::unique_ptr<Channel>> open_webhook(std::string url, const std::string& secret,
                                              int64_t timeout_s) {
  std::string key(kSecretMax + 1, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const bool prefixed = secret.rfind(kSecretPrefix, 0) == 0;
  const std::string text = prefixed ? secret.substr(kSecretPrefix.size()) : "";
  const bool read = prefixed && sodium_base642bin(reinterpret_cast<unsigned char*>(key.data()),
                                                  key.size(), text.data(), text.size(), nullptr,
                                                  &size, &end, sodium_base64_VARIANT_ORIGINAL) == 0;
  if (!read || end != text.data() + text.size() || size < kSecretMin || size > kSecretMax) {
    return fail(ErrorCode::config,
                "a webhook's secret is \"whsec_\" and the base64 of 24 to 64 bytes; make one with: "
                "echo whsec_$(openssl rand -base64 32)");
  }
  key.resize(size);
  return std::make_unique<Webhook>(std::move(url), std::move(key), timeout_s);
}

}  // namespace payops::notify
