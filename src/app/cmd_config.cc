// payops config: check a configuration file, show what is in force.
#include <cstdio>
#include <memory>

#include "app_config.h"
#include "cli.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/simulators/continuous_stream.h"

namespace payops::app {
namespace {

struct ConfigOptions {
  std::string file = "config/agent.yaml";
  std::string as = "auto";
  bool json = true;
};

// What kind of file it is, by a key that only that kind has at its left margin.
std::string kind_of(const std::string& text) {
  const auto has = [&](const char* key) {
    return text.rfind(std::string(key) + ":", 0) == 0 ||
           text.find("\n" + std::string(key) + ":") != std::string::npos;
  };
  if (has("iso8583") || has("upi")) return "declines";
  if (has("faults") || has("duration_s")) return "scenario";
  if (has("upstreams")) return "topology";
  if (has("maintenance") || has("days")) return "calendar";
  if (has("drift") && has("agent") && has("issuers")) return "stream";
  return "agent";
}

Status check_as(const std::string& kind, const std::string& file) {
  const auto status = [](const auto& result) {
    return result ? Status{} : Status(tl::make_unexpected(result.error()));
  };
  if (kind == "declines") return status(observation::DeclineTable::load(file));
  if (kind == "scenario") return status(simulators::load_scenario(file));
  if (kind == "topology") return status(load_topology(file));
  if (kind == "calendar") return status(load_calendar(file));
  if (kind == "stream") return status(simulators::load_continuous_stream(file));
  const auto config = load_app_config(file);
  return config ? status(load_decline_table(*config)) : status(config);
}

int check(const ConfigOptions& options) {
  const auto text = read_file(options.file);
  if (!text) return report(text.error());
  const std::string kind = options.as == "auto" ? kind_of(*text) : options.as;
  if (Status status = check_as(kind, options.file); !status) return report(status.error());
  std::printf("%s is good (%s)\n", options.file.c_str(), kind.c_str());
  return kExitDone;
}

int show(const ConfigOptions& options) {
  if (find_shipped_file(options.file).empty()) {
    std::fprintf(stderr, "payops: there is no %s here; these are the built-in defaults\n",
                 options.file.c_str());
  }
  const auto config = load_app_config_or_default(options.file);
  if (!config) return report(config.error());
  std::printf("%s\n", to_json(*config).dump(2).c_str());
  return kExitDone;
}

}  // namespace

void add_config_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<ConfigOptions>();
  CLI::App* sub = app.add_subcommand("config", "Check and show configuration");
  sub->require_subcommand(1);
  sub->footer("Example: payops config check config/agent.yaml");
  CLI::App* check_app = sub->add_subcommand("check", "Errors with file, line, key; exit 2");
  check_app->add_option("FILE", options->file, "The file")->required();
  check_app->add_option("--as", options->as, "What kind of file it is")
      ->capture_default_str()
      ->check(CLI::IsMember(
          {"auto", "agent", "stream", "scenario", "declines", "topology", "calendar"}));
  check_app->callback([&command, options] { command = [options] { return check(*options); }; });
  CLI::App* show_app =
      sub->add_subcommand("show", "Everything in force, defaults included, as JSON");
  show_app->add_option("FILE", options->file, "The file")->capture_default_str();
  show_app->add_flag("--json", options->json, "JSON is the only form there is");
  show_app->callback([&command, options] { command = [options] { return show(*options); }; });
}

}  // namespace payops::app
