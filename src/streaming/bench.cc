#include "payops/streaming/bench.h"

#include <sys/resource.h>

#include <chrono>

#include "client.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

constexpr std::size_t kBatch = 2048;
constexpr int64_t kGiveUpAfterMs = 30'000;  // without a message

double steady_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Status assign_from_beginning(rd_kafka_t* client, const std::string& name, int timeout_ms) {
  const auto counts = partition_counts(client, {name}, timeout_ms);
  if (!counts) return tl::make_unexpected(counts.error());
  const PartitionList list(rd_kafka_topic_partition_list_new(counts->front()));
  for (int32_t p = 0; p < counts->front(); ++p) {
    rd_kafka_topic_partition_list_add(list.get(), name.c_str(), p)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  if (rd_kafka_assign(client, list.get()) == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return fail(ErrorCode::internal, "librdkafka does not take the partitions of \"" + name + "\"");
}

}  // namespace

double process_cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Result<RawRate> measure_raw_consume(const StreamingConfig& config, const std::string& topic,
                                    uint64_t messages) {
  if (const auto known = find_topic(config, topic); !known) {
    return tl::make_unexpected(known.error());
  }
  ClientWatch watch;
  auto conf = client_conf(config, reader_defaults(), reader_fixed(config));
  if (!conf) return tl::make_unexpected(conf.error());
  auto client = open_client(ClientKind::reader, std::move(*conf), watch);
  if (!client) return tl::make_unexpected(client.error());
  rd_kafka_poll_set_consumer(client->get());
  const QueueHandle queue(rd_kafka_queue_get_consumer(client->get()));
  if (const Status assigned = assign_from_beginning(client->get(), topic_name(config, topic),
                                                    request_timeout_ms(config));
      !assigned) {
    return tl::make_unexpected(assigned.error());
  }
  RawRate rate;
  double start_s = 0, start_cpu_s = 0;
  std::vector<rd_kafka_message_t*> batch(kBatch);
  int64_t last_ms = steady_ms();
  while (rate.messages < messages) {
    const ssize_t n = rd_kafka_consume_batch_queue(queue.get(), 10, batch.data(), batch.size());
    for (ssize_t i = 0; i < n; ++i) {
      rd_kafka_message_t* message = batch[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++rate.messages;
        rate.bytes += message->len;
      }
      rd_kafka_message_destroy(message);
    }
    if (rate.messages == 0 || n > 0) last_ms = n > 0 ? steady_ms() : last_ms;
    if (start_s == 0 && rate.messages > 0) {
      start_s = steady_s();
      start_cpu_s = process_cpu_s();
    }
    if (steady_ms() - last_ms > kGiveUpAfterMs) {
      return fail(ErrorCode::limit, "\"" + topic_name(config, topic) + "\" gave " +
                                        std::to_string(rate.messages) + " records, not " +
                                        std::to_string(messages) + "; " + watch.trouble);
    }
  }
  rate.wall_s = steady_s() - start_s;
  rate.cpu_s = process_cpu_s() - start_cpu_s;
  rd_kafka_assign(client->get(), nullptr);
  return rate;
}

}  // namespace payops::streaming
