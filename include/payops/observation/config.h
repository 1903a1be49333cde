// What an operator may set about observation: how late is late, what is too far in the future, how
// money is made comparable, and the bound of everything that input could make grow.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::observation {

// What one unit of a currency is worth in the reporting currency, in millionths: with INR
// reporting, USD at 83.25 is 83250000. `decimals` are those of its minor unit (JPY 0, KWD 3).
struct CurrencyRate {
  int64_t rate_ppm = 1'000'000;
  uint32_t decimals = 2;
  static constexpr auto fields() {
    return std::make_tuple(field("rate_ppm", &CurrencyRate::rate_ppm),
                           field("decimals", &CurrencyRate::decimals));
  }
};

struct ObservationConfig {
  int64_t lateness_ms = 2'000;  // the watermark stays this far behind the highest trusted time
  int64_t max_future_s = 300;   // later than this after now is a dead letter
  int64_t idle_ms = 2'000;      // a partition at its end is idle, and silence begins, after this
  std::string reporting_currency = "INR";
  std::map<std::string, CurrencyRate> currencies{{"INR", {}}};  // any other is a dead letter
  uint32_t max_message_bytes = 65'536;
  int64_t max_amount_minor = 1'000'000'000'000;  // of one attempt, in both currencies
  uint32_t max_names = 4'096;                    // issuers, methods, gateways each; beyond: "other"
  uint32_t max_regions = 64;                     // named by attribution; beyond: "other"
  uint32_t max_merchants = 256;                  // the first so many, likewise
  int64_t amount_band_minor = 10'000;  // amounts below are the first of four bands, each ten times
                                       // the one before; reporting currency
  uint32_t max_detail_keys = 512;  // path x region x merchant x band in a second; beyond: "other"
  uint32_t max_open_details = 262'144;     // over all open seconds (60 bytes each); as above
  uint32_t max_leaf_keys = 2'048;          // path × arm in one second; beyond: path "other"
  uint32_t max_open_cells = 262'144;       // over all open seconds (about 330 bytes each); as above
  uint32_t max_open_seconds = 7'200;       // beyond: the oldest close early
  uint32_t max_open_attempts = 8'388'608;  // remembered for duplicates (16 bytes each); as above
  uint32_t max_dead_letters = 4'096;       // held until taken; beyond: counted only
  uint32_t max_unknown_codes = 256;        // named; beyond: counted as "other"

  static constexpr auto fields() {
    return std::make_tuple(field("lateness_ms", &ObservationConfig::lateness_ms),
                           field("max_future_s", &ObservationConfig::max_future_s),
                           field("idle_ms", &ObservationConfig::idle_ms),
                           field("reporting_currency", &ObservationConfig::reporting_currency),
                           field("currencies", &ObservationConfig::currencies),
                           field("max_message_bytes", &ObservationConfig::max_message_bytes),
                           field("max_amount_minor", &ObservationConfig::max_amount_minor),
                           field("max_names", &ObservationConfig::max_names),
                           field("max_regions", &ObservationConfig::max_regions),
                           field("max_merchants", &ObservationConfig::max_merchants),
                           field("amount_band_minor", &ObservationConfig::amount_band_minor),
                           field("max_detail_keys", &ObservationConfig::max_detail_keys),
                           field("max_open_details", &ObservationConfig::max_open_details),
                           field("max_leaf_keys", &ObservationConfig::max_leaf_keys),
                           field("max_open_cells", &ObservationConfig::max_open_cells),
                           field("max_open_seconds", &ObservationConfig::max_open_seconds),
                           field("max_open_attempts", &ObservationConfig::max_open_attempts),
                           field("max_dead_letters", &ObservationConfig::max_dead_letters),
                           field("max_unknown_codes", &ObservationConfig::max_unknown_codes));
  }
  // Errors: config, one sentence.
  [[nodiscard]] Status validate() const;
};

}  // namespace payops::observation
