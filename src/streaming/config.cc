#include "payops/streaming/config.h"

#include <algorithm>
#include <array>
#include <set>

#include "client.h"
#include "payops/core/text.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

constexpr std::array<std::string_view, 5> kSecretProperties{"sasl.password", "ssl.key.password",
                                                            "ssl.keystore.password", "ssl.key.pem",
                                                            "sasl.oauthbearer.client.secret"};

// What payops' promises rest on, and where to say it instead, if anywhere.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kOwnProperties{{
    {"bootstrap.servers", "say it as \"bootstrap\""},
    {"metadata.broker.list", "say it as \"bootstrap\""},
    {"session.timeout.ms", "say it as \"session_timeout_ms\""},
    {"group.id", "payops sets it"},
    {"group.instance.id", "payops sets it"},
    {"transactional.id", "payops sets it"},
    {"enable.idempotence", "payops sets it"},
    {"isolation.level", "payops reads committed records only"},
    {"enable.auto.commit", "payops keeps its own offsets"},
    {"enable.auto.offset.store", "payops keeps its own offsets"},
    {"auto.offset.reset", "payops reports a gap itself"},
    {"enable.partition.eof", "payops sets it"},
    {"partition.assignment.strategy", "payops sets it"},
    {"partitioner", "payops sets it"},
    {"acks", "payops waits for all replicas"},
    {"request.required.acks", "payops waits for all replicas"},
    {"message.timeout.ms", "payops sets it"},
    {"delivery.timeout.ms", "payops sets it"},
}};

// Names to suggest.
std::vector<std::string> property_names() {
  std::set<std::string> all;
  const ConfHandle conf(rd_kafka_conf_new());
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf.get(), &count);
  for (std::size_t i = 0; i + 1 < count; i += 2) all.emplace(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
  // What has no default is not in the dump.
  for (const char* common :
       {"sasl.username", "sasl.password", "ssl.ca.location", "ssl.key.location", "ssl.key.password",
        "ssl.certificate.location", "ssl.keystore.location"}) {
    all.emplace(common);
  }
  return {all.begin(), all.end()};
}

Status check_property(const std::string& where, const std::string& name) {
  if (const auto* own = std::find_if(kOwnProperties.begin(), kOwnProperties.end(),
                                     [&](const auto& p) { return p.first == name; });
      own != kOwnProperties.end()) {
    return fail(ErrorCode::config,
                "\"" + where + "." + name + "\" cannot be set: " + std::string(own->second));
  }
  const ConfHandle probe(rd_kafka_conf_new());
  if (rd_kafka_conf_set(probe.get(), name.c_str(), "", nullptr, 0) == RD_KAFKA_CONF_UNKNOWN) {
    return fail(ErrorCode::config, "\"" + where + "." + name + "\" is no property of librdkafka" +
                                       did_you_mean(name, property_names()));
  }
  return {};
}

Status check_bootstrap(const std::string& bootstrap) {
  const std::string wanted =
      "\"bootstrap\" must be host:port[,host:port...], not \"" + bootstrap + "\"";
  std::size_t begin = 0;
  while (begin <= bootstrap.size()) {
    const std::size_t end = std::min(bootstrap.find(',', begin), bootstrap.size());
    const std::string_view one = std::string_view(bootstrap).substr(begin, end - begin);
    const std::size_t colon = one.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return fail(ErrorCode::config, wanted);
    const std::string_view port = one.substr(colon + 1);
    const bool digits = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits || std::stoi(std::string(port)) > 65535) return fail(ErrorCode::config, wanted);
    begin = end + 1;
  }
  return {};
}

bool legal_topic_text(std::string_view text) {
  return text.size() <= 200 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

Status check_topics(const StreamingConfig& config) {
  constexpr std::string_view kLetters = " may hold letters, digits, '.', '_' and '-' only";
  if (!legal_topic_text(config.topic_prefix)) {
    return fail(ErrorCode::config, "\"topic_prefix\"" + std::string(kLetters));
  }
  for (const auto& [topic, change] : config.topics) {
    if (const auto found = find_topic(config, topic); !found) {
      return fail(ErrorCode::config, "\"topics." + topic + "\": " + found.error().message);
    }
    if (change.name && (change.name->empty() || !legal_topic_text(*change.name))) {
      return fail(ErrorCode::config, "\"topics." + topic + ".name\"" + std::string(kLetters));
    }
    if (change.partitions && (*change.partitions < 1 || *change.partitions > 10'000)) {
      return fail(ErrorCode::config, "\"topics." + topic + ".partitions\" must be 1 to 10000");
    }
    if (change.partitions && *change.partitions != 1 && topic == "payops.lease") {
      return fail(ErrorCode::config, "\"topics.payops.lease.partitions\" must be 1: it elects one");
    }
    if (change.retention_h && *change.retention_h < 1 && *change.retention_h != kKeptForGood) {
      return fail(ErrorCode::config,
                  "\"topics." + topic + ".retention_h\" must be 1 or more, or -1 for good");
    }
  }
  std::set<std::string> names;
  for (const TopicSpec& spec : topic_specs()) {
    if (!names.insert(topic_name(config, spec.topic)).second) {
      return fail(ErrorCode::config, "\"topics\" gives two topics the name \"" +
                                         topic_name(config, spec.topic) + "\"");
    }
  }
  return {};
}

Status check_range(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return fail(ErrorCode::config, "\"" + std::string(name) + "\" must be " + std::to_string(low) +
                                     " to " + std::to_string(high) + ", not " +
                                     std::to_string(value));
}

}  // namespace

Status StreamingConfig::validate() const {
  for (const auto& [name, value] : properties) {
    if (std::find(kSecretProperties.begin(), kSecretProperties.end(), name) !=
        kSecretProperties.end()) {
      return fail(ErrorCode::config, "\"properties." + name +
                                         "\" would put a secret into the file; name an environment "
                                         "variable instead: secrets: {" +
                                         name + ": PAYOPS_KAFKA_PASSWORD}");
    }
    if (const Status ok = check_property("properties", name); !ok) return ok;
    const ConfHandle probe(rd_kafka_conf_new());
    char reason[256] = "";
    if (rd_kafka_conf_set(probe.get(), name.c_str(), value.c_str(), reason, sizeof reason) !=
        RD_KAFKA_CONF_OK) {
      return fail(ErrorCode::config, "\"properties." + name + "\": " + reason);
    }
  }
  for (const auto& [name, variable] : secrets) {
    if (const Status ok = check_property("secrets", name); !ok) return ok;
    if (variable.empty() ||
        variable.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != std::string::npos) {
      return fail(
          ErrorCode::config,
          "\"secrets." + name +
              "\" must be the name of an environment variable, in capital "
              "letters, such as PAYOPS_KAFKA_PASSWORD; the secret itself never stands in a file");
    }
  }
  if (const Status ok = check_bootstrap(bootstrap); !ok) return ok;
  if (const Status ok = check_topics(*this); !ok) return ok;
  if (const Status ok = check_range("replication_factor", replication_factor, 1, 99); !ok)
    return ok;
  if (const Status ok = check_range("connect_timeout_s", connect_timeout_s, 0, 86'400); !ok)
    return ok;
  if (const Status ok = check_range("request_timeout_s", request_timeout_s, 1, 300); !ok) return ok;
  if (const Status ok = check_range("publish_timeout_s", publish_timeout_s, 1, 300); !ok) return ok;
  return check_range("session_timeout_ms", session_timeout_ms, 1000, 300'000);
}

}  // namespace payops::streaming
