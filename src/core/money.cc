#include "payops/core/money.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "payops/core/text.h"

namespace payops {
namespace {

constexpr std::array<std::string_view, 16> kWhole{"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                                  "KMF", "KRW", "PYG", "RWF", "UGX", "VND",
                                                  "VUV", "XAF", "XOF", "XPF"};
constexpr std::array<std::string_view, 7> kThousandths{"BHD", "IQD", "JOD", "KWD",
                                                       "LYD", "OMR", "TND"};

bool among(const auto& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

int minor_digits(std::string_view currency) {
  if (among(kWhole, currency)) return 0;
  return among(kThousandths, currency) ? 3 : 2;
}

double minor_per_major(std::string_view currency) { return std::pow(10.0, minor_digits(currency)); }

std::string major_text(double amount_minor, std::string_view currency) {
  return fixed(amount_minor / minor_per_major(currency), minor_digits(currency));
}

}  // namespace payops
