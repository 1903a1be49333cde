// A mail as it goes over the wire: RFC 5322 headers, RFC 2047 subject, a MIME body in base64.
#include <sodium.h>

#include <array>
#include <ctime>

#include "payops/core/text.h"
#include "payops/notify/channels.h"

namespace payops::notify {
namespace {

constexpr std::size_t kSubjectMax = 200;
constexpr std::size_t kEncodedWord = 45;  // bytes in one encoded word: 60 characters of base64
constexpr std::size_t kBodyLine = 57;     // bytes in one line of the body: 76 characters
constexpr std::size_t kAddressMax = 254;

std::string base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);
  return text;
}

// The end of a piece of at most `bytes_max` from `begin`, between two UTF-8 characters.
std::size_t piece_end(std::string_view text, std::size_t begin, std::size_t bytes_max) {
  if (text.size() - begin <= bytes_max) return text.size();
  std::size_t end = begin + bytes_max;
  while (end > begin && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return end > begin ? end : begin + bytes_max;
}

// Text for a header: as it is when it is short and plain, else as encoded words on lines of their
// own.
std::string header_text(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  bool plain = text.size() <= 60 && text.find("=?") == std::string::npos;
  for (const char c : text) plain = plain && static_cast<unsigned char>(c) < 0x7F;
  if (plain) return text;
  text.resize(piece_end(text, 0, kSubjectMax));
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = piece_end(text, begin, kEncodedWord);
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(std::string_view(text).substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return out;
}

// "Fri, 27 Nov 2026 23:58:16 +0000"
std::string mail_date(int64_t ts_ms) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(ts_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  const std::string clock = iso_time(ts_ms).substr(11, 8);
  return std::string(kDays[static_cast<std::size_t>(utc.tm_wday)]) + ", " +
         std::to_string(utc.tm_mday) + " " + kMonths[static_cast<std::size_t>(utc.tm_mon)] + " " +
         std::to_string(utc.tm_year + 1900) + " " + clock + " +0000";
}

// Recipients, a line each.
std::string address_list(const std::vector<std::string>& addresses) {
  std::string out;
  for (const std::string& address : addresses) out += (out.empty() ? "" : ",\r\n ") + address;
  return out;
}

}  // namespace

bool good_address(const std::string& address) {
  const std::size_t at = address.find('@');
  if (at == 0 || at == std::string::npos || at + 1 == address.size()) return false;
  if (address.find('@', at + 1) != std::string::npos || address.size() > kAddressMax) return false;
  for (const char c : address) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F) return false;
    if (std::string_view("<>()[],;:\\\"").find(c) != std::string_view::npos) return false;
  }
  return true;
}

std::string mail_text(const Message& message, const std::string& from,
                      const std::vector<std::string>& to) {
  const std::string domain = from.substr(from.find('@') + 1);
  std::string mail = "Date: " + mail_date(message.created_ms) + "\r\n";
  mail += "From: " + from + "\r\n";
  mail += "To: " + address_list(to) + "\r\n";
  mail += "Subject: " + header_text(message.subject) + "\r\n";
  mail += "Message-ID: <" + message.id + "@" + domain + ">\r\n";
  // No mail has the thread's id; those that refer to it stand together all the same.
  if (!message.thread.empty()) mail += "References: <" + message.thread + "@" + domain + ">\r\n";
  mail += "Auto-Submitted: auto-generated\r\n";
  mail += "MIME-Version: 1.0\r\n";
  mail += "Content-Type: text/plain; charset=utf-8\r\n";
  mail += "Content-Transfer-Encoding: base64\r\n\r\n";
  std::string body;
  for (const char c : message.text) {
    if (c == '\n') body += '\r';
    body += c;
  }
  for (std::size_t begin = 0; begin < body.size(); begin += kBodyLine) {
    mail += base64(std::string_view(body).substr(begin, kBodyLine)) + "\r\n";
  }
  return mail;
}

}  // namespace payops::notify
