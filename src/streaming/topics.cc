#include "payops/streaming/topics.h"

#include <algorithm>
#include <array>
#include <thread>

#include "client.h"
#include "payops/core/text.h"

namespace payops::streaming {
namespace {

constexpr int64_t kDay = 24;
constexpr std::string_view kDevelopmentCluster = "mockCluster";  // how its cluster id begins
constexpr std::array<TopicSpec, 13> kTopics{{
    {"payments.transactions", 4, false, 3 * kDay, "payment attempts, what the agent watches"},
    {"payops.actions", 1, true, 0, "interventions in force, by type and scope"},
    {"payops.decisions", 1, false, 30 * kDay, "decisions and audit checkpoints"},
    {"payops.alerts", 1, false, 30 * kDay, "incidents: started, updated, resolved"},
    // For good, and not compacted: a kill switch that is on must be found by whoever comes later,
    // and nobody without a key may be able to push it out.
    {"payops.approvals", 1, false, kKeptForGood, "operators' signed verdicts"},
    {"payops.dead-letters", 1, false, 7 * kDay, "input that could not be read, with the reason"},
    {"payops.lease", 1, true, 0, "who decides, and in which epoch"},
    {"chat.inbound", 4, false, 7 * kDay, "customers' messages"},
    {"chat.outbound", 4, false, 7 * kDay, "replies to customers"},
    {"support.tickets", 1, false, 30 * kDay, "tickets that chats opened"},
    {"support.notifications", 1, false, 7 * kDay, "messages to people"},
    {"support.signals", 1, false, 3 * kDay, "complaints per issuer and method"},
    {"simulator.truth", 1, false, 3 * kDay, "what was really wrong, for evaluation only"},
}};

const TopicSpec* find_spec(std::string_view topic) {
  const auto same = [&](const TopicSpec& spec) {
    return spec.topic == topic ||
           (spec.topic.substr(0, 7) == "payops." && spec.topic.substr(7) == topic);
  };
  const auto* it = std::find_if(kTopics.begin(), kTopics.end(), same);
  return it == kTopics.end() ? nullptr : it;
}

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Deleter<rd_kafka_NewTopic_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, Deleter<rd_kafka_AdminOptions_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Deleter<rd_kafka_event_destroy>>;

NewTopic new_topic(const StreamingConfig& config, const TopicSpec& spec) {
  char reason[256] = "";
  NewTopic topic(rd_kafka_NewTopic_new(topic_name(config, spec.topic).c_str(), spec.partitions,
                                       config.replication_factor, reason, sizeof reason));
  const auto set = [&](const char* name, const std::string& value) {
    rd_kafka_NewTopic_set_config(topic.get(), name, value.c_str());
  };
  if (spec.compacted) {
    set("cleanup.policy", "compact");
    set("min.cleanable.dirty.ratio", "0.1");
    set("segment.ms", std::to_string(kDay * 3'600'000));
    set("delete.retention.ms", std::to_string(kDay * 3'600'000));
  } else {
    set("cleanup.policy", "delete");
    const bool for_good = spec.retention_h == kKeptForGood;
    set("retention.ms", for_good ? "-1" : std::to_string(spec.retention_h * 3'600'000));
  }
  return topic;
}

// Asks the broker to create `missing` (names on the broker).
Status create(rd_kafka_t* client, const StreamingConfig& config,
              const std::vector<TopicSpec>& missing) {
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const TopicSpec& spec : missing) {
    topics.push_back(new_topic(config, spec));
    raw.push_back(topics.back().get());
  }
  const AdminOptions options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
  const int timeout_ms = request_timeout_ms(config);
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, nullptr, 0);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), timeout_ms, nullptr, 0);
  const QueueHandle queue(rd_kafka_queue_new(client));
  rd_kafka_CreateTopics(client, raw.data(), raw.size(), options.get(), queue.get());
  const Event event(rd_kafka_queue_poll(queue.get(), timeout_ms + 2000));
  if (event == nullptr) {
    return fail_retryable(ErrorCode::unavailable, "Kafka did not answer to creating topics");
  }
  if (const rd_kafka_resp_err_t err = rd_kafka_event_error(event.get());
      err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string reason = rd_kafka_event_error_string(event.get());
    return fail_retryable(ErrorCode::unavailable, "Kafka could not create the topics: " + reason);
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t err = rd_kafka_topic_result_error(results[i]);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      continue;
    const char* text = rd_kafka_topic_result_error_string(results[i]);
    return fail(ErrorCode::refused, "Kafka does not create \"" +
                                        std::string(rd_kafka_topic_result_name(results[i])) +
                                        "\": " + (text != nullptr ? text : rd_kafka_err2str(err)));
  }
  return {};
}

