// What reasoning tells the rest: how every watched cell stands, which series changed, which
// pattern that is, and which explanations compete. Plain values; nothing here decides.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/model/dimensions.h"

namespace payops {

enum class Signal : uint8_t {
  success_rate,
  latency_p95,
  retry_rate,
  volume,
  decline_mix,
  complaints  // an hour, by customers' chats
};
template <>
inline constexpr EnumNames<6> enum_names<Signal>{"success_rate", "latency_p95", "retry_rate",
                                                 "volume",       "decline_mix", "complaints"};

// One signal of one series now, against its baseline. Rates are shares in [0, 1], latency is in
// ms, volume in attempts a second. `z` is signed so that positive is always worse.
struct Reading {
  Signal signal = Signal::success_rate;
  double value = 0.0;
  double baseline = 0.0;
  double sigma = 0.0;  // standard deviation the z-score divides by
  double z = 0.0;
  bool warming_up = true;
  static constexpr auto fields() {
    return std::make_tuple(field("signal", &Reading::signal), field("value", &Reading::value),
                           field("baseline", &Reading::baseline), field("sigma", &Reading::sigma),
                           field("z", &Reading::z), field("warming_up", &Reading::warming_up));
  }
};

// A series as an operator reads it: one line for every issuer, method and gateway.
struct SeriesStatus {
  Scope scope;
  uint64_t attempts = 0;  // in the display window
  bool degraded = false;  // any reading's z beyond anomaly_threshold
  bool alarming = false;
  std::vector<Reading> readings;
  static constexpr auto fields() {
    return std::make_tuple(
        field("scope", &SeriesStatus::scope), field("attempts", &SeriesStatus::attempts),
        field("degraded", &SeriesStatus::degraded), field("alarming", &SeriesStatus::alarming),
        field("readings", &SeriesStatus::readings));
  }
};

enum class Pattern : uint8_t {
  issuer_degradation,
  issuer_outage,
  method_fatigue,
  retry_storm,
  latency_spike,
  gateway_failure,
  volume_drop,
  decline_mix_shift,
  fraud_burst,
  merchant_failure,        // one merchant's payments, wherever they go
  network_failure,         // of everything, or of one region
  upstream_failure,        // of what several gateways stand on
  authentication_failure,  // payments lost at 3-D Secure or one-time passwords
  traffic_mix_shift,       // other payments than usual, each failing as it always did
  unexplained_failure,     // technical failures that no place and no cause accounts for yet
  complaints               // customers complain; payments themselves need not show it
};
template <>
inline constexpr EnumNames<16> enum_names<Pattern>{"issuer_degradation",
                                                   "issuer_outage",
                                                   "method_fatigue",
                                                   "retry_storm",
                                                   "latency_spike",
                                                   "gateway_failure",
                                                   "volume_drop",
                                                   "decline_mix_shift",
                                                   "fraud_burst",
                                                   "merchant_failure",
                                                   "network_failure",
                                                   "upstream_failure",
                                                   "authentication_failure",
                                                   "traffic_mix_shift",
                                                   "unexplained_failure",
                                                   "complaints"};

enum class Spread : uint8_t { localized, systemic };
template <>
inline constexpr EnumNames<2> enum_names<Spread>{"localized", "systemic"};

enum class Cause : uint8_t {
  issuer_down,
  gateway_down,
  network,
  method_wide,
  retry_storm,
  latency,
  customer_shift,
  traffic_drop,
  fraud_burst,
  own_action,
  data_problem,
  upstream_down,    // what several gateways stand on
  authentication,   // 3-D Secure or one-time passwords
  merchant_change,  // one merchant's own doing
  none_of_these,
  maintenance  // that the calendar announced
};
template <>
inline constexpr EnumNames<16> enum_names<Cause>{
    "issuer_down",    "gateway_down",    "network",        "method_wide",
    "retry_storm",    "latency",         "customer_shift", "traffic_drop",
    "fraud_burst",    "own_action",      "data_problem",   "upstream_down",
    "authentication", "merchant_change", "none_of_these",  "maintenance"};

// The part of a scope's payments that an explanation is about; "*" is all of them.
struct Slice {
  std::string region = "*";
  std::string merchant = "*";
  std::string amount = "*";    // smallest | small | large | largest
  std::string stage = "*";     // an AttemptStage
  std::string decline = "*";   // a DeclineClass: that what is in excess there is of
  std::string upstream = "*";  // of the topology
  auto operator<=>(const Slice&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("region", &Slice::region), field("merchant", &Slice::merchant),
                           field("amount", &Slice::amount), field("stage", &Slice::stage),
                           field("decline", &Slice::decline), field("upstream", &Slice::upstream));
  }
};
// Whether it is fewer payments than the scope's: a decline class tells failures apart, and no
// payments.
[[nodiscard]] bool is_part(const Slice& slice);
// "merchant m_0001 in region south, declined as merchant", "issuer HDFC at authentication"; as
// describe(scope) when the slice is all of it.
[[nodiscard]] std::string describe(const Scope& scope, const Slice& slice);

