// payops evaluate: measures the agent where the truth is known. One file for each of its
// subcommands; cmd_evaluate.cc lists them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "chart.h"
#include "cli.h"
#include "payops/evaluation/calibration.h"

namespace payops::app {

void add_evaluate_policies(CLI::App& evaluate, Command& command);
void add_evaluate_attribution(CLI::App& evaluate, Command& command);
void add_evaluate_calibration(CLI::App& evaluate, Command& command);
void add_evaluate_detection(CLI::App& evaluate, Command& command);

// What was said against what came, one point a bin, beside the diagonal.
[[nodiscard]] Chart reliability_chart(std::string title, std::string y_label,
                                      const std::vector<evaluation::ReliabilityBin>& bins);

// Writes each chart as DIR/NAME.svg, making the folder. Errors: usage when it cannot be written.
[[nodiscard]] Status write_plots(const std::string& folder,
                                 const std::vector<std::pair<std::string, Chart>>& plots);

// "A..B" with A <= B, or "A" for one seed. Errors: usage.
[[nodiscard]] Status parse_seeds(const std::string& text, uint64_t& first, uint64_t& last);

}  // namespace payops::app
