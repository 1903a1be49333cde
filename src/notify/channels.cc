#include "payops/notify/channels.h"

#include <cstdlib>
#include <utility>

namespace payops::notify {
namespace {

Result<std::string> secret(const Secrets& secrets, const std::string& variable,
                           const std::string& what) {
  std::string value = secrets(variable);
  if (value.empty()) {
    return fail(ErrorCode::config,
                "the environment variable " + variable + " is not set; it must hold " + what);
  }
  return value;
}

// The channel under its name, or the error with the name before it.
Status keep(std::map<std::string, NamedChannel>& channels, const std::string& name,
            Severity min_severity, Result<std::unique_ptr<Channel>> opened) {
  if (!opened) return fail(ErrorCode::config, name + ": " + opened.error().message);
  channels[name] = {std::move(*opened), min_severity};
  return {};
}

}  // namespace

Secrets environment() {
  return [](const std::string& variable) {
    const char* value = std::getenv(variable.c_str());
    return std::string(value != nullptr ? value : "");
  };
}

Result<std::map<std::string, NamedChannel>> open_channels(const NotifyConfig& config,
                                                          const Secrets& secrets) {
  std::map<std::string, NamedChannel> channels;
  Status good;
  for (const auto& [name, c] : config.webhooks) {
    const auto key = secret(secrets, c.secret_env, "the secret of webhook \"" + name + "\"");
    if (!key) return tl::make_unexpected(key.error());
    good = keep(channels, "webhook/" + name, c.min_severity,
                open_webhook(c.url, *key, config.timeout_s));
    if (!good) return tl::make_unexpected(good.error());
  }
  for (const auto& [name, c] : config.slack) {
    auto url = secret(secrets, c.url_env, "the address of Slack webhook \"" + name + "\"");
    if (!url) return tl::make_unexpected(url.error());
    good = keep(channels, "slack/" + name, c.min_severity,
                open_slack(std::move(*url), config.timeout_s));
    if (!good) return tl::make_unexpected(good.error());
  }
  for (const auto& [name, c] : config.email) {
    Result<std::string> password = std::string();
    if (!c.user.empty()) {
      password = secret(secrets, c.password_env, "the password of \"" + c.user + "\"");
    }
    if (!password) return tl::make_unexpected(password.error());
    good = keep(channels, "email/" + name, c.min_severity,
                open_email(c, std::move(*password), config.timeout_s));
    if (!good) return tl::make_unexpected(good.error());
  }
  return channels;
}

}  // namespace payops::notify
