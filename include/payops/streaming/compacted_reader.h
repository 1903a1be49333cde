// Reads a compacted topic from its start and then follows it: how the simulator (or a real router)
// learns which actions are in force.
//
// One thread.
#pragma once

#include <memory>
#include <span>

#include "payops/streaming/consumer.h"

namespace payops::streaming {

class CompactedReader {
 public:
  // `topic`: logical name. Errors: config; unavailable, retryable; not_found.
  [[nodiscard]] static Result<std::unique_ptr<CompactedReader>> open(const StreamingConfig& config,
                                                                     const std::string& topic);
  ~CompactedReader();

  // New records in order of each partition; a tombstone says that its key's value ended. Valid
  // until the next call. Older values of a key may still be among them.
  [[nodiscard]] std::span<const Record> poll(int timeout_ms);
  // Everything that was in the topic when it was opened has been handed out.
  [[nodiscard]] bool caught_up() const;
  [[nodiscard]] bool broker_up() const;

 private:
  struct Impl;
  explicit CompactedReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
