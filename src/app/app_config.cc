#include "app_config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "payops/core/text.h"
#include "payops/core/yaml_fields.h"
#include "payops/decision/planner.h"

namespace payops::app {
namespace {

namespace fs = std::filesystem;

// The folders that may hold the tree's config/, nearest first: where the user stands, where
// PAYOPS_HOME says, and above the program (build/release/payops lies two below the tree).
std::vector<fs::path> tree_candidates() {
  std::vector<fs::path> candidates{"."};
  if (const char* home = std::getenv("PAYOPS_HOME"); home != nullptr) candidates.emplace_back(home);
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path above = program.parent_path(); !error && above.has_relative_path();
       above = above.parent_path()) {
    candidates.push_back(above);
    candidates.push_back(above / "share" / "payops");
  }
  return candidates;
}

}  // namespace

std::string find_shipped_file(const std::string& relative) {
  std::error_code error;
  if (fs::path(relative).is_absolute()) return fs::exists(relative, error) ? relative : "";
  for (const fs::path& tree : tree_candidates()) {
    const fs::path candidate = (tree / relative).lexically_normal();
    if (fs::exists(candidate, error)) return candidate.string();
  }
  return "";
}

namespace {

// Where a key stands in the text; 0 when it does not.
std::size_t line_of(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key + ":");
  if (at == std::string::npos) return 0;
  return 1 + static_cast<std::size_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

// An error about what a setting names, told with the setting and its line: where `key` stands.
Error at_setting(const std::string& file, const std::string& setting, const std::string& key,
                 Error error) {
  const auto text = read_file(file);
  const std::size_t line = text ? line_of(*text, key) : 0;
  error.code = ErrorCode::config;
  error.message = file + (line > 0 ? ":" + std::to_string(line) : "") + ": \"" + setting +
                  "\": " + error.message;
  return error;
}

// The names that settings give to types of interventions; a misspelt one would leave its type at
// the default, in silence.
Status check_types(const AppConfig& config, const std::string& file) {
  std::vector<std::string> known = decision::Planner().types();
  known.emplace_back(action_type::kNoAction);
  std::vector<std::pair<std::string, std::string>> named;  // setting, type
  for (const auto& [type, mode] : config.agent.limits.modes) {
    named.emplace_back("agent.limits.modes", type);
  }
  for (const auto& [type, cost] : config.agent.economics.execution_minor_by_type) {
    named.emplace_back("agent.economics.execution_minor_by_type", type);
  }
  for (const std::string& type : config.agent.planner.disabled) {
    named.emplace_back("agent.planner.disabled", type);
  }
  for (const auto& [setting, type] : named) {
    if (std::find(known.begin(), known.end(), type) != known.end()) continue;
    return tl::make_unexpected(
        at_setting(file, setting, type,
                   {ErrorCode::config, false,
                    "there is no intervention \"" + type + "\"" + did_you_mean(type, known)}));
  }
  return {};
}

// A file of its own for what the configuration does not hold. Only the default may be missing.
template <class Part>
Status add_part(Part& part, bool given, const std::string& file, const std::string& shipped,
                Result<Part> (*load)(const std::string&)) {
  if (given || file.empty()) return {};
  const std::string found = find_shipped_file(file);
  if (found.empty() && file == shipped) return {};
  auto loaded = load(found.empty() ? file : found);
  if (!loaded) return tl::make_unexpected(loaded.error());
  part = std::move(*loaded);
  return {};
}

Status add_parts(AppConfig& config, const std::string& file) {
  const ProcessConfig shipped;
  const ProcessConfig& process = config.process;
  payments_agent::AgentConfig& agent = config.agent;
  const auto told = [&](const char* key, const Status& status) -> Status {
    if (status) return {};
    const std::string setting = std::string("process.") + key;
    return tl::make_unexpected(at_setting(file, setting, key, status.error()));
  };
  if (Status s = told("topology", add_topology(agent.topology, process.topology)); !s) {
    return s;
  }
  if (Status s = told("calendar", add_part(agent.calendar, !agent.calendar.empty(),
                                           process.calendar, shipped.calendar, load_calendar));
      !s) {
    return s;
  }
  if (process.decline_codes == shipped.decline_codes) return {};
  const auto declines = load_decline_table(config);
  return told("decline_codes", declines ? Status() : tl::make_unexpected(declines.error()));
}

}  // namespace

Result<Topology> load_topology(const std::string& file) { return read_yaml_file<Topology>(file); }
Status add_topology(Topology& topology, const std::string& file) {
  return add_part(topology, !topology.upstreams.empty(), file, ProcessConfig().topology,
                  load_topology);
}
Result<Calendar> load_calendar(const std::string& file) { return read_yaml_file<Calendar>(file); }

Result<AppConfig> load_app_config(const std::string& file) {
  auto config = read_yaml_file<AppConfig>(file);
  if (!config) return config;
  if (Status known = check_types(*config, file); !known) {
    return tl::make_unexpected(known.error());
  }
  if (Status parts = add_parts(*config, file); !parts) return tl::make_unexpected(parts.error());
  return config;
}

Result<AppConfig> load_app_config_or_default(const std::string& file) {
  const std::string found = find_shipped_file(file);
  if (found.empty()) return AppConfig{};
  return load_app_config(found);
}

Result<observation::DeclineTable> load_decline_table(const AppConfig& config) {
  const std::string found = find_shipped_file(config.process.decline_codes);
  return observation::DeclineTable::load(found.empty() ? config.process.decline_codes : found);
}

}  // namespace payops::app
