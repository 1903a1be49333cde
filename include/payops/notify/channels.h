// The channels that a configuration names.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "payops/core/result.h"
#include "payops/notify/config.h"
#include "payops/notify/message.h"

namespace payops::notify {

// Gives the value of an environment variable, or an empty text.
using Secrets = std::function<std::string(const std::string& variable)>;
[[nodiscard]] Secrets environment();

struct NamedChannel {
  std::unique_ptr<Channel> channel{};
  Severity min_severity = Severity::low;
};

// By "webhook/NAME", "slack/NAME", "email/NAME". Errors: config, naming a secret that is not set or
// cannot be one.
[[nodiscard]] Result<std::map<std::string, NamedChannel>> open_channels(const NotifyConfig& config,
                                                                        const Secrets& secrets);

// A webhook, signed as Standard Webhooks 1.0 has it. `secret`: "whsec_" and base64 of 24 to 64
// bytes. Errors: config.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_webhook(std::string url,
                                                            const std::string& secret,
                                                            int64_t timeout_s);
[[nodiscard]] Result<std::unique_ptr<Channel>> open_slack(std::string url, int64_t timeout_s);
// Mail to message.to, or to config.to. `password` may be empty when config.user is.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_email(EmailConfig config, std::string password,
                                                          int64_t timeout_s);

// "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body". `key`: the secret's bytes.
[[nodiscard]] std::string webhook_signature(const std::string& key, const std::string& id,
                                            int64_t timestamp_s, const std::string& body);
// The body of a Slack incoming webhook.
[[nodiscard]] std::string slack_body(const Message& message);
// The mail as it goes over the wire (RFC 5322, MIME), lines ending in CRLF.
[[nodiscard]] std::string mail_text(const Message& message, const std::string& from,
                                    const std::vector<std::string>& to);
// An address that can stand in a mail's envelope and headers: one @, no spaces or controls.
[[nodiscard]] bool good_address(const std::string& address);

}  // namespace payops::notify
