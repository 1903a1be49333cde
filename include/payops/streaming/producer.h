// Publishes groups of messages, each group as one transaction: readers see all of it or nothing.
// A stable transactional id makes a later producer fence an earlier one: the zombie's next
// transaction fails with `refused`, and nothing of it is seen.
//
// One thread. publish() blocks, for publish_timeout_s at most.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "payops/streaming/config.h"

namespace payops::streaming {

struct Message {
  std::string topic;          // logical name, or the short form of a "payops." one
  std::string key;            // "" = none
  std::string payload;        // "" = tombstone
  std::string id;             // header "payops-id", for readers that drop repeats; "" = none
  std::string traceparent{};  // header of that name, W3C trace context; "" = none
};

class Producer {
 public:
  // Fences every earlier producer of this id (the prefix is put before it) and ends what it left
  // open. Errors: config; unavailable, retryable; refused.
  [[nodiscard]] static Result<std::unique_ptr<Producer>> open(const StreamingConfig& config,
                                                              const std::string& transactional_id);
  ~Producer();

  // Publishes all, in order, or none. Errors: unavailable, retryable: the outcome of the commit may
  // be unknown, and the same messages, given again, are not published twice by this producer;
  // refused when fenced, for good, or when the broker takes no such message; limit when a message
  // is larger than it takes; usage for a message without key to a compacted topic; not_found.
  [[nodiscard]] Status publish(std::span<const Message> messages);

  // Another producer of this id has taken over; this one is dead.
  [[nodiscard]] bool fenced() const;

 private:
  struct Impl;
  explicit Producer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
