// Where Kafka is, for the commands that only visit it: --config, --bootstrap, --topic-prefix.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "payops/core/result.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct KafkaOptions {
  std::string config_file;   // its `streaming` section: TLS, SASL, topics' names
  std::string bootstrap;     // empty: the file's, or localhost:9092
  std::string topic_prefix;  // empty: the file's
};

// REQUIRES: `options` outlives the parsing.
void add_kafka_options(CLI::App& command, KafkaOptions& options);

// What is given on the command line goes before the file. Errors: as load_app_config.
[[nodiscard]] Result<streaming::StreamingConfig> kafka_of(const KafkaOptions& options);

}  // namespace payops::app
