#include "outcome.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace payops::simulators {
namespace {

using Codes = std::span<const std::string_view>;

// Codes by class, repeated by how common they are: ISO 8583 for all methods but UPI. The first of
// a customer's is an empty account.
constexpr std::array<std::string_view, 9> kCustomer{"51", "51", "51", "51", "51",
                                                    "54", "55", "55", "61"};
constexpr std::array<std::string_view, 8> kCustomerUpi{"Z9", "Z9", "Z9", "Z9",
                                                       "Z9", "ZM", "ZM", "Z8"};
constexpr std::array<std::string_view, 4> kPolicy{"05", "05", "57", "62"};
constexpr std::array<std::string_view, 3> kIssuer{"91", "91", "96"};
constexpr std::array<std::string_view, 4> kIssuerUpi{"U30", "U30", "XY", "U28"};
constexpr std::array<std::string_view, 2> kGateway{"GATEWAY_ERROR", "GATEWAY_UNAVAILABLE"};
constexpr std::array<std::string_view, 1> kNetwork{"NETWORK_ERROR"};
constexpr std::array<std::string_view, 2> kAuthentication{"ACS_UNAVAILABLE", "OTP_NOT_DELIVERED"};
constexpr std::array<std::string_view, 2> kFraud{"59", "34"};
constexpr std::array<std::string_view, 1> kFraudUpi{"U16"};

Codes codes(DeclineClass cause, bool upi) {
  switch (cause) {
    case DeclineClass::customer:
      return upi ? Codes(kCustomerUpi) : Codes(kCustomer);
    case DeclineClass::issuer_policy:
      return kPolicy;
    case DeclineClass::issuer_technical:
      return upi ? Codes(kIssuerUpi) : Codes(kIssuer);
    case DeclineClass::gateway:
      return kGateway;
    case DeclineClass::authentication:
      return kAuthentication;
    case DeclineClass::fraud:
      return upi ? Codes(kFraudUpi) : Codes(kFraud);
    default:
      return kNetwork;
  }
}

// Shares of a healthy path's failures.
constexpr double kCustomerShare = 0.50, kPolicyShare = 0.15, kFraudShare = 0.02;
constexpr double kNotTechnical = kCustomerShare + kPolicyShare + kFraudShare;
// Shares of its technical failures; the rest are timeouts.
constexpr double kIssuerPart = 0.45, kGatewayPart = 0.25, kNetworkPart = 0.15;
constexpr double kLeastTechnical = 0.1;  // of all failures, when drift has lifted success
constexpr double kErrorLatency = 0.4;    // a gateway's or network's error comes back soon

struct Failure {
  DeclineClass cause = DeclineClass::unknown;
  bool timeout = false;
  AttemptStage stage = AttemptStage::authorised;
};

// Walks over adjacent pieces of [0, 1): take(width) says whether the point lies in the next one.
class Pieces {
 public:
  explicit Pieces(double point) : left_(point) {}
  bool take(double width) {
    if (left_ < width) return true;
    left_ -= width;
    return false;
  }

 private:
  double left_;
};

// Drift moves technical failures; what customers and issuers' rules cause stays as it is.
Failure baseline_failure(double from_top, double failing, double expected_failing) {
  const double technical =
      std::max(failing - kNotTechnical * expected_failing, kLeastTechnical * failing);
  const double scale = (failing - technical) / kNotTechnical;
  Pieces pieces(from_top);
  if (pieces.take(scale * kCustomerShare)) return {DeclineClass::customer};
  if (pieces.take(scale * kPolicyShare)) return {DeclineClass::issuer_policy};
  if (pieces.take(scale * kFraudShare)) return {DeclineClass::fraud};
  if (pieces.take(technical * kIssuerPart)) return {DeclineClass::issuer_technical};
  if (pieces.take(technical * kGatewayPart)) return {DeclineClass::gateway};
  if (pieces.take(technical * kNetworkPart)) return {DeclineClass::network};
  return {DeclineClass::unknown, true};
}

// Failures on top of the path's own, or approval. `point` is in [0, success).
bool added_failure(const PathHealth& health, const Burden& burden, double point, double& pick,
                   Failure& failure) {
  Pieces pieces(point);
  double success = health.success;
  const auto loses = [&](double probability) {
    const bool lost = pieces.take(success * probability);
    success *= 1.0 - probability;
    return lost;
  };
  for (uint32_t i = 0; i < health.loss_count; ++i) {
    const FaultLoss& loss = health.losses[i];
    if (loss.region && *loss.region != burden.region) continue;
    if (loss.merchant && *loss.merchant != burden.merchant) continue;
    if (!loses(loss.probability)) continue;
    failure = {loss.cause, pick < loss.timeout_share, loss.stage};
    if (loss.cause == DeclineClass::customer) pick = 0.0;
    if (!failure.timeout) pick = (pick - loss.timeout_share) / (1.0 - loss.timeout_share);
    return true;
  }
  failure.timeout = false;
  failure.cause = DeclineClass::issuer_technical;
  if (loses(burden.issuer_overload)) return true;
  failure.cause = DeclineClass::gateway;
  if (loses(burden.gateway_overload)) return true;
  failure.cause = DeclineClass::customer;
  if (loses(burden.persisting_decline)) {
    pick = 0.0;
    return true;
  }
  failure.cause = DeclineClass::fraud;
  return loses(burden.fraud_screen);
}

AttemptStatus status_of(DeclineClass cause) {
  const bool before_issuer = cause == DeclineClass::gateway || cause == DeclineClass::network ||
                             cause == DeclineClass::authentication;
  return before_issuer ? AttemptStatus::error : AttemptStatus::declined;
}

}  // namespace

Outcome draw_outcome(const PathHealth& health, const Burden& burden, const Latency& latency,
                     RandomStream draw) {
  const double from_top = 1.0 - draw.uniform();
  double pick = draw.uniform();
  const double normal = draw.normal();
  const double failing = 1.0 - health.success;
  Failure failure;
  bool failed = true;
  if (from_top <= failing) {
    failure = baseline_failure(from_top, failing, 1.0 - health.expected_base);
  } else {
    failed = added_failure(health, burden, from_top - failing, pick, failure);
  }
  Outcome outcome;
  double ms = health.latency_ms * std::exp(latency.spread * normal);
  if (failed) {
    outcome.status = status_of(failure.cause);
    outcome.cause = failure.cause;
    outcome.stage = failure.stage;
    if (outcome.status == AttemptStatus::error) ms *= kErrorLatency;
    const Codes list = codes(failure.cause, burden.upi_codes);
    const auto index = static_cast<std::size_t>(pick * static_cast<double>(list.size()));
    outcome.code = list[std::min(index, list.size() - 1)];
  }
  if (failure.timeout || ms >= latency.timeout_ms) {
    if (!failed) outcome.cause = DeclineClass::unknown;
    outcome.status = AttemptStatus::timeout;
    outcome.code = "";
    ms = latency.timeout_ms;
  }
  outcome.latency_ms = static_cast<uint32_t>(std::max(1.0, ms));
  return outcome;
}

}  // namespace payops::simulators
