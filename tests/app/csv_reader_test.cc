#include "../../src/app/csv_reader.h"

#include <doctest/doctest.h>

#include "memory/folder.h"

namespace payops::app {
namespace {

struct File {
  explicit File(const std::string& bytes) { memory::put_bytes(folder / "rows.csv", bytes); }
  [[nodiscard]] std::string path() const { return folder / "rows.csv"; }
  memory::Folder folder;
};

// What opening and reading to the end complains of, without the folder's name.
std::string complaint(const std::string& bytes) {
  const File file(bytes);
  const auto short_name = [](std::string text) { return text.substr(text.find("rows.csv")); };
  auto csv = CsvReader::open(file.path());
  if (!csv) return short_name(csv.error().message);
  while (true) {
    const auto more = csv->next();
    if (!more) return short_name(more.error().message);
    if (!*more) return "";
  }
}

TEST_CASE("rows come with their fields, numbers and lines") {
  const File file("name,n\r\n\"a, \"\"b\"\"\",1.5\n\n\"two\nlines\",-3\nlast,7");
  auto csv = CsvReader::open(file.path());
  REQUIRE(csv);
  CHECK(csv->header() == std::vector<std::string>{"name", "n"});
  const auto n = csv->column("n");
  REQUIRE(n);
  REQUIRE(csv->next().value());
  CHECK(csv->text(0) == "a, \"b\"");
  CHECK(csv->number(*n).value() == 1.5);
  CHECK(csv->row() == 0);
  REQUIRE(csv->next().value());
  CHECK(csv->text(0) == "two\nlines");
  CHECK(csv->whole(*n).value() == -3);
  CHECK(csv->line() == 4);
  REQUIRE(csv->next().value());
  CHECK(csv->text(0) == "last");
  CHECK(csv->line() == 6);
  CHECK(csv->row() == 2);
  CHECK_FALSE(csv->next().value());
}

TEST_CASE("what is no table is refused with its line") {
  CHECK(complaint("") == "rows.csv:1: empty: a header line is needed");
  CHECK(complaint("a,a\n") == "rows.csv:1: two columns are named \"a\"");
  CHECK(complaint("a,,b\n") == "rows.csv:1: a column has no name");
  CHECK(complaint("a,b\n1,2\n3\n") == "rows.csv:3: 1 fields where the header has 2");
  CHECK(complaint("a,b\n1,\"2\n") == "rows.csv:2: a quoted field begins here and never ends");
  CHECK(complaint("a,b\n1,x\"y\n").starts_with("rows.csv:2: not CSV"));
  CHECK(complaint("a,b\n1,2\n") == "");
}

TEST_CASE("a missing column names those there are, a wrong value its column") {
  const File file("attempts,failures\n12,nan\n1e3,4.5\n");
  auto csv = CsvReader::open(file.path());
  REQUIRE(csv);
  const auto none = csv->column("failure");
  REQUIRE_FALSE(none);
  CHECK(none.error().message.ends_with(
      ":1: no column \"failure\" (did you mean \"failures\"?); there are attempts, failures"));
  REQUIRE(csv->next().value());
  CHECK(csv->number(1).error().message.ends_with(
      "rows.csv:2: column \"failures\": \"nan\" is no number"));
  CHECK(csv->whole(0, 20).error().message.ends_with(
      "rows.csv:2: column \"attempts\": 12 is less than 20"));
  REQUIRE(csv->next().value());
  CHECK(csv->number(0).value() == 1000.0);
  CHECK(csv->whole(1).error().message.ends_with(
      "rows.csv:3: column \"failures\": \"4.5\" is no whole number"));
}

}  // namespace
}  // namespace payops::app
