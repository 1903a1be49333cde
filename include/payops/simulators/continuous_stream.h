// config/continuous_stream.yaml: the demo's world and agent in one small file, for someone who
// wants to turn a knob and watch. What it does not name comes from the scenario it refers to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/simulators/scenario.h"

namespace payops::simulators {

struct StreamAgent {
  double cycle_interval = 8.0;               // seconds between scheduled cycles
  double anomaly_threshold = 2.0;            // z beyond which a line is shown as DEGRADED
  uint32_t min_action_frequency_cycles = 6;  // in so many cycles at least one action; 0 = off
  static constexpr auto fields() {
    return std::make_tuple(
        field("cycle_interval", &StreamAgent::cycle_interval),
        field("anomaly_threshold", &StreamAgent::anomaly_threshold),
        field("min_action_frequency_cycles", &StreamAgent::min_action_frequency_cycles));
  }
  [[nodiscard]] Status validate() const;
};

enum class LogLevel : uint8_t { trace, debug, info, warning, error };
enum class LogFormat : uint8_t { text, json };

struct StreamLogging {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  static constexpr auto fields() {
    return std::make_tuple(field("level", &StreamLogging::level),
                           field("format", &StreamLogging::format));
  }
};

struct ContinuousStream {
  std::string scenario = "demo";
  double rate_tps = 50.0;
  uint64_t seed = 42;
  Drift drift;
  StreamAgent agent;
  StreamLogging logging;
  std::vector<std::string> issuers = {"HDFC", "ICICI", "AXIS", "SBI"};
  std::vector<std::string> methods = {"card", "upi", "wallet", "bnpl", "netbanking"};
  std::vector<std::string> gateways = {"RAZORPAY", "PAYU", "BILLDESK"};
  static constexpr auto fields() {
    return std::make_tuple(
        field("scenario", &ContinuousStream::scenario),
        field("rate_tps", &ContinuousStream::rate_tps), field("seed", &ContinuousStream::seed),
        field("drift", &ContinuousStream::drift), field("agent", &ContinuousStream::agent),
        field("logging", &ContinuousStream::logging), field("issuers", &ContinuousStream::issuers),
        field("methods", &ContinuousStream::methods),
        field("gateways", &ContinuousStream::gateways));
  }
  [[nodiscard]] Status validate() const;
};

// Errors: not_found, config with file, line and key.
[[nodiscard]] Result<ContinuousStream> load_continuous_stream(const std::string& path);

// `scenario` with the stream's drift, rate and names: a name that the scenario knows keeps its
// share and costs, a new one gets the mean share. Errors: config when a fault's or an override's
// scope names something that is gone.
[[nodiscard]] Result<Scenario> world_of(const ContinuousStream& stream, Scenario scenario);

}  // namespace payops::simulators

template <>
inline constexpr payops::EnumNames<5> payops::enum_names<payops::simulators::LogLevel>{
    "trace", "debug", "info", "warning", "error"};
template <>
inline constexpr payops::EnumNames<2> payops::enum_names<payops::simulators::LogFormat>{"text",
                                                                                        "json"};
