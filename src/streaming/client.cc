#include "client.h"

#include <chrono>
#include <cstdlib>
#include <string_view>

namespace payops::streaming {
namespace {

ClientWatch& watch_of(void* opaque) { return *static_cast<ClientWatch*>(opaque); }

void on_error(rd_kafka_t*, int err, const char* reason, void* opaque) {
  ClientWatch& watch = watch_of(opaque);
  switch (err) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      watch.broker_up = false;
      return;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      watch.login_refused = true;
      break;
    default:
      break;
  }
  watch.trouble = reason;
}

// Once a second: whether any broker's connection is up. A substring is enough, and cheap.
int on_statistics(rd_kafka_t*, char* json, std::size_t length, void* opaque) {
  ClientWatch& watch = watch_of(opaque);
  const std::string_view text(json, length);
  const bool up = text.find("\"state\":\"UP\"") != std::string_view::npos;
  if (up && !watch.broker_up) watch.trouble.clear();
  watch.broker_up = up;
  return 0;  // librdkafka frees it
}

Status set_property(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char reason[256] = "";
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  return fail(ErrorCode::config, "Kafka property \"" + name + "\": " + reason);
}

}  // namespace

HeadersHandle make_headers(std::string_view id, std::string_view traceparent) {
  if (id.empty() && traceparent.empty()) return nullptr;
  HeadersHandle headers(rd_kafka_headers_new(2));
  const auto add = [&](const char* name, std::string_view value) {
    if (value.empty()) return;
    rd_kafka_header_add(headers.get(), name, -1, value.data(), static_cast<ssize_t>(value.size()));
  };
  add("payops-id", id);
  add("traceparent", traceparent);
  return headers;
}

int64_t steady_ms() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Result<ConfHandle> client_conf(const StreamingConfig& config, const Properties& defaults,
                               const Properties& fixed) {
  if (const Status valid = config.validate(); !valid) return tl::make_unexpected(valid.error());
  ConfHandle conf(rd_kafka_conf_new());
  Status ok;
  const auto set = [&](const std::string& name, const std::string& value) {
    if (ok) ok = set_property(conf.get(), name, value);
  };
  set("bootstrap.servers", config.bootstrap);
  set("client.id", "payops");
  set("statistics.interval.ms", "1000");
  set("socket.keepalive.enable", "true");
  set("socket.timeout.ms", std::to_string(request_timeout_ms(config)));
  set("reconnect.backoff.ms", "50");
  set("reconnect.backoff.max.ms", "2000");
  for (const auto& [name, value] : defaults) set(name, value);
  for (const auto& [name, value] : config.properties) set(name, value);
  for (const auto& [name, value] : fixed) set(name, value);
  for (const auto& [name, variable] : config.secrets) {
    const char* secret = std::getenv(variable.c_str());
    if (secret == nullptr || *secret == '\0') {
      return fail(ErrorCode::config, "the environment variable " + variable +
                                         " is not set; it must hold Kafka's " + name);
    }
    // Not by set(): a message must not repeat the value.
    if (rd_kafka_conf_set(conf.get(), name.c_str(), secret, nullptr, 0) != RD_KAFKA_CONF_OK) {
      return fail(ErrorCode::config,
                  "the value of " + variable + " does not do as Kafka's " + name);
    }
  }
  if (!ok) return tl::make_unexpected(ok.error());
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_stats_cb(conf.get(), on_statistics);
  return conf;
}

Result<ClientHandle> open_client(ClientKind kind, ConfHandle conf, ClientWatch& watch) {
  rd_kafka_conf_set_opaque(conf.get(), &watch);
  char reason[512] = "";
  rd_kafka_t* client =
      rd_kafka_new(kind == ClientKind::reader ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(),
                   reason, sizeof reason);
  if (client == nullptr) {
    return fail(ErrorCode::config, "Kafka settings do not fit together: " + std::string(reason));
  }
  conf.release();  // the client's now
  return ClientHandle(client);
}

Result<ClientHandle> open_asking_client(const StreamingConfig& config, ClientWatch& watch) {
  auto conf = client_conf(config, {}, {});
  if (!conf) return tl::make_unexpected(conf.error());
  return open_client(ClientKind::writer, std::move(*conf), watch);
}

Properties reader_defaults() {
  return {{"queued.min.messages", "1000000"},
          {"queued.max.messages.kbytes", "262144"},
          {"fetch.message.max.bytes", "4194304"},
          {"fetch.wait.max.ms", "10"}};
}

Properties reader_fixed(const StreamingConfig& config) {
  return {{"group.id", config.topic_prefix + "payops-agent-display"},
          {"isolation.level", "read_committed"},
          {"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"enable.partition.eof", "true"},
          {"auto.offset.reset", "error"}};
}

Result<std::vector<int32_t>> partition_counts(rd_kafka_t* client,
                                              const std::vector<std::string>& names,
                                              int timeout_ms) {
  std::vector<int32_t> counts;
  for (const std::string& name : names) {
    const TopicHandle topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, topic.get(), &raw, timeout_ms);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail_retryable(ErrorCode::unavailable, "Kafka does not say what partitions \"" + name +
                                                        "\" has: " + rd_kafka_err2str(err));
    }
    const std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>> metadata(
        raw);
    if (metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt < 1 ||
        metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return fail(ErrorCode::not_found,
                  "Kafka has no topic \"" + name +
                      "\"; \"payops topics create\" creates what payops needs");
    }
    counts.push_back(metadata->topics[0].partition_cnt);
  }
  return counts;
}

Result<std::string> cluster_id(rd_kafka_t* client, int timeout_ms, const std::string& bootstrap) {
  char* id = rd_kafka_clusterid(client, timeout_ms);
  if (id == nullptr) {
    return fail_retryable(ErrorCode::unavailable,
                          "Kafka at " + bootstrap + " does not say which cluster it is");
  }
  std::string text(id);
  rd_kafka_mem_free(client, id);
  return text;
}

}  // namespace payops::streaming
