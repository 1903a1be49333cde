// One simulated attempt as the world emits it, and its JSON on payments.transactions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "payops/model/attempt.h"

namespace payops::simulators {

// Views live as long as the world does, except action_ids, which live until the next apply().
struct SimulatedAttempt {
  uint64_t payment = 0;  // unique within a seed
  uint32_t attempt_no = 1;
  int64_t started_ms = 0;
  int64_t ts_ms = 0;         // completion
  int64_t published_ms = 0;  // ts_ms, later only under a data_delay fault
  std::string_view issuer, method, gateway, currency, region, user_id;
  std::string_view decline_code;  // "" when approved or timed out
  uint32_t merchant = 0;
  int64_t amount_minor = 0;
  AttemptStatus status = AttemptStatus::approved;
  AttemptStage stage = AttemptStage::authorised;
  uint32_t latency_ms = 0;
  Arm arm = Arm::none;
  double propensity = 1.0;
  std::array<std::string_view, kMaxActionsPerAttempt> action_ids{};
  uint32_t action_count = 0;
  // Truth that no event carries.
  DeclineClass cause = DeclineClass::unknown;
  bool fraud = false;

  [[nodiscard]] std::string payment_id() const;  // "pay-" + 16 hex
  [[nodiscard]] std::string attempt_id() const;  // "att-" + 16 hex + "-" + attempt_no
};

// The transaction event, keys in the order of docs/events.md, about 340 bytes. Replaces what is in
// `buffer`, whose memory is used again; the view is into it.
[[nodiscard]] std::string_view to_json(const SimulatedAttempt& attempt, std::string& buffer);

}  // namespace payops::simulators
