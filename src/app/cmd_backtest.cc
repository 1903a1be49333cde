// payops backtest: the agent over a team's own history.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "backtest.h"
#include "cli.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/moment.h"
#include "payops/core/text.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct BacktestOptions {
  std::string input;
  std::string bootstrap;
  std::string topic;
  std::string from;
  std::string to;
  std::string config = "config/agent.yaml";
  std::string report;
  bool json = false;
};

Result<std::optional<int64_t>> moment(const std::string& name, const std::string& text) {
  if (text.empty()) return std::optional<int64_t>();
  const auto ts_ms = parse_moment(text);
  if (ts_ms) return std::optional<int64_t>(*ts_ms);
  return fail(ErrorCode::usage, name + " \"" + text +
                                    "\" is no time: 2026-03-01T12:00:00Z, \"2026-03-01 12:00:00\" "
                                    "(UTC) or ms since 1970");
}

Result<std::unique_ptr<History>> open_history(const BacktestOptions& options,
                                              const AppConfig& config) {
  if (options.input.empty() == options.bootstrap.empty()) {
    return fail(ErrorCode::usage, "a history is needed: --input FILE, or --bootstrap HOST:PORT");
  }
  if (!options.input.empty()) {
    if (!options.from.empty() || !options.to.empty()) {
      return fail(ErrorCode::usage, "--from and --to belong to --bootstrap; a file is read whole");
    }
    return open_history_file(options.input, config.mapping);
  }
  const auto from = moment("--from", options.from);
  if (!from) return tl::make_unexpected(from.error());
  const auto to = moment("--to", options.to);
  if (!to) return tl::make_unexpected(to.error());
  streaming::StreamingConfig streaming = config.streaming;
  streaming.bootstrap = options.bootstrap;
  return open_history_topic(std::move(streaming), options.topic, *from, *to, config.mapping);
}

Status write_page(const std::string& path, const std::string& page) {
  std::ofstream file(path, std::ios::binary);
  file << page;
  file.close();
  if (file) return {};
  return fail(ErrorCode::usage, path + ": cannot be written: " + std::strerror(errno));
}

std::string summary(const BacktestResult& r) {
  std::string text = std::to_string(r.counts.attempts) + " attempts from " + iso_time(r.from_ms) +
                     " to " + iso_time(r.to_ms) + "\n";
  text += std::to_string(r.incidents_found) + " incidents; by their excess failures they cost " +
          money(r.lost_minor, r.currency) + " in payments\n";
  for (const FoundIncident& found : r.incidents) {
    const Incident& i = found.incident;
    text += "  " + iso_time(i.begin_ts_ms) + "  " + i.pattern + ", " +
            describe(i.instrument, i.slice) + " (" + i.cause + " " + percent(i.confidence, 0) +
            "), " + std::to_string(found.acts.size()) + " interventions\n";
  }
  const Estimate saved{.mean = r.expected_minor, .sigma = r.expected_sigma};
  text += std::to_string(r.acts.size()) + " interventions on traffic would have been taken, " +
          "expected to save " +
          describe_value(
              {.mean = saved.mean, .sigma = saved.sigma, .low = saved.low(), .high = saved.high()},
              r.currency) +
          "\n";
  return text;
}

int backtest(const BacktestOptions& options) {
  auto config = load_app_config_or_default(options.config);
  if (!config) return report(config.error());
  auto history = open_history(options, *config);
  if (!history) return report(history.error());
  Progress progress("payops backtest");
  BacktestSpec spec;
  spec.config = std::move(*config);
  spec.stop = &Signals::stop_requested;
  spec.on_progress = [&](double done, int64_t event_ms) {
    progress.update(percent(done, 0) + (event_ms > 0 ? ", at " + iso_time(event_ms) : ""));
  };
  const auto story = run_backtest(spec, **history);
  if (!story) return report(story.error());
  if (!options.report.empty()) {
    const std::string source =
        !options.input.empty() ? options.input
                               : (options.topic.empty() ? "payments.transactions" : options.topic) +
                                     " at " + options.bootstrap;
    if (Status written = write_page(options.report, backtest_page(*story, source)); !written) {
      return report(written.error());
    }
  }
  if (options.json) {
    std::printf("%s\n", dump(to_json(story->result)).c_str());
  } else {
    std::printf("%s", summary(story->result).c_str());
    if (!options.report.empty()) std::printf("The report: %s\n", options.report.c_str());
  }
  return kExitDone;
}

}  // namespace

void add_backtest_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<BacktestOptions>();
  CLI::App* sub = app.add_subcommand("backtest", "The agent over your own history, watching only");
  sub->add_option("--input", options->input, "Events: a JSON object a line, or a .csv table");
  sub->add_option("--bootstrap", options->bootstrap, "Kafka brokers, host:port[,host:port...]");
  sub->add_option("--topic", options->topic,
                  "The topic's name on the broker (default: the configured one)");
  sub->add_option("--from", options->from, "First record's time, e.g. 2026-03-01T00:00:00Z");
  sub->add_option("--to", options->to, "Up to before this time");
  sub->add_option("--config", options->config, "The agent's configuration, with the mapping")
      ->capture_default_str();
  sub->add_option("--report", options->report, "Write an HTML page with charts here");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops backtest --input march.jsonl --config my.yaml --report march.html");
  sub->callback([&command, options] { command = [options] { return backtest(*options); }; });
}

}  // namespace payops::app
