#include "support_app_config.h"

#include <utility>

#include "app_config.h"
#include "payops/core/yaml_fields.h"

namespace payops::app {

Status SupportHttpConfig::validate() const {
  for (const auto& [name, value] : {std::pair{"port", port}, std::pair{"ws_port", ws_port}}) {
    if (value >= 0 && value <= 65'535) continue;
    return fail(ErrorCode::config, "\"" + std::string(name) + "\" must be from 0 to 65535");
  }
  if (token_s < 10 || token_s > 86'400) {
    return fail(ErrorCode::config, "\"token_s\" must be from 10 to 86400");
  }
  return {};
}

Result<SupportAppConfig> load_support_config(const std::string& file) {
  const std::string found = find_shipped_file(file);
  auto config = read_yaml_file<SupportAppConfig>(found.empty() ? file : found);
  if (!config) return config;
  for (std::string* path : {&config->process.articles, &config->process.intents}) {
    if (std::string shipped = find_shipped_file(*path); !shipped.empty()) *path = shipped;
  }
  if (Status s = add_topology(config->agent.topology, config->process.topology); !s) {
    return tl::make_unexpected(s.error());
  }
  return config;
}

}  // namespace payops::app
