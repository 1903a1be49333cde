#include "test_hooks.h"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

namespace payops::app {

std::function<void(StepPoint)> crash_point_from_environment() {
  const char* enabled = std::getenv("PAYOPS_TEST_HOOKS");
  const char* at = std::getenv("PAYOPS_CRASH_AT");
  if (enabled == nullptr || std::string(enabled) != "1" || at == nullptr) return [](StepPoint) {};
  const std::string text = at;
  const std::size_t colon = text.find(':');
  const auto point = parse_enum<StepPoint>(text.substr(0, colon));
  if (!point || colon == std::string::npos) return [](StepPoint) {};
  auto left = std::make_shared<long>(std::strtol(text.c_str() + colon + 1, nullptr, 10));
  return [point = *point, left](StepPoint reached) {
    if (reached == point && --*left == 0) std::raise(SIGKILL);
  };
}

}  // namespace payops::app
