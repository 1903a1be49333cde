#include "payops/core/moment.h"

#include <doctest/doctest.h>

namespace payops {
namespace {

TEST_CASE("ISO 8601 moments read in any zone, impossible ones do not") {
  const auto ms = [](const char* text) { return parse_iso8601(text).value_or(-1); };
  CHECK(ms("2026-03-01T12:00:05.250Z") == 1'772'366'405'250);
  CHECK(ms("2026-03-01T17:30:05.250+05:30") == 1'772'366'405'250);
  CHECK(ms("2026-03-01T07:00:05.25-0500") == 1'772'366'405'250);
  CHECK(ms("2026-03-01 12:00:05.2509999") == 1'772'366'405'250);
  CHECK(ms("2026-03-01T12:00:05,250z") == 1'772'366'405'250);
  CHECK(ms("2026-03-01T12:00+00") == 1'772'366'400'000);
  CHECK(ms("2024-02-29T00:00:00Z") == 1'709'164'800'000);
  CHECK(ms("2016-12-31T23:59:60Z") == ms("2017-01-01T00:00:00Z"));
  for (const char* text :
       {"", "2026-03-01", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z", "2026-03-01T12:00:61Z", "2026-03-01T12:00:05.Z",
        "2026-03-01T12:00:05+5:30", "2026-03-01T12:00:05+24:00", "2026-03-01T12:00:05Zx",
        "26-03-01T12:00:05Z"}) {
    CAPTURE(text);
    CHECK(ms(text) == -1);
  }
}

TEST_CASE("a moment may be a number of milliseconds too") {
  CHECK(parse_moment("1772366405250") == 1'772'366'405'250);
  CHECK(parse_moment("2026-03-01 12:00:05") == 1'772'366'405'000);
  CHECK_FALSE(parse_moment("1772366405250x"));
  CHECK_FALSE(parse_moment("noon"));
}

}  // namespace
}  // namespace payops
