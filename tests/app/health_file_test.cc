#include "../../src/app/health_file.h"

#include <doctest/doctest.h>

#include "memory/folder.h"
#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

HealthReport read_back(const memory::Folder& folder) {
  const std::string text = memory::bytes_of(folder / "health.json");
  const auto report = from_json<HealthReport>(Json::parse(text, nullptr, false));
  REQUIRE_MESSAGE(report, text);
  return *report;
}

TEST_CASE("the health file says what was last written, once a second and at every change") {
  const memory::Folder folder;
  HealthFile file(folder.path());
  REQUIRE(file.write({.ready = true, .why = "", .step = 1}, 1000));
  REQUIRE(file.write({.ready = true, .why = "", .step = 2}, 1500));
  CHECK(read_back(folder).step == 1);
  REQUIRE(file.write({.ready = false, .why = "stale", .step = 3}, 1600));
  CHECK(read_back(folder).step == 3);
  CHECK(read_back(folder).why == "stale");
}

TEST_CASE("a full disk leaves the old health file and tells the reason") {
  const memory::Folder folder;
  HealthFile file(folder.path());
  REQUIRE(file.write({.ready = true, .why = "", .step = 7}, 1000));
  // Every write there ends with ENOSPC, as on a full disk, and not before it is flushed.
  memory::fs::create_symlink("/dev/full", folder / "health.json.new");
  const Status refused = file.write({.ready = false, .why = "the disk is full", .step = 8}, 3000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retryable);
  CHECK(refused.error().message ==
        folder / "health.json" + " cannot be written: No space left on device");
  CHECK(read_back(folder).step == 7);
  REQUIRE(file.write({.ready = true, .why = "", .step = 9}, 3000));
  CHECK(read_back(folder).step == 9);
}

}  // namespace
}  // namespace payops::app
