#include <doctest/doctest.h>

#include "../../src/app/cli.h"
#include "../../src/app/virtual_run.h"
#include "memory/folder.h"

namespace payops::app {
namespace {

TEST_CASE("a service that is away is status 3, a file that refuses where none is needed status 2") {
  const Error away{ErrorCode::unavailable, true, "said by a test"};
  CHECK(report(away) == kExitUnavailable);
  CHECK(report_local(away) == kExitUsage);
  CHECK(report_local({ErrorCode::corrupt, false, "said by a test"}) == kExitNo);
}

TEST_CASE("a run does not write into a folder that holds a log, nor where no folder can be") {
  const memory::Folder folder;
  const auto scenario = simulators::load_scenario("healthy_day");
  REQUIRE(scenario);
  const auto config = load_app_config_or_default("config/agent.yaml");
  REQUIRE(config);
  const auto run = [&](const std::string& audit_dir) {
    VirtualRunSpec spec;
    spec.scenario = *scenario;
    spec.duration_s = 20.0;
    spec.config = *config;
    spec.audit_dir = audit_dir;
    return run_virtually(spec);
  };
  REQUIRE(run(folder / "audit"));
  const auto before = memory::log_files(folder / "audit");
  const auto again = run(folder / "audit");
  REQUIRE_FALSE(again);
  CHECK(again.error().code == ErrorCode::usage);
  CHECK(again.error().message.find("already holds the audit log of another run") !=
        std::string::npos);
  CHECK((memory::log_files(folder / "audit") == before));

  memory::put_bytes(folder / "file", "");
  const auto nowhere = run(folder / "file/audit");
  REQUIRE_FALSE(nowhere);
  CHECK(report_local(nowhere.error()) == kExitUsage);
}

}  // namespace
}  // namespace payops::app
