#include "../../src/app/audit_past.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "../../src/app/virtual_run.h"
#include "memory/folder.h"
#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

// A run with an outage from the 300th second on, its log on disk.
const std::string& outage_log() {
  static const memory::Folder folder;
  static const std::string audit = [] {
    VirtualRunSpec spec;
    auto scenario = simulators::load_scenario("gateway_failure");
    REQUIRE(scenario);
    auto config = load_app_config_or_default("config/agent.yaml");
    REQUIRE(config);
    spec.scenario = std::move(*scenario);
    spec.config = std::move(*config);
    spec.seed = 7;
    spec.duration_s = 600;
    spec.audit_dir = folder / "audit";
    REQUIRE(run_virtually(spec));
    return spec.audit_dir;
  }();
  return audit;
}

Json screen(AuditPast& past, int64_t at_ms) {
  for (;;) {
    const auto text = past.screen(at_ms);
    REQUIRE_MESSAGE(text.has_value(), (text ? "" : text.error().message));
    Json told = Json::parse(*text);
    if (told["done"].get<bool>()) return told;
  }
}

Json parsed(const Result<std::string>& text) {
  REQUIRE_MESSAGE(text.has_value(), (text ? "" : text.error().message));
  return Json::parse(*text);
}

TEST_CASE("a moment of the past is shown as it was, whichever way one comes to it") {
  AuditPast past(outage_log(), {});
  const Json newest = screen(past, 0);
  const Json incidents = parsed(past.incidents({}))["incidents"];
  REQUIRE_FALSE(incidents.empty());
  const int64_t raised_ms = incidents.back()["raised_ms"];

  const Json before = screen(past, raised_ms - 1000);
  CHECK(before["at_ms"].get<int64_t>() < raised_ms);
  CHECK(before["state"]["incidents"].empty());  // nothing is known of what comes
  const Json then = screen(past, raised_ms + 30'000);
  CHECK_FALSE(then["state"]["incidents"].empty());
  CHECK(then["state"]["cells"]["*|*|PAYU"]["degraded"] == true);

  CHECK(screen(past, 0) == newest);
  CHECK(screen(past, raised_ms - 1000) == before);
  AuditPast fresh(outage_log(), {});
  CHECK(screen(fresh, raised_ms + 30'000) == then);
  api::RewindOptions few;
  few.keyframe_every = 4;
  few.keyframes_max = 3;
  AuditPast thinned(outage_log(), few);
  CHECK(screen(thinned, 0) == newest);
  CHECK(screen(thinned, raised_ms - 1000) == before);
  CHECK(screen(thinned, raised_ms + 30'000) == then);
}

TEST_CASE("what the history tells of incidents and interventions is what was shown of them") {
  AuditPast past(outage_log(), {});
  const Json state = screen(past, 0)["state"];
  const Json incidents = parsed(past.incidents({}))["incidents"];
  for (const Json& told : incidents) {
    const std::string id = told["id"];
    if (!state["incidents"].contains(id)) continue;
    for (const char* same : {"status", "scope", "started_ms", "raised_ms", "ended_ms", "hypotheses",
                             "beliefs", "interventions"}) {
      CAPTURE(same);
      CHECK(told[same] == state["incidents"][id][same]);
    }
  }
  std::size_t met = 0;
  const Json interventions = parsed(past.interventions({}))["interventions"];
  for (const Json& told : interventions) {
    const std::string id = told["id"];
    const Json record = parsed(past.record(told["audit_seq"].get<uint64_t>()));
    CHECK(record["hash"] == told["audit_hash"]);
    CHECK(record["intervention"]["action"]["action_id"] == id);
    if (!state["interventions"].contains(id)) continue;
    ++met;
    for (const char* same : {"type", "scope", "state", "why", "shown_hash", "findings",
                             "alternatives", "incident_id"}) {
      CAPTURE(same);
      CHECK(told[same] == state["interventions"][id][same]);
    }
  }
  CHECK(met > 0);
  CHECK(parsed(past.incidents({.text = "payu"}))["incidents"].size() >= 1);
  CHECK(parsed(past.incidents({.text = "no such bank"}))["incidents"].empty());
  api::PastQuery none;
  none.limit = 0;
  CHECK(parsed(past.incidents(none))["more"] == true);
}

TEST_CASE("records are listed, newest first, and the log verifies") {
  AuditPast past(outage_log(), {});
  const Json newest = parsed(past.records(0, 10));
  REQUIRE(newest["records"].size() == 10);
  const uint64_t last = newest["last_seq"];
  CHECK(newest["records"][0]["seq"] == last);
  const Json older = parsed(past.records(last - 9, 10));
  CHECK(older["records"][0]["seq"] == last - 10);
  CHECK(parsed(past.record(last))["hash"] == newest["records"][0]["hash"]);
  CHECK(past.record(last + 1).error().code == ErrorCode::not_found);
  CHECK(parsed(past.verify())["ok"] == true);
}

TEST_CASE("an altered input is named and nothing after it is shown") {
  const memory::Folder folder;
  const std::string audit = folder / "audit";
  std::filesystem::copy(outage_log(), audit, std::filesystem::copy_options::recursive);
  for (const auto& entry : std::filesystem::directory_iterator(audit)) {
    if (entry.path().filename().string().rfind("inputs-", 0) != 0) continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(entry.file_size() / 2));
    file.put('\x55');
  }
  AuditPast past(audit, {});
  const Json first = parsed(past.screen(1));
  CHECK(first["done"] == true);  // before the altered one
  Result<std::string> newest = past.screen(0);
  while (newest && !Json::parse(*newest)["done"].get<bool>()) newest = past.screen(0);
  REQUIRE_FALSE(newest);
  CHECK(newest.error().code == ErrorCode::corrupt);
}

TEST_CASE("without a log there is nothing to show") {
  const memory::Folder folder;
  AuditPast past(folder.path(), {});
  CHECK(past.screen(0).error().code == ErrorCode::not_found);
  CHECK(parsed(past.incidents({}))["incidents"].empty());
}

}  // namespace
}  // namespace payops::app
