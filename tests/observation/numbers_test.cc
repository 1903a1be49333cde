#include "../../src/observation/numbers.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace payops::observation {
namespace {

TEST_CASE("decimals scale exactly or say why not") {
  const auto value = [](const char* token, int places, bool cut = false) {
    const ScaledNumber n = scaled_number(token, places, cut);
    return n.fault == NumberFault::none ? std::to_string(n.value)
                                        : "fault " + std::to_string(static_cast<int>(n.fault));
  };
  CHECK(value("499.90", 2) == "49990");
  CHECK(value("0.1", 2) == "10");
  CHECK(value("-12.345", 3) == "-12345");
  CHECK(value("1.5e3", 0) == "1500");
  CHECK(value("12500E-2", 0) == "125");
  CHECK(value("1.005", 2) == "fault 2");
  CHECK(value("1.005", 2, true) == "100");
  CHECK(value("1.0000000000000000000000000000", 2) == "100");
  CHECK(value("0e999999999999", 2) == "0");
  CHECK(value("1e999999999999", 2) == "fault 3");
  CHECK(value("1e-999999999999", 2) == "fault 2");
  CHECK(value("999999999999999999", 0) == "999999999999999999");
  CHECK(value("1000000000000000000", 0) == "fault 3");
  for (const char* token :
       {"", "-", "01", ".5", "5.", "1e", "0x10", "1 ", "NaN", "Infinity", "--1"}) {
    CAPTURE(token);
    CHECK(value(token, 0) == "fault 1");
    CHECK_FALSE(is_number(token));
  }
}

TEST_CASE("plain digits read as any other way, and nothing else does") {
  CHECK(rc::check([] {
    const int64_t n =
        *rc::gen::inRange<int64_t>(0, 9'999'999'999'999'999) >> *rc::gen::inRange(0, 54);
    std::string text = std::to_string(n);
    const std::size_t size = text.size();
    text += std::string(kTokenPadding, '7');
    RC_ASSERT(plain_digits(std::string_view(text).substr(0, size)) == n);
    const auto at = *rc::gen::inRange<std::size_t>(0, size);
    text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    const bool digit = text[at] >= '0' && text[at] <= '9';
    if (!digit) RC_ASSERT(plain_digits(std::string_view(text).substr(0, size)) == -1);
  }));
  const std::string padded = "0012345678901234567" + std::string(kTokenPadding, ' ');
  CHECK(plain_digits(std::string_view(padded).substr(0, 1)) == 0);
  CHECK(plain_digits(std::string_view(padded).substr(0, 2)) == -1);
  CHECK(plain_digits(std::string_view(padded).substr(2, 17)) == -1);
  CHECK(plain_digits(std::string_view(padded).substr(0, 0)) == -1);
}

}  // namespace
}  // namespace payops::observation
