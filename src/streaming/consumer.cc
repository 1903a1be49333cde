#include "payops/streaming/consumer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "client.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

constexpr int64_t kNever = INT64_MAX;

// What is known of one assigned partition.
struct Reading {
  int64_t position = kFromEnd;  // of the next record, or where it starts while that is not known
  bool assigned = false;
  bool out_of_range = false;  // waits for a place to go on from
};

}  // namespace

std::vector<Position> beginnings(const std::vector<Watermarks>& marks) {
  std::vector<Position> positions;
  for (const Watermarks& one : marks) {
    positions.push_back({one.topic, one.partition, kFromBeginning});
  }
  return positions;
}

struct Consumer::Impl {
  ClientWatch watch;
  StreamingConfig config;
  std::vector<std::string> names;              // on the broker, by topic index
  std::vector<std::vector<Reading>> readings;  // by topic index and partition
  std::size_t batch_records = 0;
  ClientHandle client;
  std::vector<TopicHandle> topics;
  QueueHandle queue;
  int64_t heal_at_ms = kNever;

  std::vector<rd_kafka_message_t*> messages;  // of the last batch
  std::size_t message_count = 0;
  std::vector<Record> records;
  std::vector<Position> ends;
  std::vector<Gap> gaps;

  ~Impl() {
    release();
    queue.reset();
    if (client) rd_kafka_consumer_close(client.get());
  }

  void release() {
    for (std::size_t i = 0; i < message_count; ++i) rd_kafka_message_destroy(messages[i]);
    message_count = 0;
    records.clear();
    ends.clear();
    gaps.clear();
  }

  [[nodiscard]] uint32_t index_of(const rd_kafka_topic_t* topic) const {
    for (uint32_t i = 0; i < topics.size(); ++i) {
      if (topics[i].get() == topic) return i;
    }
    const std::string_view name = rd_kafka_topic_name(topic);
    for (uint32_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return i;
    }
    return static_cast<uint32_t>(names.size());
  }

  [[nodiscard]] Reading* reading(uint32_t topic, int32_t partition) {
    if (topic >= readings.size() || partition < 0) return nullptr;
    auto& of_topic = readings[topic];
    const auto index = static_cast<std::size_t>(partition);
    return index < of_topic.size() && of_topic[index].assigned ? &of_topic[index] : nullptr;
  }

  Status apply_assignment();
  void fetch(int timeout_ms);
  void sort_out();
  void note_error(const rd_kafka_message_t& message, uint32_t topic);
  void heal();
};

Result<std::unique_ptr<Consumer>> Consumer::open(const StreamingConfig& config,
                                                 std::vector<std::string> topics,
                                                 std::size_t batch_records,
                                                 const std::string& group) {
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  for (const std::string& topic : topics) {
    if (const auto known = find_topic(config, topic); !known) {
      return tl::make_unexpected(known.error());
    }
    impl->names.push_back(topic_name(config, topic));
  }
  Properties fixed = reader_fixed(config);
  fixed.emplace_back("group.id", config.topic_prefix + group);
  auto conf = client_conf(config, reader_defaults(), fixed);
  if (!conf) return tl::make_unexpected(conf.error());
  // Without a group there is nothing to rebalance; the callback only keeps librdkafka from doing
  // it on its own thread.
  rd_kafka_conf_set_rebalance_cb(
      conf->get(), [](rd_kafka_t* client, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*,
                      void*) { rd_kafka_assign(client, nullptr); });
  auto client = open_client(ClientKind::reader, std::move(*conf), impl->watch);
  if (!client) return tl::make_unexpected(client.error());
  impl->client = std::move(*client);
  rd_kafka_poll_set_consumer(impl->client.get());
  impl->queue.reset(rd_kafka_queue_get_consumer(impl->client.get()));
  for (const std::string& name : impl->names) {
    impl->topics.emplace_back(rd_kafka_topic_new(impl->client.get(), name.c_str(), nullptr));
  }
  impl->readings.resize(impl->names.size());
  impl->batch_records = std::max<std::size_t>(batch_records, 2);
  impl->messages.resize(impl->batch_records);
  impl->records.reserve(impl->batch_records);
  impl->ends.reserve(impl->batch_records);
  return std::unique_ptr<Consumer>(new Consumer(std::move(impl)));
}

