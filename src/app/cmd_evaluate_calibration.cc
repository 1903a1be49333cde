// payops evaluate calibration: do probabilities and intervals mean what they say?
#include <cstdio>
#include <memory>
#include <thread>

#include "app_config.h"
#include "cmd_evaluate.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/evaluation/calibration.h"
#include "payops/evaluation/sweep.h"
#include "terminal.h"
#include "version.h"

namespace payops::app {
namespace {

using evaluation::HypothesisCalibration;
using evaluation::ReliabilityBin;
using evaluation::ValueCalibration;
using evaluation::ValueCase;

struct CalibrationOptions {
  uint64_t faults = 200;
  uint64_t seed = 1;
  std::string scenarios = "simulators/scenarios";
  std::string seeds = "1..10";
  std::string config = "config/agent.yaml";
  double length_spread = 0.0;
  std::string plots;
  unsigned jobs = 0;
  bool json = false;
};

Chart coverage_chart(const ValueCalibration& v) {
  Chart chart;
  chart.title = "Interventions: expected and realised value";
  chart.x_label = "expected (90 % interval as bars), major units";
  chart.y_label = "realised, major units";
  ChartSeries ideal{.name = "ideal", .mark = Mark::dashed, .colour = 6};
  ChartSeries inside{.name = "inside", .mark = Mark::points, .colour = 2};
  ChartSeries outside{.name = "outside", .mark = Mark::points, .colour = 1};
  for (const ValueCase& one : v.cases) {
    ChartSeries& series = one.covered ? inside : outside;
    series.x.push_back(one.expected_minor / 100.0);
    series.y.push_back(one.realised_minor / 100.0);
    ideal.x.push_back(one.expected_minor / 100.0);
  }
  std::sort(ideal.x.begin(), ideal.x.end());
  ideal.y = ideal.x;
  chart.series = {ideal, inside, outside};
  return chart;
}

std::string text_of(const HypothesisCalibration& h) {
  std::string text = "Hypotheses: " + std::to_string(h.faults) + " drawn faults, " +
                     std::to_string(h.noticed) + " noticed; the leading one right in " +
                     percent(h.leading_right) + "\n";
  text += "  Brier score " + fixed(h.brier, 3) + "; the prior's " + fixed(h.prior_brier, 3) +
          "; with evidence shuffled " + fixed(h.shuffled_brier, 3) + "\n";
  text += "  given        said    mean   right\n";
  for (const ReliabilityBin& bin : h.bins) {
    if (bin.said == 0) continue;
    text += "  " + pad(percent(bin.low, 0) + "-" + percent(bin.high, 0), 13) +
            pad_left(std::to_string(bin.said), 4) + pad_left(percent(bin.mean_probability), 8) +
            pad_left(percent(bin.right), 8) + "\n";
  }
  return text + "  expected calibration error " + percent(h.expected_calibration_error) + "\n";
}

std::string text_of(const ValueCalibration& v, const std::string& currency) {
  return "Values: " + std::to_string(v.actions) + " executed interventions; the 90 % interval " +
         "held the realised value in " + percent(v.coverage.mean) +
         " (95 %: " + percent(v.coverage.low) + " to " + percent(v.coverage.high) + "), below it " +
         percent(v.below) + ", above it " + percent(v.above) + "\n  expected " +
         money(v.expected_minor, currency) + ", realised " + money(v.realised_minor, currency) +
         "\n";
}

int evaluate_calibration(const CalibrationOptions& options) {
  auto config = load_app_config_or_default(options.config);
  if (!config) return report(config.error());
  auto declines = load_decline_table(*config);
  if (!declines) return report(declines.error());
  const evaluation::AgentSetup setup{.build = kVersion,
                                     .agent = config->agent,
                                     .observation = config->observation,
                                     .mapping = config->mapping};
  const unsigned jobs = options.jobs > 0 ? options.jobs : std::thread::hardware_concurrency();
  Progress progress("payops evaluate calibration");
  const auto show = [&](const char* what) {
    return [&progress, what](std::size_t done, std::size_t all) {
      progress.update(std::to_string(done) + " of " + std::to_string(all) + what);
    };
  };
  const auto hypotheses = evaluation::calibrate_hypotheses(
      {.faults = options.faults, .seed = options.seed, .jobs = jobs, .progress = show(" faults")},
      setup, *declines);
  if (!hypotheses) return report(hypotheses.error());

  evaluation::ValueSweep sweep;
  const std::string found = find_shipped_file(options.scenarios);
  auto scenarios = evaluation::load_scenarios(found.empty() ? options.scenarios : found);
  if (!scenarios) return report(scenarios.error());
  sweep.scenarios = std::move(*scenarios);
  if (Status s = parse_seeds(options.seeds, sweep.first_seed, sweep.last_seed); !s) {
    return report(s.error());
  }
  sweep.length_spread = options.length_spread;
  sweep.jobs = jobs;
  sweep.progress = show(" worlds");
  const auto values = evaluation::calibrate_values(sweep, setup, *declines);
  if (!values) return report(values.error());

  if (!options.plots.empty()) {
    const Status written =
        write_plots(options.plots,
                    {{"reliability", reliability_chart("Hypotheses: how often they were right",
                                                       "share that was right", hypotheses->bins)},
                     {"coverage", coverage_chart(*values)}});
    if (!written) return report(written.error());
  }
  if (options.json) {
    const Json all = {{"hypotheses", to_json(*hypotheses)}, {"values", to_json(*values)}};
    std::printf("%s\n", dump(all).c_str());
  } else {
    std::printf("%s\n%s", text_of(*hypotheses).c_str(),
                text_of(*values, config->agent.economics.reporting_currency).c_str());
  }
  return kExitDone;
}

}  // namespace

void add_evaluate_calibration(CLI::App& evaluate, Command& command) {
  auto options = std::make_shared<CalibrationOptions>();
  CLI::App* sub = evaluate.add_subcommand("calibration",
                                          "Whether probabilities and intervals mean what they say");
  sub->add_option("--faults", options->faults, "Faults to draw for the hypotheses")
      ->capture_default_str();
  sub->add_option("--seed", options->seed, "Of those draws")->capture_default_str();
  sub->add_option("--scenarios", options->scenarios, "A folder of scenarios, for the values")
      ->capture_default_str();
  sub->add_option("--seeds", options->seeds, "A..B, both included, for the values")
      ->capture_default_str();
  sub->add_option("--length-spread", options->length_spread,
                  "Draw each fault's length, log-normally around the scripted one (e.g. 0.7)")
      ->check(between(0.0, 2.0))
      ->capture_default_str();
  sub->add_option("--jobs", options->jobs, "Threads (default: all cores)");
  sub->add_option("--config", options->config, "The agent's configuration")->capture_default_str();
  sub->add_option("--plots", options->plots, "Write SVG plots into this folder");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops evaluate calibration --faults 50 --seeds 1..2 --plots /tmp/plots");
  sub->callback(
      [&command, options] { command = [options] { return evaluate_calibration(*options); }; });
}

}  // namespace payops::app
