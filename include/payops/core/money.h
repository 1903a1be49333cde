// Amounts in minor units (paise, cents), as people read them.
#pragma once

#include <string>
#include <string_view>

namespace payops {

// Digits after the point, by ISO 4217: JPY 0, KWD 3; 2 for a code that is not listed apart.
[[nodiscard]] int minor_digits(std::string_view currency);
// Minor units in one of the currency: 100 for INR, 1 for JPY.
[[nodiscard]] double minor_per_major(std::string_view currency);
// Without the currency's name: "1250.00" of 125,000 paise, "125000" of as many yen.
[[nodiscard]] std::string major_text(double amount_minor, std::string_view currency);

}  // namespace payops