Consumer::Consumer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Consumer::~Consumer() = default;

Result<std::string> Consumer::topic_id(uint32_t topic) const {
  auto id =
      cluster_id(impl_->client.get(), request_timeout_ms(impl_->config), impl_->config.bootstrap);
  if (!id) return id;
  return *id + "/" + impl_->names.at(topic);
}

Result<std::vector<Watermarks>> Consumer::watermarks() const {
  const int timeout_ms = request_timeout_ms(impl_->config);
  const int64_t deadline_ms = steady_ms() + timeout_ms;
  const auto counts = partition_counts(impl_->client.get(), impl_->names, timeout_ms);
  if (!counts) return tl::make_unexpected(counts.error());
  std::vector<Watermarks> all;
  for (uint32_t topic = 0; topic < impl_->names.size(); ++topic) {
    for (int32_t partition = 0; partition < (*counts)[topic]; ++partition) {
      Watermarks& marks = all.emplace_back(Watermarks{.topic = topic, .partition = partition});
      // A partition without a leader, for a moment after its creation or a restart, is asked again.
      while (true) {
        const rd_kafka_resp_err_t err =
            rd_kafka_query_watermark_offsets(impl_->client.get(), impl_->names[topic].c_str(),
                                             partition, &marks.begin, &marks.end, timeout_ms);
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR) break;
        if (steady_ms() >= deadline_ms) {
          return fail_retryable(ErrorCode::unavailable,
                                "Kafka does not say where \"" + impl_->names[topic] +
                                    "\" begins and ends: " + rd_kafka_err2str(err));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }
  return all;
}

// Moves `edge` of each partition to its first record of `ts_ms` or later; where there is none, to
// its end.
static Status seek_edges(rd_kafka_t* client, const std::vector<std::string>& names, int64_t ts_ms,
                         int timeout_ms, int64_t Watermarks::*edge, std::vector<Watermarks>& all) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(all.size())));
  for (const Watermarks& marks : all) {
    rd_kafka_topic_partition_list_add(list.get(), names[marks.topic].c_str(), marks.partition)
        ->offset = ts_ms;
  }
  const rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(client, list.get(), timeout_ms);
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail_retryable(
        ErrorCode::unavailable,
        std::string("Kafka does not say which records are of that time: ") + rd_kafka_err2str(err));
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const rd_kafka_topic_partition_t& found = list->elems[i];
    all[i].*edge = found.offset >= 0 ? found.offset : all[i].end;
  }
  return {};
}

Result<std::vector<Watermarks>> Consumer::stretch(int64_t from_ms, int64_t to_ms) const {
  auto all = watermarks();
  if (!all) return all;
  const int timeout_ms = request_timeout_ms(impl_->config);
  const auto seek = [&](int64_t ts_ms, int64_t Watermarks::*edge) {
    return seek_edges(impl_->client.get(), impl_->names, ts_ms, timeout_ms, edge, *all);
  };
  if (from_ms > 0) {
    if (Status found = seek(from_ms, &Watermarks::begin); !found) {
      return tl::make_unexpected(found.error());
    }
  }
  if (to_ms < INT64_MAX) {
    if (Status found = seek(std::max<int64_t>(to_ms, 0), &Watermarks::end); !found) {
      return tl::make_unexpected(found.error());
    }
  }
  for (Watermarks& marks : *all) marks.end = std::max(marks.begin, marks.end);
  return all;
}

Status Consumer::assign(const std::vector<Position>& positions) {
  impl_->release();
  for (auto& of_topic : impl_->readings) of_topic.clear();
  for (const Position& at : positions) {
    if (at.topic >= impl_->names.size() || at.partition < 0 || at.offset < kFromBeginning) {
      return fail(ErrorCode::usage, "no partition " + std::to_string(at.partition) + " of topic " +
                                        std::to_string(at.topic) + " to read from offset " +
                                        std::to_string(at.offset));
    }
    auto& of_topic = impl_->readings[at.topic];
    const auto index = static_cast<std::size_t>(at.partition);
    if (of_topic.size() <= index) of_topic.resize(index + 1);
    of_topic[index] = Reading{.position = at.offset, .assigned = true};
  }
  return impl_->apply_assignment();
}

