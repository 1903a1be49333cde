#include "payops/model/calendar.h"

#include <doctest/doctest.h>

namespace payops {
namespace {

Calendar one(const Maintenance& window) { return {.maintenance = {window}}; }

TEST_CASE("moments without a zone are in the calendar's, others in their own") {
  const Calendar india{.utc_offset_min = 330};
  CHECK(india.moment_ms("2026-03-01 05:30:00") == 1'772'323'200'000);
  CHECK(india.moment_ms("2026-03-01T00:00:00Z") == 1'772'323'200'000);
  CHECK(india.moment_ms("2026-03-01T01:00:00+01:00") == 1'772'323'200'000);
  CHECK_FALSE(india.moment_ms("tomorrow").has_value());
  CHECK(Calendar::day_of("1970-01-02") == 1);
  CHECK_FALSE(Calendar::day_of("2026-02-30").has_value());
  CHECK_FALSE(Calendar::day_of("2026-3-1").has_value());
}

TEST_CASE("a mistake in a calendar is named with its entry") {
  const auto message = [](const Calendar& calendar) {
    const Status status = calendar.validate();
    return status ? std::string() : status.error().message;
  };
  const Maintenance good{.scope = {.issuer = "HDFC"},
                         .from = "2026-03-01 02:00:00",
                         .to = "2026-03-01 04:00:00",
                         .reason = "core banking upgrade"};
  CHECK(message(one(good)).empty());
  Maintenance bad = good;
  bad.from = "two o'clock";
  CHECK(message(one(bad)).find("entry 1: \"from\": \"two o'clock\" is no moment") !=
        std::string::npos);
  bad = good;
  bad.to = bad.from;
  CHECK(message(one(bad)).find("is not after \"from\"") != std::string::npos);
  bad = good;
  bad.to = "2026-05-01 04:00:00";
  CHECK(message(one(bad)).find("more than 30 days") != std::string::npos);
  bad = good;
  bad.reason.clear();
  CHECK(message(one(bad)).find("\"reason\" is needed") != std::string::npos);
  CHECK(message({.days = {{.date = "8 November"}}}).find("\"8 November\" is no date") !=
        std::string::npos);
  CHECK(message({.days = {{.date = "2026-11-08"}, {.date = "2026-11-08"}}}).find("given twice") !=
        std::string::npos);
  CHECK(message({.days = {{.date = "2026-11-08", .volume = 0.0}}}).find("\"volume\" must lie") !=
        std::string::npos);
  CHECK(message({.utc_offset_min = 1'000}).find("utc_offset_min") != std::string::npos);
}

}  // namespace
}  // namespace payops
