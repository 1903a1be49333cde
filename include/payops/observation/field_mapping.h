// Which place in a team's own event holds each field of an attempt. The default is payops' native
// event; a config overrides field by field:
//
//   mapping:
//     attempt_id: {path: txn.id}
//     amount_minor: {path: txn.amount.value, unit: major, quoted: true}
//     ts_ms: {path: completed_at, unit: iso8601}
//     status: {path: txn.response, values: {"00": approved, "*": declined}}
//     gateway: {constant: RAZORPAY}
//
// A path is keys joined by dots, through objects only. A constant takes the place of the path. A
// field that is absent or null is a dead letter where `required`, else its default.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::observation {

// The fields of an attempt, in the native event's order.
enum class AttemptField : uint8_t {
  attempt_id,
  payment_id,
  attempt_no,
  ts_ms,
  issuer,
  method,
  gateway,
  merchant_id,
  amount_minor,
  currency,
  status,
  stage,
  decline_code,
  latency_ms,
  region,
  action_ids,
  arm,
  propensity
};
inline constexpr std::size_t kAttemptFields = 18;

enum class AmountUnit : uint8_t { minor, major };
enum class TimeUnit : uint8_t { ms, s, iso8601 };
enum class DurationUnit : uint8_t { ms, s };

// Text. `values` translates what the team's event says into payops' word; the key "*" is for every
// other value. With `number` a JSON number or boolean is taken by its text ("0" for 0).
struct TextRule {
  std::string path{};
  std::optional<std::string> constant{};
  std::map<std::string, std::string> values{};
  bool number = false;
  bool required = true;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &TextRule::path), field("constant", &TextRule::constant),
                           field("values", &TextRule::values), field("number", &TextRule::number),
                           field("required", &TextRule::required));
  }
};

// A whole number. `quoted`: the event holds it as a string.
struct WholeRule {
  std::string path{};
  std::optional<int64_t> constant{};
  bool quoted = false;
  bool required = true;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &WholeRule::path), field("constant", &WholeRule::constant),
                           field("quoted", &WholeRule::quoted),
                           field("required", &WholeRule::required));
  }
};

// Money, converted exactly: "499.90" in major units of a currency with two decimals is 49990; a
// third decimal other than zero is a dead letter, never rounded.
struct AmountRule {
  std::string path{};
  AmountUnit unit = AmountUnit::minor;
  bool quoted = false;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &AmountRule::path), field("unit", &AmountRule::unit),
                           field("quoted", &AmountRule::quoted));
  }
};

// A moment. ISO 8601 is "2026-03-01T12:00:05.250+05:30"; without a zone it is UTC. Parts of a
// millisecond are cut off.
struct TimeRule {
  std::string path{};
  TimeUnit unit = TimeUnit::ms;
  bool quoted = false;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &TimeRule::path), field("unit", &TimeRule::unit),
                           field("quoted", &TimeRule::quoted));
  }
};

// A length of time; parts of a millisecond are cut off.
struct DurationRule {
  std::string path{};
  DurationUnit unit = DurationUnit::ms;
  std::optional<int64_t> constant{};  // ms
  bool quoted = false;
  bool required = true;
  static constexpr auto fields() {
    return std::make_tuple(field("path", &DurationRule::path), field("unit", &DurationRule::unit),
                           field("constant", &DurationRule::constant),
                           field("quoted", &DurationRule::quoted),
                           field("required", &DurationRule::required));
  }
};

// A list of texts, or a probability in (0, 1]: both may be absent.
struct PlainRule {
  std::string path{};
  static constexpr auto fields() { return std::make_tuple(field("path", &PlainRule::path)); }
};

struct FieldMapping {
  TextRule attempt_id{.path = "attempt_id"};
  TextRule payment_id{.path = "payment_id"};
  WholeRule attempt_no{.path = "attempt_no"};  // default 1
  TimeRule ts_ms{.path = "ts_ms"};
  TextRule issuer{.path = "issuer"};
  TextRule method{.path = "method"};
  TextRule gateway{.path = "gateway"};
  TextRule merchant_id{.path = "merchant_id", .number = true, .required = false};
  AmountRule amount_minor{.path = "amount_minor"};
  TextRule currency{.path = "currency"};
  TextRule status{.path = "status"};
  TextRule stage{.path = "stage", .required = false};  // default authorised
  TextRule decline_code{.path = "decline_code", .required = false};
  DurationRule latency_ms{.path = "latency_ms"};  // default 0
  TextRule region{.path = "region", .number = true, .required = false};
  PlainRule action_ids{.path = "action_ids"};
  TextRule arm{.path = "arm", .required = false};
  PlainRule propensity{.path = "propensity"};
  static constexpr auto fields() {
    return std::make_tuple(
        field("attempt_id", &FieldMapping::attempt_id),
        field("payment_id", &FieldMapping::payment_id),
        field("attempt_no", &FieldMapping::attempt_no), field("ts_ms", &FieldMapping::ts_ms),
        field("issuer", &FieldMapping::issuer), field("method", &FieldMapping::method),
        field("gateway", &FieldMapping::gateway), field("merchant_id", &FieldMapping::merchant_id),
        field("amount_minor", &FieldMapping::amount_minor),
        field("currency", &FieldMapping::currency), field("status", &FieldMapping::status),
        field("stage", &FieldMapping::stage), field("decline_code", &FieldMapping::decline_code),
        field("latency_ms", &FieldMapping::latency_ms), field("region", &FieldMapping::region),
        field("action_ids", &FieldMapping::action_ids), field("arm", &FieldMapping::arm),
        field("propensity", &FieldMapping::propensity));
  }
  // Errors: config, one sentence naming the field: a path with an empty key, a required field with
  // neither path nor constant, a path that runs through another field's value, a value map that
  // leads to an unknown status, stage or arm.
  [[nodiscard]] Status validate() const;
};

}  // namespace payops::observation

namespace payops {
template <>
inline constexpr EnumNames<observation::kAttemptFields> enum_names<observation::AttemptField>{
    "attempt_id",   "payment_id",  "attempt_no",   "ts_ms",      "issuer", "method",
    "gateway",      "merchant_id", "amount_minor", "currency",   "status", "stage",
    "decline_code", "latency_ms",  "region",       "action_ids", "arm",    "propensity"};
template <>
inline constexpr EnumNames<2> enum_names<observation::AmountUnit>{"minor", "major"};
template <>
inline constexpr EnumNames<3> enum_names<observation::TimeUnit>{"ms", "s", "iso8601"};
template <>
inline constexpr EnumNames<2> enum_names<observation::DurationUnit>{"ms", "s"};
}  // namespace payops
