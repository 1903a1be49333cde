// payops simulate: a payment world, live or into a file.
#include <cmath>
#include <cstdio>
#include <memory>

#include "cli.h"
#include "kafka_options.h"
#include "live_world.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/moment.h"
#include "payops/core/text.h"
#include "payops/evaluation/closed_loop.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct SimulateOptions {
  KafkaOptions kafka;
  std::string scenario = "continuous_drift";
  uint64_t seed = 1;
  double rate_tps = 0.0;
  double speed = 1.0;
  double duration_s = 0.0;
  double warm_up_s = 0.0;
  std::string start;
  std::string out;
  bool json = false;
};

int simulate(const SimulateOptions& options) {
  auto scenario = simulators::load_scenario(options.scenario);
  if (!scenario) return report(scenario.error());
  LiveWorldSpec spec;
  spec.scenario = std::move(*scenario);
  auto kafka = kafka_of(options.kafka);
  if (!kafka) return report_local(kafka.error());
  spec.streaming = std::move(*kafka);
  spec.seed = options.seed;
  if (options.rate_tps > 0) spec.rate_tps = options.rate_tps;
  spec.speed = options.out.empty() ? options.speed : 0.0;
  spec.duration_s = options.duration_s;
  if (!options.start.empty()) {
    spec.start_ms = parse_moment(options.start);
    if (!spec.start_ms) {
      return report({.code = ErrorCode::usage,
                     .retryable = false,
                     .message = "--start \"" + options.start +
                                "\" is no time: 2026-03-01T12:00:00Z or ms since 1970"});
    }
  } else if (!options.out.empty()) {
    spec.start_ms = evaluation::kStartMs;  // same seed, same file
  }
  spec.warm_up_s = options.warm_up_s;
  if (!spec.start_ms && spec.warm_up_s > 0 && spec.speed == 1.0) {
    spec.start_ms = SystemClock().now_ms() - std::llround(spec.warm_up_s * 1000);
  }
  spec.out = options.out;
  if (spec.speed != 1.0 && spec.duration_s <= 0) spec.duration_s = spec.scenario.duration_s;
  spec.stop = &Signals::stop_requested;
  spec.on_trouble = [](const std::string& s) {
    std::fprintf(stderr, "payops simulate: %s\n", s.c_str());
  };
  Progress progress("payops simulate");
  spec.on_progress = [&](int64_t simulated_ms, uint64_t attempts) {
    progress.update(std::to_string(simulated_ms / 1000) + " simulated seconds, " +
                    std::to_string(attempts) + " attempts");
  };
  const auto result = run_live_world(spec);
  if (!result) return options.out.empty() ? report(result.error()) : report_local(result.error());
  if (options.json) {
    std::printf("%s\n", dump(to_json(*result)).c_str());
  } else {
    std::FILE* to = options.out == "-" ? stderr : stdout;
    std::fprintf(to,
                 "%s, seed %llu: %llu attempts of %llu payments from %s to %s; %llu actions taken "
                 "in; net revenue %s\n",
                 result->scenario.c_str(), static_cast<unsigned long long>(result->seed),
                 static_cast<unsigned long long>(result->attempts),
                 static_cast<unsigned long long>(result->books.payments),
                 iso_time(result->start_ms).c_str(), iso_time(result->end_ms).c_str(),
                 static_cast<unsigned long long>(result->actions_applied),
                 money(static_cast<double>(result->net_revenue_minor), "INR").c_str());
  }
  return kExitDone;
}

}  // namespace

void add_simulate_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* sub = app.add_subcommand("simulate", "A payment world that answers to interventions");
  add_kafka_options(*sub, options->kafka);
  sub->add_option("--scenario", options->scenario, "Name in simulators/scenarios, or a file")
      ->capture_default_str();
  sub->add_option("--seed", options->seed, "Same seed, same world")->capture_default_str();
  sub->add_option("--rate", options->rate_tps,
                  "Payments a second, before the scenario's daily rhythm (default: the scenario's)")
      ->check(positive_number());
  sub->add_option("--speed", options->speed,
                  "Simulated seconds per second; 0 = as fast as possible")
      ->capture_default_str()
      ->check(non_negative_number());
  sub->add_option("--duration", options->duration_s,
                  "Simulated seconds (default: until Ctrl-C at speed 1, else the scenario's)")
      ->check(non_negative_number());
  sub->add_option("--warm-up", options->warm_up_s,
                  "Simulated seconds published at once, before time begins to run")
      ->check(non_negative_number());
  sub->add_option("--start", options->start,
                  "When the world begins (default: so that it ends now; 2026-03-02T08:00:00Z with "
                  "--out, so that a seed always gives the same file)");
  sub->add_option("--out", options->out, "Write events to this file (- = stdout), not to Kafka");
  sub->add_flag("--json", options->json, "The summary as one JSON document on stdout");
  sub->footer(
      "Examples: payops simulate --bootstrap localhost:9092 --scenario issuer_outage --speed 10\n"
      "          payops simulate --scenario healthy_day --duration 600 --out events.jsonl");
  sub->callback([&command, options] { command = [options] { return simulate(*options); }; });
}

}  // namespace payops::app
