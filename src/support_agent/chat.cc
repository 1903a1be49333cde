#include "payops/support_agent/chat.h"

#include <algorithm>

#include "payops/core/json_fields.h"
#include "payops/core/mask.h"

namespace payops::support_agent {
namespace {

Status check_ids(const ChatMessage& message) {
  const auto too_long = [](const std::string& id) { return id.size() > kIdBytesMax; };
  if (message.message_id.empty()) return fail(ErrorCode::corrupt, "\"message_id\" is missing");
  if (message.user_id.empty()) return fail(ErrorCode::corrupt, "\"user_id\" is missing");
  for (const std::string* id :
       {&message.message_id, &message.session_id, &message.user_id, &message.channel}) {
    if (too_long(*id) || id->find('\0') != std::string::npos) {
      return fail(ErrorCode::corrupt,
                  "an id is longer than " + std::to_string(kIdBytesMax) + " bytes, or holds a NUL");
    }
  }
  if (message.text.size() > kTextBytesMax) {
    return fail(ErrorCode::corrupt,
                "\"text\" is longer than " + std::to_string(kTextBytesMax) + " bytes");
  }
  return {};
}

bool digit(char c) { return c >= '0' && c <= '9'; }
bool of_address(char c) {
  return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '-' || c == '+';
}

// Runs of more than six digits keep the last four: phone and account numbers.
std::string without_long_numbers(std::string text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && digit(text[end])) ++end;
    if (end - i > 6)
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(i),
                text.begin() + static_cast<std::ptrdiff_t>(end - 4), '*');
    i = std::max(end, i + 1);
  }
  return text;
}

std::string without_addresses(const std::string& text) {
  std::string out = text;
  for (std::size_t at = out.find('@'); at != std::string::npos; at = out.find('@', at + 1)) {
    std::size_t from = at;
    while (from > 0 && of_address(out[from - 1])) --from;
    for (std::size_t i = from + 1; i < at; ++i) out[i] = '*';
  }
  return out;
}

}  // namespace

Result<ChatMessage> parse_chat_message(std::string_view payload) {
  const Json object = Json::parse(payload, nullptr, false);
  if (object.is_discarded()) return fail(ErrorCode::corrupt, "not JSON in UTF-8");
  auto message = from_json<ChatMessage>(object);
  if (!message) return message;
  if (!object.contains("text")) return fail(ErrorCode::corrupt, "\"text\" is missing");
  if (const Status good = check_ids(*message); !good) return tl::make_unexpected(good.error());
  return message;
}

std::string masked_email(std::string_view email) {
  const std::size_t at = email.find('@');
  if (at == std::string_view::npos || at == 0) return "";
  return std::string(email.substr(0, 1)) + "***" + std::string(email.substr(at));
}

std::string masked_phone(std::string_view phone) {
  if (phone.size() < 4) return "";
  return std::string(phone.size() - 4, '*') + std::string(phone.substr(phone.size() - 4));
}

std::string masked_words(std::string_view text, std::size_t max_bytes) {
  return without_addresses(without_long_numbers(masked_excerpt(text, max_bytes)));
}

}  // namespace payops::support_agent
