// How payops reaches Kafka: the `streaming` part of a configuration file. Every client of this
// module is opened from one StreamingConfig; nothing else names a broker, a topic or a password.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::streaming {

// What a team changes about one topic; the rest stays as topics.h has it.
struct TopicOverride {
  std::optional<std::string> name = {};  // the whole name; the prefix is not put before it
  std::optional<int32_t> partitions = {};
  std::optional<int64_t> retention_h = {};  // hours; -1 = for good
  static constexpr auto fields() {
    return std::make_tuple(field("name", &TopicOverride::name),
                           field("partitions", &TopicOverride::partitions),
                           field("retention_h", &TopicOverride::retention_h));
  }
};

struct StreamingConfig {
  std::string bootstrap = "localhost:9092";  // host:port[,host:port...]
  std::string topic_prefix;                  // put before every topic, group and transactional id
  int32_t replication_factor = 1;            // of topics created by payops
  std::map<std::string, TopicOverride> topics;    // by the name that topics.h gives
  std::map<std::string, std::string> properties;  // librdkafka's own: TLS, SASL, tuning
  std::map<std::string, std::string> secrets;     // property -> name of an environment variable
  int64_t connect_timeout_s = 30;     // how long a start waits for a broker that is away
  int64_t request_timeout_s = 10;     // of one question to the broker
  int64_t publish_timeout_s = 10;     // of one transaction, its retries included
  int64_t session_timeout_ms = 6000;  // of the decider's lease; the broker allows 6 s and up

  // Errors: config, in a sentence; the environment is not looked at.
  [[nodiscard]] Status validate() const;

  static constexpr auto fields() {
    using C = StreamingConfig;
    return std::make_tuple(
        field("bootstrap", &C::bootstrap), field("topic_prefix", &C::topic_prefix),
        field("replication_factor", &C::replication_factor), field("topics", &C::topics),
        field("properties", &C::properties), field("secrets", &C::secrets),
        field("connect_timeout_s", &C::connect_timeout_s),
        field("request_timeout_s", &C::request_timeout_s),
        field("publish_timeout_s", &C::publish_timeout_s),
        field("session_timeout_ms", &C::session_timeout_ms));
  }
};

}  // namespace payops::streaming
