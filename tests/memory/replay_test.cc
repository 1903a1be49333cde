#include "payops/memory/replay.h"

#include <doctest/doctest.h>

#include "memory/folder.h"
#include "memory/forge.h"
#include "payops/core/codec.h"
#include "payops/memory/audit_verify.h"

namespace payops::memory {
namespace {

ReplayReport replayed(const std::string& directory, int64_t weight = 1) {
  CountingAgent agent(weight);
  const auto report = replay(directory, agent);
  REQUIRE_MESSAGE(report, report.error().message);
  return *report;
}

struct Recorded {
  Folder folder;
  std::string audit = folder / "audit";
  std::string forged = folder / "forged";
  Recorded() { REQUIRE(run_agent(folder.path(), {.until = 14, .is_signed = false})); }
};

TEST_CASE("a recorded run replays to the same digests, records and messages") {
  const Recorded run;
  std::vector<uint64_t> told;
  CountingAgent agent;
  const auto report =
      replay(run.audit, agent, {.progress = [&](uint64_t step) { told.push_back(step); }});
  REQUIRE(report);
  CHECK_MESSAGE(report->ok, report->reason);
  CHECK(report->steps == 14);
  CHECK(report->lines == audit_verify(run.audit)->lines);
  CHECK(told.size() == 14);
  forge(run.audit, run.forged, [](uint64_t, std::string&, std::vector<AuditRecord>&) {});
  CHECK(log_files(run.forged) == log_files(run.audit));
}

TEST_CASE("another build is found at its first different step") {
  const Recorded run;
  const ReplayReport report = replayed(run.audit, 2);
  CHECK_FALSE(report.ok);
  CHECK(report.bad_step == 1);
  CHECK(report.reason.starts_with("the state's digest is "));
  CHECK(report.recorded.find("\"sum\":7") != std::string::npos);
  CHECK(report.computed.find("\"sum\":14") != std::string::npos);
  CHECK(report.path == "/sum");
  CHECK(report.recorded_value == "7");
  CHECK(report.computed_value == "14");
}

TEST_CASE("a log that names another build agrees or says whose it is") {
  const Recorded run;
  const auto by = [&](const std::string& build, int64_t weight) {
    CountingAgent agent(weight);
    const auto report = replay(run.audit, agent, {.build = build});
    REQUIRE(report);
    return *report;
  };
  CHECK(by(std::string(kCountingBuild), 1).other_build.empty());
  CHECK(by("newer 2", 1).ok);
  CHECK(by("newer 2", 1).other_build == kCountingBuild);
  const ReplayReport report = by("newer 2", 2);
  CHECK(report.bad_step == 1);
  CHECK(report.reason.find("its input names the build \"counting 1\" and this is \"newer 2\"") !=
        std::string::npos);
}

TEST_CASE("the first difference is told in a few words, however long the records") {
  const Recorded run;
  const auto told = [&](const std::string& body) {
    fs::remove_all(run.forged);
    forge(run.audit, run.forged,
          [&](uint64_t step, std::string&, std::vector<AuditRecord>& records) {
            if (step == 6) records[2].body = body;
          });
    return replayed(run.forged);
  };
  const ReplayReport longer = told("\"id\":\"" + std::string(20'000, 'x') + "\",\"sum\":1");
  CHECK(longer.path == "/id");
  CHECK(longer.recorded_value.size() < 300);
  CHECK(longer.recorded_value.ends_with("... (20002 bytes)"));
  CHECK(longer.computed_value == "\"alert-6\"");
  CHECK(told("\"id\":\"alert-6\"").path == "/sum");
  CHECK(told("\"id\":\"alert-6\"").recorded_value == "nothing");
}

TEST_CASE("every byte of an input counts: altered and re-chained, its step is named") {
  const Recorded run;
  for (const uint64_t at_step : {1, 7, 12}) {
    std::size_t bytes = 1;
    for (std::size_t at = 0; at < bytes; ++at) {
      fs::remove_all(run.forged);
      forge(run.audit, run.forged, [&](uint64_t step, std::string& block, auto&) {
        if (step != at_step) return;
        bytes = block.size();
        block[at] = static_cast<char>(block[at] ^ 1);
      });
      const ReplayReport report = replayed(run.forged);
      CHECK_FALSE(report.ok);
      CHECK(report.bad_step == at_step);
    }
    CHECK(bytes > 10);
  }
}

TEST_CASE("an input altered and re-chained verifies and does not replay; the step is named") {
  const Recorded run;
  forge(run.audit, run.forged, [](uint64_t step, std::string& block, std::vector<AuditRecord>&) {
    if (step != 9) return;
    auto input = *decode<CountingInput>(block);
    input.numbers.push_back(1);
    block = encode(input);
  });
  CHECK(audit_verify(run.forged)->ok);
  const ReplayReport report = replayed(run.forged);
  CHECK_FALSE(report.ok);
  CHECK(report.steps == 8);
  CHECK(report.bad_step == 9);
  CHECK(report.bad_seq > 9);
}

TEST_CASE("an input replaced by nonsense and re-chained is named too") {
  const Recorded run;
  forge(run.audit, run.forged, [](uint64_t step, std::string& block, std::vector<AuditRecord>&) {
    if (step == 3) block = "nonsense";
  });
  const ReplayReport report = replayed(run.forged);
  CHECK(report.bad_step == 3);
  CHECK(report.reason.starts_with("its recorded input is refused"));
}

TEST_CASE("a record altered, removed or added and re-chained is named with both texts") {
  const Recorded run;
  const auto altered = [&](auto change) {
    fs::remove_all(run.forged);
    forge(run.audit, run.forged,
          [&](uint64_t step, std::string&, std::vector<AuditRecord>& records) {
            if (step == 6) change(records);
          });
    REQUIRE(audit_verify(run.forged)->ok);
    return replayed(run.forged);
  };
  const ReplayReport changed = altered([](auto& records) { records[2].body = "\"sum\":0"; });
  CHECK(changed.bad_step == 6);
  CHECK(parse_line(changed.recorded)->body == "\"sum\":0");
  CHECK(changed.computed.find("\"id\":\"") != std::string::npos);
  CHECK(altered([](auto& records) { records.erase(records.begin() + 1); }).bad_step == 6);
  CHECK(altered([](auto& records) { records.push_back({"decided", 1, "\"x\":1"}); }).bad_step == 6);
}

TEST_CASE("a changed byte stops the replay at its step") {
  const Recorded run;
  for (const auto& [name, bytes] : log_files(run.audit)) {
    if (!name.ends_with(".jsonl") && !name.ends_with(".zst")) continue;
    for (std::size_t at = 0; at < bytes.size(); at += bytes.size() / 40) {
      std::string altered = bytes;
      altered[at] = static_cast<char>(altered[at] ^ 4);
      put_bytes(run.audit + "/" + name, altered);
      const ReplayReport report = replayed(run.audit);
      CHECK_FALSE(report.ok);
      CHECK(report.bad_step == report.steps + 1);
    }
    put_bytes(run.audit + "/" + name, bytes);
  }
}

}  // namespace
}  // namespace payops::memory
