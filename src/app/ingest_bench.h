// Ingest against its limit, on a real broker: a topic of simulated attempts is filled, then read
// raw (librdkafka's batch consume with nothing done) and through the agent's whole ingest path
// (consume, decode, validate, window, z-scores, a cycle every interval; nothing is committed),
// alternating, so that what else the machine does hits both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app_config.h"
#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::app {

struct IngestBenchSpec {
  uint64_t messages = 1'000'000;
  uint32_t rounds = 3;
  double rate_tps = 5'000.0;  // payments a second of event time
  uint64_t seed = 1;
  std::string topic_prefix;  // empty = one of its own
  AppConfig config;
  std::function<void(const std::string& state)> on_progress = [](const std::string&) {};
  std::function<bool()> stop = [] { return false; };
};

// Rates are medians over the rounds; CPU is of the whole process, librdkafka's threads included.
struct IngestBenchResult {
  uint64_t messages = 0;
  double message_bytes = 0.0;  // mean payload
  uint32_t rounds = 0;
  double raw_msgs_per_s = 0.0;
  double raw_msgs_per_cpu_s = 0.0;
  double ingest_msgs_per_s = 0.0;
  double ingest_msgs_per_cpu_s = 0.0;
  double ratio = 0.0;            // ingest over raw, messages a second
  double over_raw_cpu_ns = 0.0;  // CPU a message, ingest less raw
  uint64_t attempts = 0;         // counted into buckets, of the last round
  uint64_t seconds = 0;          // closed buckets
  uint64_t cycles = 0;
  uint64_t series = 0;
  std::string topic;  // as the broker knows it
  static constexpr auto fields() {
    using R = IngestBenchResult;
    return std::make_tuple(
        field("messages", &R::messages), field("message_bytes", &R::message_bytes),
        field("rounds", &R::rounds), field("raw_msgs_per_s", &R::raw_msgs_per_s),
        field("raw_msgs_per_cpu_s", &R::raw_msgs_per_cpu_s),
        field("ingest_msgs_per_s", &R::ingest_msgs_per_s),
        field("ingest_msgs_per_cpu_s", &R::ingest_msgs_per_cpu_s), field("ratio", &R::ratio),
        field("over_raw_cpu_ns", &R::over_raw_cpu_ns), field("attempts", &R::attempts),
        field("seconds", &R::seconds), field("cycles", &R::cycles), field("series", &R::series),
        field("topic", &R::topic));
  }
};

// Errors: unavailable; config; limit when the topic lost messages; refused when stopped, or when
// the attempts counted are not those sent.
[[nodiscard]] Result<IngestBenchResult> measure_ingest(const IngestBenchSpec& spec);

}  // namespace payops::app
