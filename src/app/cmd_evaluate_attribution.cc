// payops evaluate attribution: does the scan for causes name the right slices?
#include <cstdio>
#include <ctime>
#include <memory>
#include <thread>

#include "cmd_evaluate.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/evaluation/attribution.h"
#include "terminal.h"

namespace payops::app {
namespace {

using evaluation::AttributionFamily;
using evaluation::AttributionFigures;
using evaluation::ReliabilityBin;

struct AttributionOptions {
  uint64_t worlds = 30;
  uint64_t seed = 1;
  unsigned jobs = 0;
  std::string plots;
  bool json = false;
};

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

Chart family_chart(const AttributionFigures& figures) {
  Chart chart;
  chart.title = "Causes named exactly: F1 by family of worlds";
  chart.y_label = "F1";
  chart.y_scale = Scale::share;
  chart.y_from_zero = true;
  chart.width = 1000.0;
  chart.height = 360.0;
  ChartSeries tuning{.name = "tuning", .mark = Mark::bars, .colour = 0};
  ChartSeries held_out{.name = "held out", .mark = Mark::bars, .colour = 1};
  for (const AttributionFamily& family : figures.families) {
    if (family.causes == 0) continue;
    ChartSeries& series = family.held_out ? held_out : tuning;
    series.x.push_back(static_cast<double>(chart.categories.size()));
    series.y.push_back(family.f1);
    chart.categories.push_back(family.name);
  }
  chart.series = {tuning, held_out};
  return chart;
}

std::string row_of(const AttributionFamily& family) {
  return "  " + pad(family.name, 40) + pad_left(std::to_string(family.worlds), 7) +
         pad_left(std::to_string(family.causes), 8) + pad_left(fixed(family.f1, 3), 8) +
         pad_left(fixed(family.precision, 3), 11) + pad_left(fixed(family.recall, 3), 8) +
         pad_left(std::to_string(family.false_alarms), 7) +
         pad_left(fixed(family.seconds_mean, 2), 9) + pad_left(fixed(family.seconds_max, 2), 7) +
         "\n";
}

std::string text_of(const AttributionFigures& figures) {
  std::string text = "  " + pad("family", 40) +
                     " worlds  causes      F1  precision  recall  false  CPU s/scan  max\n";
  for (const bool held_out : {false, true}) {
    text += held_out ? "held out of tuning\n" : "tuning\n";
    for (const AttributionFamily& family : figures.families) {
      if (family.held_out == held_out) text += row_of(family);
    }
    text += row_of(held_out ? figures.held_out : figures.tuning);
  }
  text += "given        said    mean   right\n";
  for (const ReliabilityBin& bin : figures.bins) {
    if (bin.said == 0) continue;
    text += pad(percent(bin.low, 0) + "-" + percent(bin.high, 0), 11) +
            pad_left(std::to_string(bin.said), 6) + pad_left(percent(bin.mean_probability), 8) +
            pad_left(percent(bin.right), 8) + "\n";
  }
  return text + "expected calibration error " + percent(figures.expected_calibration_error) + "\n";
}

int evaluate_attribution(const AttributionOptions& options) {
  Progress progress("payops evaluate attribution");
  evaluation::AttributionDraw draw;
  draw.worlds = options.worlds;
  draw.seed = options.seed;
  draw.jobs = options.jobs > 0 ? options.jobs : std::thread::hardware_concurrency();
  draw.cpu_seconds = thread_seconds;
  draw.progress = [&](std::size_t done, std::size_t all) {
    progress.update(std::to_string(done) + " of " + std::to_string(all) + " worlds");
  };
  const AttributionFigures figures = evaluation::measure_attribution(draw);
  if (!options.plots.empty()) {
    const Status written = write_plots(
        options.plots,
        {{"attribution_f1", family_chart(figures)},
         {"attribution_reliability", reliability_chart("Candidates: how often they were causes",
                                                       "share that was a cause", figures.bins)}});
    if (!written) return report(written.error());
  }
  std::printf("%s",
              options.json ? (dump(to_json(figures)) + "\n").c_str() : text_of(figures).c_str());
  return kExitDone;
}

}  // namespace

void add_evaluate_attribution(CLI::App& evaluate, Command& command) {
  auto options = std::make_shared<AttributionOptions>();
  CLI::App* sub = evaluate.add_subcommand(
      "attribution", "Whether causes are named exactly, in drawn worlds of many families");
  sub->add_option("--worlds", options->worlds, "Worlds of each family")
      ->capture_default_str()
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000}));
  sub->add_option("--seed", options->seed, "Of the first world")->capture_default_str();
  sub->add_option("--jobs", options->jobs, "Threads (default: all cores)");
  sub->add_option("--plots", options->plots, "Write SVG plots into this folder");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops evaluate attribution --worlds 10 --plots /tmp/plots");
  sub->callback(
      [&command, options] { command = [options] { return evaluate_attribution(*options); }; });
}

}  // namespace payops::app
