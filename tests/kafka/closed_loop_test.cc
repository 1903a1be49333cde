// The whole program against a real Apache Kafka, as its users run it.
#include <doctest/doctest.h>
#include <signal.h>

#include <cmath>
#include <set>

#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/streaming/event_producer.h"
#include "program.h"
#include "support/kafka_server.h"
#include "support/process.h"

namespace payops {
namespace {

using namespace payops::testing;

TEST_CASE("a gateway fails, traffic is moved, the world answers and the outcome is learnt") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "loop.");
  Process agent("agent", folder.path(), deployment.agent());
  Process world("world", folder.path(),
                deployment.simulate({"--scenario", "gateway_failure", "--speed", "25", "--duration",
                                     "1100", "--seed", "5"}));
  REQUIRE(world.wait(200));
  REQUIRE_MESSAGE(world.exit_status() == 0, world.err());
  agent.signal(SIGINT);
  REQUIRE(agent.wait(60));
  CHECK_MESSAGE(agent.exit_status() == 0, agent.err());

  std::set<std::string> rerouted;
  for (const TopicRecord& record : read_topic(deployment, "payops.actions")) {
    if (record.payload.empty()) continue;
    const Json action = Json::parse(record.payload);
    if (action["type"] == "reroute_traffic")
      rerouted.insert(action["action_id"].get<std::string>());
  }
  REQUIRE_FALSE(rerouted.empty());
  CHECK(Json::parse(world.out())["actions_applied"].get<int>() > 0);

  int treated = 0, held_out = 0;
  for (const TopicRecord& record : read_topic(deployment, "payments.transactions")) {
    const Json attempt = Json::parse(record.payload);
    if (attempt["action_ids"].empty()) continue;
    if (rerouted.count(attempt["action_ids"][0].get<std::string>()) == 0) continue;
    treated += attempt["arm"] == "treated" ? 1 : 0;
    held_out += attempt["arm"] == "holdout" ? 1 : 0;
  }
  CHECK(treated > 0);
  CHECK(held_out > 0);

  bool improved = false;
  std::set<std::string> incidents;
  for (const auto& [kind, text] : audit_records(deployment.audit_dir())) {
    const Json body = Json::parse(text);
    if (kind == "outcome") improved = improved || body["outcome"]["result"] == "improved";
    if (kind == "incident") incidents.insert(body["incident"]["status"].get<std::string>());
  }
  CHECK(improved);
  CHECK(incidents.count("started") == 1);
  const std::string learned =
      run_payops(folder.path(), {"learned", "--state", folder.path() + "/state", "--json"});
  CHECK(learned.find("reroute_traffic") != std::string::npos);
  run_payops(folder.path(), {"explain", "last", "--audit", deployment.audit_dir()});
  run_payops(folder.path(), {"audit", "verify", deployment.audit_dir()});
  run_payops(folder.path(), {"replay", deployment.audit_dir()});
}

