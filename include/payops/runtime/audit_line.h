// A line of the audit log: how a record becomes one, and how one is read back and held against the
// line before it. The format itself is told in docs/audit-log.md:
//   {"seq":N,"ts_ms":T,"kind":"K","prev":"<64 hex>",<body>,"hash":"<64 hex>"}
// where hash is SHA-256 over the line without its last 75 bytes, the newline not counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops {

// A line before it is numbered and chained. `body` is the inside of a JSON object, without the
// braces: "\"decision_id\":\"dec-…\",…"; it may be empty, and must not use the keys seq, ts_ms,
// kind, prev and hash.
struct AuditRecord {
  std::string kind{};  // a-z, 0-9 and _
  int64_t ts_ms = 0;   // event time
  std::string body{};
  bool operator==(const AuditRecord&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("kind", &AuditRecord::kind), field("ts_ms", &AuditRecord::ts_ms),
                           field("body", &AuditRecord::body));
  }
};

// Where the chain stands, signed: what shows that a log's tail was cut. `sig` is Ed25519 over the
// 64 hexadecimal digits of `hash`, in hexadecimal; empty when nothing signs.
struct Checkpoint {
  uint64_t seq = 0;
  std::string hash{};
  int64_t ts_ms = 0;  // of the line
  std::string sig{};
  bool operator==(const Checkpoint&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("seq", &Checkpoint::seq), field("hash", &Checkpoint::hash),
                           field("ts_ms", &Checkpoint::ts_ms), field("sig", &Checkpoint::sig));
  }
};

inline constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";
inline constexpr std::size_t kHashTailBytes = 75;            // ,"hash":"<64 hex>"}
inline constexpr std::size_t kAuditLineBytesMax = 16 << 20;  // a longer one is no line of ours

// Whether a record can become a line: a plain kind, a body that makes a JSON object and is not too
// long. Errors: internal, naming the kind and what is wrong.
[[nodiscard]] Status check_record(const AuditRecord& record);

// Chains a record: the finished line, without newline. REQUIRES: check_record(record) is ok.
[[nodiscard]] std::string chain_line(const AuditRecord& record, uint64_t seq,
                                     std::string_view previous_hash);

// The hash at the end of a finished line. REQUIRES: line.size() > kHashTailBytes.
[[nodiscard]] std::string_view line_hash(std::string_view line);

// A line's parts; views into it.
struct AuditLine {
  uint64_t seq = 0;
  int64_t ts_ms = 0;
  std::string_view kind{};
  std::string_view prev{};
  std::string_view body{};  // without braces; may be empty
  std::string_view hash{};
};

// Reads the parts and recomputes the hash, so that what it gives is what was written. Errors:
// corrupt, saying what does not fit.
[[nodiscard]] Result<AuditLine> parse_line(std::string_view line);

}  // namespace payops
