#include "payops/notify/config.h"

#include "payops/notify/channels.h"

namespace payops::notify {
namespace {

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

Status check_email(const std::string& name, const EmailConfig& c) {
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::config, "\"email." + name + "\": " + what);
  };
  if (!begins(c.server, "smtp://") && !begins(c.server, "smtps://")) {
    return wrong("\"server\" is \"smtp://host:587\" or \"smtps://host:465\", not \"" + c.server +
                 "\"");
  }
  if (!good_address(c.from)) return wrong("\"from\" is no mail address: \"" + c.from + "\"");
  if (c.to.empty()) return wrong("\"to\" names nobody");
  for (const std::string& address : c.to) {
    if (!good_address(address)) return wrong("\"to\" has \"" + address + "\", no mail address");
  }
  if (!c.user.empty() && c.tls == MailTls::none && begins(c.server, "smtp://")) {
    return wrong("a password is never sent without TLS: \"tls\" must be required");
  }
  return {};
}

}  // namespace

Status NotifyConfig::validate() const {
  for (const auto& [name, c] : webhooks) {
    if (!begins(c.url, "http://") && !begins(c.url, "https://")) {
      return fail(ErrorCode::config, "\"webhooks." + name +
                                         "\": \"url\" begins with https:// (or http://), not \"" +
                                         c.url + "\"");
    }
  }
  for (const auto& [name, c] : email) {
    if (Status good = check_email(name, c); !good) return good;
  }
  const auto between = [](int64_t value, int64_t low, int64_t high) {
    return value >= low && value <= high;
  };
  if (!between(group_wait_s, 0, 600) || !between(update_every_s, 0, 86'400) ||
      !between(resolve_hold_s, 0, 86'400)) {
    return fail(ErrorCode::config,
                "\"group_wait_s\" must be from 0 to 600, \"update_every_s\" and "
                "\"resolve_hold_s\" from 0 to 86400");
  }
  if (!between(max_per_hour, 2, 3600)) {
    return fail(ErrorCode::config, "\"max_per_hour\" must be from 2 to 3600");
  }
  if (!between(timeout_s, 1, 120) || !between(give_up_after_s, 60, 604'800)) {
    return fail(ErrorCode::config,
                "\"timeout_s\" must be from 1 to 120, \"give_up_after_s\" from 60 to 604800");
  }
  return {};
}

}  // namespace payops::notify
