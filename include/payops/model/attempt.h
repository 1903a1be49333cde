// One authorisation attempt as it came off the wire, and the words for how it went.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "payops/core/fields.h"

namespace payops {

enum class AttemptStatus : uint8_t { approved, declined, error, timeout };
template <>
inline constexpr EnumNames<4> enum_names<AttemptStatus>{"approved", "declined", "error", "timeout"};

// Who caused a failure. `authentication` is the loss of 3-D Secure or one-time passwords as a
// service; a customer who fails them is a customer's. `unknown` holds timeouts whose status nobody
// has learnt, and failures whose code is not in the table.
enum class DeclineClass : uint8_t {
  customer,
  issuer_technical,
  issuer_policy,
  gateway,
  network,
  merchant,
  fraud,
  authentication,
  unknown
};
template <>
inline constexpr EnumNames<9> enum_names<DeclineClass>{
    "customer", "issuer_technical", "issuer_policy", "gateway", "network", "merchant",
    "fraud",    "authentication",   "unknown"};
inline constexpr std::size_t kDeclineClasses = 9;

// Whether trying again can help: never, perhaps, or only later.
enum class Hardness : uint8_t { hard, soft, retry_after };
template <>
inline constexpr EnumNames<3> enum_names<Hardness>{"hard", "soft", "retry_after"};

// The failures that say something about the health of issuer, gateway or network; a timeout
// counts, a customer's empty account does not.
[[nodiscard]] constexpr bool is_technical(DeclineClass c) {
  return c == DeclineClass::issuer_technical || c == DeclineClass::gateway ||
         c == DeclineClass::network || c == DeclineClass::authentication ||
         c == DeclineClass::unknown;
}

// The failures that an attribution looks for the place of: the technical ones, and a merchant's
// own.
[[nodiscard]] constexpr bool is_fault(DeclineClass c) {
  return is_technical(c) || c == DeclineClass::merchant;
}

// Those, in the order that details count them in.
inline constexpr std::size_t kFaultClasses = 6;
inline constexpr std::array<DeclineClass, kFaultClasses> kFaults{
    DeclineClass::issuer_technical, DeclineClass::gateway,        DeclineClass::network,
    DeclineClass::merchant,         DeclineClass::authentication, DeclineClass::unknown};
// The class's place among them. REQUIRES: is_fault(c).
[[nodiscard]] constexpr std::size_t fault_index(DeclineClass c) {
  constexpr std::array<uint8_t, 9> kIndex{0, 0, 0, 1, 2, 3, 0, 4, 5};
  return kIndex[static_cast<std::size_t>(c)];
}

// How far an attempt came: where it failed, or `authorised` when the issuer answered for it.
enum class AttemptStage : uint8_t { created, authenticated, authorised };
template <>
inline constexpr EnumNames<3> enum_names<AttemptStage>{"created", "authenticated", "authorised"};
inline constexpr std::size_t kStages = 3;

// A customer's part in an experiment: `none` when no intervention covered the payment.
enum class Arm : uint8_t { none, treated, holdout, probe };
template <>
inline constexpr EnumNames<4> enum_names<Arm>{"none", "treated", "holdout", "probe"};

inline constexpr std::size_t kMaxActionsPerAttempt = 4;

// A decoded attempt. The views point into the message's buffer and live as long as it does.
struct Attempt {
  std::string_view attempt_id;
  std::string_view payment_id;
  std::string_view issuer;
  std::string_view method;
  std::string_view gateway;
  std::string_view currency;
  std::string_view decline_code;
  std::string_view region;       // empty: not said
  std::string_view merchant_id;  // likewise
  int64_t ts_ms = 0;             // completion, event time
  int64_t amount_minor = 0;      // in `currency`
  uint32_t attempt_no = 1;       // 1 = the payment's first
  uint32_t latency_ms = 0;
  AttemptStatus status = AttemptStatus::approved;
  AttemptStage stage = AttemptStage::authorised;
  Arm arm = Arm::none;
  uint8_t action_count = 0;
  std::array<uint64_t, kMaxActionsPerAttempt> actions{};  // hash64 of each action id in force
  double propensity = 1.0;  // probability with which this customer got this arm, (0, 1]
};

}  // namespace payops
