// The step protocol's outbox on Kafka: one publish() is one transaction.
#pragma once

#include <functional>

#include "payops/runtime/step.h"
#include "payops/streaming/producer.h"

namespace payops::streaming {

class KafkaOutbox final : public Outbox {
 public:
  // `producer` is asked at every publish() and may give null: nobody holds the lease, refused.
  // `traceparent`: the W3C trace context that an entry belongs to, or empty; always the same one.
  using Trace = std::function<std::string(const OutboxEntry&)>;
  explicit KafkaOutbox(std::function<Producer*()> producer, Trace traceparent = {})
      : producer_(std::move(producer)), traceparent_(std::move(traceparent)) {}

  [[nodiscard]] Status publish(const std::vector<OutboxEntry>& entries) override;

 private:
  std::function<Producer*()> producer_;
  Trace traceparent_;
};

}  // namespace payops::streaming
