#include "../../src/api/series_history.h"

#include <doctest/doctest.h>

#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

const SeriesKey kPath{1, 2, 3};

// A second with `attempts` first attempts on the path, half of them declined by the issuer.
ClosedBucket second_of(int64_t second, uint32_t attempts) {
  LeafCell leaf;
  leaf.key.path = kPath;
  leaf.cell.attempts = leaf.cell.first_attempts = attempts;
  leaf.cell.approvals = leaf.cell.first_approvals = attempts / 2;
  leaf.cell.first_failures[static_cast<std::size_t>(DeclineClass::issuer_technical)] =
      attempts - attempts / 2;
  for (uint32_t i = 0; i < attempts; ++i) leaf.cell.latency.add(100);
  return {.second = second, .cells = {leaf}, .arms = {}};
}

TEST_CASE("all eight series of a path have its values, by five seconds and by the minute") {
  SeriesHistory history(100);
  for (int64_t s = 6000; s < 6130; ++s) history.add(second_of(s, 4));
  for (const SeriesKey& key : series_of_leaf(kPath)) {
    const SeriesValues values = history.of(key, 6'000'000, 7'000'000);
    CHECK(values.slot_ms == 5000);
    REQUIRE(values.points.size() == 25);  // the last slot is not over yet
    CHECK(values.points[0].ts_ms == 6'000'000);
    CHECK(values.points[0].attempts == 20);
    CHECK(values.points[0].first_approvals == 10);
  }
  const SeriesValues early = history.of(SeriesKey{}, 0, 7'000'000);
  CHECK(early.slot_ms == 60'000);
  REQUIRE(early.points.size() == 2);
  CHECK(early.points[1].attempts == 240);
  CHECK(history.of(SeriesKey{9, 9, 9}, 0, 7'000'000).slot_ms == 0);
}

TEST_CASE("silence is zeros, not a gap, and an hour is kept by five seconds") {
  SeriesHistory history(100);
  history.add(second_of(6000, 4));
  for (int64_t s = 6020; s < 6031; ++s) history.add(second_of(s, 4));
  const SeriesValues values = history.of(kPath, 6'000'000, 7'000'000);
  REQUIRE(values.points.size() == 6);
  CHECK(values.points[1].attempts == 0);
  CHECK(values.points[4].attempts == 20);
  for (int64_t s = 6031; s < 6000 + 7300; ++s) history.add(second_of(s, 1));
  CHECK(history.of(kPath, 0, 99'000'000).slot_ms == 60'000);
  CHECK(history.of(kPath, (6000 + 7300 - 3600) * 1000, 99'000'000).points.size() == 719);
}

TEST_CASE("series beyond the bound have no values, and the others go on") {
  SeriesHistory history(3);
  for (int64_t s = 6000; s < 6010; ++s) history.add(second_of(s, 4));
  CHECK(history.of(SeriesKey{}, 6'000'000, 7'000'000).points.size() == 1);
  CHECK(history.of(kPath, 6'000'000, 7'000'000).slot_ms == 0);
}

TEST_CASE("values as text: what is not known is null, or an empty field") {
  SeriesHistory history(100);
  for (int64_t s = 6000; s < 6011; ++s) history.add(second_of(s, s < 6005 ? 4 : 0));
  const SeriesValues values = history.of(kPath, 6'000'000, 7'000'000);
  const Json json = Json::parse(series_text(values));
  CHECK(json["slot_ms"] == 5000);
  CHECK(json["points"][0]["success"] == 0.5);
  CHECK(json["points"][0]["baseline"].is_null());
  CHECK(json["points"][0]["declines"]["issuer_technical"] == 10);
  CHECK(json["points"][1]["success"].is_null());
  const std::string csv = series_csv(values);
  CHECK(csv.find("time,ts_ms,attempts,success,baseline,sd,p50_ms,p95_ms,p99_ms,retry_rate,"
                 "customer,issuer_technical") == 0);
  CHECK(csv.find("1970-01-01T01:40:00.000Z,6000000,20,0.5000,,,") != std::string::npos);
}

}  // namespace
}  // namespace payops::api
