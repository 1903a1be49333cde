// payops attribute: which slices of a table of attempts and failures explain the failures.
#include <cstdio>
#include <memory>

#include "attribution_report.h"
#include "cli.h"

namespace payops::app {
namespace {

struct AttributeOptions {
  SliceTableSpec table;
  std::string dimensions;
  bool json = false;
};

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  std::size_t from = 0;
  for (std::size_t comma = 0; comma != std::string::npos; from = comma + 1) {
    comma = text.find(',', from);
    names.push_back(text.substr(from, comma == std::string::npos ? comma : comma - from));
  }
  return names;
}

int attribute(AttributeOptions options) {
  options.table.dimensions = split_names(options.dimensions);
  const auto table = read_slice_table(options.table);
  if (!table) return report(table.error());
  for (const std::string& name : table->constant) {
    std::fprintf(stderr,
                 "payops: %s:1: column \"%s\" has one value only: it can explain nothing and is "
                 "left out\n",
                 options.table.file.c_str(), name.c_str());
  }
  const reasoning::SliceScan scan = reasoning::scan_slices(table->counts, {});
  if (scan.failures <= 0.0) {
    std::fprintf(stderr,
                 "payops: %s:1: column \"%s\" is 0 throughout: there is nothing to explain\n",
                 options.table.file.c_str(), options.table.failures.c_str());
  }
  std::printf("%s", options.json ? attribution_json(*table, options.table, scan).c_str()
                                 : attribution_text(*table, options.table, scan).c_str());
  return kExitDone;
}

}  // namespace

void add_attribute_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<AttributeOptions>();
  CLI::App* sub = app.add_subcommand("attribute", "Which slices of a table explain its failures");
  sub->add_option("file", options->table.file, "CSV with a header line")->required();
  sub->add_option("--attempts", options->table.attempts, "Column of attempts; fractions welcome")
      ->required();
  sub->add_option("--failures", options->table.failures, "Column of failures among them")
      ->required();
  sub->add_option("--dimensions", options->dimensions, "Columns to look for causes in: a,b,c")
      ->required();
  sub->add_option("--time", options->table.time,
                  "Column of time: ISO 8601 (UTC), seconds or ms since 1970; without it the whole "
                  "file is held against its mean");
  sub->add_option("--at", options->table.at, "The period to explain begins here");
  sub->add_option("--step", options->table.step, "Its length: seconds, or 60s, 5m, 1h, 1d");
  sub->add_option("--baseline", options->table.baseline, "How many periods before it are normal");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer(
      "Rows may come in any order; those of one slice and period are added.\n"
      "Example: payops attribute failures.csv --attempts n --failures k --dimensions "
      "issuer,method,gateway --time ts --at \"2026-03-01 12:00:00\" --step 60s --baseline 10");
  sub->callback([&command, options] { command = [options] { return attribute(*options); }; });
}

}  // namespace payops::app
