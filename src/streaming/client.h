// What every client of this module is made of: librdkafka's handles behind deleters, its
// configuration from a StreamingConfig, and what its callbacks have seen.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "payops/streaming/config.h"

namespace payops::streaming {

template <auto Destroy>
struct Deleter {
  template <class T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};
using ConfHandle = std::unique_ptr<rd_kafka_conf_t, Deleter<rd_kafka_conf_destroy>>;
using ClientHandle = std::unique_ptr<rd_kafka_t, Deleter<rd_kafka_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Deleter<rd_kafka_queue_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Deleter<rd_kafka_topic_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      Deleter<rd_kafka_topic_partition_list_destroy>>;
using ErrorHandle = std::unique_ptr<rd_kafka_error_t, Deleter<rd_kafka_error_destroy>>;
using HeadersHandle = std::unique_ptr<rd_kafka_headers_t, Deleter<rd_kafka_headers_destroy>>;
using MessageHandle = std::unique_ptr<rd_kafka_message_t, Deleter<rd_kafka_message_destroy>>;

// A message's "payops-id" and "traceparent", each where it is not empty; null without either.
[[nodiscard]] HeadersHandle make_headers(std::string_view id, std::string_view traceparent);

// What the callbacks of one client have seen; they run inside the calls that serve its queue, on
// the caller's thread. The client's opaque.
struct ClientWatch {
  bool broker_up = true;
  std::string trouble;  // the last error in words
  bool login_refused = false;
  uint64_t delivered = 0;  // producers
  uint64_t failed = 0;
  rd_kafka_resp_err_t delivery_error = RD_KAFKA_RESP_ERR_NO_ERROR;  // the last that failed
  void* owner = nullptr;  // for callbacks of one kind of client
};

enum class ClientKind { reader, writer };
using Properties = std::vector<std::pair<const char*, std::string>>;

// `defaults` may be overridden by the config's properties, `fixed` may not (config.cc refuses the
// properties that are set there). Errors: config.
[[nodiscard]] Result<ConfHandle> client_conf(const StreamingConfig& config,
                                             const Properties& defaults, const Properties& fixed);

// `watch` outlives the client. Errors: config.
[[nodiscard]] Result<ClientHandle> open_client(ClientKind kind, ConfHandle conf,
                                               ClientWatch& watch);

// A client for questions only. Errors: config.
[[nodiscard]] Result<ClientHandle> open_asking_client(const StreamingConfig& config,
                                                      ClientWatch& watch);

// The consumer settings that raw reading is measured with too.
[[nodiscard]] Properties reader_defaults();
[[nodiscard]] Properties reader_fixed(const StreamingConfig& config);

// Partitions of each named topic, in order. Errors: unavailable, retryable; not_found.
[[nodiscard]] Result<std::vector<int32_t>> partition_counts(rd_kafka_t* client,
                                                            const std::vector<std::string>& names,
                                                            int timeout_ms);
[[nodiscard]] Result<std::string> cluster_id(rd_kafka_t* client, int timeout_ms,
                                             const std::string& bootstrap);

[[nodiscard]] inline int request_timeout_ms(const StreamingConfig& config) {
  return static_cast<int>(config.request_timeout_s * 1000);
}

// Milliseconds of the steady clock.
[[nodiscard]] int64_t steady_ms();

}  // namespace payops::streaming
