#include "attempt_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "numbers.h"
#include "payops/core/digest.h"
#include "payops/core/moment.h"

namespace payops::observation {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr std::array<uint64_t, 10> kPowers{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

uint32_t pack_code(std::string_view code) {
  return static_cast<uint32_t>(static_cast<unsigned char>(code[0])) << 16 |
         static_cast<uint32_t>(static_cast<unsigned char>(code[1])) << 8 |
         static_cast<uint32_t>(static_cast<unsigned char>(code[2]));
}

}  // namespace

bool usable_name(std::string_view name) {
  if (name.empty() || name == "*") return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return c == '|' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

CurrencyTable::CurrencyTable(const ObservationConfig& config) {
  uint32_t reporting_decimals = 2;
  if (const auto it = config.currencies.find(config.reporting_currency);
      it != config.currencies.end()) {
    reporting_decimals = it->second.decimals;
  } else {
    currencies_.push_back({pack_code(config.reporting_currency), 2, 1, 1});
  }
  for (const auto& [code, rate] : config.currencies) {
    Currency currency{pack_code(code), rate.decimals, 1, 1};
    if (code != config.reporting_currency) {
      currency.numerator = static_cast<uint64_t>(rate.rate_ppm) * kPowers[reporting_decimals];
      currency.denominator = 1'000'000 * kPowers[rate.decimals];
    }
    currencies_.push_back(currency);
  }
}

const CurrencyTable::Currency* CurrencyTable::find(std::string_view code) {
  if (code.size() != 3) return nullptr;
  const uint32_t packed = pack_code(code);
  if (currencies_[last_].code == packed) return &currencies_[last_];
  for (std::size_t i = 0; i < currencies_.size(); ++i) {
    if (currencies_[i].code == packed) {
      last_ = i;
      return &currencies_[i];
    }
  }
  return nullptr;
}

int64_t CurrencyTable::to_reporting(const Currency& currency, int64_t amount_minor) {
  if (currency.numerator == currency.denominator) return amount_minor;
  const Wide exact = Wide{static_cast<uint64_t>(amount_minor)} * currency.numerator;
  const Wide rounded = (exact + currency.denominator / 2) / currency.denominator;
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  return rounded > static_cast<Wide>(kMax) ? kMax : static_cast<int64_t>(rounded);
}

AttemptDecoder::AttemptDecoder(const ObservationConfig& config, const FieldMapping& mapping)
    : mapping_(mapping),
      layout_(mapping, config.max_message_bytes),
      currencies_(config),
      attempt_id_(compile(AttemptField::attempt_id, mapping.attempt_id, kMaxIdBytes)),
      payment_id_(compile(AttemptField::payment_id, mapping.payment_id, kMaxIdBytes)),
      issuer_(compile(AttemptField::issuer, mapping.issuer, kMaxNameBytes)),
      method_(compile(AttemptField::method, mapping.method, kMaxNameBytes)),
      gateway_(compile(AttemptField::gateway, mapping.gateway, kMaxNameBytes)),
      merchant_id_(compile(AttemptField::merchant_id, mapping.merchant_id, kMaxIdBytes)),
      currency_(compile(AttemptField::currency, mapping.currency, kMaxIdBytes)),
      status_(compile(AttemptField::status, mapping.status, kMaxIdBytes)),
      stage_(compile(AttemptField::stage, mapping.stage, kMaxIdBytes)),
      decline_code_(compile(AttemptField::decline_code, mapping.decline_code, kMaxCodeBytes)),
      region_(compile(AttemptField::region, mapping.region, kMaxNameBytes)),
      arm_(compile(AttemptField::arm, mapping.arm, kMaxIdBytes)),
      max_future_ms_(config.max_future_s * 1'000),
      max_amount_minor_(config.max_amount_minor) {
  int64_t edge = config.amount_band_minor;
  for (int64_t& of_band : band_edges_) {
    of_band = edge;
    if (__builtin_mul_overflow(edge, 10, &edge)) edge = std::numeric_limits<int64_t>::max();
  }
}

AttemptDecoder::TextSpec AttemptDecoder::compile(AttemptField field, const TextRule& rule,
                                                 std::size_t max_bytes) {
  TextSpec spec{.field = field,
                .constant = {},
                .values = {},
                .otherwise = {},
                .number = rule.number,
                .required = rule.required,
                .plain = !rule.constant && rule.values.empty(),
                .max_bytes = max_bytes};
  if (rule.constant) spec.constant.emplace(*rule.constant);
  for (const auto& [from, to] : rule.values) {
    if (from == "*") {
      spec.otherwise.emplace(to);
    } else {
      spec.values.emplace_back(from, PaddedText(to));
    }
  }
  return spec;
}

bool AttemptDecoder::fail(DeadReason reason, std::optional<AttemptField> field) {
  fault_ = {reason, field};
  return false;
}

bool AttemptDecoder::decode(std::string_view bytes, int64_t now_ms, DecodedAttempt& out) {
  if (!layout_.read(bytes, tokens_)) {
    fault_ = layout_.fault();
    return false;
  }
  escapes_ = layout_.escapes();
  Attempt& attempt = out.attempt;
  return read_texts(attempt) && read_status(attempt) && read_time(now_ms, attempt) &&
         read_counts(attempt) && read_amount(out) && read_details(out) && read_experiment(out);
}

inline bool AttemptDecoder::absent(AttemptField field) const {
  return !tokens_.has(field) || (tokens_.of(field)[0] == 'n' && tokens_.of(field) == "null");
}

inline bool AttemptDecoder::read_inside(AttemptField field, std::string_view token,
                                        std::string_view& out) {
  if (!string_inside(token, out)) return fail(DeadReason::wrong_type, field);
  if (!escapes_ || out.find('\\') == std::string_view::npos) return true;
  if (layout_.unescape(out, out)) return true;
  const DeadReason reason = layout_.fault().reason;
  return reason == DeadReason::unusable_text ? fail(reason, field) : fail(reason);
}

inline bool AttemptDecoder::read_text(const TextSpec& spec, std::string_view& out) {
  if (spec.plain && !escapes_ && tokens_.has(spec.field)) {
    const std::string_view token = tokens_.of(spec.field);
    if (token[0] == '"' && token.size() > 2 && token.size() - 2 <= spec.max_bytes) {
      out = token.substr(1, token.size() - 2);
      return true;
    }
    if (!spec.required && token == "null") {
      out = {};
      return true;
    }
  }
  if (spec.plain && !spec.required && !tokens_.has(spec.field)) {
    out = {};
    return true;
  }
  return read_any_text(spec, out);
}

// Every text but a plain string of fit length under a rule without constant and values.
bool AttemptDecoder::read_any_text(const TextSpec& spec, std::string_view& out) {
  if (spec.constant) {
    out = spec.constant->view();
    return true;
  }
  out = {};
  if (!absent(spec.field)) {
    const std::string_view token = tokens_.of(spec.field);
    const bool boolean = token == "true" || token == "false";
    if (token.front() == '"') {
      if (!read_inside(spec.field, token, out)) return false;
    } else if (!boolean && !is_number(token)) {
      return fail(DeadReason::malformed_json);
    } else if (spec.number) {
      out = token;
    } else {
      return fail(DeadReason::wrong_type, spec.field);
    }
  }
  const auto it = std::find_if(spec.values.begin(), spec.values.end(),
                               [&](const auto& pair) { return pair.first == out; });
  if (it != spec.values.end()) {
    out = it->second.view();
  } else if (spec.otherwise && !out.empty()) {
    out = spec.otherwise->view();
  }
  if (out.empty() && spec.required) return fail(DeadReason::missing_field, spec.field);
  return out.size() <= spec.max_bytes || fail(DeadReason::unusable_text, spec.field);
}

bool AttemptDecoder::read_texts(Attempt& out) {
  if (!read_text(attempt_id_, out.attempt_id)) return false;
  if (!read_text(payment_id_, out.payment_id)) return false;
  if (!read_text(issuer_, out.issuer)) return false;
  if (!read_text(method_, out.method)) return false;
  if (!read_text(gateway_, out.gateway)) return false;
  if (!read_text(currency_, out.currency)) return false;
  return read_text(decline_code_, out.decline_code);
}

bool AttemptDecoder::read_status(Attempt& out) {
  std::string_view text;
  if (!read_text(status_, text)) return false;
  if (text.empty()) return fail(DeadReason::missing_field, AttemptField::status);
  // The four words differ in their first letter.
  out.status = text[0] == 'a'   ? AttemptStatus::approved
               : text[0] == 'd' ? AttemptStatus::declined
               : text[0] == 'e' ? AttemptStatus::error
                                : AttemptStatus::timeout;
  return text == name_of(out.status) || fail(DeadReason::unknown_value, AttemptField::status);
}

// A number of the unit's places. REQUIRES: the field is not absent.
inline bool AttemptDecoder::read_number(AttemptField field, bool quoted, int places, bool cut,
                                        int64_t& out) {
  if (!quoted && places == 0) {
    out = plain_digits(tokens_.of(field));
    if (out >= 0) return true;
  }
  return read_any_number(field, quoted, places, cut, out);
}

// Every number but plain digits: signs, decimals, exponents, quotes.
bool AttemptDecoder::read_any_number(AttemptField field, bool quoted, int places, bool cut,
                                     int64_t& out) {
  std::string_view token = tokens_.of(field);
  if (quoted && !read_inside(field, token, token)) return false;
  const ScaledNumber number = scaled_number(token, places, cut);
  switch (number.fault) {
    case NumberFault::none:
      out = number.value;
      return true;
    case NumberFault::malformed:
      break;
    case NumberFault::inexact:
    case NumberFault::too_large:
      return fail(DeadReason::number_out_of_range, field);
  }
  const bool other_type = quoted || token.front() == '"' || token == "true" || token == "false";
  return other_type ? fail(DeadReason::wrong_type, field) : fail(DeadReason::malformed_json);
}

bool AttemptDecoder::read_time(int64_t now_ms, Attempt& out) {
  constexpr AttemptField kField = AttemptField::ts_ms;
  if (absent(kField)) return fail(DeadReason::missing_field, kField);
  const TimeRule& rule = mapping_.ts_ms;
  if (rule.unit == TimeUnit::iso8601) {
    std::string_view text;
    if (!read_inside(kField, tokens_.of(kField), text)) return false;
    const auto ts_ms = parse_iso8601(text);
    if (!ts_ms) return fail(DeadReason::unknown_value, kField);
    out.ts_ms = *ts_ms;
  } else if (!read_number(kField, rule.quoted, rule.unit == TimeUnit::s ? 3 : 0, true, out.ts_ms)) {
    return false;
  }
  if (out.ts_ms < kOldestTsMs) return fail(DeadReason::time_too_old, kField);
  if (out.ts_ms > now_ms + max_future_ms_) return fail(DeadReason::time_in_future, kField);
  return true;
}

bool AttemptDecoder::read_counts(Attempt& out) {
  int64_t number = mapping_.attempt_no.constant.value_or(1);
  if (!mapping_.attempt_no.constant) {
    constexpr AttemptField kField = AttemptField::attempt_no;
    if (!absent(kField)) {
      if (!read_number(kField, mapping_.attempt_no.quoted, 0, false, number)) return false;
    } else if (mapping_.attempt_no.required) {
      return fail(DeadReason::missing_field, kField);
    }
    if (number < 1 || number > kMaxAttemptNo) return fail(DeadReason::number_out_of_range, kField);
  }
  out.attempt_no = static_cast<uint32_t>(number);
  const DurationRule& latency = mapping_.latency_ms;
  int64_t latency_ms = latency.constant.value_or(0);
  if (!latency.constant) {
    constexpr AttemptField kField = AttemptField::latency_ms;
    if (!absent(kField)) {
      const int places = latency.unit == DurationUnit::s ? 3 : 0;
      if (!read_number(kField, latency.quoted, places, true, latency_ms)) return false;
    } else if (latency.required) {
      return fail(DeadReason::missing_field, kField);
    }
    if (latency_ms < 0 || latency_ms > kMaxLatencyMs) {
      return fail(DeadReason::number_out_of_range, kField);
    }
  }
  out.latency_ms = static_cast<uint32_t>(latency_ms);
  return true;
}

bool AttemptDecoder::read_amount(DecodedAttempt& out) {
  constexpr AttemptField kField = AttemptField::amount_minor;
  const CurrencyTable::Currency* currency = currencies_.find(out.attempt.currency);
  if (currency == nullptr) return fail(DeadReason::unknown_currency, AttemptField::currency);
  if (absent(kField)) return fail(DeadReason::missing_field, kField);
  const AmountRule& rule = mapping_.amount_minor;
  const int places = rule.unit == AmountUnit::major ? static_cast<int>(currency->decimals) : 0;
  int64_t amount = 0;
  if (!read_number(kField, rule.quoted, places, false, amount)) return false;
  if (amount < 0) return fail(DeadReason::negative_amount, kField);
  out.attempt.amount_minor = amount;
  out.reporting_minor = CurrencyTable::to_reporting(*currency, amount);
  if (amount > max_amount_minor_ || out.reporting_minor > max_amount_minor_) {
    return fail(DeadReason::number_out_of_range, kField);
  }
  return true;
}

// What attribution asks for; all of it may be absent. REQUIRES: read_amount().
bool AttemptDecoder::read_details(DecodedAttempt& out) {
  unsigned band = 0;
  for (const int64_t edge : band_edges_) band += out.reporting_minor >= edge;
  out.band = static_cast<uint8_t>(band);
  Attempt& attempt = out.attempt;
  if (!read_text(merchant_id_, attempt.merchant_id)) return false;
  if (!read_text(region_, attempt.region)) return false;
  attempt.stage = AttemptStage::authorised;
  std::string_view stage;
  if (!read_text(stage_, stage)) return false;
  if (stage.empty()) return true;
  const auto parsed = parse_enum<AttemptStage>(stage);
  if (!parsed) return fail(DeadReason::unknown_value, AttemptField::stage);
  attempt.stage = *parsed;
  return true;
}

bool AttemptDecoder::read_experiment(DecodedAttempt& out) {
  Attempt& attempt = out.attempt;
  attempt.arm = Arm::none;
  attempt.action_count = 0;
  attempt.propensity = 1.0;
  out.actions_dropped = 0;
  std::string_view arm;
  if (!read_text(arm_, arm)) return false;
  if (!arm.empty() && arm != "none") {
    const auto parsed = parse_enum<Arm>(arm);
    if (!parsed) return fail(DeadReason::unknown_value, AttemptField::arm);
    attempt.arm = *parsed;
  }
  if (!absent(AttemptField::propensity)) {
    if (!read_propensity(attempt.propensity)) return false;
  }
  if (absent(AttemptField::action_ids)) return true;
  if (tokens_.of(AttemptField::action_ids) != "[]") {
    return fail(DeadReason::wrong_type, AttemptField::action_ids);
  }
  const uint32_t kept = std::min<uint32_t>(tokens_.action_count, kMaxActionsPerAttempt);
  out.actions_dropped = tokens_.action_count - kept;
  for (uint32_t i = 0; i < kept; ++i) {
    std::string_view id;
    if (!read_inside(AttemptField::action_ids, tokens_.actions[i], id)) return false;
    const uint64_t hash = hash64(id);
    const auto end = attempt.actions.begin() + attempt.action_count;
    if (std::find(attempt.actions.begin(), end, hash) == end) {
      attempt.actions[attempt.action_count++] = hash;
    }
  }
  return true;
}

// To nine decimals.
bool AttemptDecoder::read_propensity(double& out) {
  constexpr AttemptField kField = AttemptField::propensity;
  if (const std::string_view token = tokens_.of(kField); token == "1.0" || token == "1") {
    out = 1.0;
    return true;
  }
  int64_t billionths = 0;
  if (!read_number(kField, false, 9, true, billionths)) return false;
  if (billionths <= 0 || billionths > 1'000'000'000) {
    return fail(DeadReason::number_out_of_range, kField);
  }
  out = static_cast<double>(billionths) / 1e9;
  return true;
}

}  // namespace payops::observation