// A detector's statement that a series changed.
struct Alarm {
  std::string id;  // "alm-" + 16 hex, a function of series, signal and start
  Scope scope;
  Signal signal = Signal::success_rate;
  Pattern pattern = Pattern::issuer_degradation;
  Spread spread = Spread::localized;
  int64_t started_ts_ms = 0;           // when the detector says the change began
  int64_t raised_ts_ms = 0;            // when the evidence sufficed
  int64_t ended_ts_ms = 0;             // 0 while it lasts
  int64_t recovered_ts_ms = 0;         // since when its scope has been well again; 0: it is not
  double statistic = 0.0;              // the detector's value when it fired
  double threshold = 0.0;              // what it had to exceed
  double false_alarms_per_week = 0.0;  // this detector's share of the deployment's budget
  uint64_t evidence_attempts = 0;
  double observed = 0.0;  // since started_ts_ms
  double expected = 0.0;
  double excess_failures = 0.0;
  std::string announced{};             // the reason of the maintenance that it falls into, or ""
  Cause cause = Cause::none_of_these;  // that leads among the explanations of this alarm
  double certainty = 0.0;              // its probability among them
  Slice slice{};  // the part of the scope that the pattern is about, where that is named
  static constexpr auto fields() {
    return std::make_tuple(
        field("id", &Alarm::id), field("scope", &Alarm::scope), field("signal", &Alarm::signal),
        field("pattern", &Alarm::pattern), field("spread", &Alarm::spread),
        field("started_ts_ms", &Alarm::started_ts_ms), field("raised_ts_ms", &Alarm::raised_ts_ms),
        field("ended_ts_ms", &Alarm::ended_ts_ms),
        field("recovered_ts_ms", &Alarm::recovered_ts_ms), field("statistic", &Alarm::statistic),
        field("threshold", &Alarm::threshold),
        field("false_alarms_per_week", &Alarm::false_alarms_per_week),
        field("evidence_attempts", &Alarm::evidence_attempts), field("observed", &Alarm::observed),
        field("expected", &Alarm::expected), field("excess_failures", &Alarm::excess_failures),
        field("announced", &Alarm::announced), field("cause", &Alarm::cause),
        field("certainty", &Alarm::certainty), field("slice", &Alarm::slice));
  }
};

// A competing explanation of what the alarms show.
struct Hypothesis {
  std::string id;  // "hyp-" + 16 hex of cause, scope and slice
  Cause cause = Cause::none_of_these;
  Scope scope;
  Slice slice{};
  double prior = 0.0;
  double posterior = 0.0;  // over all hypotheses of an assessment these sum to one
  double certainty = 0.0;  // posterior given only the alarm it explains best; 0: as posterior
  double log_likelihood = 0.0;
  std::vector<std::string> evidence_for;
  std::vector<std::string> evidence_against;
  std::string why_not;  // for all but the leading one: what the leader explains that this cannot
  static constexpr auto fields() {
    return std::make_tuple(field("id", &Hypothesis::id), field("cause", &Hypothesis::cause),
                           field("scope", &Hypothesis::scope), field("slice", &Hypothesis::slice),
                           field("prior", &Hypothesis::prior),
                           field("posterior", &Hypothesis::posterior),
                           field("certainty", &Hypothesis::certainty),
                           field("log_likelihood", &Hypothesis::log_likelihood),
                           field("evidence_for", &Hypothesis::evidence_for),
                           field("evidence_against", &Hypothesis::evidence_against),
                           field("why_not", &Hypothesis::why_not));
  }
};

// Live traffic and health of one path (no "*"), what options are valued from.
struct PathStats {
  Scope path;
  double payments_per_s = 0.0;  // first attempts that customers want, our own actions aside
  double success_rate = 0.0;    // first attempts, short window, shrunk towards the baseline
  double success_sigma = 0.0;   // its standard error
  double fault_sigma = 0.0;     // what of it all paths of one fault have in common
  double baseline_success = 0.0;
  double attempts_per_payment = 1.0;
  double latency_p95_ms = 0.0;
  double amount_minor_mean = 0.0;  // reporting currency
  uint64_t attempts = 0;           // seen in all; traffic actions need 500
  bool warming_up = true;
  static constexpr auto fields() {
    return std::make_tuple(
        field("path", &PathStats::path), field("payments_per_s", &PathStats::payments_per_s),
        field("success_rate", &PathStats::success_rate),
        field("success_sigma", &PathStats::success_sigma),
        field("fault_sigma", &PathStats::fault_sigma),
        field("baseline_success", &PathStats::baseline_success),
        field("attempts_per_payment", &PathStats::attempts_per_payment),
        field("latency_p95_ms", &PathStats::latency_p95_ms),
        field("amount_minor_mean", &PathStats::amount_minor_mean),
        field("attempts", &PathStats::attempts), field("warming_up", &PathStats::warming_up));
  }
};

// Everything reasoning concludes in a cycle.
struct Assessment {
  int64_t ts_ms = 0;                   // event time of the cycle
  std::vector<SeriesStatus> statuses;  // global, then issuers, methods, gateways by name
  std::vector<Alarm> alarms;           // in force
  std::vector<Alarm> rose;             // since the last cycle
  std::vector<Alarm> ended;            // since the last cycle
  std::vector<Hypothesis> hypotheses;  // by posterior, largest first; empty without alarms
  std::vector<PathStats> paths;        // every live path by name
  static constexpr auto fields() {
    return std::make_tuple(
        field("ts_ms", &Assessment::ts_ms), field("statuses", &Assessment::statuses),
        field("alarms", &Assessment::alarms), field("rose", &Assessment::rose),
        field("ended", &Assessment::ended), field("hypotheses", &Assessment::hypotheses),
        field("paths", &Assessment::paths));
  }
};

}  // namespace payops
