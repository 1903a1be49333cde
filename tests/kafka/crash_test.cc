// The agent is killed at seeded points while traffic flows; an outside process counts.
#include <doctest/doctest.h>
#include <signal.h>

#include <map>
#include <set>

#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/runtime/step.h"
#include "program.h"
#include "support/process.h"

namespace payops {
namespace {

using namespace payops::testing;

constexpr int kKills = 24;

// One life of the agent, ended by SIGKILL: between two parts of a commit, or at any moment.
void live_and_die(const Deployment& deployment, int life, RandomStream& random) {
  const bool at_a_point = life % 2 == 0;
  std::map<std::string, std::string> environment;
  if (at_a_point) {
    const auto point = static_cast<StepPoint>(life / 2 % 4);
    environment = {{"PAYOPS_TEST_HOOKS", "1"},
                   {"PAYOPS_CRASH_AT",
                    std::string(name_of(point)) + ":" + std::to_string(1 + random.below(4))}};
  }
  Process agent("agent", deployment.folder, deployment.agent(), environment);
  if (at_a_point) {
    REQUIRE_MESSAGE(agent.wait(60), "the agent never reached its point: " << agent.err());
  } else {
    REQUIRE_MESSAGE(agent.lives_for(500 + static_cast<int>(random.below(3000))), agent.err());
    agent.signal(SIGKILL);
    REQUIRE(agent.wait(10));
  }
  CHECK_MESSAGE(agent.exit_status() == 128 + SIGKILL, agent.err());
}

TEST_CASE("killed again and again, the agent loses nothing, repeats nothing and its log is whole") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "crash.");
  Process world("world", folder.path(),
                deployment.simulate({"--scenario", "gateway_failure", "--speed", "8", "--duration",
                                     "2400", "--rate", "60"}));
  RandomStream random = Random(20260301).at(1);
  for (int life = 0; life < kKills; ++life) live_and_die(deployment, life, random);
  world.signal(SIGINT);
  REQUIRE(world.wait(30));
  Process last("last", folder.path(), deployment.agent({"--until-end", "--json"}));
  REQUIRE(last.wait(120));
  REQUIRE_MESSAGE(last.exit_status() == 0, last.err());

  std::set<std::string> attempts;
  for (const TopicRecord& record : read_topic(deployment, "payments.transactions")) {
    attempts.insert(Json::parse(record.payload)["attempt_id"].get<std::string>());
  }
  const Json counts = Json::parse(last.out())["total"];
  CHECK(attempts.size() > 1000);
  CHECK(counts["attempts"].get<std::size_t>() + counts["late"].get<std::size_t>() ==
        attempts.size());
  CHECK(counts["duplicates"] == 0);
  CHECK(counts["dead_letters"] == 0);

  std::set<std::string> decided, settled, published, uncertain;
  std::string withdrawals;
  for (const auto& [kind, text] : audit_records(deployment.audit_dir())) {
    const Json body = Json::parse(text);
    if (kind == "decided" && body["intervention"]["state"] == "approved") {
      decided.insert(body["intervention"]["action"]["action_id"].get<std::string>());
    }
    const std::string id = body.value("id", "");
    if (id.rfind("act-", 0) != 0) continue;
    settled.insert(id);
    if (kind == "published") published.insert(id);
    if (kind == "withdrawn") withdrawals += text + "\n";
    if (body.contains("uncertain")) uncertain.insert(id);
  }
  std::map<std::string, std::set<std::string>> on_topic;  // action id -> its bytes
  for (const TopicRecord& record : read_topic(deployment, "payops.actions")) {
    if (record.payload.empty()) continue;
    on_topic[Json::parse(record.payload)["action_id"].get<std::string>()].insert(record.payload);
  }
  // Every action decided was published, or withdrawn with the log saying so.
  INFO("withdrawn: ", withdrawals);
  CHECK(published.size() > 3);
  CHECK(settled == decided);
  for (const std::string& id : published)
    CHECK_MESSAGE(on_topic.count(id) == 1, id << " is missing");
  for (const auto& [id, forms] : on_topic) {
    CHECK_MESSAGE(published.count(id) + uncertain.count(id) > 0, id << " was never decided");
    CHECK_MESSAGE(forms.size() == 1, id << " was repeated with other bytes");
  }
  MESSAGE(decided.size() << " actions decided, " << published.size() << " published, "
                         << attempts.size() << " attempts, withdrawn: " << withdrawals);
  run_payops(folder.path(), {"audit", "verify", deployment.audit_dir()});
  run_payops(folder.path(), {"replay", deployment.audit_dir()});
}

}  // namespace
}  // namespace payops
