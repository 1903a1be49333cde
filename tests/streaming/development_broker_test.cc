// The module's clients on the embedded broker.
#include "payops/streaming/development_broker.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "payops/streaming/bench.h"
#include "payops/streaming/compacted_reader.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/streaming/lease.h"
#include "payops/streaming/outbox.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

using Clock = std::chrono::steady_clock;

// Repeats `step` until `done`, 20 s at most.
bool until(const std::function<bool()>& done, const std::function<void()>& step) {
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (!done()) {
    if (Clock::now() > deadline) return false;
    step();
  }
  return true;
}

struct OneBroker {
  std::unique_ptr<DevelopmentBroker> broker;
  StreamingConfig config;
  explicit OneBroker(StreamingConfig with = {}) : config(std::move(with)) {
    auto started = DevelopmentBroker::start(config);
    REQUIRE(started);
    broker = std::move(*started);
    config.bootstrap = broker->bootstrap();
  }
};

// Payloads of a topic from its beginning to its present end, by partition.
std::map<int32_t, std::vector<std::string>> read_all(const StreamingConfig& config,
                                                     const std::string& topic) {
  auto consumer = Consumer::open(config, {topic});
  REQUIRE(consumer);
  const auto ends = (*consumer)->watermarks();
  REQUIRE(ends);
  REQUIRE((*consumer)->assign(beginnings(*ends)));
  std::map<int32_t, std::vector<std::string>> all;
  CHECK(until([&] { return (*consumer)->has_read_to(*ends); },
              [&] {
                for (const Record& record : (*consumer)->poll(50).records) {
                  all[record.partition].emplace_back(record.payload);
                }
              }));
  return all;
}

TEST_CASE("a broker that is away is told in a sentence, tried again, and given up in time") {
  StreamingConfig config;
  config.bootstrap = "127.0.0.1:1";
  config.connect_timeout_s = 1;
  std::vector<std::string> sentences;
  const auto away = await_cluster(config, [&](const std::string& sentence) {
    sentences.push_back(sentence);
    return true;
  });
  REQUIRE_FALSE(away);
  CHECK(away.error().code == ErrorCode::unavailable);
  CHECK(away.error().message.find("Kafka at 127.0.0.1:1 does not answer (Connection refused)") ==
        0);
  REQUIRE(sentences.size() >= 1);
  CHECK(sentences[0].find("trying for another") != std::string::npos);
  const auto stopped = await_cluster(config, [](const std::string&) { return false; });
  CHECK(stopped.error().message.find("given up on request") != std::string::npos);
}

TEST_CASE("the embedded broker has every topic, under the names of the configuration") {
  StreamingConfig config;
  config.topic_prefix = "t.";
  config.topics["payments.transactions"].partitions = 7;
  const OneBroker one(config);
  const auto topics = create_topics(one.config);
  REQUIRE(topics);
  CHECK(topics->size() == topic_specs().size());
  for (const TopicState& state : *topics) {
    CHECK(state.name == "t." + state.topic);
    CHECK_FALSE(state.created);
    CHECK(state.partitions == find_topic(one.config, state.topic)->partitions);
  }
  CHECK(topics->front().partitions == 7);
  StreamingConfig other = one.config;
  other.topic_prefix = "u.";
  const auto refused = create_topics(other);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("u.payments.transactions") != std::string::npos);
}

