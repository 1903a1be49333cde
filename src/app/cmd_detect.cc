// payops detect: the agent's detectors on a file of a team's own.
#include <memory>

#include "cli.h"
#include "detect_rate.h"
#include "detect_value.h"

namespace payops::app {
namespace {

struct DetectOptions {
  std::string kind;
  RateDetection rate;
  ValueDetection value;
};

int detect(DetectOptions& options) {
  options.rate.file = options.value.file;
  return options.kind == "rate" ? detect_rate(options.rate) : detect_value(options.value);
}

}  // namespace

void add_detect_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<DetectOptions>();
  CLI::App* sub =
      app.add_subcommand("detect", "Detect a risen failure rate, or anomalies in any metric");
  sub->add_option("FILE", options->value.file, "The rows, as CSV with a header")->required();
  sub->add_option("--kind", options->kind, "What the rows are")
      ->required()
      ->check(CLI::IsMember({"rate", "value"}));
  auto* target = sub->add_option("--target-false-alarms", options->rate.target_false_alarms,
                                 "rate: false alarms per attempt")
                     ->check(between(1e-12, 1e-2))
                     ->capture_default_str();
  auto* json = sub->add_flag("--json", options->rate.json, "rate: one JSON document on stdout");
  auto* out =
      sub->add_option("--out", options->value.out, "value: where the scores go (default: stdout)");
  sub->footer(std::string("--kind rate: ") + kRateDetectionHelp +
              "\nExample: payops detect attempts.csv --kind rate --json\n\n--kind value: " +
              kValueDetectionHelp +
              "\nExample: payops detect cpu.csv --kind value --out scores.csv");
  sub->callback([&command, options, target, json, out] {
    const bool rate = options->kind == "rate";
    for (const CLI::Option* other : {rate ? out : target, rate ? nullptr : json}) {
      if (other == nullptr || other->count() == 0) continue;
      throw CLI::ValidationError(other->get_name(), "is not for --kind " + options->kind);
    }
    command = [options] { return detect(*options); };
  });
}

}  // namespace payops::app