TEST_CASE("garbage goes to the dead letters with its reason and place, and the stream goes on") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "garbage.");
  const std::string now = std::to_string(SystemClock().now_ms() - 60'000);
  const auto attempt = [&](const std::string& id, const std::string& ts, const std::string& amount,
                           const std::string& currency) {
    return R"({"attempt_id":")" + id + R"(","payment_id":"p","attempt_no":1,"ts_ms":)" + ts +
           R"(,"issuer":"HDFC","method":"card","gateway":"PAYU","merchant_id":"m","user_id":"u",)" +
           R"("amount_minor":)" + amount + R"(,"currency":")" + currency +
           R"(","status":"approved","decline_code":"","latency_ms":100,"region":"IN",)" +
           R"("action_ids":[],"arm":"none","propensity":1.0})";
  };
  const std::vector<std::string> bad = {
      "{",
      "not json",
      "[]",
      "{}",
      "\xff\xfe{}",
      attempt("a1", now, "-5", "INR"),
      attempt("a2", now, "NaN", "INR"),
      attempt("a3", now, "1e400", "INR"),
      attempt("a4", now, "\"5\"", "INR"),
      attempt("a5", now, "5", "XXX"),
      attempt("a6", "0", "5", "INR"),
      attempt("a7", "4102444800000", "5", "INR"),
      "{\"attempt_id\":\"" + std::string(900'000, 'x') + "\"}",
      R"({"attempt_id":"card 4111 1111 1111 1111"})",
  };
  auto producer = streaming::EventProducer::open(deployment.streaming);
  REQUIRE(producer);
  for (std::size_t i = 0; i < bad.size(); ++i) {
    REQUIRE((*producer)->send("payments.transactions", "k", bad[i]));
    REQUIRE((*producer)->send("payments.transactions", "k",
                              attempt("good" + std::to_string(i), now, "100", "INR")));
  }
  REQUIRE((*producer)->flush(30'000));

  const std::vector<std::string> argv = deployment.agent({"--until-end", "--json"});
  Process agent("agent", folder.path(), argv);
  REQUIRE(agent.wait(60));
  REQUIRE_MESSAGE(agent.exit_status() == 0, agent.err());
  const Json counts = Json::parse(agent.out());
  CHECK(counts["attempts"] == bad.size());
  CHECK(counts["dead_letters"] == bad.size());

  // The first run committed them to the outbox and published; a second finds nothing new.
  Process again("again", folder.path(), argv);
  REQUIRE(again.wait(60));
  CHECK(Json::parse(again.out())["attempts"] == 0);
  CHECK(Json::parse(again.out())["total"]["dead_letters"] == bad.size());

  const auto letters = read_topic(deployment, "payops.dead-letters");
  CHECK(letters.size() == bad.size());
  std::set<int64_t> offsets;
  for (const TopicRecord& record : letters) {
    const Json letter = Json::parse(record.payload);
    CHECK_FALSE(letter["reason"].get<std::string>().empty());
    CHECK(letter["topic"] == "garbage.payments.transactions");
    CHECK(letter["partition"].is_number_integer());
    offsets.insert(letter["offset"].get<int64_t>());
    CHECK(letter["payload"].get<std::string>().find("1111 1111 1111") == std::string::npos);
    CHECK(record.payload.size() < 2000);
  }
  CHECK(offsets.size() == bad.size());
}

TEST_CASE("a successor without state keeps the kill switch on, and reads the past without acting") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "successor.");
  const std::string key = folder.path() + "/operator.key";
  std::string public_key = run_payops(folder.path(), {"keys", "new", "--out", key});
  public_key.resize(64);
  deployment.configure("agent: {operator_keys: [" + public_key + "]}");
  Process world("world", folder.path(),
                deployment.simulate({"--scenario", "gateway_failure", "--speed", "0", "--duration",
                                     "600", "--seed", "5"}));
  REQUIRE(world.wait(100));

  Process first("first", folder.path(), deployment.agent());
  run_payops(folder.path(), {"kill", "on", "--config", deployment.config_file, "--key", key, "--by",
                             "anna", "--wait", "60"});
  first.signal(SIGKILL);
  REQUIRE(first.wait(10));

  std::vector<std::string> cold = deployment.agent();
  for (std::string& word : cold) {
    if (word == folder.path() + "/state") word = folder.path() + "/other_state";
    if (word == deployment.audit_dir()) word = folder.path() + "/other_audit";
  }
  Process second("second", folder.path(), cold);
  // It answers once it has read everything: nothing was tried on the way, the switch was found on.
  run_payops(folder.path(), {"kill", "on", "--config", deployment.config_file, "--key", key, "--by",
                             "ben", "--wait", "60"});
  second.signal(SIGINT);
  REQUIRE(second.wait(60));
  CHECK_MESSAGE(second.exit_status() == 0, second.err());

  std::set<std::string> granted;
  for (const auto& [kind, text] : audit_records(folder.path() + "/other_audit")) {
    const Json body = Json::parse(text);
    if (kind == "verdict" && body["result"] == "granted") {
      granted.insert(body["verdict"]["by"].get<std::string>());
    }
  }
  CHECK(granted.count("anna") == 1);
  for (const TopicRecord& record : read_topic(deployment, "payops.actions")) {
    if (record.payload.empty()) continue;
    CHECK(Json::parse(record.payload)["type"] == "alert_ops");
  }
}

TEST_CASE("without a broker the agent says so and ends with status 3") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "away.");
  const std::string output = run_payops(
      folder.path(), {"topics", "list", "--bootstrap", "127.0.0.1:1", "--connect-timeout", "2"}, 3);
  CHECK(output.empty());
}

TEST_CASE("a restarted broker interrupts the agent, and no attempt is lost") {
  TemporaryFolder folder;
  const Deployment deployment(folder.path(), "restart.");
  Process agent("agent", folder.path(), deployment.agent());
  Process world(
      "world", folder.path(),
      deployment.simulate({"--scenario", "healthy_day", "--speed", "10", "--duration", "250"}));
  REQUIRE_FALSE(world.wait(8));
  KafkaServer::shared().restart();
  REQUIRE(world.wait(120));
  REQUIRE_MESSAGE(world.exit_status() == 0, world.err());
  agent.signal(SIGINT);
  REQUIRE(agent.wait(60));
  Process last("last", folder.path(), deployment.agent({"--until-end", "--json"}));
  REQUIRE(last.wait(60));
  REQUIRE_MESSAGE(last.exit_status() == 0, last.err());
  const Json total = Json::parse(last.out())["total"];
  CHECK(total["attempts"].get<int64_t>() + total["late"].get<int64_t>() +
            total["duplicates"].get<int64_t>() ==
        static_cast<int64_t>(read_topic(deployment, "payments.transactions").size()));
  CHECK(total["dead_letters"] == 0);
}

}  // namespace
}  // namespace payops
