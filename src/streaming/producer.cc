#include "payops/streaming/producer.h"

#include <thread>
#include <vector>

#include "client.h"
#include "payops/streaming/outbox.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

enum class Stage { idle, open, committing, aborting, dead };

Error fenced_error(const std::string& id) {
  return {ErrorCode::refused, false,
          "another process has taken over as \"" + id + "\"; this one may publish no more"};
}

}  // namespace

struct Producer::Impl {
  ClientWatch watch;
  StreamingConfig config;
  std::string id;
  Stage stage = Stage::idle;
  bool fenced = false;
  std::vector<std::string> committing_ids;  // of a commit whose outcome is not known yet
  ClientHandle client;

  // What a transactional call's error means. Retryable ones are returned as such; `abort` is set
  // when the transaction must be aborted first.
  Status judge(ErrorHandle error, const std::string& doing, bool& abort);
  Status retry_until(int64_t deadline_ms, const std::string& doing, bool& abort,
                     rd_kafka_error_t* (*call)(rd_kafka_t*, int));
  Status produce(const Message& message);
  Status commit(int64_t deadline_ms);
  Status abort(int64_t deadline_ms);
  Status attempt(std::span<const Message> messages, int64_t deadline_ms);
};

Producer::Producer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Producer::~Producer() = default;
bool Producer::fenced() const { return impl_->fenced; }

Status Producer::Impl::judge(ErrorHandle error, const std::string& doing, bool& abort) {
  if (error == nullptr) return {};
  rd_kafka_resp_err_t code = rd_kafka_error_code(error.get());
  const std::string text = rd_kafka_error_string(error.get());
  if (rd_kafka_error_is_fatal(error.get()) != 0) {
    char reason[256] = "";
    if (const auto fatal = rd_kafka_fatal_error(client.get(), reason, sizeof reason);
        fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
      code = fatal;
    }
    stage = Stage::dead;
    fenced = code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
             code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
    if (fenced) return tl::make_unexpected(fenced_error(id));
    return fail(ErrorCode::refused, "Kafka ended the producer \"" + id + "\" while " + doing +
                                        ": " + text + "; it must be opened again");
  }
  abort = rd_kafka_error_txn_requires_abort(error.get()) != 0;
  if (abort || rd_kafka_error_is_retriable(error.get()) != 0) {
    return fail_retryable(ErrorCode::unavailable,
                          "Kafka at " + config.bootstrap + ", " + doing + ": " + text);
  }
  return fail(code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ? ErrorCode::refused
                                                                              : ErrorCode::internal,
              "Kafka at " + config.bootstrap + ", " + doing + ": " + text);
}

