#include "payops/runtime/audit_line.h"

#include <doctest/doctest.h>

#include "payops/core/digest.h"

namespace payops {
namespace {

const AuditRecord kRecord{.kind = "decided", .ts_ms = 1700000000123, .body = "\"nrv\":1.5"};

TEST_CASE("a chained line has the documented layout and hash") {
  const std::string line = chain_line(kRecord, 7, kNoHash);
  const std::string hashed = "{\"seq\":7,\"ts_ms\":1700000000123,\"kind\":\"decided\",\"prev\":\"" +
                             std::string(kNoHash) + "\",\"nrv\":1.5";
  CHECK(line == hashed + ",\"hash\":\"" + sha256_hex(hashed) + "\"}");
  CHECK(line_hash(line) == sha256_hex(hashed));
  CHECK(hashed.size() == line.size() - kHashTailBytes);
}

TEST_CASE("a line reads back into its parts, with and without a body") {
  for (const std::string& body : {std::string("\"a\":\"}\""), std::string()}) {
    const std::string line =
        chain_line({.kind = "x_1", .ts_ms = -5, .body = body}, UINT64_MAX, sha256_hex("before"));
    const auto parts = parse_line(line);
    REQUIRE(parts);
    CHECK(parts->seq == UINT64_MAX);
    CHECK(parts->ts_ms == -5);
    CHECK(parts->kind == "x_1");
    CHECK(parts->prev == sha256_hex("before"));
    CHECK(parts->body == body);
    CHECK(parts->hash == line_hash(line));
  }
}

TEST_CASE("every change of a byte and every cut of a line is refused") {
  const std::string line = chain_line(kRecord, 7, kNoHash);
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const char flip : {char(1), char(0x20), char(0x80)}) {
      std::string altered = line;
      altered[i] = static_cast<char>(altered[i] ^ flip);
      CHECK_FALSE(parse_line(altered));
    }
    CHECK_FALSE(parse_line(line.substr(0, i)));
    CHECK_FALSE(parse_line(line.substr(i + 1)));
  }
}

TEST_CASE("a record that would break its line is refused by name") {
  const auto message = [](AuditRecord record) {
    const Status status = check_record(record);
    return status ? std::string("fits") : status.error().message;
  };
  CHECK(message(kRecord) == "fits");
  CHECK(message({.kind = "x"}) == "fits");
  CHECK(message({.kind = "De\"cided"}) ==
        "audit record \"De\"cided\": the kind must be of a-z, 0-9 and _");
  CHECK(message({.kind = "x", .body = "\"a\":1\n"}).ends_with("the body holds a line break"));
  CHECK(message({.kind = "x", .body = "\"a\":"}).ends_with("not the inside of a JSON object"));
  CHECK(message({.kind = "x", .body = "\"a\":\"\xff\""}).ends_with("inside of a JSON object"));
  CHECK(message({.kind = "x", .body = "\"a\":1}{"}).ends_with("inside of a JSON object"));
}

}  // namespace
}  // namespace payops
