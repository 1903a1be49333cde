#include "kafka_options.h"

#include "app_config.h"

namespace payops::app {

void add_kafka_options(CLI::App& command, KafkaOptions& options) {
  command.add_option("--config", options.config_file,
                     "The agent's file: its streaming section says how Kafka is reached");
  command.add_option("--bootstrap", options.bootstrap,
                     "Kafka, host:port, instead of the file's; without either localhost:9092");
  command.add_option("--topic-prefix", options.topic_prefix, "Put before every topic's name");
}

Result<streaming::StreamingConfig> kafka_of(const KafkaOptions& options) {
  streaming::StreamingConfig streaming;
  if (!options.config_file.empty()) {
    auto config = load_app_config(options.config_file);
    if (!config) return tl::make_unexpected(config.error());
    streaming = std::move(config->streaming);
  }
  if (!options.bootstrap.empty()) streaming.bootstrap = options.bootstrap;
  if (!options.topic_prefix.empty()) streaming.topic_prefix = options.topic_prefix;
  return streaming;
}

}  // namespace payops::app
