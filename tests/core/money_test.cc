#include "payops/core/money.h"

#include <doctest/doctest.h>

namespace payops {
namespace {

TEST_CASE("an amount has as many digits after the point as its currency") {
  CHECK(major_text(125'050.0, "INR") == "1250.50");
  CHECK(major_text(125'050.0, "JPY") == "125050");
  CHECK(major_text(125'050.0, "KWD") == "125.050");
  CHECK(major_text(-99.0, "EUR") == "-0.99");
  CHECK(minor_per_major("INR") == 100.0);
  CHECK(minor_per_major("KRW") == 1.0);
}

}  // namespace
}  // namespace payops