Status Consumer::Impl::apply_assignment() {
  const PartitionList list(rd_kafka_topic_partition_list_new(16));
  for (uint32_t topic = 0; topic < readings.size(); ++topic) {
    for (std::size_t p = 0; p < readings[topic].size(); ++p) {
      const Reading& one = readings[topic][p];
      if (!one.assigned) continue;
      const int64_t offset = one.position == kFromBeginning ? RD_KAFKA_OFFSET_BEGINNING
                             : one.position == kFromEnd     ? RD_KAFKA_OFFSET_END
                                                            : one.position;
      rd_kafka_topic_partition_list_add(list.get(), names[topic].c_str(), static_cast<int32_t>(p))
          ->offset = offset;
    }
  }
  if (const rd_kafka_resp_err_t err = rd_kafka_assign(client.get(), list.get());
      err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(ErrorCode::usage,
                std::string("librdkafka takes no such assignment: ") + rd_kafka_err2str(err));
  }
  // A partition that is taken away again (or closed) while librdkafka 2.0 is still stopping it
  // trips one of its assertions. It stops in two turns of its main thread, which these questions
  // queue behind.
  for (int turn = 0; turn < 3; ++turn) {
    rd_kafka_topic_partition_list_t* present = nullptr;
    if (rd_kafka_assignment(client.get(), &present) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_topic_partition_list_destroy(present);
    }
  }
  return {};
}

// A batch call waits until its array is full or the time is up, so waiting is done for one message.
void Consumer::Impl::fetch(int timeout_ms) {
  const auto take = [&](std::size_t most, int wait_ms) {
    const ssize_t n =
        rd_kafka_consume_batch_queue(queue.get(), wait_ms, messages.data() + message_count, most);
    if (n > 0) message_count += static_cast<std::size_t>(n);
  };
  take(batch_records, 0);
  if (message_count > 0 || timeout_ms <= 0) return;
  take(1, timeout_ms);
  if (message_count > 0) take(batch_records - 1, 0);
}

std::string_view header_of(const Record& record, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  const auto* message = static_cast<const rd_kafka_message_t*>(record.message);
  if (message == nullptr ||
      rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  return {static_cast<const char*>(value), size};
}

void Consumer::Impl::sort_out() {
  const rd_kafka_topic_t* known = nullptr;
  uint32_t topic = 0;
  for (std::size_t i = 0; i < message_count; ++i) {
    const rd_kafka_message_t& message = *messages[i];
    if (message.rkt != known) {
      if (message.rkt == nullptr) {
        watch.trouble = rd_kafka_message_errstr(&message);
        continue;
      }
      known = message.rkt;
      topic = index_of(known);
    }
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      note_error(message, topic);
      continue;
    }
    Reading* at = reading(topic, message.partition);
    if (at == nullptr || message.offset < at->position) continue;
    at->position = message.offset + 1;
    records.push_back({.topic = topic,
                       .partition = message.partition,
                       .offset = message.offset,
                       .key = {static_cast<const char*>(message.key), message.key_len},
                       .payload = {static_cast<const char*>(message.payload), message.len},
                       .message = &message});
  }
}

void Consumer::Impl::note_error(const rd_kafka_message_t& message, uint32_t topic) {
  Reading* at = reading(topic, message.partition);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    if (at == nullptr) return;
    at->position = std::max(at->position, message.offset);
    ends.push_back({.topic = topic, .partition = message.partition, .offset = message.offset});
    return;
  }
  if (at != nullptr && (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                        message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)) {
    at->out_of_range = true;
    heal_at_ms = 0;
    return;
  }
  watch.trouble = rd_kafka_message_errstr(&message);
}