// Repeats a call while Kafka says that trying again can help. The calls resume where they were.
Status Producer::Impl::retry_until(int64_t deadline_ms, const std::string& doing, bool& abort,
                                   rd_kafka_error_t* (*call)(rd_kafka_t*, int)) {
  while (true) {
    const int64_t left_ms = std::max<int64_t>(deadline_ms - steady_ms(), 1);
    const Status done =
        judge(ErrorHandle(call(client.get(), static_cast<int>(left_ms))), doing, abort);
    if (done || abort || !done.error().retryable || steady_ms() >= deadline_ms) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

namespace {

// Which message was rejected and why; the transaction's own error only says that one was.
void note_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  ClientWatch& watch = *static_cast<ClientWatch*>(opaque);
  ++watch.failed;
  // What a broker says after one message has failed the transaction is about that failure.
  if (watch.failed == 1) watch.delivery_error = message->err;
  watch.trouble =
      std::string(rd_kafka_topic_name(message->rkt)) + ": " + rd_kafka_err2str(message->err);
}

// Whether a message that was not taken may be taken when it is given again.
bool can_pass(rd_kafka_resp_err_t err) {
  switch (err) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<std::unique_ptr<Producer>> Producer::open(const StreamingConfig& config,
                                                 const std::string& transactional_id) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->id = config.topic_prefix + transactional_id;
  auto conf = client_conf(
      config, {{"compression.codec", "lz4"}, {"linger.ms", "1"}},
      {{"transactional.id", impl->id},
       {"partitioner", "murmur2_random"},
       {"transaction.timeout.ms", std::to_string(config.publish_timeout_s * 1000 + 20'000)}});
  if (!conf) return tl::make_unexpected(conf.error());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), note_delivery);
  auto client = open_client(ClientKind::writer, std::move(*conf), impl->watch);
  if (!client) return tl::make_unexpected(client.error());
  impl->client = std::move(*client);
  bool abort = false;
  const Status ready = impl->retry_until(steady_ms() + request_timeout_ms(config),
                                         "starting the producer \"" + impl->id + "\"", abort,
                                         rd_kafka_init_transactions);
  if (!ready) return tl::make_unexpected(ready.error());
  return std::unique_ptr<Producer>(new Producer(std::move(impl)));
}

Status Producer::Impl::produce(const Message& message) {
  const auto known = find_topic(config, message.topic);
  if (!known) return tl::make_unexpected(known.error());
  if (known->compacted && message.key.empty()) {
    return fail(ErrorCode::usage, "message \"" + message.id + "\" to \"" + message.topic +
                                      "\" needs a key: the topic keeps the last value of each");
  }
  const std::string name = topic_name(config, message.topic);
  HeadersHandle headers = make_headers(message.id, message.traceparent);
  const rd_kafka_resp_err_t err = rd_kafka_producev(
      client.get(), RD_KAFKA_V_TOPIC(name.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
      RD_KAFKA_V_KEY(message.key.empty() ? nullptr : message.key.data(), message.key.size()),
      RD_KAFKA_V_VALUE(
          message.payload.empty() ? nullptr : const_cast<char*>(message.payload.data()),
          message.payload.size()),
      RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_END);
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    (void)headers.release();  // the message's now
    return {};
  }
  const std::string text =
      "message \"" + message.id + "\" to \"" + name + "\": " + rd_kafka_err2str(err);
  if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return fail(ErrorCode::limit, text);
  return fail_retryable(ErrorCode::unavailable, text);
}

Status Producer::Impl::commit(int64_t deadline_ms) {
  bool abort = false;
  stage = Stage::committing;
  const Status done =
      retry_until(deadline_ms, "committing a transaction", abort, rd_kafka_commit_transaction);
  if (done) {
    stage = Stage::idle;
  } else if (abort) {
    stage = Stage::aborting;
  }
  return done;
}

Status Producer::Impl::abort(int64_t deadline_ms) {
  bool again = false;
  const Status done =
      retry_until(deadline_ms, "aborting a transaction", again, rd_kafka_abort_transaction);
  if (done) stage = Stage::idle;
  return done;
}

// One transaction, from wherever the last attempt left the producer.
Status Producer::Impl::attempt(std::span<const Message> messages, int64_t deadline_ms) {
  if (stage == Stage::aborting || stage == Stage::open) {
    if (const Status done = abort(deadline_ms); !done) return done;
  }
  bool must_abort = false;
  watch.failed = 0;
  if (const Status begun = judge(ErrorHandle(rd_kafka_begin_transaction(client.get())),
                                 "beginning a transaction", must_abort);
      !begun) {
    return begun;
  }
  stage = Stage::open;
  for (const Message& message : messages) {
    if (const Status queued = produce(message); !queued) {
      const Status aborted = abort(deadline_ms);
      return aborted || stage != Stage::dead ? queued : aborted;
    }
  }
  return commit(deadline_ms);
}

Status Producer::publish(std::span<const Message> messages) {
  Impl& in = *impl_;
  if (in.fenced) return tl::make_unexpected(fenced_error(in.id));
  if (in.stage == Stage::dead) {
    return fail(ErrorCode::refused, "the producer \"" + in.id + "\" has ended; open it again");
  }
  const int64_t deadline_ms = steady_ms() + in.config.publish_timeout_s * 1000;
  std::vector<std::string> ids;
  for (const Message& message : messages)
    ids.push_back(message.topic + '\n' + message.id + '\n' + message.key);
  if (in.stage == Stage::committing) {
    const Status done = in.commit(deadline_ms);
    if (done && ids == in.committing_ids) return done;
    if (!done && in.stage == Stage::committing) return done;
    if (in.stage == Stage::dead) return done;
  }
  if (messages.empty()) return {};
  in.committing_ids = std::move(ids);
  while (true) {
    const Status done = in.attempt(messages, deadline_ms);
    if (done || !done.error().retryable || in.stage == Stage::dead) return done;
    if (in.stage == Stage::aborting && in.watch.failed > 0 && !can_pass(in.watch.delivery_error)) {
      return fail(in.watch.delivery_error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                      ? ErrorCode::limit
                      : ErrorCode::refused,
                  "Kafka does not take a message for " + in.watch.trouble);
    }
    if (in.stage == Stage::committing || steady_ms() >= deadline_ms) return done;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Status KafkaOutbox::publish(const std::vector<OutboxEntry>& entries) {
  Producer* producer = producer_();
  if (producer == nullptr) {
    return fail(ErrorCode::refused, "this process does not hold the decider's lease");
  }
  std::vector<Message> messages;
  messages.reserve(entries.size());
  for (const OutboxEntry& entry : entries) {
    messages.push_back({.topic = entry.topic,
                        .key = entry.key,
                        .payload = entry.payload,
                        .id = entry.id,
                        .traceparent = traceparent_ ? traceparent_(entry) : std::string()});
  }
  return producer->publish(messages);
}

}  // namespace payops::streaming
