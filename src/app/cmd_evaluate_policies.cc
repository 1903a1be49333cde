// payops evaluate policies: what each policy would have earned in the simulated worlds.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include "app_config.h"
#include "cmd_evaluate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/evaluation/sweep.h"
#include "terminal.h"
#include "version.h"

namespace payops::app {
namespace {

using evaluation::FamilyPolicy;
using evaluation::Interval;
using evaluation::PolicySummary;

struct PoliciesOptions {
  std::string scenarios = "simulators/scenarios";
  std::string seeds = "1..20";
  std::string policies = "nothing,zscore,success-rate,agent,oracle";
  std::string config = "config/agent.yaml";
  std::string plots;
  double duration_s = 0.0;
  unsigned jobs = 0;
  bool json = false;
};

std::string minor(double amount) { return fixed(amount / 100.0, 0); }

std::string interval(const Interval& i, double scale) {
  const auto number = [&](double v) { return scale == 1.0 ? fixed(v, 2) : minor(v); };
  return number(i.mean) + " (" + number(i.low) + " to " + number(i.high) + ")";
}

std::string row(const FamilyPolicy& f) {
  return pad(f.family == "*" ? "all" : f.family, 25) + pad(f.policy, 13) +
         pad_left(interval(f.gain_minor, 0.01), 28) + "  " +
         pad(f.share ? interval(*f.share, 1.0) : "-", 21) +
         pad(f.lead_minor && f.policy != "agent" ? interval(*f.lead_minor, 0.01) : "-", 28) +
         pad_left(fixed(f.excess_failures, 0), 7) +
         pad_left(f.detection_delay_ms ? fixed(*f.detection_delay_ms / 1000.0, 1) : "-", 8) +
         pad_left(fixed(f.actions_per_week, 1), 10) +
         pad_left(fixed(f.false_actions_per_week, 1), 10) + "\n";
}

std::string table(const PolicySummary& summary) {
  std::string text = pad("FAMILY", 25) + pad("POLICY", 13) + pad_left("GAIN PER RUN (95 %)", 28) +
                     "  " + pad("SHARE OF ORACLE'S", 21) + pad("AGENT AHEAD BY", 28) +
                     pad_left("EXCESS", 7) + pad_left("DELAY s", 8) + pad_left("ACTS/WK", 10) +
                     pad_left("FALSE/WK", 10) + "\n";
  for (const FamilyPolicy& f : summary.families) text += row(f);
  text += "\n";
  for (const FamilyPolicy& f : summary.total) text += row(f);
  text += "\n" + std::to_string(summary.scenarios) + " scenarios, " +
          std::to_string(summary.seeds) +
          " seeds. Gains over doing nothing, in units of the reporting currency;\n"
          "95 % intervals by bootstrap over seeds, " +
          std::to_string(summary.draws) + " draws.\n";
  return text;
}

// What each policy had earned beyond `nothing` by each minute, the mean over seeds.
Chart gain_chart(const std::string& scenario, const std::vector<evaluation::PolicyRun>& runs) {
  Chart chart;
  chart.title = scenario + ": earned beyond doing nothing";
  chart.x_label = "simulated minutes";
  chart.y_label = "reporting currency, mean over seeds";
  std::map<uint64_t, const evaluation::PolicyRun*> nothing;  // by seed
  for (const evaluation::PolicyRun& run : runs) {
    if (run.scenario == scenario && run.policy == "nothing") nothing[run.seed] = &run;
  }
  for (const evaluation::PolicyRun& run : runs) {
    if (run.scenario != scenario || run.policy == "nothing") continue;
    auto series = std::find_if(chart.series.begin(), chart.series.end(),
                               [&](const ChartSeries& s) { return s.name == run.policy; });
    if (series == chart.series.end()) {
      const int colour = static_cast<int>(chart.series.size());
      series = chart.series.insert(series, {.name = run.policy, .colour = colour});
    }
    const std::vector<int64_t>& alone = nothing.at(run.seed)->earned_by_minute;
    for (std::size_t i = 0; i < std::min(alone.size(), run.earned_by_minute.size()); ++i) {
      if (i == series->x.size()) {
        series->x.push_back(static_cast<double>(i + 1));
        series->y.push_back(0.0);
      }
      series->y[i] += static_cast<double>(run.earned_by_minute[i] - alone[i]) / 100.0 /
                      static_cast<double>(nothing.size());
    }
  }
  return chart;
}

Status write_gains(const std::string& folder, const std::vector<evaluation::PolicyRun>& runs) {
  std::vector<std::pair<std::string, Chart>> plots;
  for (const evaluation::PolicyRun& run : runs) {
    const std::string name = "gain_" + run.scenario;
    if (plots.empty() || plots.back().first != name) {
      plots.emplace_back(name, gain_chart(run.scenario, runs));
    }
  }
  return write_plots(folder, plots);
}

Result<evaluation::Sweep> sweep_of(const PoliciesOptions& options) {
  evaluation::Sweep sweep;
  const std::string found = find_shipped_file(options.scenarios);
  auto scenarios = evaluation::load_scenarios(found.empty() ? options.scenarios : found);
  if (!scenarios) return tl::make_unexpected(scenarios.error());
  sweep.scenarios = std::move(*scenarios);
  auto policies = evaluation::parse_policies(options.policies);
  if (!policies) return tl::make_unexpected(policies.error());
  sweep.policies = std::move(*policies);
  if (std::find(sweep.policies.begin(), sweep.policies.end(), evaluation::Policy::nothing) ==
      sweep.policies.end()) {  // what all others are held against
    sweep.policies.insert(sweep.policies.begin(), evaluation::Policy::nothing);
  }
  if (Status s = parse_seeds(options.seeds, sweep.first_seed, sweep.last_seed); !s) {
    return tl::make_unexpected(s.error());
  }
  sweep.duration_s = options.duration_s;
  sweep.jobs = options.jobs > 0 ? options.jobs : std::thread::hardware_concurrency();
  return sweep;
}

int evaluate_policies(const PoliciesOptions& options) {
  auto config = load_app_config_or_default(options.config);
  if (!config) return report(config.error());
  auto declines = load_decline_table(*config);
  if (!declines) return report(declines.error());
  auto sweep = sweep_of(options);
  if (!sweep) return report(sweep.error());
  Progress progress("payops evaluate policies");
  sweep->progress = [&](std::size_t done, std::size_t all) {
    progress.update(std::to_string(done) + " of " + std::to_string(all) + " worlds");
  };
  const auto runs = run_sweep(*sweep,
                              {.build = kVersion,
                               .agent = config->agent,
                               .observation = config->observation,
                               .mapping = config->mapping},
                              *declines);
  if (!runs) return report(runs.error());
  if (!options.plots.empty()) {
    if (Status written = write_gains(options.plots, *runs); !written) {
      return report(written.error());
    }
  }
  const PolicySummary summary = summarise(*runs, lengths_of(*sweep));
  if (options.json) {
    Json all = {{"runs", Json::array()}, {"summary", to_json(summary)}};
    for (const evaluation::PolicyRun& run : *runs) all["runs"].push_back(to_json(run));
    std::printf("%s\n", dump(all).c_str());
  } else {
    std::fputs(table(summary).c_str(), stdout);
  }
  return kExitDone;
}

}  // namespace

void add_evaluate_policies(CLI::App& evaluate, Command& command) {
  auto options = std::make_shared<PoliciesOptions>();
  CLI::App* sub = evaluate.add_subcommand(
      "policies", "What policies earn in simulated worlds, against nothing and an oracle");
  sub->add_option("--scenarios", options->scenarios, "A folder of scenario files")
      ->capture_default_str();
  sub->add_option("--seeds", options->seeds, "A..B, both included")->capture_default_str();
  sub->add_option("--policies", options->policies,
                  "Of nothing, zscore, success-rate, agent, oracle")
      ->capture_default_str();
  sub->add_option("--duration", options->duration_s, "Simulated seconds (default: each scenario's)")
      ->check(non_negative_number());
  sub->add_option("--jobs", options->jobs, "Threads (default: all cores)");
  sub->add_option("--config", options->config, "The agent's configuration")->capture_default_str();
  sub->add_option("--plots", options->plots, "Write SVG plots into this folder");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops evaluate policies --seeds 1..5 --policies nothing,agent,oracle");
  sub->callback(
      [&command, options] { command = [options] { return evaluate_policies(*options); }; });
}

}  // namespace payops::app
