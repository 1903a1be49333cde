// The step protocol's outbox on Kafka: one publish() is one transaction.
#pragma once

#include <functional>

#include "payops/runtime/step.h"
#include "payops/streaming/producer.h"

namespace payops::streaming {

class KafkaOutbox final : public Outbox {
 public:
  // `producer` is asked at every publish() and may give null: nobody holds the lease, refused.
  explicit KafkaOutbox(std::function<Producer*()> producer) : producer_(std::move(producer)) {}

  [[nodiscard]] Status publish(const std::vector<OutboxEntry>& entries) override;

 private:
  std::function<Producer*()> producer_;
};

}  // namespace payops::streaming
