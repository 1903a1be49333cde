// payops run: the closed loop in virtual time.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "virtual_run.h"

namespace payops::app {
namespace {

struct RunOptions {
  std::string scenario = "issuer_outage";
  std::string config = "config/agent.yaml";
  uint64_t seed = 1;
  double duration_s = 0.0;
  double rate_tps = 0.0;
  std::string audit_dir;
  bool json = false;
  bool quiet = false;
};

int run(const RunOptions& options) {
  auto scenario = simulators::load_scenario(options.scenario);
  if (!scenario) return report(scenario.error());
  auto config = load_app_config_or_default(options.config);
  if (!config) return report(config.error());
  const Terminal terminal;
  Progress progress("payops run");
  VirtualRunSpec spec;
  spec.scenario = std::move(*scenario);
  spec.seed = options.seed;
  spec.duration_s = options.duration_s;
  if (options.rate_tps > 0) spec.rate_tps = options.rate_tps;
  spec.audit_dir = options.audit_dir;
  spec.config = std::move(*config);
  spec.stop = &Signals::stop_requested;
  spec.on_progress = [&](int64_t done_ms, int64_t all_ms) {
    progress.update(std::to_string(done_ms / 1000) + " of " + std::to_string(all_ms / 1000) +
                    " simulated seconds");
  };
  if (!options.json && !options.quiet) {
    spec.on_cycle = [&](const payments_agent::CycleReport& cycle) {
      if (cycle.alarms.empty() && cycle.outcomes.empty() && cycle.action_id.empty()) return;
      std::fputs(
          cycle_text(cycle, spec.config.agent.economics.reporting_currency, terminal).c_str(),
          stdout);
    };
  }
  const auto story = run_virtually(spec);
  if (!story) return report_local(story.error());
  if (story->interrupted) {
    std::fprintf(stderr,
                 "payops run: stopped after %lld simulated seconds; figures are up to then%s\n",
                 static_cast<long long>((story->end_ms - story->start_ms) / 1000),
                 options.audit_dir.empty() ? "" : ", and so is the audit log");
  }
  if (options.json) {
    std::printf("%s\n", dump(to_json(story->result)).c_str());
  } else {
    std::printf("\n%s", story_text(*story).c_str());
  }
  return kExitDone;
}

}  // namespace

void add_run_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* sub = app.add_subcommand("run", "The closed loop in virtual time, without a broker");
  sub->add_option("--scenario", options->scenario, "Name in simulators/scenarios, or a file")
      ->capture_default_str();
  sub->add_option("--seed", options->seed, "Same seed, same world, same decisions")
      ->capture_default_str();
  sub->add_option("--duration", options->duration_s, "Simulated seconds (default: the scenario's)")
      ->check(between(1.0, 31'622'400.0));
  sub->add_option("--rate", options->rate_tps,
                  "Payments a second, before the scenario's daily rhythm (default: the scenario's)")
      ->check(positive_number());
  sub->add_option("--config", options->config, "The agent's configuration")->capture_default_str();
  sub->add_option("--audit", options->audit_dir, "Keep the audit log in this (new) folder");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->add_flag("--quiet", options->quiet, "Only the summary");
  sub->footer("Example: payops run --scenario issuer_outage --seed 7 --duration 900");
  sub->callback([&command, options] { command = [options] { return run(*options); }; });
}

}  // namespace payops::app
