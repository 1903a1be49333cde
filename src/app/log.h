// The program's log: to stderr, as text or as one JSON object a line.
#pragma once

#include <memory>
#include <string>

#include "payops/simulators/continuous_stream.h"

namespace spdlog {
class logger;
}

namespace payops::app {

// Each call replaces the logger of that name.
[[nodiscard]] std::shared_ptr<spdlog::logger> make_log(const std::string& name,
                                                       const simulators::StreamLogging& logging);

}  // namespace payops::app
