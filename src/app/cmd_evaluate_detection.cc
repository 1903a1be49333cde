// payops evaluate detection: how soon a risen failure rate is noticed, against the optimum.
#include <cstdio>
#include <memory>
#include <thread>

#include "chart.h"
#include "cmd_evaluate.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/evaluation/detection.h"
#include "terminal.h"

namespace payops::app {
namespace {

using evaluation::DetectionCell;
using evaluation::DetectionDelay;
using evaluation::DetectionFigures;

constexpr uint64_t kQuickAttempts = 4'000'000;
constexpr uint64_t kQuickRuns = 100;

struct DetectionOptions {
  evaluation::DetectionDraw draw;
  bool quick = false;
  std::string plots;
  bool json = false;
};

template <class Of>
bool same_cell(const DetectionCell& cell, const Of& of) {
  return cell.baseline == of.baseline && cell.learnt == of.learnt &&
         cell.row_attempts == of.row_attempts;
}

std::string cell_name(const DetectionCell& cell) {
  return percent(cell.baseline, 0) + " from " + std::to_string(cell.learnt) +
         (cell.row_attempts == 1 ? "" : ", rows of " + std::to_string(cell.row_attempts));
}

// Of one way to be fed: delays by true rate, a colour for each baseline.
Chart delay_chart(const DetectionFigures& figures, uint64_t learnt, uint64_t row_attempts) {
  Chart chart;
  chart.title = "Attempts to the alarm, after " + std::to_string(learnt) + " learnt from" +
                (row_attempts == 1 ? "" : ", rows of " + std::to_string(row_attempts));
  chart.x_label = "true failure rate";
  chart.y_label = "attempts";
  chart.x_scale = Scale::share;
  chart.y_scale = Scale::log10;
  int colour = 0;
  for (const DetectionCell& cell : figures.cells) {
    if (cell.learnt != learnt || cell.row_attempts != row_attempts) continue;
    const std::string from = "from " + percent(cell.baseline, 0);
    ChartSeries ours{.name = from, .mark = Mark::points, .colour = colour};
    ChartSeries optimum{.name = from + ", optimum", .mark = Mark::dashed, .colour = colour};
    for (const DetectionDelay& d : figures.delays) {
      if (!same_cell(cell, d)) continue;
      ours.x.push_back(d.rate);
      ours.y.push_back(d.delay);
      optimum.x.push_back(d.rate);
      optimum.y.push_back(d.optimum);
    }
    chart.series.push_back(optimum);
    chart.series.push_back(ours);
    ++colour;
  }
  return chart;
}

Chart ratio_chart(const DetectionFigures& figures) {
  Chart chart;
  chart.title = "Excess failures to the alarm, as a multiple of the optimum's (95 %)";
  chart.y_label = "ratio";
  chart.width = 1100.0;
  chart.height = 360.0;
  ChartSeries bars{.name = "bar", .mark = Mark::dashed, .colour = 6};
  ChartSeries ratios{.name = "measured", .mark = Mark::points, .colour = 0};
  for (const DetectionDelay& d : figures.delays) {
    const auto x = static_cast<double>(chart.categories.size());
    bars.x.push_back(x);
    bars.y.push_back(d.bar);
    ratios.x.push_back(x);
    ratios.y.push_back(d.ratio.mean);
    ratios.low.push_back(d.ratio.low);
    ratios.high.push_back(d.ratio.high);
    chart.categories.push_back(percent(d.baseline, 0) + "→" + percent(d.rate, 0));
  }
  chart.series = {bars, ratios};
  return chart;
}

std::vector<std::pair<std::string, Chart>> plots_of(const DetectionFigures& figures) {
  std::vector<std::pair<std::string, Chart>> plots{{"detection_ratio", ratio_chart(figures)}};
  for (const auto& [learnt, row] :
       {std::pair<uint64_t, uint64_t>{20'000, 1}, {2'000, 1}, {20'000, 20}}) {
    plots.emplace_back("detection_delay_" + std::to_string(learnt) +
                           (row == 1 ? "" : "_rows_of_" + std::to_string(row)),
                       delay_chart(figures, learnt, row));
  }
  return plots;
}

std::string millionths(const evaluation::Interval& i) {
  return fixed(1e6 * i.mean, 2) + " (" + fixed(1e6 * i.low, 2) + " to " + fixed(1e6 * i.high, 2) +
         ")";
}

std::string text_of(const DetectionFigures& figures) {
  std::string text = "False alarms in a million attempts (95 %); the target is " +
                     fixed(1e6 * figures.target_false_alarms, 2) + "\n" + pad("BASELINE", 32) +
                     pad_left("STEADY", 24) + pad_left("DRIFTING ±20 %", 24) + "\n";
  for (const DetectionCell& cell : figures.cells) {
    text += pad(cell_name(cell), 32) + pad_left(millionths(cell.per_attempt), 24) +
            pad_left(millionths(cell.drift_per_attempt), 24) + "\n";
  }
  text += "\n" + pad("BASELINE", 32) + pad_left("RATE", 6) + pad_left("ATTEMPTS", 10) +
          pad_left("OPTIMUM", 9) + pad_left("EXCESS", 8) + pad_left("RATIO (95 %)", 22) +
          pad_left("BAR", 6) + "\n";
  for (const DetectionDelay& d : figures.delays) {
    for (const DetectionCell& cell : figures.cells) {
      if (!same_cell(cell, d)) continue;
      text += pad(cell_name(cell), 32) + pad_left(percent(d.rate, 0), 6) +
              pad_left(fixed(d.delay, 1), 10) + pad_left(fixed(d.optimum, 1), 9) +
              pad_left(fixed(d.excess_failures, 1), 8) +
              pad_left(fixed(d.ratio.mean, 2) + " (" + fixed(d.ratio.low, 2) + " to " +
                           fixed(d.ratio.high, 2) + ")",
                       22) +
              pad_left(fixed(d.bar, 1), 6) + (d.within ? "" : "  MISSED") + "\n";
    }
  }
  return text;
}

int evaluate_detection(const DetectionOptions& options) {
  evaluation::DetectionDraw draw = options.draw;
  if (draw.jobs == 0) draw.jobs = std::thread::hardware_concurrency();
  if (options.quick) {
    draw.healthy_attempts = kQuickAttempts;
    draw.runs = kQuickRuns;
  }
  Progress progress("payops evaluate detection");
  draw.progress = [&progress](std::size_t done, std::size_t all) {
    progress.update(std::to_string(done) + " of " + std::to_string(all) + " parts");
  };
  const DetectionFigures figures = evaluation::measure_detection(draw);
  if (!options.plots.empty()) {
    if (Status written = write_plots(options.plots, plots_of(figures)); !written) {
      return report(written.error());
    }
  }
  std::printf("%s",
              options.json ? (dump(to_json(figures)) + "\n").c_str() : text_of(figures).c_str());
  return kExitDone;
}

}  // namespace

void add_evaluate_detection(CLI::App& evaluate, Command& command) {
  auto options = std::make_shared<DetectionOptions>();
  options->draw.jobs = 0;
  CLI::App* sub = evaluate.add_subcommand(
      "detection", "How soon a risen failure rate is noticed, against the optimum");
  sub->add_option("--attempts", options->draw.healthy_attempts,
                  "Healthy attempts to count false alarms in, for each baseline")
      ->check(between(1'000'000.0, 1e12))
      ->capture_default_str();
  sub->add_option("--runs", options->draw.runs, "Learnt baselines, each with four changes")
      ->check(between(10.0, 1e7))
      ->capture_default_str();
  sub->add_flag("--quick", options->quick, "A fifteenth of both: seconds, and wide intervals");
  sub->add_option("--target-false-alarms", options->draw.target_false_alarms, "Per attempt")
      ->check(between(1e-9, 1e-3))
      ->capture_default_str();
  sub->add_option("--rate", options->draw.attempts_per_s,
                  "Attempts a second: how many the day's drift has")
      ->check(between(0.01, 1e5))
      ->capture_default_str();
  sub->add_option("--seed", options->draw.seed, "Of the draws")->capture_default_str();
  sub->add_option("--jobs", options->draw.jobs, "Threads (default: all cores)");
  sub->add_option("--plots", options->plots, "Write SVG plots into this folder");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops evaluate detection --quick --plots /tmp/plots");
  sub->callback(
      [&command, options] { command = [options] { return evaluate_detection(*options); }; });
}

}  // namespace payops::app
