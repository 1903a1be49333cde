// The streaming module on a real Apache Kafka.
#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "payops/streaming/compacted_reader.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/streaming/lease.h"
#include "payops/streaming/topics.h"
#include "support/kafka_server.h"
#include "support/process.h"

namespace payops::streaming {
namespace {

using payops::testing::KafkaServer;
using Clock = std::chrono::steady_clock;

constexpr int64_t kSessionMs = 6000;

bool until(const std::function<bool()>& done, const std::function<void()>& step, int seconds = 90) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  while (!done()) {
    if (Clock::now() > deadline) return false;
    step();
    std::this_thread::yield();
  }
  return true;
}

// A configuration whose topics exist.
StreamingConfig with_topics(const std::string& prefix) {
  StreamingConfig config;
  config.bootstrap = KafkaServer::shared().bootstrap();
  config.topic_prefix = prefix;
  config.session_timeout_ms = kSessionMs;
  const auto created = create_topics(config);
  REQUIRE_MESSAGE(created, created.error().message);
  return config;
}

// Payloads of a topic from its beginning to its present end.
std::vector<std::string> read_all(const StreamingConfig& config, const std::string& topic) {
  auto consumer = Consumer::open(config, {topic});
  REQUIRE(consumer);
  const auto ends = (*consumer)->watermarks();
  REQUIRE(ends);
  REQUIRE((*consumer)->assign(beginnings(*ends)));
  std::vector<std::string> all;
  CHECK(until([&] { return (*consumer)->has_read_to(*ends); },
              [&] {
                for (const Record& record : (*consumer)->poll(50).records) {
                  all.emplace_back(record.payload);
                }
              }));
  return all;
}

Status publish(Producer& producer, const std::string& topic, const std::string& payload) {
  const Message message{.topic = topic, .key = "k", .payload = payload, .id = payload};
  return producer.publish({&message, 1});
}

// Polls a candidate until it gains the lease.
bool gains(Lease& lease) {
  bool gained = false;
  return until([&] { return gained; },
               [&] {
                 const auto event = lease.poll();
                 gained = event && *event == LeaseEvent::gained;
               });
}

// Polls a holder that nobody polled for a while, until it holds again without having lost.
bool holds_on(Lease& lease) {
  bool steady = true;
  return until([&] { return lease.holds(); },
               [&] {
                 const auto event = lease.poll();
                 steady = steady && event && *event == LeaseEvent::none;
               }) &&
         steady;
}

// A transactional producer by librdkafka alone: the tests' way to abort and to leave open.
struct BareTransaction {
  rd_kafka_t* client;
  BareTransaction(const StreamingConfig& config, const std::string& topic, const char* payload) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap.c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "transactional.id", (config.topic_prefix + "bare").c_str(), nullptr, 0);
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    REQUIRE(rd_kafka_init_transactions(client, 10'000) == nullptr);
    REQUIRE(rd_kafka_begin_transaction(client) == nullptr);
    const std::string name = topic_name(config, topic);
    REQUIRE(rd_kafka_producev(client, RD_KAFKA_V_TOPIC(name.c_str()),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_VALUE(const_cast<char*>(payload), strlen(payload)),
                              RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    REQUIRE(rd_kafka_flush(client, 10'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  ~BareTransaction() { rd_kafka_destroy(client); }
};

// A broker's setting of a topic.
std::string topic_setting(const StreamingConfig& config, const std::string& topic,
                          const std::string& setting) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap.c_str(), nullptr, 0);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_ConfigResource_t* resource =
      rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_name(config, topic).c_str());
  rd_kafka_DescribeConfigs(client, &resource, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
  REQUIRE(event != nullptr);
  std::size_t count = 0;
  const auto** resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event), &count);
  REQUIRE(count == 1);
  const auto** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
  std::string value;
  for (std::size_t i = 0; i < count; ++i) {
    if (setting == rd_kafka_ConfigEntry_name(entries[i])) {
      value = rd_kafka_ConfigEntry_value(entries[i]);
    }
  }
  rd_kafka_event_destroy(event);
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
  return value;
}

TEST_CASE("topics are created once, each with its settings") {
  StreamingConfig config;
  config.bootstrap = KafkaServer::shared().bootstrap();
  config.topic_prefix = "created.";
  config.topics["payments.transactions"] = {.name = "acme", .partitions = 3, .retention_h = 7};
  const auto before = list_topics(config);
  REQUIRE(before);
  for (const TopicState& state : *before) CHECK(state.partitions == 0);
  const auto first = create_topics(config);
  REQUIRE_MESSAGE(first, first.error().message);
  for (const TopicState& state : *first) CHECK(state.created);
  const auto again = create_topics(config);
  REQUIRE(again);
  for (const TopicState& state : *again) {
    CHECK_FALSE(state.created);
    CHECK(state.partitions == find_topic(config, state.topic)->partitions);
  }
  CHECK(again->front().name == "acme");
  CHECK(topic_setting(config, "payments.transactions", "retention.ms") == "25200000");
  CHECK(topic_setting(config, "payops.approvals", "retention.ms") == "-1");
  CHECK(topic_setting(config, "payops.actions", "cleanup.policy") == "compact");
  CHECK(topic_setting(config, "payops.alerts", "cleanup.policy") == "delete");
}

TEST_CASE("a topic that Kafka does not create is named") {
  StreamingConfig config;
  config.bootstrap = KafkaServer::shared().bootstrap();
  config.topic_prefix = "refused.";
  config.replication_factor = 3;
  const auto refused = create_topics(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().message.find("Kafka does not create \"refused.") == 0);
}

TEST_CASE("a hundred thousand events arrive once each, and the ends found at first are reached") {
  const StreamingConfig config = with_topics("many.");
  auto producer = EventProducer::open(config, {.queue_max_events = 5000});
  REQUIRE(producer);
  for (int i = 0; i < 100'000; ++i) {
    REQUIRE((*producer)->send("payments.transactions", "", std::to_string(i)));
  }
  REQUIRE((*producer)->flush(30'000));
  CHECK((*producer)->counts().delivered == 100'000);
  const auto payloads = read_all(config, "payments.transactions");
  CHECK(payloads.size() == 100'000);
  CHECK(std::set<std::string>(payloads.begin(), payloads.end()).size() == 100'000);
}

TEST_CASE("aborted transactions are never seen, open ones not before they are committed") {
  const StreamingConfig config = with_topics("isolation.");
  {
    const BareTransaction aborted(config, "payops.alerts", "aborted");
    REQUIRE(rd_kafka_abort_transaction(aborted.client, 10'000) == nullptr);
  }
  auto producer = Producer::open(config, "payops-decider");
  REQUIRE(producer);
  REQUIRE(publish(**producer, "alerts", "committed"));
  CHECK(read_all(config, "payops.alerts") == std::vector<std::string>{"committed"});
  const BareTransaction open(config, "payops.alerts", "late");
  CHECK(read_all(config, "payops.alerts") == std::vector<std::string>{"committed"});
  REQUIRE(rd_kafka_commit_transaction(open.client, 10'000) == nullptr);
  CHECK(read_all(config, "payops.alerts") == std::vector<std::string>{"committed", "late"});
}

TEST_CASE("a zombie's transactions are refused, and nothing of them is seen") {
  const StreamingConfig config = with_topics("fence.");
  auto first = Producer::open(config, "payops-decider");
  REQUIRE(first);
  REQUIRE(publish(**first, "actions", "by the first"));
  auto second = Producer::open(config, "payops-decider");
  REQUIRE(second);
  const Status zombie = publish(**first, "actions", "by the zombie");
  REQUIRE_FALSE(zombie);
  CHECK(zombie.error().code == ErrorCode::refused);
  CHECK(zombie.error().message.find("has taken over as \"fence.payops-decider\"") !=
        std::string::npos);
  CHECK((*first)->fenced());
  CHECK(publish(**first, "actions", "again").error().code == ErrorCode::refused);
  REQUIRE(publish(**second, "actions", "by the second"));
  CHECK_FALSE((*second)->fenced());
  CHECK(read_all(config, "payops.actions") ==
        std::vector<std::string>{"by the first", "by the second"});
}

TEST_CASE("a message that Kafka finds too large is a limit, and the producer goes on") {
  const StreamingConfig config = with_topics("large.");
  auto producer = Producer::open(config, "payops-decider");
  REQUIRE(producer);
  std::string huge;
  for (int i = 0; huge.size() < 3'000'000; ++i) huge += std::to_string(i * 2654435761u);
  const Status refused = publish(**producer, "actions", huge);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::limit);
  const Message keyless{.topic = "actions", .key = "", .payload = "x", .id = "x"};
  CHECK((*producer)->publish({&keyless, 1}).error().code == ErrorCode::usage);
  CHECK(publish(**producer, "actions", "small"));
  CHECK(read_all(config, "payops.actions") == std::vector<std::string>{"small"});
}

TEST_CASE("records that retention removed are a gap, counted, and reading goes on after it") {
  const StreamingConfig config = with_topics("gap.");
  auto producer = EventProducer::open(config);
  for (int i = 0; i < 10; ++i) {
    REQUIRE((*producer)->send("payops.approvals", "", std::to_string(i)));
  }
  REQUIRE((*producer)->flush(10'000));
  {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap.c_str(), nullptr, 0);
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
    rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, "gap.payops.approvals", 0)->offset = 6;
    rd_kafka_DeleteRecords_t* removal = rd_kafka_DeleteRecords_new(before);
    rd_kafka_DeleteRecords(client, &removal, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
    REQUIRE(event != nullptr);
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(removal);
    rd_kafka_topic_partition_list_destroy(before);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
  }
  auto consumer = Consumer::open(config, {"payops.approvals", "payops.alerts"});
  REQUIRE(consumer);
  REQUIRE((*consumer)->assign({{0, 0, 2}, {1, 0, kFromBeginning}}));
  std::vector<Gap> gaps;
  std::vector<std::string> payloads;
  CHECK(until([&] { return payloads.size() == 4; },
              [&] {
                const Batch batch = (*consumer)->poll(50);
                gaps.insert(gaps.end(), batch.gaps.begin(), batch.gaps.end());
                for (const Record& record : batch.records) payloads.emplace_back(record.payload);
              }));
  REQUIRE(gaps.size() == 1);
  CHECK(gaps[0].wanted == 2);
  CHECK(gaps[0].resumed == 6);
  CHECK(gaps[0].lost() == 4);
  CHECK(payloads == std::vector<std::string>{"6", "7", "8", "9"});
}

TEST_CASE("a transaction that a silent broker left open is published once when it is given again") {
  StreamingConfig config = with_topics("silent.");
  config.publish_timeout_s = 5;
  auto producer = Producer::open(config, "payops-decider");
  REQUIRE(producer);
  REQUIRE(publish(**producer, "actions", "before"));
  KafkaServer::shared().pause();
  const Status silent = publish(**producer, "actions", "during");
  KafkaServer::shared().resume();
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::unavailable);
  CHECK(silent.error().retryable);
  Status given = silent;
  CHECK(until([&] { return given.has_value(); },
              [&] { given = publish(**producer, "actions", "during"); }));
  REQUIRE(publish(**producer, "actions", "after"));
  CHECK(read_all(config, "payops.actions") ==
        std::vector<std::string>{"before", "during", "after"});
}

TEST_CASE("nothing is lost or doubled while the broker is restarted and killed under load") {
  const StreamingConfig config = with_topics("load.");
  std::atomic<bool> enough = false;
  uint64_t sent = 0;
  EventCounts counts;
  std::thread load([&] {
    auto producer = EventProducer::open(config, {.queue_max_events = 20'000});
    while (!enough) {
      if ((*producer)->send("payments.transactions", "", std::to_string(sent))) ++sent;
      if (sent % 50 == 0) payops::testing::pace(1);
    }
    const Status flushed = (*producer)->flush(60'000);
    counts = (*producer)->counts();
  });
  auto consumer = Consumer::open(config, {"payments.transactions"});
  REQUIRE(consumer);
  REQUIRE((*consumer)->assign(beginnings((*consumer)->watermarks().value())));
  std::vector<uint8_t> seen;
  uint64_t read = 0, doubled = 0, gaps = 0;
  bool was_away = false;
  const auto take = [&] {
    const Batch batch = (*consumer)->poll(20);
    was_away = was_away || !(*consumer)->broker_up();
    gaps += batch.gaps.size();
    for (const Record& record : batch.records) {
      const std::size_t number = std::stoul(std::string(record.payload));
      if (seen.size() <= number) seen.resize(number + 1);
      doubled += seen[number];
      seen[number] = 1;
      ++read;
    }
  };
  CHECK(until([&] { return read > 1000; }, take));
  std::thread trouble([] {
    KafkaServer::shared().restart();
    KafkaServer::shared().kill();
    KafkaServer::shared().start();
  });
  CHECK(until([&] { return was_away; }, take));
  trouble.join();
  const uint64_t before = read;
  CHECK(until([&] { return read > before + 1000; }, take));
  enough = true;
  load.join();
  CHECK(counts.failed == 0);
  CHECK(counts.delivered == sent);
  CHECK(until([&] { return read >= sent; }, take));
  CHECK(read == sent);
  CHECK(doubled == 0);
  CHECK(gaps == 0);
}

// Run in a process of its own by the test cases below: stands for the lease, then publishes its
// name again and again without ever looking at the lease again, as a process does that was halted
// between looking and publishing. Exits with 10 once it is refused.
TEST_CASE("(a candidate in a process of its own)" * doctest::skip()) {
  StreamingConfig config;
  config.bootstrap = std::getenv("PAYOPS_TEST_BOOTSTRAP");
  config.topic_prefix = std::getenv("PAYOPS_TEST_PREFIX");
  config.session_timeout_ms = kSessionMs;
  auto lease = Lease::open(config, {.instance_id = "other"});
  REQUIRE(lease);
  REQUIRE(gains(**lease));
  while (true) {
    const Status published = publish(*(*lease)->producer(), "actions", "other");
    if (!published && published.error().code == ErrorCode::refused) _exit(10);
    payops::testing::pace(10);
  }
}

// The candidate above as a child process; killed at the end.
struct OtherProcess {
  pid_t pid = 0;
  explicit OtherProcess(const StreamingConfig& config) {
    setenv("PAYOPS_TEST_BOOTSTRAP", config.bootstrap.c_str(), 1);
    setenv("PAYOPS_TEST_PREFIX", config.topic_prefix.c_str(), 1);
    std::string name = "test_kafka", all = "--no-skip",
                only = "--test-case=(a candidate in a process of its own)";
    char* arguments[] = {name.data(), all.data(), only.data(), nullptr};
    REQUIRE(posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments, environ) == 0);
  }
  ~OtherProcess() {
    if (pid != 0) (void)end(SIGKILL);
  }
  int end(int signal) {
    if (signal != 0) ::kill(pid, signal);
    int status = 0;
    waitpid(pid, &status, 0);
    pid = 0;
    return status;
  }
};

// Waits until the other process has published as the holder, then stands for the lease behind it.
std::unique_ptr<Lease> standby_behind_other(const StreamingConfig& config) {
  auto reader = CompactedReader::open(config, "payops.actions");
  REQUIRE(reader);
  bool seen = false;
  REQUIRE(until([&] { return seen; }, [&] { seen = !(*reader)->poll(50).empty(); }));
  auto standby = Lease::open(config, {.instance_id = "standby"});
  REQUIRE(standby);
  bool early = false;
  const auto watched = Clock::now() + std::chrono::milliseconds(2 * kSessionMs);
  REQUIRE(until([&] { return Clock::now() > watched; },
                [&] {
                  const auto event = (*standby)->poll();
                  early = early || !event || *event != LeaseEvent::none || (*standby)->holds();
                }));
  CHECK_FALSE(early);
  return std::move(*standby);
}

TEST_CASE("a standby takes over when the holder is killed, with a greater epoch") {
  const StreamingConfig config = with_topics("killed.");
  OtherProcess holder(config);
  const auto standby = standby_behind_other(config);
  holder.end(SIGKILL);
  REQUIRE(gains(*standby));
  CHECK(holds_on(*standby));
  CHECK(standby->epoch() == 2);
  CHECK(publish(*standby->producer(), "actions", "mine"));
}

TEST_CASE("a holder that was halted and wakes after the take-over publishes nothing more") {
  const StreamingConfig config = with_topics("halted.");
  OtherProcess holder(config);
  const auto standby = standby_behind_other(config);
  ::kill(holder.pid, SIGSTOP);
  REQUIRE(gains(*standby));
  REQUIRE(publish(*standby->producer(), "actions", "mine"));
  ::kill(holder.pid, SIGCONT);
  const int status = holder.end(0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 10);
  CHECK(read_all(config, "payops.actions").back() == "mine");
  CHECK(holds_on(*standby));
}

TEST_CASE(
    "a holder knows by the clock that its broker is silent, and holds again when it was only "
    "that") {
  const StreamingConfig config = with_topics("clock.");
  auto lease = Lease::open(config, {.instance_id = "a"});
  REQUIRE(lease);
  REQUIRE(gains(**lease));
  const uint64_t epoch = (*lease)->epoch();
  KafkaServer::shared().pause();
  std::set<LeaseEvent> events;
  const auto step = [&] {
    if (const auto event = (*lease)->poll()) events.insert(*event);
  };
  CHECK(until([&] { return !(*lease)->holds(); }, step));
  CHECK(until([&] { return events.count(LeaseEvent::lost) != 0; }, step));
  CHECK((*lease)->producer() == nullptr);
  KafkaServer::shared().resume();
  CHECK(gains(**lease));
  CHECK((*lease)->epoch() > epoch);
  CHECK(holds_on(**lease));
}

TEST_CASE("a restarted holder takes up again, and a second process of its name puts it out") {
  const StreamingConfig config = with_topics("same.");
  {
    auto before = Lease::open(config, {.instance_id = "a"});
    REQUIRE(gains(**before));
    CHECK((*before)->epoch() == 1);
  }
  auto first = Lease::open(config, {.instance_id = "a"});
  REQUIRE(gains(**first));
  CHECK((*first)->epoch() == 2);
  auto twin = Lease::open(config, {.instance_id = "a"});
  REQUIRE(gains(**twin));
  CHECK((*twin)->epoch() == 3);
  bool lost = false, out = false;
  CHECK(until([&] { return out; },
              [&] {
                const auto event = (*first)->poll();
                lost = lost || (event && *event == LeaseEvent::lost);
                out = !event && event.error().code == ErrorCode::refused;
              }));
  CHECK(lost);
  CHECK_FALSE((*first)->holds());
  CHECK(holds_on(**twin));
}

TEST_CASE("agents of different names hold leases of their own") {
  const StreamingConfig config = with_topics("names.");
  auto payments = Lease::open(config, {.name = "payments", .instance_id = "a"});
  auto support = Lease::open(config, {.name = "support", .instance_id = "a"});
  REQUIRE(gains(**payments));
  REQUIRE(gains(**support));
  CHECK((*payments)->epoch() == 1);
  CHECK((*support)->epoch() == 1);
  CHECK(publish(*(*payments)->producer(), "actions", "x"));
}

TEST_CASE("Kafka's own tools see how far reading stands") {
  const StreamingConfig config = with_topics("lag.");
  auto consumer = Consumer::open(config, {"payops.approvals"});
  REQUIRE(consumer);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", config.bootstrap.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", "lag.payops-agent-display", nullptr, 0);
  rd_kafka_t* tool = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
  rd_kafka_topic_partition_list_t* asked = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(asked, "lag.payops.approvals", 0);
  CHECK(until([&] { return asked->elems[0].offset == 42; },
              [&] {
                (*consumer)->show_positions({{0, 0, 42}});
                (void)(*consumer)->poll(50);
                rd_kafka_committed(tool, asked, 5000);
              }));
  rd_kafka_topic_partition_list_destroy(asked);
  rd_kafka_destroy(tool);
}

TEST_CASE("a login is refused in words, and accepted with the secret from the environment") {
  const KafkaServer guarded(
      {"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
       "sasl.enabled.mechanisms=PLAIN", "sasl.mechanism.inter.broker.protocol=PLAIN",
       "listener.name.plaintext.plain.sasl.jaas.config="
       "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"payops\" "
       "password=\"correct\" user_payops=\"correct\";"});
  StreamingConfig config;
  config.bootstrap = guarded.bootstrap();
  config.properties = {{"security.protocol", "SASL_PLAINTEXT"},
                       {"sasl.mechanism", "PLAIN"},
                       {"sasl.username", "payops"}};
  config.secrets = {{"sasl.password", "PAYOPS_TEST_KAFKA_PASSWORD"}};
  setenv("PAYOPS_TEST_KAFKA_PASSWORD", "wrong", 1);
  const auto refused = await_cluster(config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().message.find("refuses the login") != std::string::npos);
  setenv("PAYOPS_TEST_KAFKA_PASSWORD", "correct", 1);
  const auto accepted = await_cluster(config);
  CHECK(accepted);
}

}  // namespace
}  // namespace payops::streaming
