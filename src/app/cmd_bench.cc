// payops bench: measures this machine's ingest against the limit that librdkafka sets.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "ingest_bench.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct BenchOptions {
  std::string config = "config/agent.yaml";
  std::string bootstrap = "localhost:9092";
  IngestBenchSpec spec;
  bool json = false;
};

std::string rate(double per_s) { return pad_left(fixed(per_s / 1e6, 3), 8); }

int ingest(const BenchOptions& options) {
  auto config = load_app_config_or_default(options.config);
  if (!config) return report(config.error());
  Progress progress("payops bench ingest");
  IngestBenchSpec spec = options.spec;
  spec.config = std::move(*config);
  spec.config.streaming.bootstrap = options.bootstrap;
  spec.on_progress = [&](const std::string& state) { progress.update(state); };
  spec.stop = [] { return Signals::stop_requested(); };
  const auto result = measure_ingest(spec);
  if (!result) return report(result.error());
  if (options.json) {
    std::printf("%s\n", dump(to_json(*result)).c_str());
    return kExitDone;
  }
  std::printf("%llu messages of %.0f bytes, lz4, 4 partitions, on %s; medians of %u rounds\n",
              static_cast<unsigned long long>(result->messages), result->message_bytes,
              result->topic.c_str(), result->rounds);
  std::printf("                      million/s   million/CPU-s\n");
  std::printf("raw batch consume     %s      %s\n", rate(result->raw_msgs_per_s).c_str(),
              rate(result->raw_msgs_per_cpu_s).c_str());
  std::printf("whole ingest path     %s      %s\n", rate(result->ingest_msgs_per_s).c_str(),
              rate(result->ingest_msgs_per_cpu_s).c_str());
  std::printf(
      "ratio %.3f; %.0f ns of CPU a message over raw; %llu attempts counted in %llu seconds and "
      "%llu cycles\n",
      result->ratio, result->over_raw_cpu_ns, static_cast<unsigned long long>(result->attempts),
      static_cast<unsigned long long>(result->seconds),
      static_cast<unsigned long long>(result->cycles));
  return kExitDone;
}

}  // namespace

void add_bench_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* sub = app.add_subcommand("bench", "Measurements on this machine");
  sub->require_subcommand(1);
  sub->footer("Example: payops bench ingest --bootstrap localhost:9092 --messages 1000000");
  CLI::App* ingest_app = sub->add_subcommand(
      "ingest", "Fills a topic of its own, then reads it raw and through the whole ingest path");
  ingest_app->add_option("--bootstrap", options->bootstrap, "Kafka, host:port")
      ->capture_default_str();
  ingest_app->add_option("--messages", options->spec.messages, "How many to fill and read")
      ->capture_default_str()
      ->check(CLI::Range(uint64_t{10'000}, uint64_t{100'000'000}));
  ingest_app->add_option("--repeat", options->spec.rounds, "Rounds of both, alternating")
      ->capture_default_str()
      ->check(CLI::Range(1U, 100U));
  ingest_app->add_option("--rate", options->spec.rate_tps, "Payments a second of event time")
      ->capture_default_str()
      ->check(between(1.0, 1e6));
  ingest_app->add_option("--topic-prefix", options->spec.topic_prefix,
                         "Of the topic that is made (default: a new one every time)");
  ingest_app->add_option("--config", options->config, "The agent's configuration")
      ->capture_default_str();
  ingest_app->add_flag("--json", options->json, "One JSON document on stdout");
  ingest_app->footer("The topic stays on the broker until its retention of an hour is over.");
  ingest_app->callback([&command, options] { command = [options] { return ingest(*options); }; });
}

}  // namespace payops::app
