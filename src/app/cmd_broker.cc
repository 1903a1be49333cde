// payops broker and payops topics.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "cli.h"
#include "kafka_options.h"
#include "payops/core/json_fields.h"
#include "payops/streaming/development_broker.h"
#include "payops/streaming/topics.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct BrokerOptions {
  std::string port_file;
  std::string topic_prefix;
};

int serve(const BrokerOptions& options) {
  streaming::StreamingConfig config;
  config.topic_prefix = options.topic_prefix;
  const auto broker = streaming::DevelopmentBroker::start(config);
  if (!broker) return report(broker.error());
  std::fprintf(stderr, "%s\n", std::string(streaming::DevelopmentBroker::notice()).c_str());
  std::printf("%s\n", (*broker)->bootstrap().c_str());
  std::fflush(stdout);
  if (!options.port_file.empty()) {
    std::ofstream out(options.port_file, std::ios::trunc);
    out << (*broker)->bootstrap() << "\n";
    out.close();
    if (!out) return report({ErrorCode::usage, false, options.port_file + " cannot be written"});
  }
  while (!Signals::stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  std::fprintf(stderr, "payops broker: stopped; nothing it held was kept\n");
  return kExitDone;
}

struct TopicsOptions {
  KafkaOptions kafka;
  std::optional<int64_t> connect_timeout_s;   // else the file's
  std::optional<int32_t> replication_factor;  // else the file's
  bool json = false;
};

int topics(const TopicsOptions& options, bool create) {
  auto config = kafka_of(options.kafka);
  if (!config) return report_local(config.error());
  if (options.connect_timeout_s) config->connect_timeout_s = *options.connect_timeout_s;
  if (options.replication_factor) config->replication_factor = *options.replication_factor;
  const auto waiting = [](const std::string& sentence) {
    std::fprintf(stderr, "payops topics: %s\n", sentence.c_str());
    return !Signals::stop_requested();
  };
  const auto states = create ? streaming::create_topics(*config, waiting)
                             : streaming::list_topics(*config, waiting);
  if (!states) return report(states.error());
  Json all = Json::array();
  for (const streaming::TopicState& state : *states) {
    if (options.json) {
      all.push_back({{"topic", state.topic},
                     {"name", state.name},
                     {"partitions", state.partitions},
                     {"created", state.created}});
      continue;
    }
    const std::string how = state.partitions == 0 ? "missing"
                            : state.created       ? "created"
                                                  : "exists";
    std::printf("%s %s %d partitions\n", pad(state.name, 32).c_str(), pad(how, 8).c_str(),
                state.partitions);
  }
  if (options.json) std::printf("%s\n", dump(all).c_str());
  return kExitDone;
}

}  // namespace

void add_broker_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<BrokerOptions>();
  CLI::App* sub = app.add_subcommand("broker", "An embedded broker for development, without Java");
  sub->add_option("--port-file", options->port_file, "Write host:port here once it listens");
  sub->add_option("--topic-prefix", options->topic_prefix, "Put before every topic's name");
  sub->footer("Example: payops broker --port-file /tmp/broker");
  sub->callback([&command, options] { command = [options] { return serve(*options); }; });
}

void add_topics_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<TopicsOptions>();
  CLI::App* sub = app.add_subcommand("topics", "Create or list the topics of payops");
  sub->require_subcommand(1);
  for (const bool create : {true, false}) {
    CLI::App* verb = create ? sub->add_subcommand("create", "Create what is missing")
                            : sub->add_subcommand("list", "Show what there is");
    add_kafka_options(*verb, options->kafka);
    verb->add_option("--connect-timeout", options->connect_timeout_s,
                     "Seconds to wait for Kafka (default: the file's, or 30)");
    if (create) {
      verb->add_option("--replication-factor", options->replication_factor,
                       "Of new topics (default: the file's, or 1)");
    }
    verb->add_flag("--json", options->json, "One JSON document on stdout");
    verb->footer(std::string("Example: payops topics ") + (create ? "create" : "list") +
                 " --bootstrap localhost:9092");
    verb->callback([&command, options, create] {
      command = [options, create] { return topics(*options, create); };
    });
  }
  sub->footer("Example: payops topics create --bootstrap localhost:9092");
}

}  // namespace payops::app
