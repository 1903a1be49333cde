#include "payops/runtime/audit_line.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "payops/core/check.h"
#include "payops/core/digest.h"

namespace payops {
namespace {

constexpr std::string_view kHashKey = ",\"hash\":\"";
constexpr std::size_t kBodyBytesMax = kAuditLineBytesMax - 1024;

bool plain_kind(std::string_view kind) {
  return !kind.empty() && kind.size() <= 64 && std::all_of(kind.begin(), kind.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_hash(std::string_view text) {
  return text.size() == kNoHash.size() && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Takes fixed text and numbers off the front of a line.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}
  bool text(std::string_view wanted) {
    if (rest_.substr(0, wanted.size()) != wanted) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  template <class T>
  bool number(T& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  bool until_quote(std::string_view& value) {
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return false;
    value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace

Status check_record(const AuditRecord& record) {
  const auto wrong = [&](const char* what) {
    return fail(ErrorCode::internal, "audit record \"" + record.kind + "\": " + what);
  };
  if (!plain_kind(record.kind)) return wrong("the kind must be of a-z, 0-9 and _");
  if (record.body.size() > kBodyBytesMax) return wrong("the body is longer than a line may be");
  if (record.body.find('\n') != std::string::npos) return wrong("the body holds a line break");
  if (!nlohmann::json::accept("{" + record.body + "}")) {
    return wrong("the body is not the inside of a JSON object");
  }
  return {};
}

std::string chain_line(const AuditRecord& record, uint64_t seq, std::string_view previous_hash) {
  PAYOPS_CHECK(is_hash(previous_hash));
  std::string line;
  line.reserve(record.body.size() + 256);
  line += "{\"seq\":" + std::to_string(seq) + ",\"ts_ms\":" + std::to_string(record.ts_ms) +
          ",\"kind\":\"" + record.kind + "\",\"prev\":\"";
  line += previous_hash;
  line += '"';
  if (!record.body.empty()) line += "," + record.body;
  const std::string hash = sha256_hex(line);
  line += kHashKey;
  line += hash + "\"}";
  return line;
}

std::string_view line_hash(std::string_view line) {
  PAYOPS_CHECK(line.size() > kHashTailBytes);
  return line.substr(line.size() - kNoHash.size() - 2, kNoHash.size());
}

Result<AuditLine> parse_line(std::string_view line) {
  if (line.size() <= kHashTailBytes) return fail(ErrorCode::corrupt, "too short for a line");
  const std::string_view tail = line.substr(line.size() - kHashTailBytes);
  AuditLine parts{.hash = line_hash(line)};
  if (tail.substr(0, kHashKey.size()) != kHashKey || tail.substr(tail.size() - 2) != "\"}" ||
      !is_hash(parts.hash)) {
    return fail(ErrorCode::corrupt, "does not end in ,\"hash\":\"<64 hex>\"}");
  }
  const std::string_view hashed = line.substr(0, line.size() - kHashTailBytes);
  if (sha256_hex(hashed) != parts.hash) {
    return fail(ErrorCode::corrupt, "the hash does not fit: the line was altered");
  }
  Scanner scan(hashed);
  const bool fits = scan.text("{\"seq\":") && scan.number(parts.seq) && scan.text(",\"ts_ms\":") &&
                    scan.number(parts.ts_ms) && scan.text(",\"kind\":\"") &&
                    scan.until_quote(parts.kind) && scan.text(",\"prev\":\"") &&
                    scan.until_quote(parts.prev) && is_hash(parts.prev) &&
                    (scan.rest().empty() || scan.text(","));
  if (!fits) return fail(ErrorCode::corrupt, "does not begin with seq, ts_ms, kind and prev");
  parts.body = scan.rest();
  return parts;
}

}  // namespace payops
