// The limit that an ingest path is measured against: librdkafka's batch consume with nothing done.
#pragma once

#include <cstdint>
#include <string>

#include "payops/streaming/config.h"

namespace payops::streaming {

// CPU time of this process so far, all threads, user and system.
[[nodiscard]] double process_cpu_s();

struct RawRate {
  uint64_t messages = 0;
  uint64_t bytes = 0;  // of payload
  double wall_s = 0;   // from the first message to the last
  double cpu_s = 0;    // of the process, over the same time
  [[nodiscard]] double per_s() const {
    return wall_s > 0 ? static_cast<double>(messages) / wall_s : 0;
  }
  [[nodiscard]] double per_cpu_s() const {
    return cpu_s > 0 ? static_cast<double>(messages) / cpu_s : 0;
  }
};

// Reads `messages` records of a topic (logical name) from the beginning of all its partitions, with
// the settings of Consumer, by rd_kafka_consume_batch_queue. Errors: unavailable; not_found;
// limit when the topic holds fewer.
[[nodiscard]] Result<RawRate> measure_raw_consume(const StreamingConfig& config,
                                                  const std::string& topic, uint64_t messages);

}  // namespace payops::streaming
