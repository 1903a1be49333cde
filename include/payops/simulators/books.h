// What the merchants earned and lost, by which any policy can be priced.
#pragma once

#include <cstdint>

#include "payops/core/fields.h"

namespace payops::simulators {

struct Books {
  uint64_t payments = 0;  // = converted + lost + in_flight
  uint64_t converted = 0;
  uint64_t lost = 0;       // given up, deflected ones included
  uint64_t deflected = 0;  // left without an attempt when asked to pay another way
  uint64_t in_flight = 0;
  uint64_t attempts = 0;
  uint64_t retries = 0;
  int64_t converted_minor = 0;  // amounts
  int64_t lost_minor = 0;
  int64_t revenue_minor = 0;     // margin of converted amounts
  int64_t fees_minor = 0;        // of gateways
  int64_t retry_fees_minor = 0;  // of schemes
  int64_t fraud_loss_minor = 0;  // amounts approved for fraudsters, charged back
  [[nodiscard]] int64_t net_revenue_minor() const {
    return revenue_minor - fees_minor - retry_fees_minor - fraud_loss_minor;
  }
  bool operator==(const Books&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(
        field("payments", &Books::payments), field("converted", &Books::converted),
        field("lost", &Books::lost), field("deflected", &Books::deflected),
        field("in_flight", &Books::in_flight), field("attempts", &Books::attempts),
        field("retries", &Books::retries), field("converted_minor", &Books::converted_minor),
        field("lost_minor", &Books::lost_minor), field("revenue_minor", &Books::revenue_minor),
        field("fees_minor", &Books::fees_minor),
        field("retry_fees_minor", &Books::retry_fees_minor),
        field("fraud_loss_minor", &Books::fraud_loss_minor));
  }
};

}  // namespace payops::simulators
