#include "log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

// %J: the message as a JSON string.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string text =
        dump(Json(std::string(message.payload.data(), message.payload.size())));
    out.append(text.data(), text.data() + text.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

}  // namespace

std::shared_ptr<spdlog::logger> make_log(const std::string& name,
                                         const simulators::StreamLogging& logging) {
  spdlog::drop(name);
  auto log = spdlog::stderr_color_mt(name);
  log->set_level(static_cast<spdlog::level::level_enum>(logging.level));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (logging.format == simulators::LogFormat::json) {
    formatter->add_flag<JsonMessage>('J').set_pattern(
        R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","logger":"%n","message":%J})");
  } else {
    formatter->set_pattern("%H:%M:%S.%e %^%-5l%$ %n: %v");
  }
  log->set_formatter(std::move(formatter));
  return log;
}

}  // namespace payops::app