// Finds a place to go on for partitions whose offset the broker does not have. Blocks for a request
// per partition, which is rare; a broker that does not answer is asked again a second later. All
// partitions are assigned anew where they stand: a partition in this state cannot be sought.
void Consumer::Impl::heal() {
  heal_at_ms = kNever;
  bool changed = false;
  for (uint32_t topic = 0; topic < readings.size(); ++topic) {
    for (std::size_t p = 0; p < readings[topic].size(); ++p) {
      Reading& one = readings[topic][p];
      if (!one.assigned || !one.out_of_range) continue;
      const auto partition = static_cast<int32_t>(p);
      int64_t begin = 0, end = 0;
      if (rd_kafka_query_watermark_offsets(client.get(), names[topic].c_str(), partition, &begin,
                                           &end, 1000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        heal_at_ms = steady_ms() + 1000;
        continue;
      }
      const int64_t wanted = one.position;
      if (wanted < begin || wanted > end) one.position = begin;
      if (wanted >= 0 && wanted != one.position) {
        gaps.push_back(
            {.topic = topic, .partition = partition, .wanted = wanted, .resumed = one.position});
      }
      one.out_of_range = false;
      changed = true;
    }
  }
  if (changed) (void)apply_assignment();
}

Batch Consumer::poll(int timeout_ms) {
  Impl& in = *impl_;
  in.release();
  in.fetch(timeout_ms);
  in.sort_out();
  if (in.heal_at_ms != kNever && steady_ms() >= in.heal_at_ms) in.heal();
  // An end that newer records of the same batch have passed is none.
  std::erase_if(in.ends, [&](const Position& end) {
    const Reading* at = in.reading(end.topic, end.partition);
    return at == nullptr || at->position > end.offset;
  });
  if (!in.records.empty() || !in.ends.empty()) {
    in.watch.broker_up = true;
    in.watch.trouble.clear();
  }
  return {in.records, in.ends, in.gaps};
}

int64_t Consumer::position(uint32_t topic, int32_t partition) const {
  const Reading* at = impl_->reading(topic, partition);
  return at == nullptr || at->position < 0 ? -1 : at->position;
}

bool Consumer::has_read_to(const std::vector<Watermarks>& ends) const {
  return std::all_of(ends.begin(), ends.end(), [&](const Watermarks& end) {
    return end.begin >= end.end || position(end.topic, end.partition) >= end.end;
  });
}

std::optional<int64_t> Consumer::lag() const {
  int64_t sum = 0;
  for (uint32_t topic = 0; topic < impl_->readings.size(); ++topic) {
    for (std::size_t p = 0; p < impl_->readings[topic].size(); ++p) {
      const Reading& one = impl_->readings[topic][p];
      if (!one.assigned) continue;
      int64_t begin = -1, end = -1;
      if (rd_kafka_get_watermark_offsets(impl_->client.get(), impl_->names[topic].c_str(),
                                         static_cast<int32_t>(p), &begin,
                                         &end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
          end < 0 || one.position < 0) {
        return std::nullopt;
      }
      sum += std::max<int64_t>(0, end - one.position);
    }
  }
  return sum;
}

bool Consumer::broker_up() const { return impl_->watch.broker_up; }
const std::string& Consumer::trouble() const { return impl_->watch.trouble; }

void Consumer::show_positions(const std::vector<Position>& positions) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const Position& at : positions) {
    if (at.topic >= impl_->names.size() || at.offset < 0) continue;
    rd_kafka_topic_partition_list_add(list.get(), impl_->names[at.topic].c_str(), at.partition)
        ->offset = at.offset;
  }
  rd_kafka_commit(impl_->client.get(), list.get(), 1);
}

Result<std::vector<Position>> Consumer::shown_positions() const {
  const int timeout_ms = request_timeout_ms(impl_->config);
  const auto counts = partition_counts(impl_->client.get(), impl_->names, timeout_ms);
  if (!counts) return tl::make_unexpected(counts.error());
  const PartitionList list(rd_kafka_topic_partition_list_new(16));
  std::vector<Position> asked;
  for (uint32_t topic = 0; topic < impl_->names.size(); ++topic) {
    for (int32_t partition = 0; partition < (*counts)[topic]; ++partition) {
      rd_kafka_topic_partition_list_add(list.get(), impl_->names[topic].c_str(), partition);
      asked.push_back({.topic = topic, .partition = partition});
    }
  }
  if (const rd_kafka_resp_err_t err =
          rd_kafka_committed(impl_->client.get(), list.get(), timeout_ms);
      err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail_retryable(
        ErrorCode::unavailable,
        std::string("Kafka does not say how far the group has read: ") + rd_kafka_err2str(err));
  }
  std::vector<Position> shown;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i].offset = list->elems[i].offset;
    if (asked[i].offset >= 0) shown.push_back(asked[i]);
  }
  return shown;
}

}  // namespace payops::streaming
