// Elects the one decider. Candidates form a consumer group on the one partition of payops.lease;
// who is assigned it fences the predecessor's producer, writes the next epoch in a transaction of
// its own producer and from then on holds the lease. Members are static: a holder that restarts
// within the session timeout under the same instance id takes up again without an election; one
// that is killed or stops is followed by a standby after the session timeout.
//
// Holding is known by the clock: it ends session_timeout_ms (less a tenth) after the last question
// that the group's coordinator answered with "you are still a member", counted from when it was
// asked. No other instance can have been assigned the partition by then. Behind the clock stands
// the fence: the transactions of a zombie, or of a twin under the same instance id, are refused.
//
// One thread, the one that calls poll(); holds() may be asked from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "payops/streaming/producer.h"

namespace payops::streaming {

struct LeaseOptions {
  std::string name = "payments";  // agents of different names hold different leases
  std::string instance_id;        // stable over restarts, different for each process
};

enum class LeaseEvent { none, gained, lost };

class Lease {
 public:
  // Errors: config; usage without an instance id.
  [[nodiscard]] static Result<std::unique_ptr<Lease>> open(const StreamingConfig& config,
                                                           LeaseOptions options);
  ~Lease();

  // Call it at least every session_timeout_ms / 4, holder and standby alike. Mostly returns at
  // once; taking over asks the broker several things and may block for request_timeout_s. `lost`
  // comes once per `gained`; drop what is not committed and rebuild when gained again. Errors:
  // refused when another process uses the same instance id: this Lease is dead; unavailable,
  // retryable, when taking over did not succeed yet: poll again.
  [[nodiscard]] Result<LeaseEvent> poll();

  // Cheap: an atomic load and a steady clock. False while the coordinator has been silent too long,
  // even before `lost` is reported; true again when it was only silence.
  [[nodiscard]] bool holds() const;
  // Of the present or last holding, greater than every earlier holder's; 0 = never held.
  [[nodiscard]] uint64_t epoch() const;
  // The fencing producer, from `gained` until `lost` is returned; null otherwise.
  [[nodiscard]] Producer* producer() const;

 private:
  struct Impl;
  explicit Lease(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::streaming