TEST_CASE("every event sent is read once, in order of its partition, with its key") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  REQUIRE(producer);
  for (int i = 0; i < 4000; ++i) {
    REQUIRE((*producer)->send("payments.transactions", "", "e" + std::to_string(i)));
  }
  REQUIRE((*producer)->send("payops.actions", "k", "v"));
  REQUIRE((*producer)->send("payops.actions", "k", ""));
  REQUIRE((*producer)->flush(10'000));
  CHECK((*producer)->counts().delivered == 4002);
  CHECK((*producer)->counts().in_flight() == 0);
  CHECK((*producer)->send("payments.transaction", "", "x").error().code == ErrorCode::not_found);

  auto consumer = Consumer::open(one.config, {"payments.transactions", "payops.actions"}, 512);
  REQUIRE(consumer);
  const auto ends = (*consumer)->watermarks();
  REQUIRE(ends);
  REQUIRE((*consumer)->assign(beginnings(*ends)));
  std::multiset<std::string> events;
  std::map<int32_t, int> per_partition;
  std::set<int32_t> ended;
  std::vector<std::string> actions;
  CHECK(until([&] { return (*consumer)->has_read_to(*ends) && ended.size() == 4; },
              [&] {
                const Batch batch = (*consumer)->poll(50);
                CHECK(batch.records.size() <= 512);
                for (const Record& record : batch.records) {
                  if (record.topic == 1) {
                    CHECK(record.key == "k");
                    actions.push_back(record.tombstone() ? "(ended)" : std::string(record.payload));
                    continue;
                  }
                  CHECK(record.key.data() == nullptr);
                  CHECK(record.offset == per_partition[record.partition]++);
                  events.emplace(record.payload);
                }
                for (const Position& end : batch.ends) {
                  if (end.topic != 0) continue;
                  CHECK(end.offset == per_partition[end.partition]);
                  ended.insert(end.partition);
                }
              }));
  CHECK(events.size() == 4000);
  CHECK(std::set<std::string>(events.begin(), events.end()).size() == 4000);
  for (const auto& [partition, count] : per_partition) CHECK(count == 1000);
  CHECK(actions == std::vector<std::string>{"v", "(ended)"});
  CHECK((*consumer)->topic_id(0)->find("/payments.transactions") != std::string::npos);
}

TEST_CASE("events of one key share a partition") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  for (int i = 0; i < 300; ++i) {
    const std::string key = "user-" + std::to_string(i % 10);
    REQUIRE((*producer)->send("chat.inbound", key, key));
  }
  REQUIRE((*producer)->flush(10'000));
  std::map<std::string, std::set<int32_t>> partitions;
  for (const auto& [partition, keys] : read_all(one.config, "chat.inbound")) {
    for (const std::string& key : keys) partitions[key].insert(partition);
  }
  CHECK(partitions.size() == 10);
  for (const auto& [key, where] : partitions) CHECK(where.size() == 1);
}

TEST_CASE("reading goes on at the offsets it is given, and is assigned anew at will") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  for (int i = 0; i < 100; ++i) {
    REQUIRE((*producer)->send("payops.approvals", "", std::to_string(i)));
  }
  REQUIRE((*producer)->flush(10'000));
  auto consumer = Consumer::open(one.config, {"payops.approvals"}, 16);
  const auto first_from = [&](int64_t offset) {
    REQUIRE((*consumer)->assign({{0, 0, offset}}));
    std::string first;
    until([&] { return !first.empty(); },
          [&] {
            const Batch batch = (*consumer)->poll(50);
            if (!batch.records.empty()) first = batch.records[0].payload;
          });
    return first;
  };
  CHECK(first_from(40) == "40");
  CHECK((*consumer)->position(0, 0) > 40);
  CHECK(first_from(7) == "7");
  CHECK(first_from(99) == "99");
  CHECK((*consumer)->position(0, 0) == 100);
  CHECK((*consumer)->position(0, 1) == -1);
  CHECK((*consumer)->assign({{3, 0, 0}}).error().code == ErrorCode::usage);
}

TEST_CASE("an offset that the topic does not have is reported, and reading goes on at its start") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  REQUIRE((*producer)->send("payops.approvals", "", "first"));
  REQUIRE((*producer)->flush(10'000));
  auto consumer = Consumer::open(one.config, {"payops.approvals"});
  REQUIRE((*consumer)->assign({{0, 0, 5000}}));
  std::vector<Gap> gaps;
  std::vector<std::string> payloads;
  CHECK(until([&] { return !gaps.empty() && !payloads.empty(); },
              [&] {
                const Batch batch = (*consumer)->poll(50);
                gaps.insert(gaps.end(), batch.gaps.begin(), batch.gaps.end());
                for (const Record& record : batch.records) payloads.emplace_back(record.payload);
              }));
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].wanted == 5000);
  CHECK(gaps[0].resumed == 0);
  CHECK(gaps[0].lost() == 0);
  CHECK(payloads == std::vector<std::string>{"first"});
}

TEST_CASE("a broker that goes away is noticed, and reading resumes without loss when it is back") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  auto consumer = Consumer::open(one.config, {"payops.approvals"});
  REQUIRE((*consumer)->assign({{0, 0, kFromBeginning}}));
  std::vector<std::string> read;
  const auto take = [&] {
    for (const Record& record : (*consumer)->poll(20).records) read.emplace_back(record.payload);
  };
  REQUIRE((*producer)->send("payops.approvals", "", "before"));
  CHECK(until([&] { return read.size() == 1; }, take));
  one.broker->set_reachable(false);
  CHECK(until([&] { return !(*consumer)->broker_up(); }, take));
  REQUIRE((*producer)->send("payops.approvals", "", "while it was away"));
  CHECK_FALSE((*producer)->flush(50));
  CHECK((*producer)->counts().in_flight() == 1);
  one.broker->set_reachable(true);
  CHECK(until([&] { return (*consumer)->broker_up() && read.size() == 2; }, take));
  CHECK(read == std::vector<std::string>{"before", "while it was away"});
}

TEST_CASE("an outbox publishes its entries in order as one transaction, tombstones too") {
  const OneBroker one;
  auto producer = Producer::open(one.config, "payops-decider");
  REQUIRE(producer);
  KafkaOutbox outbox([&] { return producer->get(); });
  REQUIRE(outbox.publish({{.id = "a-1", .topic = "actions", .key = "k", .payload = "one"},
                          {.id = "a-2", .topic = "actions", .key = "k", .payload = "two"},
                          {.id = "a-3", .topic = "payops.alerts", .key = "", .payload = "alert"}}));
  REQUIRE(outbox.publish({{.id = "a-4", .topic = "actions", .key = "k", .payload = ""}}));
  CHECK(outbox.publish({}));
  CHECK(outbox.publish({{.id = "a-5", .topic = "acts", .key = "", .payload = "x"}}).error().code ==
        ErrorCode::not_found);
  CHECK(outbox.publish({{.id = "a-6", .topic = "actions", .key = "k", .payload = "after"}}));
  const auto alerts = read_all(one.config, "payops.alerts");
  CHECK(alerts.at(0) == std::vector<std::string>{"alert"});

  auto reader = CompactedReader::open(one.config, "payops.actions");
  REQUIRE(reader);
  std::vector<std::string> values;
  const auto follow = [&] {
    for (const Record& record : (*reader)->poll(50)) {
      values.push_back(record.tombstone() ? "(ended)" : std::string(record.payload));
    }
  };
  CHECK(until([&] { return (*reader)->caught_up(); }, follow));
  CHECK(values == std::vector<std::string>{"one", "two", "(ended)", "after"});
  REQUIRE(outbox.publish({{.id = "a-7", .topic = "actions", .key = "k", .payload = "later"}}));
  CHECK(until([&] { return values.back() == "later"; }, follow));

  KafkaOutbox nobody([] { return nullptr; });
  CHECK(nobody.publish({{.id = "x"}}).error().code == ErrorCode::refused);
}

TEST_CASE("the lease is gained with an epoch, and ends by the clock when the broker is gone") {
  StreamingConfig config;
  config.session_timeout_ms = 3500;  // the embedded broker takes 3 s for an election
  const OneBroker one(config);
  CHECK(Lease::open(one.config, {}).error().code == ErrorCode::usage);
  auto lease = Lease::open(one.config, {.instance_id = "a"});
  REQUIRE(lease);
  CHECK_FALSE((*lease)->holds());
  CHECK((*lease)->producer() == nullptr);
  LeaseEvent last = LeaseEvent::none;
  const auto step = [&] {
    const auto event = (*lease)->poll();
    if (event && *event != LeaseEvent::none) last = *event;
    std::this_thread::yield();
  };
  REQUIRE(until([&] { return last == LeaseEvent::gained; }, step));
  CHECK((*lease)->holds());
  CHECK((*lease)->epoch() == 1);
  REQUIRE((*lease)->producer() != nullptr);
  one.broker->set_reachable(false);
  CHECK(until([&] { return !(*lease)->holds(); }, [] { std::this_thread::yield(); }));
}

TEST_CASE("the raw rate counts what it read") {
  const OneBroker one;
  auto producer = EventProducer::open(one.config);
  for (int i = 0; i < 5000; ++i) {
    REQUIRE((*producer)->send("payments.transactions", "", "0123456789"));
  }
  REQUIRE((*producer)->flush(10'000));
  const auto rate = measure_raw_consume(one.config, "payments.transactions", 5000);
  REQUIRE(rate);
  CHECK(rate->messages == 5000);
  CHECK(rate->bytes == 50'000);
  CHECK(rate->cpu_s >= 0);
}

}  // namespace
}  // namespace payops::streaming