std::vector<TopicState> states(const StreamingConfig& config, const Cluster& cluster) {
  std::vector<TopicState> all;
  for (const TopicSpec& spec : kTopics) {
    TopicState& state = all.emplace_back(
        TopicState{.topic = std::string(spec.topic), .name = topic_name(config, spec.topic)});
    for (const auto& [name, partitions] : cluster.topics) {
      if (name == state.name) state.partitions = partitions;
    }
  }
  return all;
}

Result<Cluster> ask_cluster(rd_kafka_t* client, int timeout_ms) {
  const rd_kafka_metadata_t* raw = nullptr;
  if (const rd_kafka_resp_err_t err = rd_kafka_metadata(client, 1, nullptr, &raw, timeout_ms);
      err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail_retryable(ErrorCode::unavailable, rd_kafka_err2str(err));
  }
  const std::unique_ptr<const rd_kafka_metadata_t, Deleter<rd_kafka_metadata_destroy>> metadata(
      raw);
  Cluster cluster;
  auto id = cluster_id(client, timeout_ms, "the bootstrap address");
  if (!id) return tl::make_unexpected(id.error());
  cluster.id = *id;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    cluster.topics.emplace_back(metadata->topics[i].topic, metadata->topics[i].partition_cnt);
  }
  std::sort(cluster.topics.begin(), cluster.topics.end());
  return cluster;
}

// The first of librdkafka's words that a person needs: "Connection refused", not the addresses.
std::string plain_reason(const ClientWatch& watch, const std::string& otherwise) {
  const std::string& text = watch.trouble.empty() ? otherwise : watch.trouble;
  const std::size_t after = text.find(" (after ");
  std::string reason = text.substr(0, after);
  if (const std::size_t failed = reason.find("failed: "); failed != std::string::npos) {
    reason = reason.substr(failed + 8);
  }
  return reason;
}

}  // namespace

std::span<const TopicSpec> topic_specs() { return kTopics; }

std::string topic_name(const StreamingConfig& config, std::string_view topic) {
  const TopicSpec* spec = find_spec(topic);
  const std::string logical(spec != nullptr ? spec->topic : topic);
  if (const auto it = config.topics.find(logical); it != config.topics.end() && it->second.name) {
    return *it->second.name;
  }
  return config.topic_prefix + logical;
}

Result<TopicSpec> find_topic(const StreamingConfig& config, std::string_view topic) {
  const TopicSpec* found = find_spec(topic);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const TopicSpec& spec : kTopics) names.emplace_back(spec.topic);
    return fail(ErrorCode::not_found,
                "payops has no topic \"" + std::string(topic) + "\"" + did_you_mean(topic, names));
  }
  TopicSpec spec = *found;
  if (const auto it = config.topics.find(std::string(spec.topic)); it != config.topics.end()) {
    spec.partitions = it->second.partitions.value_or(spec.partitions);
    spec.retention_h = it->second.retention_h.value_or(spec.retention_h);
  }
  return spec;
}

