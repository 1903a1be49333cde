// Mail by SMTP, with libcurl.
#include <algorithm>
#include <cstring>
#include <utility>

#include "curl.h"
#include "payops/notify/channels.h"

namespace payops::notify {
namespace {

struct Sending {
  std::string_view rest;
};

std::size_t give_bytes(char* into, std::size_t, std::size_t room, void* from) {
  auto& sending = *static_cast<Sending*>(from);
  const std::size_t count = std::min(room, sending.rest.size());
  std::memcpy(into, sending.rest.data(), count);
  sending.rest.remove_prefix(count);
  return count;
}

// A server's 4yz asks to come back, its 5yz does not; what never came to an answer may be mended.
Delivery delivery_of(CURLcode code, long reply, const std::string& reason) {
  if (code == CURLE_OK) return {};
  const bool for_good = reply >= 500 && reply < 600;
  return {.result = for_good ? DeliveryResult::refused : DeliveryResult::retry,
          .why = "the mail server: " + reason +
                 (reply > 0 ? " (its last reply was " + std::to_string(reply) + ")" : "")};
}

class Email final : public Channel {
 public:
  Email(EmailConfig config, std::string password, int64_t timeout_s)
      : config_(std::move(config)), password_(std::move(password)), timeout_ms_(timeout_s * 1000) {}

  Delivery deliver(const Message& message) override {
    const std::vector<std::string> to =
        message.to.empty() ? config_.to : std::vector<std::string>{message.to};
    for (const std::string& address : to) {
      if (!good_address(address)) {
        return {.result = DeliveryResult::refused, .why = "not a mail address to send to"};
      }
    }
    const std::string text = mail_text(message, config_.from, to);
    Sending sending{text};
    const CurlHandle curl = open_curl();
    if (curl == nullptr) {
      return {.result = DeliveryResult::retry, .why = "libcurl does not start"};
    }
    CurlList recipients;
    for (const std::string& address : to) append(recipients, "<" + address + ">");
    char reason[CURL_ERROR_SIZE] = "";
    const std::string sender = "<" + config_.from + ">";
    curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, recipients.get());
    // One address that is no more keeps nobody else from being told.
    curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_READFUNCTION, &give_bytes);
    curl_easy_setopt(curl.get(), CURLOPT_READDATA, &sending);
    connect_to(curl.get());
    const CURLcode code = curl_easy_perform(curl.get());
    long reply = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply);
    return delivery_of(code, reply, reason[0] != '\0' ? reason : curl_easy_strerror(code));
  }

 private:
  void connect_to(CURL* curl) const {
    curl_easy_setopt(curl, CURLOPT_URL, config_.server.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     config_.tls == MailTls::required ? static_cast<long>(CURLUSESSL_ALL)
                                                      : static_cast<long>(CURLUSESSL_NONE));
    if (!config_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, config_.ca_file.c_str());
    }
    if (!config_.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, config_.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, password_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms_));
  }

  EmailConfig config_;
  std::string password_;
  int64_t timeout_ms_;
};

}  // namespace

Result<std::unique_ptr<Channel>> open_email(EmailConfig config, std::string password,
                                            int64_t timeout_s) {
  return std::make_unique<Email>(std::move(config), std::move(password), timeout_s);
}

}  // namespace payops::notify
