// payops attribute as its user meets it: files in, sentences and JSON out.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "../../src/app/attribution_report.h"
#include "memory/folder.h"
#include "payops/core/random.h"

namespace payops::app {
namespace {

struct File {
  explicit File(const std::string& bytes) { memory::put_bytes(folder / "rows.csv", bytes); }
  [[nodiscard]] std::string path() const { return folder / "rows.csv"; }
  memory::Folder folder;
};

// A row a minute for three issuers on two gateways; at minute 6, gateway RZP fails.
std::string minutes(std::string (*stamp)(int)) {
  std::ostringstream csv;
  csv << "at,issuer,gateway,region,n,k\n";
  for (int minute = 0; minute < 8; ++minute) {
    for (const char* issuer : {"HDFC", "ICICI", "SBI"}) {
      for (const char* gateway : {"RZP", "PAYU"}) {
        const bool down = minute == 6 && std::string(gateway) == "RZP";
        csv << stamp(minute) << ',' << issuer << ',' << gateway << ",south,200,"
            << (down ? 90 : 8 + (minute * 7 + issuer[0]) % 5) << '\n';
      }
    }
  }
  return csv.str();
}

std::string iso(int minute) { return "2026-03-01 12:0" + std::to_string(minute) + ":00"; }
std::string seconds(int minute) { return std::to_string(1772366400 + 60 * minute); }
std::string ms(int minute) { return std::to_string(1772366400000 + int64_t{60'000} * minute); }

struct Told {
  nlohmann::json json;
  std::string text;
  std::vector<std::string> constant;
};

Told tell(const std::string& bytes, SliceTableSpec spec) {
  const File file(bytes);
  spec.file = file.path();
  if (spec.attempts.empty()) spec.attempts = "n";
  if (spec.failures.empty()) spec.failures = "k";
  const auto table = read_slice_table(spec);
  REQUIRE_MESSAGE(table, table.error().message);
  const reasoning::SliceScan scan = reasoning::scan_slices(table->counts, {});
  return {nlohmann::json::parse(attribution_json(*table, spec, scan)),
          attribution_text(*table, spec, scan), table->constant};
}

SliceTableSpec spec_at(const std::string& at, const std::string& step = "60s",
                       std::size_t baseline = 6) {
  SliceTableSpec spec;
  spec.dimensions = {"issuer", "gateway"};
  spec.time = "at";
  spec.at = at;
  spec.step = step;
  spec.baseline = baseline;
  return spec;
}

TEST_CASE("a gateway that is down is named, however the time is written") {
  const std::pair<std::string, std::string> forms[] = {
      {minutes(iso), iso(6)}, {minutes(seconds), seconds(6)}, {minutes(ms), ms(6)}};
  for (const auto& [bytes, at] : forms) {
    for (const char* step : {"60", "60s", "1m"}) {
      const Told told = tell(bytes, spec_at(at, step));
      REQUIRE(told.json["causes"].size() == 1);
      const auto& cause = told.json["causes"][0];
      CHECK(cause["slice"] == nlohmann::json{{"issuer", "*"}, {"gateway", "RZP"}});
      CHECK(cause["excess"].get<double>() == doctest::Approx(270.0 - 30.0).epsilon(0.05));
      CHECK(cause["probability"].get<double>() > 0.9);
      CHECK(cause["score"].get<double>() > 10.0);
      CHECK(told.json["candidates"][0]["slice"] == cause["slice"]);
    }
  }
}

TEST_CASE("the cause is told in a sentence, and a benign minute is said to have none") {
  const Told bad = tell(minutes(iso), spec_at("2026-03-01 12:06:00"));
  CHECK(bad.text.find("! gateway=RZP: 270 failures of 600 attempts (45.0 %) where ") !=
        std::string::npos);
  const Told good = tell(minutes(iso), spec_at("2026-03-01 12:05:00", "60s", 5));
  CHECK(good.text.find("no cause: no slice stands out of the noise") != std::string::npos);
  CHECK(good.json["causes"].empty());
}

TEST_CASE("a column of one value is left out, and said to be") {
  SliceTableSpec spec = spec_at("2026-03-01 12:06:00");
  spec.dimensions = {"region", "gateway", "issuer"};
  const Told told = tell(minutes(iso), spec);
  CHECK(told.constant == std::vector<std::string>{"region"});
  CHECK(told.json["causes"][0]["slice"] ==
        nlohmann::json{{"region", "*"}, {"gateway", "RZP"}, {"issuer", "*"}});
}

TEST_CASE("the whole file is held against its mean, fractions and twelve dimensions included") {
  std::ostringstream csv;
  csv << "a,b,c,d,e,f,g,h,i,j,k,l,attempts,failures\n";
  for (int row = 0; row < 600; ++row) {
    uint64_t bits = mix64(static_cast<uint64_t>(row));
    bool hit = false;
    for (int d = 0; d < 12; ++d, bits /= 3) {
      hit = hit || (d == 4 && bits % 3 == 1);
      csv << 'v' << bits % 3 << ',';
    }
    csv << 100.5 << ',' << (hit ? 30.25 : 4.5 + 0.5 * (row % 5)) << '\n';
  }
  SliceTableSpec spec;
  spec.attempts = "attempts";
  spec.failures = "failures";
  spec.dimensions = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
  const Told told = tell(csv.str(), spec);
  REQUIRE(told.json["causes"].size() == 1);
  for (const auto& [name, value] : told.json["causes"][0]["slice"].items()) {
    CHECK(value == (name == "e" ? "v1" : "*"));
  }
}

// The complaint about a file, without the folder's name, or "" when there is none.
std::string complaint(const std::string& bytes, SliceTableSpec spec = {}) {
  const File file(bytes);
  spec.file = file.path();
  if (spec.attempts.empty()) spec.attempts = "n";
  if (spec.failures.empty()) spec.failures = "k";
  if (spec.dimensions.empty()) spec.dimensions = {"a", "b"};
  const auto table = read_slice_table(spec);
  if (table) return "";
  CHECK(table.error().code == ErrorCode::usage);
  std::string text = table.error().message;
  if (const auto at = text.find(file.path()); at != std::string::npos) {
    text.replace(at, file.path().size(), "rows.csv");
  }
  return text;
}

SliceTableSpec with_dimensions(std::vector<std::string> names) {
  SliceTableSpec spec;
  spec.dimensions = std::move(names);
  return spec;
}

TEST_CASE("what is wrong with the counts is said with line and column") {
  CHECK(complaint("a,b,n,k\nx,y,10,1\nx,z,10,2\n") == "");
  CHECK(complaint("") == "rows.csv:1: empty: a header line is needed");
  CHECK(complaint("a,b,n,k\n") == "rows.csv:1: column \"n\": no rows below the header");
  CHECK(complaint("a,b,n,k\nx,y,10,1\n") ==
        "rows.csv:2: column \"n\": the only row; there is nothing to compare it with");
  CHECK(complaint("a,b,n,k\nx,y,10,1\nx,y,5,1\n") ==
        "rows.csv:1: columns \"a\", \"b\": one combination has attempts: there is nothing to "
        "compare it with");
  CHECK(complaint("a,b,n,k\nx,y,0,0\nx,z,0,0\n") == "rows.csv:1: column \"n\": no attempts");
  SliceTableSpec misspelt;
  misspelt.attempts = "atempts";
  CHECK(complaint("a,b,attempts,k\nx,y,1,1\n", misspelt) ==
        "rows.csv:1: no column \"atempts\" (did you mean \"attempts\"?); there are a, b, attempts, "
        "k");
  CHECK(complaint("a,b,n,k\nx,y,10,1\nx,z,ten,2\n") ==
        "rows.csv:3: column \"n\": \"ten\" is no number");
  CHECK(complaint("a,b,n,k\nx,y,10,1\nx,z,10,nan\n") ==
        "rows.csv:3: column \"k\": \"nan\" is no number");
  CHECK(complaint("a,b,n,k\nx,y,10,1\nx,z,-1,0\n") ==
        "rows.csv:3: column \"n\": -1 is less than 0");
  CHECK(complaint("a,b,n,k\nx,y,10,-2\nx,z,1,0\n") ==
        "rows.csv:2: column \"k\": -2 is less than 0");
  CHECK(complaint("a,b,n,k\nx,y,10,10.5\nx,z,1,0\n") ==
        "rows.csv:2: column \"k\": 10.5 failures are more than the 10 attempts");
  CHECK(complaint("a,b,n,k\nx,y,10,1\n", with_dimensions({"a", "a"})) ==
        "rows.csv:1: column \"a\" is named twice");
  CHECK(complaint("a,b,n,k\nx,y,10,1\n", with_dimensions({"a", "n"})) ==
        "rows.csv:1: column \"n\" is named twice");
}

TEST_CASE("what is wrong with the time is said, and never guessed at") {
  const std::string rows = minutes(iso);
  const auto about = [&](const std::string& at, const std::string& step, std::size_t baseline) {
    return complaint(rows, spec_at(at, step, baseline));
  };
  CHECK(about("2026-03-01 12:06:00", "60s", 6) == "");
  CHECK(
      about("2026-03-01 13:00:00", "60s", 6) ==
      "rows.csv:1: column \"at\": no row in the 60s from --at 2026-03-01 13:00:00 on; it goes from "
      "2026-03-01T12:00:00.000Z to 2026-03-01T12:07:00.000Z");
  CHECK(about("2026-03-01 12:06:00", "60s", 9) ==
        "rows.csv:1: column \"at\": rows for only 6 of the 9 periods of 60s before --at; the first "
        "one missing begins at 2026-03-01T11:59:00.000Z; it goes from 2026-03-01T12:00:00.000Z to "
        "2026-03-01T12:07:00.000Z");
  CHECK(about("noon", "60s", 6).find("--at \"noon\" is no time") == 0);
  CHECK(about("2026-03-01 12:06:00", "60x", 6).find("--step \"60x\" is no length of time") == 0);
  CHECK(about("2026-03-01 12:06:00", "", 6).find("--time needs --at, --step and --baseline") == 0);
  CHECK(about("1772366760", "60s", 6) ==
        "rows.csv:2: column \"at\": \"2026-03-01 12:00:00\" reads as a date and time, but --at "
        "\"1772366760\" as seconds since 1970");
  SliceTableSpec timeless = spec_at("", "", 3);
  timeless.time.clear();
  CHECK(complaint(rows, timeless).find("--at, --step and --baseline need --time") == 0);
}

}  // namespace
}  // namespace payops::app