Result<Cluster> await_cluster(const StreamingConfig& config, const WhileWaiting& waiting) {
  ClientWatch watch;
  auto client = open_asking_client(config, watch);
  if (!client) return tl::make_unexpected(client.error());
  const int64_t deadline_ms = steady_ms() + config.connect_timeout_s * 1000;
  int64_t backoff_ms = 250;
  while (true) {
    const int64_t left_ms = std::max<int64_t>(deadline_ms - steady_ms(), 500);
    auto cluster = ask_cluster(
        client->get(),
        static_cast<int>(std::min<int64_t>({left_ms, backoff_ms * 2, request_timeout_ms(config)})));
    if (cluster) return cluster;
    while (rd_kafka_poll(client->get(), 0) > 0) {
    }
    const std::string reason = plain_reason(watch, cluster.error().message);
    if (watch.login_refused) {
      return fail(ErrorCode::refused, "Kafka at " + config.bootstrap + " refuses the login: " +
                                          reason + "; see \"properties\" and \"secrets\"");
    }
    const std::string nobody = "Kafka at " + config.bootstrap + " does not answer (" + reason + ")";
    const int64_t remaining_s = (deadline_ms - steady_ms()) / 1000;
    if (steady_ms() >= deadline_ms) {
      return fail_retryable(ErrorCode::unavailable,
                            nobody + " after " + std::to_string(config.connect_timeout_s) +
                                " s; \"scripts/kafka start\" starts one, \"payops broker\" an "
                                "embedded one, --bootstrap names another");
    }
    if (waiting &&
        !waiting(nobody + "; trying for another " + std::to_string(remaining_s) + " s")) {
      return fail(ErrorCode::unavailable, nobody + "; given up on request");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(
        std::min(backoff_ms, std::max<int64_t>(deadline_ms - steady_ms(), 0))));
    backoff_ms = std::min<int64_t>(backoff_ms * 2, 2000);
  }
}

Result<std::vector<TopicState>> list_topics(const StreamingConfig& config,
                                            const WhileWaiting& waiting) {
  const auto cluster = await_cluster(config, waiting);
  if (!cluster) return tl::make_unexpected(cluster.error());
  return states(config, *cluster);
}

Result<std::vector<TopicState>> create_topics(const StreamingConfig& config,
                                              const WhileWaiting& waiting) {
  const auto cluster = await_cluster(config, waiting);
  if (!cluster) return tl::make_unexpected(cluster.error());
  std::vector<TopicState> topics = states(config, *cluster);
  std::vector<TopicSpec> missing;
  for (TopicState& state : topics) {
    if (state.partitions > 0) continue;
    missing.push_back(*find_topic(config, state.topic));
    state.partitions = missing.back().partitions;
    state.created = true;
  }
  if (missing.empty()) return topics;
  if (cluster->id.starts_with(kDevelopmentCluster)) {
    return fail(ErrorCode::refused,
                "the embedded broker at " + config.bootstrap + " has no \"" +
                    topic_name(config, missing[0].topic) +
                    "\" and cannot create it: it makes its topics when it starts, so start it "
                    "with the same prefix and names");
  }
  ClientWatch watch;
  auto client = open_asking_client(config, watch);
  if (!client) return tl::make_unexpected(client.error());
  if (const Status created = create(client->get(), config, missing); !created) {
    return tl::make_unexpected(created.error());
  }
  // Created is not yet known to everybody: the next question must not find them missing.
  const int64_t deadline_ms = steady_ms() + request_timeout_ms(config);
  while (steady_ms() < deadline_ms) {
    const auto now = ask_cluster(client->get(), request_timeout_ms(config));
    if (now) {
      const std::vector<TopicState> known = states(config, *now);
      if (std::all_of(known.begin(), known.end(),
                      [](const TopicState& state) { return state.partitions > 0; })) {
        return topics;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return fail_retryable(ErrorCode::unavailable,
                        "Kafka created the topics but does not show them yet; try again");
}

}  // namespace payops::streaming
