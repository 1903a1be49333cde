#include "program.h"

#include <fstream>
#include <stdexcept>

#include "payops/memory/audit_reader.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/topics.h"
#include "support/kafka_server.h"
#include "support/paths.h"
#include "support/process.h"

namespace payops::testing {

Deployment::Deployment(std::string in_folder, std::string with_prefix)
    : folder(std::move(in_folder)),
      prefix(std::move(with_prefix)),
      config_file(folder + "/agent.yaml") {
  streaming.bootstrap = KafkaServer::shared().bootstrap();
  streaming.topic_prefix = prefix;
  if (const auto topics = streaming::create_topics(streaming); !topics) {
    throw std::runtime_error(topics.error().message);
  }
  std::ofstream out(config_file);
  out << "process: {max_input_age_s: 0, kill_file: " << folder << "/kill}\n"
      << "console: {enabled: false}\n"
      << "streaming: {bootstrap: \"" << streaming.bootstrap << "\", topic_prefix: " << prefix
      << "}\n";
}

void Deployment::configure(const std::string& line) const {
  std::ofstream(config_file, std::ios::app) << line << "\n";
}

std::vector<std::string> Deployment::agent(const std::vector<std::string>& more) const {
  std::vector<std::string> argv{payops_program(), "agent",           "--config", config_file,
                                "--state",        folder + "/state", "--audit",  audit_dir()};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

std::vector<std::string> Deployment::simulate(const std::vector<std::string>& more) const {
  std::vector<std::string> argv{payops_program(), "simulate", "--bootstrap", streaming.bootstrap,
                                "--topic-prefix", prefix,     "--json"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

std::string run_payops(const std::string& folder, std::vector<std::string> arguments, int wanted) {
  arguments.insert(arguments.begin(), payops_program());
  static int calls = 0;
  Process process("run" + std::to_string(++calls), folder, arguments);
  if (!process.wait(90) || process.exit_status() != wanted) {
    throw std::runtime_error("payops " + arguments[1] + " ended with " +
                             std::to_string(process.exit_status()) + ": " + process.err() +
                             process.out());
  }
  return process.out();
}

std::vector<TopicRecord> read_topic(const Deployment& deployment, const std::string& topic) {
  auto consumer = streaming::Consumer::open(deployment.streaming, {topic});
  if (!consumer) throw std::runtime_error(consumer.error().message);
  const auto ends = (*consumer)->watermarks();
  if (!ends) throw std::runtime_error(ends.error().message);
  std::vector<streaming::Position> positions;
  for (const auto& mark : *ends) positions.push_back({0, mark.partition, mark.begin});
  if (const Status status = (*consumer)->assign(positions); !status) {
    throw std::runtime_error(status.error().message);
  }
  std::vector<TopicRecord> records;
  while (!(*consumer)->has_read_to(*ends)) {
    for (const streaming::Record& record : (*consumer)->poll(100).records) {
      records.push_back({std::string(record.key), std::string(record.payload),
                         std::string(streaming::header_of(record, "traceparent"))});
    }
  }
  return records;
}

std::vector<std::pair<std::string, std::string>> audit_records(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> records;
  auto reader = memory::AuditReader::open(directory);
  if (!reader) throw std::runtime_error(reader.error().message);
  memory::LogLine line;
  for (auto more = reader->next(line); more && *more; more = reader->next(line)) {
    const auto parsed = parse_line(line.text);
    if (!parsed) throw std::runtime_error(parsed.error().message);
    records.emplace_back(parsed->kind, "{" + std::string(parsed->body) + "}");
  }
  return records;
}

}  // namespace payops::testing
