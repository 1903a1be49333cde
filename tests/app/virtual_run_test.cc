// The whole loop in virtual time, kept in an audit log on a real disk: intact, replayed, explained,
// and the same to the byte when run again.
#include "../../src/app/virtual_run.h"

#include <doctest/doctest.h>

#include "../../src/app/explain.h"
#include "memory/folder.h"
#include "memory/forge.h"
#include "payops/memory/audit_verify.h"
#include "payops/memory/replay.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/step_input.h"

namespace payops::app {
namespace {

constexpr double kHalfHour = 1800.0;

RunStory run_into(const std::string& audit_dir, const std::string& name, uint64_t seed,
                  double duration_s) {
  auto scenario = simulators::load_scenario(name);
  REQUIRE_MESSAGE(scenario, scenario.error().message);
  auto config = load_app_config_or_default("config/agent.yaml");
  REQUIRE_MESSAGE(config, config.error().message);
  VirtualRunSpec spec;
  spec.scenario = *scenario;
  spec.seed = seed;
  spec.duration_s = duration_s;
  spec.audit_dir = audit_dir;
  spec.config = *config;
  auto story = run_virtually(spec);
  REQUIRE_MESSAGE(story, story.error().message);
  return *story;
}

// Half an hour with an issuer's outage in it, recorded once for all tests of this file.
struct Recording {
  memory::Folder folder;
  std::string audit = folder / "audit";
  RunStory story = run_into(audit, "issuer_outage", 7, kHalfHour);
};
const Recording& recording() {
  static const Recording recording;
  return recording;
}

memory::ReplayReport replayed(const std::string& directory) {
  payments_agent::PaymentsAgent agent;
  const auto report = memory::replay(directory, agent);
  REQUIRE_MESSAGE(report, report.error().message);
  return *report;
}

Explanation explained(const std::string& wanted) {
  const auto found = find_decision(recording().audit, wanted);
  REQUIRE_MESSAGE(found, found.error().message);
  REQUIRE(*found);
  return **found;
}

bool says(const std::string& text, const std::string& words) {
  const bool found = text.find(words) != std::string::npos;
  if (!found) MESSAGE("does not say \"" << words << "\":\n" << text);
  return found;
}

TEST_CASE("the log of a run is intact and replays to the same decisions") {
  const auto verified = memory::audit_verify(recording().audit);
  REQUIRE(verified);
  CHECK_MESSAGE(verified->ok, verified->reason);
  const memory::ReplayReport report = replayed(recording().audit);
  CHECK_MESSAGE(report.ok, report.reason);
  CHECK(report.steps == verified->steps);
  CHECK(report.steps == recording().story.totals.cycles);
}

TEST_CASE("an input altered and re-chained verifies, and replay names the cycle") {
  using namespace payments_agent;
  memory::Folder folder;
  uint64_t altered = 0;
  memory::forge(recording().audit, folder / "forged",
                [&](uint64_t step, std::string& block, std::vector<AuditRecord>&) {
                  if (step < 50 || altered != 0) return;
                  auto input = *decode_block(block);
                  if (input.buckets.empty()) return;
                  ++input.buckets.front().cells.front().cell.first_approvals;
                  block = encode_block(input.head, input.buckets);
                  altered = step;
                });
  REQUIRE(altered >= 50);
  CHECK(memory::audit_verify(folder / "forged")->ok);
  const memory::ReplayReport report = replayed(folder / "forged");
  CHECK_FALSE(report.ok);
  CHECK(report.bad_step == altered);
  CHECK(report.steps == altered - 1);
}

TEST_CASE("half an hour run twice with one seed leaves the same bytes") {
  memory::Folder folder;
  const RunStory again = run_into(folder / "audit", "issuer_outage", 7, kHalfHour);
  CHECK(again.totals == recording().story.totals);
  const auto first = memory::log_files(recording().audit);
  const auto second = memory::log_files(folder / "audit");
  REQUIRE(first.size() == second.size());
  for (const auto& [name, bytes] : first) {
    INFO(name);
    REQUIRE(second.contains(name));
    CHECK((second.at(name) == bytes));
  }
}

TEST_CASE("another seed leaves another log") {
  memory::Folder folder;
  (void)run_into(folder / "audit", "issuer_outage", 8, 120.0);
  (void)run_into(folder / "other", "issuer_outage", 9, 120.0);
  CHECK((memory::log_files(folder / "audit") != memory::log_files(folder / "other")));
}

TEST_CASE("an action taken in an outage is told from cause to outcome") {
  const RunStory& story = recording().story;
  REQUIRE_FALSE(story.result.outcomes.empty());
  const std::string action_id = story.result.outcomes.front().action_id;
  const Explanation e = explained(action_id);
  REQUIRE_FALSE(e.report.hypotheses.empty());
  CHECK(e.report.action_id == action_id);
  const std::string text = explanation_text(e, Terminal());
  CHECK(says(text, "Decision " + e.report.decision_id));
  CHECK(says(text, "issuer down"));
  CHECK(says(text, "What could be done, best first"));
  CHECK(says(text, "conversion "));
  CHECK(says(text, "an hour later it made things worse"));
  CHECK(says(text, "the gate: allow"));
  CHECK(says(text, action_id + "  published"));
  CHECK(says(text, "What came of it"));
  CHECK(says(text, std::string(name_of(e.outcome->result)) + ": treated "));
  CHECK(says(text, "audit seq " + std::to_string(e.place.seq) + ", hash " + e.place.hash));
}

TEST_CASE("why the other explanations lost is told") {
  const std::string text =
      explanation_text(explained(recording().story.result.outcomes.front().action_id), Terminal());
  CHECK(says(text, "for: "));
  CHECK(says(text, "why not: "));
}

TEST_CASE("a decision is found by its own id, by its action's, and as the last") {
  const Explanation last = explained("last");
  REQUIRE_FALSE(last.actions.empty());
  CHECK(explained(last.report.decision_id).place.hash == last.place.hash);
  CHECK(explained(last.actions.front().action.action_id).place.hash == last.place.hash);
}

TEST_CASE("what the log does not know is not made up") {
  for (const char* wanted : {"act-0000000000000000", "dec-0000000000000000", "", "anything"}) {
    INFO(wanted);
    const auto found = find_decision(recording().audit, wanted);
    REQUIRE(found);
    CHECK_FALSE(*found);
  }
  memory::Folder empty;
  CHECK(find_decision(empty.path(), "last").error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace payops::app
