#include <doctest/doctest.h>

#include <cstdlib>
#include <set>

#include "payops/core/yaml_fields.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

std::string said_of(const std::string& yaml) {
  const auto read = read_yaml<StreamingConfig>(yaml, "agent.yaml");
  return read ? "read" : read.error().message;
}

bool says(const std::string& yaml, const std::string& part) {
  const std::string said = said_of(yaml);
  INFO(said);
  return said.find(part) != std::string::npos;
}

TEST_CASE("TLS and SASL settings pass through, secrets are named and never written down") {
  CHECK(said_of("bootstrap: a:1,b:2\n"
                "properties: {security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512,\n"
                "  sasl.username: payops, ssl.ca.location: /etc/ssl/ca.pem}\n"
                "secrets: {sasl.password: PAYOPS_KAFKA_PASSWORD}\n") == "read");
  for (const char* secret : {"sasl.password", "ssl.key.password", "ssl.key.pem"}) {
    const std::string yaml = "properties: {" + std::string(secret) + ": hunter2}\n";
    CHECK(says(yaml, "would put a secret into the file"));
    CHECK_FALSE(says(yaml, "hunter2"));
  }
  CHECK(says("secrets: {sasl.password: hunter2}\n", "must be the name of an environment variable"));
  CHECK_FALSE(says("secrets: {sasl.password: hunter2}\n", "hunter2"));
}

TEST_CASE(
    "a secret comes from the environment when a client is opened, or it says which is missing") {
  StreamingConfig config;
  config.properties = {{"security.protocol", "SASL_PLAINTEXT"},
                       {"sasl.mechanism", "PLAIN"},
                       {"sasl.username", "payops"}};
  config.secrets = {{"sasl.password", "PAYOPS_TEST_KAFKA_PASSWORD"}};
  unsetenv("PAYOPS_TEST_KAFKA_PASSWORD");
  const auto without = Consumer::open(config, {"payments.transactions"});
  REQUIRE_FALSE(without);
  CHECK(without.error().code == ErrorCode::config);
  CHECK(without.error().message ==
        "the environment variable PAYOPS_TEST_KAFKA_PASSWORD is not set; it must hold Kafka's "
        "sasl.password");
  setenv("PAYOPS_TEST_KAFKA_PASSWORD", "hunter2", 1);
  CHECK(Consumer::open(config, {"payments.transactions"}));
}

TEST_CASE("settings that payops' promises rest on, and unknown ones, are refused by name") {
  CHECK(says("properties: {isolation.level: read_uncommitted}\n",
             "agent.yaml:1: \"properties.isolation.level\" cannot be set: payops reads committed"));
  CHECK(says("properties: {bootstrap.servers: x}\n", "say it as \"bootstrap\""));
  CHECK(says("properties: {ssl.ca.locaton: x}\n", "did you mean \"ssl.ca.location\"?"));
  CHECK(says("properties: {security.protocol: tsl}\n", "security.protocol"));
  CHECK(says("bootstrap: localhost\n", "must be host:port"));
  CHECK(says("bootstrap: a:1,b:99999\n", "must be host:port"));
  CHECK(says("session_timeout_ms: 10\n", "\"session_timeout_ms\" must be 1000 to 300000, not 10"));
  CHECK(says("topics: {payments.transaction: {partitions: 2}}\n",
             "did you mean \"payments.transactions\"?"));
  CHECK(says("topics: {payops.lease: {partitions: 2}}\n", "it elects one"));
  CHECK(says("topic_prefix: 'a b'\n", "letters, digits"));
}

TEST_CASE("every topic has one name, with the prefix, unless it is given its own") {
  StreamingConfig config;
  config.topic_prefix = "eu.";
  config.topics["payments.transactions"] = {.name = "acme-payments", .partitions = 12};
  CHECK(topic_name(config, "payments.transactions") == "acme-payments");
  CHECK(topic_name(config, "payops.actions") == "eu.payops.actions");
  CHECK(topic_name(config, "actions") == "eu.payops.actions");
  CHECK(topic_name(config, "chat.inbound") == "eu.chat.inbound");
  CHECK(find_topic(config, "payments.transactions")->partitions == 12);
  CHECK(find_topic(config, "actions")->compacted);
  CHECK_FALSE(find_topic(config, "transactions"));
  std::set<std::string> names;
  for (const TopicSpec& spec : topic_specs()) names.insert(topic_name(config, spec.topic));
  CHECK(names.size() == topic_specs().size());
  config.topics["payops.alerts"] = {.name = "acme-payments"};
  REQUIRE_FALSE(config.validate());
  CHECK(config.validate().error().message.find("acme-payments") != std::string::npos);
}

}  // namespace
}  // namespace payops::streaming
