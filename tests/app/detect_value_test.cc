#include "../../src/app/detect_value.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "../../src/app/cli.h"
#include "../../src/app/csv_reader.h"
#include "memory/folder.h"
#include "payops/core/random.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

struct Run {
  explicit Run(const std::string& rows) {
    memory::put_bytes(folder / "cpu.csv", rows);
    const ValueDetection options{.file = folder / "cpu.csv", .out = folder / "scores.csv"};
    told = score_values(options);
  }
  // What is complained of, without the folder's name.
  [[nodiscard]] std::string complaint() const {
    if (told) return "";
    const std::string& text = told.error().message;
    CHECK(told.error().code == ErrorCode::usage);
    CHECK_FALSE(std::filesystem::exists(std::filesystem::path(folder / "scores.csv")));
    CHECK_FALSE(std::filesystem::exists(std::filesystem::path(folder / "scores.csv.part")));
    return text.substr(text.find("cpu.csv"));
  }
  [[nodiscard]] std::string scores() const { return read_file(folder / "scores.csv").value(); }
  [[nodiscard]] std::string said() const { return join(told.value(), "\n"); }

  memory::Folder folder;
  Result<std::vector<std::string>> told;
};

// Rows every five minutes from 2026-02-02 (a Monday) on; `value` of each.
template <class F>
std::string table(std::size_t rows, const F& value) {
  std::string text = "timestamp,value\n";
  for (std::size_t i = 0; i < rows; ++i) {
    std::string moment = iso_time(1'769'990'400'000 + static_cast<int64_t>(i) * 300'000);
    moment.resize(19);
    moment[10] = ' ';
    text += moment + "," + fixed(value(i), 3) + "\n";
  }
  return text;
}
double noise(std::size_t i) { return 50.0 + 2.0 * Random(3).at(i).normal(); }

TEST_CASE("every row comes back with its text as given and a score") {
  const Run run(table(1500, [](std::size_t i) { return noise(i) + (i == 1200 ? 60.0 : 0.0); }));
  REQUIRE(run.told);
  CHECK(
      run.said().starts_with("1500 rows, one every 5 min; the first 200 are the warm-up, their "
                             "score is 0; "));
  auto csv = CsvReader::open(run.folder / "scores.csv");
  auto given = CsvReader::open(run.folder / "cpu.csv");
  REQUIRE(csv);
  CHECK(csv->header() == std::vector<std::string>{"timestamp", "value", "anomaly_score"});
  std::size_t rows = 0;
  for (; csv->next().value(); ++rows) {
    REQUIRE(given->next().value());
    CHECK(csv->text(0) == given->text(0));
    CHECK(csv->text(1) == given->text(1));
    if (rows < 200) CHECK(csv->number(2).value() == 0.0);
    if (rows == 1200) CHECK(csv->number(2).value() >= 0.5);
  }
  CHECK(rows == 1500);
}

TEST_CASE("moments may be ms, and other columns may stand by") {
  const Run run("label,value,timestamp\na,1,1769990400000\nb,2.50,1769990700000\n");
  CHECK(run.scores() ==
        "timestamp,value,anomaly_score\n1769990400000,1,0.000000\n1769990700000,2.50,0.000000\n");
  CHECK(run.said() ==
        "2 rows, one every 5 min; all within the warm-up of 200 rows, so that every "
        "score is 0");
}

TEST_CASE("what is no such table is refused with file, line and column") {
  const std::string head = "timestamp,value\n2026-02-02 00:00:00,1\n";
  CHECK(Run("").complaint() == "cpu.csv:1: empty: a header line is needed");
  CHECK(Run("timestamp,value\n").complaint() ==
        "cpu.csv:1: column \"value\": no row: a value is judged by those before it");
  CHECK(Run(head).complaint() ==
        "cpu.csv:2: column \"value\": one row only: a value is judged by those before it");
  CHECK(Run("timestamp,values\n").complaint() ==
        "cpu.csv:1: no column \"value\" (did you mean \"values\"?); there are timestamp, values");
  CHECK(Run("time,value\n").complaint() ==
        "cpu.csv:1: no column \"timestamp\"; there are time, value");
  CHECK(Run(head + "2026-02-02 00:05:00,n/a\n").complaint() ==
        "cpu.csv:3: column \"value\": \"n/a\" is no number");
  CHECK(Run(head + "2026-02-02 00:05:00,\n").complaint() ==
        "cpu.csv:3: column \"value\": \"\" is no number");
  CHECK(Run(head + "2026-02-02 00:05:00,1e200\n").complaint() ==
        "cpu.csv:3: column \"value\": 1e200 is beyond ±1e150");
  CHECK(Run(head + "2026-02-30 00:05:00,1\n").complaint() ==
        "cpu.csv:3: column \"timestamp\": \"2026-02-30 00:05:00\" is no moment: give YYYY-MM-DD "
        "HH:MM:SS or ms since 1970");
  CHECK(Run(head + "\n2026-02-02 00:05:00,1\n2026-02-02 00:04:59,1\n").complaint() ==
        "cpu.csv:5: column \"timestamp\": time goes backwards: 2026-02-02 00:04:59 after "
        "2026-02-02 00:05:00 in line 4");
}

TEST_CASE("no file, and no folder for the scores, are refused too") {
  const memory::Folder folder;
  CHECK(score_values({.file = folder / "none.csv", .out = ""}).error().code ==
        ErrorCode::not_found);
  CHECK(detect_value({.file = folder / "none.csv", .out = ""}) == kExitUsage);
  memory::put_bytes(folder / "cpu.csv", table(300, noise));
  const auto told = score_values({.file = folder / "cpu.csv", .out = folder / "no/scores.csv"});
  REQUIRE_FALSE(told);
  CHECK(told.error().code == ErrorCode::usage);
}

TEST_CASE("a constant column is said to be one") {
  const Run run(table(400, [](std::size_t) { return 7.0; }));
  CHECK(
      run.said().ends_with("column \"value\" is constant, 7.000 from line 2 on: nothing stands "
                           "out, and every score is 0"));
  CHECK(run.scores().find(",0.000000\n") != std::string::npos);
  CHECK(run.scores().find(",0.0000001") == std::string::npos);
  CHECK(Run(table(400, noise)).said().find("constant") == std::string::npos);
}

TEST_CASE("gaps and repeated timestamps are counted") {
  const Run run(
      "timestamp,value\n2026-02-02 00:00:00,1\n2026-02-02 00:05:00,2\n2026-02-02 00:05:00,3\n"
      "2026-02-02 00:10:00,4\n2026-02-02 03:10:00,5\n2026-02-02 03:15:00,6\n");
  CHECK(
      run.said().ends_with("1 gaps of more than two usual steps, 1 repeated timestamps: taken "
                           "as they come, nothing is filled in"));
}

TEST_CASE("the clock of a local time may go back by an hour once, when summer time ends") {
  const std::string before =
      "timestamp,value\n2025-10-26 02:45:00,1\n2025-10-26 02:50:00,2\n"
      "2025-10-26 02:55:00,3\n";
  const Run run(before + "2025-10-26 02:00:00,4\n2025-10-26 02:05:00,5\n");
  REQUIRE(run.told);
  CHECK(run.said().find("taken for the end of summer time (line 5)") != std::string::npos);
  CHECK(Run(before + "2025-10-26 01:55:00,4\n").complaint().find("backwards") != std::string::npos);
  const Run twice(before + "2025-10-26 02:00:00,4\n2025-10-26 02:05:00,5\n2025-10-26 01:10:00,5\n");
  CHECK(twice.complaint().find("cpu.csv:7: ") == 0);
  const std::string monday = "timestamp,value\n2025-10-27 02:45:00,1\n2025-10-27 02:50:00,2\n";
  CHECK(Run(monday + "2025-10-27 01:55:00,3\n").complaint().find("cpu.csv:4: ") == 0);
}

}  // namespace
}  // namespace payops::app
