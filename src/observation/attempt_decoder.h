// From the bytes of a message to a validated attempt. Allocates nothing once made, for any input.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layout.h"
#include "numbers.h"
#include "payops/model/cell.h"
#include "payops/observation/config.h"
#include "payops/observation/field_mapping.h"

namespace payops::observation {

inline constexpr std::size_t kMaxNameBytes = 64;         // issuer, method, gateway, region
inline constexpr std::size_t kMaxIdBytes = 128;          // attempt, payment and merchant id
inline constexpr std::size_t kMaxCodeBytes = 64;         // decline code
inline constexpr int64_t kOldestTsMs = 946'684'800'000;  // 2000-01-01
inline constexpr int64_t kMaxAttemptNo = 1'000'000;
inline constexpr int64_t kMaxLatencyMs = 86'400'000;

// A name that can stand in a scope: not "*", no '|', no control characters, short enough.
[[nodiscard]] bool usable_name(std::string_view name);

// The currencies of a config: units, and exact conversion to the reporting currency.
class CurrencyTable {
 public:
  struct Currency {
    uint32_t code = 0;  // three letters packed
    uint32_t decimals = 2;
    uint64_t numerator = 1;    // reporting minor units ...
    uint64_t denominator = 1;  // ... per this many of ours
  };
  explicit CurrencyTable(const ObservationConfig& config);
  [[nodiscard]] const Currency* find(std::string_view code);  // nullptr when unknown
  // Rounded half up; amounts beyond int64 give its maximum. REQUIRES: amount_minor >= 0.
  [[nodiscard]] static int64_t to_reporting(const Currency& currency, int64_t amount_minor);

 private:
  std::vector<Currency> currencies_;
  std::size_t last_ = 0;
};

struct DecodedAttempt {
  Attempt attempt;
  int64_t reporting_minor = 0;   // the amount in the reporting currency
  uint8_t band = 0;              // of it
  uint32_t actions_dropped = 0;  // action ids beyond kMaxActionsPerAttempt
};

class AttemptDecoder {
 public:
  // REQUIRES: config and mapping validate.
  AttemptDecoder(const ObservationConfig& config, const FieldMapping& mapping);
  // False: see fault(). Views in `out` live until the next call, and kTokenPadding bytes can be
  // read from the start of each. Names are not yet checked by usable_name().
  [[nodiscard]] bool decode(std::string_view bytes, int64_t now_ms, DecodedAttempt& out);
  [[nodiscard]] const Fault& fault() const { return fault_; }

 private:
  // A text of the mapping, readable beyond its end like those of a message.
  class PaddedText {
   public:
    explicit PaddedText(std::string_view text) : bytes_(text.begin(), text.end()) {
      bytes_.resize(text.size() + kTokenPadding);
    }
    [[nodiscard]] std::string_view view() const {
      return {bytes_.data(), bytes_.size() - kTokenPadding};
    }

   private:
    std::vector<char> bytes_;
  };
  struct TextSpec {
    AttemptField field;
    std::optional<PaddedText> constant;
    std::vector<std::pair<std::string, PaddedText>> values;
    std::optional<PaddedText> otherwise;  // the value of "*"
    bool number = false;
    bool required = true;
    bool plain = true;  // neither constant nor values
    std::size_t max_bytes = kMaxIdBytes;
  };

  static TextSpec compile(AttemptField field, const TextRule& rule, std::size_t max_bytes);
  [[nodiscard]] bool read_text(const TextSpec& spec, std::string_view& out);
  [[nodiscard]] bool read_any_text(const TextSpec& spec, std::string_view& out);
  [[nodiscard]] bool read_inside(AttemptField field, std::string_view token, std::string_view& out);
  [[nodiscard]] bool read_number(AttemptField field, bool quoted, int places, bool cut,
                                 int64_t& out);
  [[nodiscard]] bool read_any_number(AttemptField field, bool quoted, int places, bool cut,
                                     int64_t& out);
  [[nodiscard]] bool read_texts(Attempt& out);
  [[nodiscard]] bool read_status(Attempt& out);
  [[nodiscard]] bool read_details(DecodedAttempt& out);
  [[nodiscard]] bool read_time(int64_t now_ms, Attempt& out);
  [[nodiscard]] bool read_counts(Attempt& out);
  [[nodiscard]] bool read_amount(DecodedAttempt& out);
  [[nodiscard]] bool read_experiment(DecodedAttempt& out);
  [[nodiscard]] bool read_propensity(double& out);
  [[nodiscard]] bool fail(DeadReason reason, std::optional<AttemptField> field = {});
  [[nodiscard]] bool absent(AttemptField field) const;

  FieldMapping mapping_;
  Layout layout_;
  CurrencyTable currencies_;
  FieldTokens tokens_;
  TextSpec attempt_id_, payment_id_, issuer_, method_, gateway_, merchant_id_, currency_, status_,
      stage_, decline_code_, region_, arm_;
  int64_t max_future_ms_;
  int64_t max_amount_minor_;
  std::array<int64_t, kAmountBands - 1> band_edges_{};
  bool escapes_ = false;
  Fault fault_{};
};

}  // namespace payops::observation
