// payops detect: the agent's detectors on a file of a team's own. One kind of file so far.
#include <memory>

#include "cli.h"
#include "detect_value.h"

namespace payops::app {

void add_detect_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<ValueDetection>();
  auto kind = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand("detect", "Detect anomalies in a metric of your own");
  sub->add_option("FILE", options->file, "The rows, as CSV with a header")->required();
  sub->add_option("--kind", *kind, "What the rows are")
      ->required()
      ->check(CLI::IsMember({"value"}));
  sub->add_option("--out", options->out, "Where the scores go (stdout if not given)");
  sub->footer(std::string("--kind value: ") + kValueDetectionHelp +
              "\nExample: payops detect cpu.csv --kind value --out scores.csv");
  // `kind` is held too: it is written while the line is parsed.
  sub->callback(
      [&command, options, kind] { command = [options, kind] { return detect_value(*options); }; });
}

}  // namespace payops::app
