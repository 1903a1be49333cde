// payops evaluate: what it measures, one file each.
#include "cmd_evaluate.h"

#include <charconv>
#include <string_view>

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

void add_evaluate_command(CLI::App& app, Command& command) {
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "Measure detection and decisions where the truth is known");
  evaluate->require_subcommand(1);
  add_evaluate_policies(*evaluate, command);
  add_evaluate_attribution(*evaluate, command);
  add_evaluate_calibration(*evaluate, command);
}

}  // namespace payops::app
