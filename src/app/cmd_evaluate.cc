// payops evaluate: what it measures, one file each.
#include "cmd_evaluate.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace payops::app {

Status parse_seeds(const std::string& text, uint64_t& first, uint64_t& last) {
  const auto number = [](std::string_view digits, uint64_t& value) {
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), value);
    return error == std::errc{} && end == digits.end();
  };
  const std::size_t dots = text.find("..");
  const std::string_view view = text;
  const bool good = dots == std::string::npos ? number(view, first) && number(view, last)
                                              : number(view.substr(0, dots), first) &&
                                                    number(view.substr(dots + 2), last);
  if (!good || last < first || last - first >= 100'000) {
    return fail(ErrorCode::usage,
                "--seeds \"" + text + "\": two numbers A..B with A <= B are meant");
  }
  return {};
}

Chart reliability_chart(std::string title, std::string y_label,
                        const std::vector<evaluation::ReliabilityBin>& bins) {
  Chart chart;
  chart.title = std::move(title);
  chart.x_label = "probability given";
  chart.y_label = std::move(y_label);
  chart.x_scale = chart.y_scale = Scale::share;
  chart.width = 420.0;
  chart.height = 380.0;
  ChartSeries ideal{.name = "ideal", .mark = Mark::dashed, .colour = 6};
  ideal.x = ideal.y = {0.0, 1.0};
  ChartSeries seen{.name = "seen", .mark = Mark::points};
  for (const evaluation::ReliabilityBin& bin : bins) {
    if (bin.said == 0) continue;
    seen.x.push_back(bin.mean_probability);
    seen.y.push_back(bin.right);
  }
  chart.series = {ideal, seen};
  return chart;
}

Status write_plots(const std::string& folder,
                   const std::vector<std::pair<std::string, Chart>>& plots) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& [name, chart] : plots) {
    const std::string path = folder + "/" + name + ".svg";
    std::ofstream file(path, std::ios::binary);
    file << to_svg(chart);
    file.close();
    if (!file) {
      return fail(ErrorCode::usage, path + ": cannot be written: " + std::strerror(errno));
    }
  }
  return {};
}

void add_evaluate_command(CLI::App& app, Command& command) {
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "Measure detection and decisions where the truth is known");
  evaluate->require_subcommand(1);
  add_evaluate_policies(*evaluate, command);
  add_evaluate_attribution(*evaluate, command);
  add_evaluate_calibration(*evaluate, command);
  add_evaluate_detection(*evaluate, command);
}

}  // namespace payops::app
