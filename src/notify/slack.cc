// Slack's incoming webhook: a POST of JSON to an address that is itself the secret.
#include <utility>

#include "payops/core/json_fields.h"
#include "payops/notify/channels.h"
#include "payops/notify/http.h"

namespace payops::notify {
namespace {

constexpr std::size_t kHeaderMax = 150;    // Slack's limit for a header block
constexpr std::size_t kSectionMax = 3000;  // and for a section's text

// At most so many bytes, not cut within a UTF-8 character.
std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

// The three characters that Slack's markup takes for itself.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

class Slack final : public Channel {
 public:
  Slack(std::string url, int64_t timeout_s) : url_(std::move(url)), timeout_ms_(timeout_s * 1000) {}

  Delivery deliver(const Message& message) override {
    HttpRequest request;
    request.method = "POST";
    request.url = url_;
    request.headers = {"Content-Type: application/json; charset=utf-8"};
    request.body = slack_body(message);
    request.timeout_ms = timeout_ms_;
    return judge(http(request), "Slack");
  }

 private:
  std::string url_;
  int64_t timeout_ms_;
};

}  // namespace

std::string slack_body(const Message& message) {
  // An escape cut in half shows as it is; better that than text beyond the limit, which is refused.
  std::string text = message.text;
  std::string section = escaped(text);
  while (section.size() > kSectionMax) {
    text = cut(text, text.size() > 200 ? text.size() - 100 : text.size() / 2);
    section = escaped(text);
  }
  Json blocks = Json::array();
  blocks.push_back(
      {{"type", "header"},
       {"text", {{"type", "plain_text"}, {"text", cut(message.subject, kHeaderMax)}}}});
  blocks.push_back(
      {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", std::move(section)}}}});
  // `text` is what stands in a notification, and where blocks cannot be shown.
  return dump(Json{{"text", escaped(cut(message.subject, kSectionMax))}, {"blocks", blocks}});
}

Result<std::unique_ptr<Channel>> open_slack(std::string url, int64_t timeout_s) {
  const bool local =
      url.rfind("http://127.0.0.1:", 0) == 0 || url.rfind("http://localhost:", 0) == 0;
  if (!local && url.rfind("https://", 0) != 0) {
    return fail(ErrorCode::config, "the address of a Slack webhook begins with https://");
  }
  return std::make_unique<Slack>(std::move(url), timeout_s);
}

}  // namespace payops::notify
