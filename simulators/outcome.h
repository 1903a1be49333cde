// How one attempt ends, as a function of its path's health and of its own draws.
#pragma once

#include <cstdint>
#include <string_view>

#include "payops/core/random.h"
#include "payops/model/attempt.h"
#include "payops/simulators/latent.h"

namespace payops::simulators {

struct Outcome {
  AttemptStatus status = AttemptStatus::approved;
  DeclineClass cause = DeclineClass::unknown;
  std::string_view code;  // static text; "" when approved or timed out
  uint32_t latency_ms = 0;
  AttemptStage stage = AttemptStage::authorised;  // at which it was lost
};

// What bears on an attempt besides its path's health.
struct Burden {
  double issuer_overload = 0.0;  // failure probabilities
  double gateway_overload = 0.0;
  double persisting_decline = 0.0;  // the customer's own reason for the last failure is still there
  double fraud_screen = 0.0;        // fraudsters are caught with this probability
  bool upi_codes = false;
  uint8_t region = 0;     // of the customer
  uint32_t merchant = 0;  // paid
};

// The attempt's first draw u decides: it fails when u reaches the success probability, and the
// failure region is laid out so that what fails on a healthy path fails for the same reason on a
// broken one (common random numbers).
[[nodiscard]] Outcome draw_outcome(const PathHealth& health, const Burden& burden,
                                   const Latency& latency, RandomStream draw);

}  // namespace payops::simulators
