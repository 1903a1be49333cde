// Who is told of incidents, and by what: the `notify` part of a configuration file. Secrets are
// named by environment variables, never written here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/effect.h"

namespace payops::notify {

// A POST signed as Standard Webhooks 1.0 has it (docs/alerts.md).
struct WebhookConfig {
  std::string url{};
  std::string secret_env = "PAYOPS_WEBHOOK_SECRET";  // variable that holds "whsec_" and base64
  Severity min_severity = Severity::low;
  static constexpr auto fields() {
    using C = WebhookConfig;
    return std::make_tuple(field("url", &C::url), field("secret_env", &C::secret_env),
                           field("min_severity", &C::min_severity));
  }
};

// Slack's incoming webhook, or whatever takes the same.
struct SlackConfig {
  std::string url_env = "PAYOPS_SLACK_URL";  // variable that holds the address: it is the secret
  Severity min_severity = Severity::low;
  static constexpr auto fields() {
    return std::make_tuple(field("url_env", &SlackConfig::url_env),
                           field("min_severity", &SlackConfig::min_severity));
  }
};

enum class MailTls : uint8_t { required, none };

struct EmailConfig {
  std::string server{};             // smtp://host:587, or smtps://host:465
  MailTls tls = MailTls::required;  // none: only for a relay on this machine or network
  std::string ca_file{};            // of the server's certificate; empty: the system's
  std::string user{};               // empty: no login
  std::string password_env = "PAYOPS_SMTP_PASSWORD";  // variable that holds the password
  std::string from{};
  std::vector<std::string> to{};
  Severity min_severity = Severity::low;
  static constexpr auto fields() {
    using C = EmailConfig;
    return std::make_tuple(field("server", &C::server), field("tls", &C::tls),
                           field("ca_file", &C::ca_file), field("user", &C::user),
                           field("password_env", &C::password_env), field("from", &C::from),
                           field("to", &C::to), field("min_severity", &C::min_severity));
  }
};

struct NotifyConfig {
  std::map<std::string, WebhookConfig> webhooks{};  // by a name of yours
  std::map<std::string, SlackConfig> slack{};
  std::map<std::string, EmailConfig> email{};
  int64_t group_wait_s = 5;         // a new thing waits so long for what belongs to it
  int64_t update_every_s = 300;     // of changes that are no rise of severity
  int64_t resolve_hold_s = 120;     // over only when nothing of it came back for so long
  int64_t max_per_hour = 20;        // messages of one channel; what is more is told together
  int64_t give_up_after_s = 86400;  // a message not taken by then is dropped, and said so
  int64_t timeout_s = 15;           // of one delivery
  std::string console_url{};        // "https://payops.example": messages link to the incident there

  // Errors: config, in a sentence; the environment is not looked at.
  [[nodiscard]] Status validate() const;
  [[nodiscard]] bool empty() const { return webhooks.empty() && slack.empty() && email.empty(); }

  static constexpr auto fields() {
    using C = NotifyConfig;
    return std::make_tuple(
        field("webhooks", &C::webhooks), field("slack", &C::slack), field("email", &C::email),
        field("group_wait_s", &C::group_wait_s), field("update_every_s", &C::update_every_s),
        field("resolve_hold_s", &C::resolve_hold_s), field("max_per_hour", &C::max_per_hour),
        field("give_up_after_s", &C::give_up_after_s), field("timeout_s", &C::timeout_s),
        field("console_url", &C::console_url));
  }
};

}  // namespace payops::notify

template <>
inline constexpr payops::EnumNames<2> payops::enum_names<payops::notify::MailTls>{"required",
                                                                                  "none"};
