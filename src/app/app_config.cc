#include "app_config.h"

#include <cstdlib>
#include <filesystem>

#include "payops/core/yaml_fields.h"

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

Result<AppConfig> load_app_config(const std::string& file) {
  return read_yaml_file<AppConfig>(file);
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

void price_as(const simulators::Scenario& scenario, payments_agent::AgentConfig& agent) {
  decision::Economics& economics = agent.economics;
  economics.margin_share = scenario.economics.margin_share;
  economics.retry_fee_minor = static_cast<double>(scenario.economics.retry_fee_minor);
  for (const simulators::GatewaySpec& gateway : scenario.gateways) {
    decision::GatewayTerms terms = economics.terms(gateway.name);
    terms.attempt_fee_minor = static_cast<double>(gateway.fee_minor);
    terms.fee_bps = gateway.fee_bps;
    economics.gateways[gateway.name] = terms;
  }
  agent.learning.margin_share = scenario.economics.margin_share;
}

}  // namespace payops::app
