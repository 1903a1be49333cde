#include "payops/streaming/event_producer.h"

#include <map>

#include "client.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

void count_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  ClientWatch& watch = *static_cast<ClientWatch*>(opaque);
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++watch.delivered;
    if (!watch.trouble.empty()) watch.trouble.clear();
    return;
  }
  ++watch.failed;
  watch.trouble =
      std::string(rd_kafka_topic_name(message->rkt)) + ": " + rd_kafka_err2str(message->err);
}

struct Target {
  TopicHandle handle;
  int32_t partitions = 0;  // 0 = not known yet: librdkafka chooses
  int32_t next = 0;
};

}  // namespace

struct EventProducer::Impl {
  ClientWatch watch;
  StreamingConfig config;
  uint64_t sent = 0;
  ClientHandle client;
  std::map<std::string, Target, std::less<>> targets;

  ~Impl() {
    targets.clear();
    if (client) rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  }

  Result<Target*> target(std::string_view topic);
};

EventProducer::EventProducer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventProducer::~EventProducer() = default;

Result<std::unique_ptr<EventProducer>> EventProducer::open(const StreamingConfig& config,
                                                           EventProducerOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  auto conf =
      client_conf(config,
                  {{"compression.codec", "lz4"},
                   {"linger.ms", std::to_string(options.linger_ms)},
                   {"queue.buffering.max.messages", std::to_string(options.queue_max_events)},
                   {"queue.buffering.max.kbytes", "262144"},
                   {"batch.num.messages", "20000"}},
                  {{"enable.idempotence", "true"},
                   {"partitioner", "murmur2_random"},
                   {"message.timeout.ms", std::to_string(options.give_up_after_s * 1000)}});
  if (!conf) return tl::make_unexpected(conf.error());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), count_delivery);
  auto client = open_client(ClientKind::writer, std::move(*conf), impl->watch);
  if (!client) return tl::make_unexpected(client.error());
  impl->client = std::move(*client);
  return std::unique_ptr<EventProducer>(new EventProducer(std::move(impl)));
}

Result<Target*> EventProducer::Impl::target(std::string_view topic) {
  if (const auto it = targets.find(topic); it != targets.end()) return &it->second;
  if (const auto known = find_topic(config, topic); !known) {
    return tl::make_unexpected(known.error());
  }
  const std::string name = topic_name(config, topic);
  auto counts = partition_counts(client.get(), {name}, request_timeout_ms(config));
  if (!counts) return tl::make_unexpected(counts.error());
  Target& made = targets[std::string(topic)];
  made.handle.reset(rd_kafka_topic_new(client.get(), name.c_str(), nullptr));
  made.partitions = counts->front();
  return &made;
}

Status EventProducer::send(std::string_view topic, std::string_view key, std::string_view payload,
                           std::string_view id, std::string_view traceparent) {
  Impl& in = *impl_;
  auto found = in.target(topic);
  if (!found) return tl::make_unexpected(found.error());
  Target& to = **found;
  if (in.sent % 256 == 0) rd_kafka_poll(in.client.get(), 0);
  int32_t partition = RD_KAFKA_PARTITION_UA;
  if (key.empty() && to.partitions > 0) {
    partition = to.next;
    to.next = (to.next + 1) % to.partitions;
  }
  const int64_t deadline_ms = steady_ms() + in.config.publish_timeout_s * 1000;
  while (true) {
    HeadersHandle headers = make_headers(id, traceparent);
    const rd_kafka_resp_err_t err = rd_kafka_producev(
        in.client.get(), RD_KAFKA_V_RKT(to.handle.get()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
        RD_KAFKA_V_VALUE(payload.empty() ? nullptr : const_cast<char*>(payload.data()),
                         payload.size()),
        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      (void)headers.release();  // the message's now
      ++in.sent;
      return {};
    }
    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      return fail(ErrorCode::limit, "an event of " + std::to_string(payload.size()) +
                                        " bytes is more than Kafka takes in one message");
    }
    if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      return fail_retryable(ErrorCode::unavailable,
                            "an event to \"" + std::string(topic) + "\": " + rd_kafka_err2str(err));
    }
    if (steady_ms() >= deadline_ms) {
      return fail_retryable(ErrorCode::unavailable, "Kafka at " + in.config.bootstrap +
                                                        " takes events more slowly than "
                                                        "they are sent, or is away: " +
                                                        in.watch.trouble);
    }
    rd_kafka_poll(in.client.get(), 10);
  }
}

Status EventProducer::flush(int64_t timeout_ms) {
  if (rd_kafka_flush(impl_->client.get(), static_cast<int>(timeout_ms)) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return fail_retryable(ErrorCode::unavailable,
                        std::to_string(counts().in_flight()) + " events are not delivered after " +
                            std::to_string(timeout_ms) + " ms: " + impl_->watch.trouble);
}

EventCounts EventProducer::counts() {
  rd_kafka_poll(impl_->client.get(), 0);
  return {.sent = impl_->sent, .delivered = impl_->watch.delivered, .failed = impl_->watch.failed};
}

const std::string& EventProducer::trouble() const { return impl_->watch.trouble; }

}  // namespace payops::streaming
