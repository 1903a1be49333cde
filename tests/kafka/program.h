// What the tests of the whole program share: its topics, its commands, what its audit log says.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "payops/streaming/config.h"

namespace payops::testing {

// A deployment of its own on the shared Kafka: topics under a prefix, a configuration file, state
// and audit folders below `folder`.
struct Deployment {
  std::string folder;
  std::string prefix;
  std::string config_file;
  streaming::StreamingConfig streaming;

  // Creates the topics. Throws when that fails.
  Deployment(std::string folder, std::string prefix);
  // A line more in the configuration file.
  void configure(const std::string& line) const;
  [[nodiscard]] std::vector<std::string> agent(const std::vector<std::string>& more = {}) const;
  [[nodiscard]] std::vector<std::string> simulate(const std::vector<std::string>& more) const;
  [[nodiscard]] std::string audit_dir() const { return folder + "/audit"; }
};

// Runs the program to its end and gives what it printed. Throws after a minute, or on a status
// other than `wanted`.
std::string run_payops(const std::string& folder, std::vector<std::string> arguments,
                       int wanted = 0);

struct TopicRecord {
  std::string key;
  std::string payload;
  std::string traceparent;  // the header
};
// Every committed record of a topic, by logical name.
std::vector<TopicRecord> read_topic(const Deployment& deployment, const std::string& topic);

// The audit log's records as (kind, JSON text).
std::vector<std::pair<std::string, std::string>> audit_records(const std::string& directory);

}  // namespace payops::testing
