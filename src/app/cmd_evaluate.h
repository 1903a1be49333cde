// payops evaluate: measures the agent where the truth is known. One file for each of its
// subcommands; cmd_evaluate.cc lists them.
#pragma once

#include <cstdint>
#include <string>

#include "cli.h"

namespace payops::app {

void add_evaluate_policies(CLI::App& evaluate, Command& command);
void add_evaluate_attribution(CLI::App& evaluate, Command& command);
void add_evaluate_calibration(CLI::App& evaluate, Command& command);

// "A..B" with A <= B, or "A" for one seed. Errors: usage.
[[nodiscard]] Status parse_seeds(const std::string& text, uint64_t& first, uint64_t& last);

}  // namespace payops::app
