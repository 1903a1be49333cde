// config/agent.yaml: everything the agent process is told, in one file.
#pragma once

#include <cstdint>
#include <string>

#include "payops/api/config.h"
#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/notify/config.h"
#include "payops/observation/decline_table.h"
#include "payops/observation/field_mapping.h"
#include "payops/observation/observer.h"
#include "payops/payments_agent/agent.h"
#include "payops/simulators/continuous_stream.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct ProcessConfig {
  std::string state_dir = ".payops_state";
  std::string audit_dir = "audit_logs";
  std::string decline_codes = "config/decline_codes.yaml";
  std::string topology = "config/topology.yaml";  // read into agent.topology when that says nothing
  std::string calendar = "config/calendar.yaml";  // likewise, into agent.calendar
  std::string kill_file = ".payops_kill";         // while this file exists the kill switch is on
  double max_input_age_s = 300.0;                 // older input is only observed; 0 = any age
  static constexpr auto fields() {
    return std::make_tuple(field("state_dir", &ProcessConfig::state_dir),
                           field("audit_dir", &ProcessConfig::audit_dir),
                           field("decline_codes", &ProcessConfig::decline_codes),
                           field("topology", &ProcessConfig::topology),
                           field("calendar", &ProcessConfig::calendar),
                           field("kill_file", &ProcessConfig::kill_file),
                           field("max_input_age_s", &ProcessConfig::max_input_age_s));
  }
};

struct AppConfig {
  ProcessConfig process;
  streaming::StreamingConfig streaming;
  observation::FieldMapping mapping;
  observation::ObservationConfig observation;
  payments_agent::AgentConfig agent;
  api::ConsoleConfig console;
  notify::NotifyConfig notify;
  simulators::StreamLogging logging;
  static constexpr auto fields() {
    return std::make_tuple(
        field("process", &AppConfig::process), field("streaming", &AppConfig::streaming),
        field("mapping", &AppConfig::mapping), field("observation", &AppConfig::observation),
        field("agent", &AppConfig::agent), field("console", &AppConfig::console),
        field("notify", &AppConfig::notify), field("logging", &AppConfig::logging));
  }
};

// Errors: not_found, config with file, line and key.
[[nodiscard]] Result<AppConfig> load_app_config(const std::string& file);
// The file when there is one at `file`, else the defaults: for commands that need no deployment.
[[nodiscard]] Result<AppConfig> load_app_config_or_default(const std::string& file);

// A file that comes with payops ("config/agent.yaml"): as given, else below the directory of the
// program's tree. Empty when there is none.
[[nodiscard]] std::string find_shipped_file(const std::string& relative);

// What gateways share (config/topology.yaml). Errors: not_found, config with file, line and key.
[[nodiscard]] Result<Topology> load_topology(const std::string& file);
// The file's, where `topology` says nothing; only the one that ships may be missing.
[[nodiscard]] Status add_topology(Topology& topology, const std::string& file);
// What is known beforehand (config/calendar.yaml). Errors: likewise.
[[nodiscard]] Result<Calendar> load_calendar(const std::string& file);

// Errors: as read_yaml.
[[nodiscard]] Result<observation::DeclineTable> load_decline_table(const AppConfig& config);

}  // namespace payops::app
