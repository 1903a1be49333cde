// payops agent: the payments agent on Kafka.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli.h"
#include "console_process.h"
#include "live_agent.h"
#include "log.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

struct AgentOptions {
  std::string config = "config/agent.yaml";
  std::string bootstrap;
  std::string topic_prefix;
  std::string mode;
  std::string state_dir;
  std::string audit_dir;
  std::string console_bind;
  std::string console_users;
  bool until_end = false;
  bool verbose = false;
  bool json = false;
  bool no_console = false;
};

Result<AppConfig> configured(const AgentOptions& options) {
  const std::string found = find_shipped_file(options.config);
  auto config = load_app_config(found.empty() ? options.config : found);
  if (!config) return config;
  if (!options.bootstrap.empty()) config->streaming.bootstrap = options.bootstrap;
  if (!options.topic_prefix.empty()) config->streaming.topic_prefix = options.topic_prefix;
  if (!options.state_dir.empty()) config->process.state_dir = options.state_dir;
  if (!options.audit_dir.empty()) config->process.audit_dir = options.audit_dir;
  if (!options.console_bind.empty()) config->console.bind = options.console_bind;
  if (!options.console_users.empty()) config->console.users_file = options.console_users;
  if (!options.mode.empty()) config->agent.limits.mode = *parse_enum<Mode>(options.mode);
  return config;
}

Json counts_of(const payments_agent::Totals& totals) {
  return {{"attempts", totals.attempts},     {"late", totals.late},
          {"duplicates", totals.duplicates}, {"dead_letters", totals.dead_letters},
          {"cycles", totals.cycles},         {"alarms", totals.alarms},
          {"actions", totals.actions}};
}

int run_agent(const AgentOptions& options) {
  auto config = configured(options);
  if (!config) return report(config.error());
  const auto log = make_log("agent", config->logging);
  const Terminal terminal;
  const std::string currency = config->agent.economics.reporting_currency;
  const bool narrate = !options.json && (options.verbose || isatty(STDOUT_FILENO) != 0);
  LiveAgentSpec spec;
  spec.config = std::move(*config);
  spec.until_end = options.until_end;
  spec.stop = &Signals::stop_requested;
  spec.on_note = [&](const std::string& s) { log->info("{}", s); };
  spec.on_trouble = [&](const std::string& s) { log->warn("{}", s); };
  spec.on_cycle = [&](const payments_agent::CycleReport& cycle) {
    if (narrate) {
      std::fputs(cycle_text(cycle, currency, terminal).c_str(), stdout);
      std::fflush(stdout);
    } else if (!cycle.alarms.empty() || !cycle.action_id.empty() || !cycle.outcomes.empty()) {
      log->info("{} {} alarms {} action {}: {}", iso_time(cycle.at_ms), cycle.decision_id,
                cycle.alarms.size(), cycle.action_id.empty() ? "none" : cycle.action_id,
                cycle.conclusion);
    }
  };
  std::unique_ptr<ConsoleProcess> console;
  if (spec.config.console.enabled && !options.no_console && !options.until_end) {
    auto started = ConsoleProcess::start(spec.config, nullptr, spec.on_note);
    if (!started) return report(started.error());
    console = std::move(*started);
    spec.feed = &console->feed();
    spec.console_key_hex = console->public_key_hex();
  }
  const auto result = run_live_agent(spec);
  if (!result) {
    log->error("{}", result.error().message);
    return exit_status(result.error());
  }
  if (options.json) {
    Json document = counts_of(result->since_start);
    document["total"] = counts_of(result->total);
    std::printf("%s\n", dump(document).c_str());
  }
  log->info(
      "stopped after step {}: {} attempts and {} cycles in this run are committed to {} and {}",
      result->step, result->since_start.attempts, result->since_start.cycles,
      spec.config.process.state_dir, spec.config.process.audit_dir);
  return kExitDone;
}

}  // namespace

void add_agent_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<AgentOptions>();
  CLI::App* sub = app.add_subcommand("agent", "The payments agent on Kafka");
  sub->add_option("--config", options->config, "Configuration")->capture_default_str();
  sub->add_option("--bootstrap", options->bootstrap, "Kafka, host:port, instead of the file's");
  sub->add_option("--topic-prefix", options->topic_prefix, "Put before every topic's name");
  sub->add_option("--mode", options->mode, "The most it may do alone")
      ->check(CLI::IsMember({"observe", "shadow", "approve", "auto"}));
  sub->add_option("--state", options->state_dir, "State directory, one process each");
  sub->add_option("--audit", options->audit_dir, "Audit folder");
  sub->add_flag("--until-end", options->until_end,
                "Stop at the end of the input as found at start");
  sub->add_flag("--verbose", options->verbose,
                "Tell every cycle, also where stdout is no terminal");
  sub->add_flag("--no-console", options->no_console, "Serve no console, whatever the file says");
  sub->add_option("--console-bind", options->console_bind,
                  "The address that the console serves on, instead of the file's");
  sub->add_option("--console-users", options->console_users,
                  "The file with the console's users, instead of the one that the file names");
  sub->add_flag("--json", options->json, "Counts as one JSON document on stdout at the end");
  sub->footer(
      "Example: payops agent --config config/agent.yaml --bootstrap localhost:9092\n"
      "Kill switch: payops kill on; or create the file process.kill_file; or SIGUSR1 (SIGUSR2: "
      "off).");
  sub->callback([&command, options] { command = [options] { return run_agent(*options); }; });
}

}  // namespace payops::app
