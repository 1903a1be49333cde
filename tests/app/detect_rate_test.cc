#include "../../src/app/detect_rate.h"

#include <doctest/doctest.h>

#include "memory/folder.h"
#include "payops/core/random.h"

namespace payops::app {
namespace {

struct Run {
  explicit Run(const std::string& rows, double target = 1e-6) {
    memory::put_bytes(folder / "rate.csv", rows);
    found = find_rate_alarms({.file = folder / "rate.csv", .target_false_alarms = target});
  }
  // What is complained of, without the folder's name.
  [[nodiscard]] std::string complaint() const {
    if (found) return "";
    CHECK(found.error().code == ErrorCode::usage);
    return found.error().message.substr(found.error().message.find("rate.csv"));
  }
  memory::Folder folder;
  Result<RateFindings> found;
};

// Rows a second apart: 5 % of attempts fail, from `from` to `to` 30 %.
std::string table(int rows, int row_attempts, int from, int to) {
  RandomStream draw = Random(9).at(static_cast<uint64_t>(row_attempts));
  std::string text = "ts_ms,attempts,failures\n";
  for (int i = 0; i < rows; ++i) {
    int failures = 0;
    for (int a = 0; a < row_attempts; ++a) {
      failures += draw.chance(i >= from && i < to ? 0.3 : 0.05);
    }
    text += std::to_string(1'700'000'000'000 + int64_t{1000} * i) + "," +
            std::to_string(row_attempts) + "," + std::to_string(failures) + "\n";
  }
  return text;
}

TEST_CASE("a fault is told with its row, rates, z, score and end, an attempt a row or in buckets") {
  for (const int row_attempts : {1, 20}) {
    CAPTURE(row_attempts);
    const int from = 20'000 / row_attempts, to = from + 1'000 / row_attempts;
    const Run run(table(2 * from, row_attempts, from, to));
    REQUIRE(run.found);
    CHECK(run.found->rows == static_cast<uint64_t>(2 * from));
    CHECK(run.found->attempts == 40'000);
    // Two at most: the fault may show its size only after its first alarm.
    REQUIRE_FALSE(run.found->alarms.empty());
    CHECK(run.found->alarms.size() <= 2);
    const reasoning::RateAlarm& a = run.found->alarms[0];
    CHECK(a.row >= static_cast<uint64_t>(from));
    CHECK(a.row < static_cast<uint64_t>(from + 120 / row_attempts));
    CHECK(a.ts_ms == 1'700'000'000'000 + 1000 * static_cast<int64_t>(a.row));
    CHECK(a.baseline == doctest::Approx(0.05).epsilon(0.15));
    CHECK(a.rate > 0.12);
    CHECK(a.z > 2.0);
    CHECK(a.score > 1.0);
    const auto end_row = run.found->alarms.back().end_row;
    REQUIRE(end_row);
    CHECK(*end_row >= static_cast<uint64_t>(to));
    CHECK(*end_row < static_cast<uint64_t>(to + 200 / row_attempts));
  }
}

TEST_CASE("a fault that lasts to the end of the file has no end") {
  const Run run(table(21'000, 1, 20'000, 21'000));
  REQUIRE(run.found);
  REQUIRE_FALSE(run.found->alarms.empty());
  CHECK_FALSE(run.found->alarms.back().end_row);
}

TEST_CASE("a lower target of false alarms alarms later") {
  const std::string rows = table(21'000, 1, 20'000, 21'000);
  const Run often(rows, 1e-3), seldom(rows, 1e-9);
  REQUIRE(often.found);
  REQUIRE(seldom.found);
  REQUIRE_FALSE(seldom.found->alarms.empty());
  CHECK(often.found->alarms.back().ts_ms != seldom.found->alarms.back().ts_ms);
  CHECK(often.found->alarms[0].row < seldom.found->alarms[0].row);
}

TEST_CASE("what is wrong in a file is said with line and column") {
  const std::string header = "ts_ms,attempts,failures\n";
  CHECK(Run("").complaint() == "rate.csv:1: empty: a header line is needed");
  CHECK(Run("ts_ms,attempts\n1,1\n").complaint() ==
        "rate.csv:1: no column \"failures\"; there are ts_ms, attempts");
  CHECK(Run(header).complaint() == "rate.csv:1: column \"failures\": no row");
  CHECK(Run(header + "1,1,0\n").complaint() ==
        "rate.csv:2: column \"failures\": one row only: a row is judged by those before it");
  CHECK(Run(header + "1,1,0\n2,x,0\n").complaint() ==
        "rate.csv:3: column \"attempts\": \"x\" is no whole number");
  CHECK(Run(header + "1,3,4\n").complaint() ==
        "rate.csv:2: column \"failures\": 4 failures of 3 attempts: there cannot be more failures "
        "than attempts");
  CHECK(Run(header + "5,1,0\n4,1,1\n").complaint() ==
        "rate.csv:3: column \"ts_ms\": time goes backwards: 4 after 5 in line 2");
  CHECK(Run(header + "5,1,0\n6,1,0\n").complaint() ==
        "rate.csv:2: column \"failures\": is constant, 0: without any change there is nothing to "
        "detect");
  CHECK(Run(header + "5,1,0\n5,1,1\n").complaint() ==
        "rate.csv:2: column \"ts_ms\": is constant, 5: how fast the rate may drift is a matter of "
        "time");
  CHECK_FALSE(Run(header + "-1,1,0\n2,1,0\n").complaint().empty());
}

}  // namespace
}  // namespace payops::app
