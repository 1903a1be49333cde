// Publishes many independent events fast: idempotent, lz4, batched, no transactions. For the
// simulator and for operators' messages. Its queue is bounded: send() waits when it is full.
//
// One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "payops/streaming/config.h"

namespace payops::streaming {

struct EventProducerOptions {
  int linger_ms = 5;               // how long an event may wait for company
  int queue_max_events = 200'000;  // waiting or on their way
  int64_t give_up_after_s = 300;   // an event not delivered by then counts as failed
};

struct EventCounts {
  uint64_t sent = 0;
  uint64_t delivered = 0;
  uint64_t failed = 0;
  [[nodiscard]] uint64_t in_flight() const { return sent - delivered - failed; }
};

class EventProducer {
 public:
  // Errors: config.
  [[nodiscard]] static Result<std::unique_ptr<EventProducer>> open(
      const StreamingConfig& config, EventProducerOptions options = {});
  ~EventProducer();  // without flush() what is in flight is lost

  // Takes a copy. Events of one key go to one partition (murmur2, as Java's clients do), events
  // without to the partitions in turn. An empty payload is a tombstone. Waits while the queue is
  // full. Errors: not_found for an unknown topic; unavailable, retryable, when the queue stayed
  // full for publish_timeout_s; limit for an event too large.
  [[nodiscard]] Status send(std::string_view topic, std::string_view key, std::string_view payload,
                            std::string_view id = {}, std::string_view traceparent = {});

  // Waits until everything sent is delivered or failed. Errors: unavailable, retryable.
  [[nodiscard]] Status flush(int64_t timeout_ms);

  [[nodiscard]] EventCounts counts();
  // The last trouble in words, "" when there was none since an event was last delivered.
  [[nodiscard]] const std::string& trouble() const;

 private:
  struct Impl;
  explicit EventProducer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
