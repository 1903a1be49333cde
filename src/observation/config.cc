#include "payops/observation/config.h"

#include <algorithm>

#include "payops/observation/field_mapping.h"

namespace payops::observation {
namespace {

bool is_currency_code(const std::string& code) {
  return code.size() == 3 &&
         std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Status config_error(std::string message) { return fail(ErrorCode::config, std::move(message)); }

constexpr int64_t kMaxRatePpm = 1'000'000'000'000;
constexpr uint32_t kMaxDecimals = 4;

}  // namespace

Status ObservationConfig::validate() const {
  const auto within = [](auto value, auto low, auto high) { return value >= low && value <= high; };
  if (!within(lateness_ms, 0, 600'000)) return config_error("lateness_ms must be 0 to 600000");
  if (!within(max_future_s, 0, 86'400)) return config_error("max_future_s must be 0 to 86400");
  if (!within(idle_ms, 1, 600'000)) return config_error("idle_ms must be 1 to 600000");
  if (!within(max_message_bytes, 256u, 16u << 20)) {
    return config_error("max_message_bytes must be 256 to 16777216");
  }
  if (!within(max_amount_minor, 1, 1'000'000'000'000'000)) {
    return config_error("max_amount_minor must be 1 to 1000000000000000");
  }
  if (!within(max_names, 2u, 65'000u)) return config_error("max_names must be 2 to 65000");
  if (!within(max_regions, 1u, 255u)) return config_error("max_regions must be 1 to 255");
  if (!within(max_merchants, 1u, 65'000u)) return config_error("max_merchants must be 1 to 65000");
  if (!within(amount_band_minor, 1, 1'000'000'000'000)) {
    return config_error("amount_band_minor must be 1 to 1000000000000");
  }
  if (!within(max_detail_keys, 1u, 65'536u) || max_open_details == 0) {
    return config_error("max_detail_keys must be 1 to 65536, max_open_details at least 1");
  }
  if (max_leaf_keys == 0 || max_open_cells == 0 || max_open_seconds == 0 ||
      max_open_attempts == 0) {
    return config_error("a limit of observation must be at least 1");
  }
  if (!is_currency_code(reporting_currency)) {
    return config_error("reporting_currency must be three capital letters, not \"" +
                        reporting_currency + "\"");
  }
  for (const auto& [code, rate] : currencies) {
    if (!is_currency_code(code)) {
      return config_error("currency \"" + code + "\" must be three capital letters");
    }
    if (!within(rate.rate_ppm, 1, kMaxRatePpm)) {
      return config_error("rate_ppm of " + code + " must be 1 to 1000000000000");
    }
    if (rate.decimals > kMaxDecimals)
      return config_error("decimals of " + code + " must be 0 to 4");
    if (code == reporting_currency && rate.rate_ppm != 1'000'000) {
      return config_error("rate_ppm of the reporting currency " + code + " must be 1000000");
    }
  }
  return {};
}

}  // namespace payops::observation
