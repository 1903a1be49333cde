// A scenario: who pays, by what, through whom, how healthy that normally is, and what goes wrong
// when. Read from simulators/scenarios/*.yaml; docs/scenarios.md explains every key.
// Probabilities and shares are in [0, 1], money is in minor units, faults start in seconds after
// the world does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/attempt.h"
#include "payops/model/dimensions.h"

namespace payops::simulators {

struct IssuerSpec {
  std::string name;
  double share = 1.0;  // weight among issuers; weights need not sum to one
  static constexpr auto fields() {
    return std::make_tuple(field("name", &IssuerSpec::name), field("share", &IssuerSpec::share));
  }
};

struct MethodSpec {
  std::string name;
  double share = 1.0;
  double latency_ms = 800.0;  // median
  static constexpr auto fields() {
    return std::make_tuple(field("name", &MethodSpec::name), field("share", &MethodSpec::share),
                           field("latency_ms", &MethodSpec::latency_ms));
  }
};

struct GatewaySpec {
  std::string name;
  double share = 1.0;      // of the default router's static split
  int64_t fee_minor = 60;  // per attempt
  double fee_bps = 120.0;  // of the approved amount, in hundredths of a percent
  double latency_factor = 1.0;
  static constexpr auto fields() {
    return std::make_tuple(field("name", &GatewaySpec::name), field("share", &GatewaySpec::share),
                           field("fee_minor", &GatewaySpec::fee_minor),
                           field("fee_bps", &GatewaySpec::fee_bps),
                           field("latency_factor", &GatewaySpec::latency_factor));
  }
};

// The Ornstein-Uhlenbeck process of every path (latent.h). theta and sigma are per unit of time.
struct Drift {
  double theta = 0.1;   // pull back to the mean; 1/theta units is the memory
  double sigma = 0.05;  // of the success probability, per square root of a unit
  double mean_success = 0.95;
  double time_unit_s = 60.0;    // seconds in a unit
  double latency_sigma = 0.02;  // of the logarithm of latency
  double retry_sigma = 0.01;    // of the retry propensity
  static constexpr auto fields() {
    return std::make_tuple(
        field("theta", &Drift::theta), field("sigma", &Drift::sigma),
        field("mean_success", &Drift::mean_success), field("time_unit_s", &Drift::time_unit_s),
        field("latency_sigma", &Drift::latency_sigma), field("retry_sigma", &Drift::retry_sigma));
  }
  [[nodiscard]] Status validate() const;
};

// Deviations of the paths in a scope; later entries win.
struct PathSpec {
  Scope scope;
  std::optional<double> theta = {}, sigma = {}, mean_success = {};  // absent: as `drift` has it
  double latency_factor = 1.0;
  static constexpr auto fields() {
    return std::make_tuple(field("scope", &PathSpec::scope), field("theta", &PathSpec::theta),
                           field("sigma", &PathSpec::sigma),
                           field("mean_success", &PathSpec::mean_success),
                           field("latency_factor", &PathSpec::latency_factor));
  }
};

// The hour of day scales arrivals by 1 + amplitude × cos(2π (hour − peak_hour) / 24).
struct Rhythm {
  double amplitude = 0.0;
  double peak_hour = 20.0;
  double utc_offset_h = 5.5;
  static constexpr auto fields() {
    return std::make_tuple(field("amplitude", &Rhythm::amplitude),
                           field("peak_hour", &Rhythm::peak_hour),
                           field("utc_offset_h", &Rhythm::utc_offset_h));
  }
};

struct Economics {
  double margin_share = 0.08;     // of a converted amount, before fees
  int64_t retry_fee_minor = 200;  // per retry, on top of the attempt's fee
  double amount_median_minor = 80'000;
  double amount_spread = 0.9;  // sigma of the logarithm
  static constexpr auto fields() {
    return std::make_tuple(field("margin_share", &Economics::margin_share),
                           field("retry_fee_minor", &Economics::retry_fee_minor),
                           field("amount_median_minor", &Economics::amount_median_minor),
                           field("amount_spread", &Economics::amount_spread));
  }
};

struct Latency {
  double spread = 0.35;        // sigma of the logarithm of one attempt's latency
  double timeout_ms = 8000.0;  // an attempt that takes longer ends as a timeout
  static constexpr auto fields() {
    return std::make_tuple(field("spread", &Latency::spread),
                           field("timeout_ms", &Latency::timeout_ms));
  }
};

// What customers do after a failure: with probability `propensity` (drifting per path, less after
// a decline of their own making) they try again, after a mean delay, by weight on the same path,
// through another gateway, or with another of their instruments.
struct Retry {
  double propensity = 0.45;
  uint32_t max_attempts = 4;
  double delay_ms = 3000.0;
  double same_path = 0.45;
  double other_gateway = 0.30;
  double other_instrument = 0.25;
  static constexpr auto fields() {
    return std::make_tuple(
        field("propensity", &Retry::propensity), field("max_attempts", &Retry::max_attempts),
        field("delay_ms", &Retry::delay_ms), field("same_path", &Retry::same_path),
        field("other_gateway", &Retry::other_gateway),
        field("other_instrument", &Retry::other_instrument));
  }
};

// How traffic answers to interventions.
struct Steering {
  double ramp_out_s = 10.0;  // after its end an effect leaves customer by customer over this time
  double friction = 0.12;    // share of customers lost when asked to pay another way
  static constexpr auto fields() {
    return std::make_tuple(field("ramp_out_s", &Steering::ramp_out_s),
                           field("friction", &Steering::friction));
  }
};

// Load-dependent failure: an issuer or gateway fails with probability
// min(0.9, sensitivity × max(0, load / (headroom × nominal load) − 1)). Sensitivity 0 turns it off.
struct Load {
  double sensitivity = 0.0;
  double issuer_headroom = 1.5;
  double gateway_headroom = 2.0;
  static constexpr auto fields() {
    return std::make_tuple(field("sensitivity", &Load::sensitivity),
                           field("issuer_headroom", &Load::issuer_headroom),
                           field("gateway_headroom", &Load::gateway_headroom));
  }
};

// What several gateways stand on: an acquirer, a switch, a scheme, a data centre.
struct UpstreamSpec {
  std::string name;
  std::vector<std::string> gateways;
  static constexpr auto fields() {
    return std::make_tuple(field("name", &UpstreamSpec::name),
                           field("gateways", &UpstreamSpec::gateways));
  }
};

enum class FaultKind : uint8_t {
  outage,
  slow_ramp,
  flapping,
  latency_spike,
  retry_storm,
  gateway_failure,
  method_fatigue,
  insufficient_funds,
  traffic_mix,
  fraud_burst,
  data_delay,
  volume_drop
};

// One thing that goes wrong. What `severity` means depends on the kind: docs/scenarios.md.
struct Fault {
  FaultKind kind = FaultKind::outage;
  double start_s = 300.0;
  double duration_s = 300.0;
  Scope scope;
  // Whom of the scope it hits, "*" being everybody; only faults that fail attempts can say it.
  std::string region = "*";
  std::string merchant = "*";
  std::string upstream = "*";                     // all gateways on it
  AttemptStage stage = AttemptStage::authorised;  // at which the attempts are lost
  double severity = 0.8;
  double period_s = 60.0;  // flapping: bad for the first half of each period
  double ramp_s = 0.0;     // slow_ramp, method_fatigue: time to full severity; 0 = the duration
  double factor = 4.0;     // latency_spike: on latency
  double delay_s = 30.0;   // data_delay: attempts are published so much later
  static constexpr auto fields() {
    return std::make_tuple(field("kind", &Fault::kind), field("start_s", &Fault::start_s),
                           field("duration_s", &Fault::duration_s), field("scope", &Fault::scope),
                           field("region", &Fault::region), field("merchant", &Fault::merchant),
                           field("upstream", &Fault::upstream), field("stage", &Fault::stage),
                           field("severity", &Fault::severity), field("period_s", &Fault::period_s),
                           field("ramp_s", &Fault::ramp_s), field("factor", &Fault::factor),
                           field("delay_s", &Fault::delay_s));
  }
  [[nodiscard]] Status validate() const;
};

// Where customers live, each as many.
inline constexpr std::array<std::string_view, 5> kRegions{"north", "south", "east", "west",
                                                          "central"};
// A merchant's name in events: "m_0042".
[[nodiscard]] std::string merchant_name(uint32_t merchant);
// Back from its name; nothing when it is none of `merchants`.
[[nodiscard]] std::optional<uint32_t> merchant_of(std::string_view name, uint32_t merchants);

struct Scenario {
  std::string name = "unnamed";
  std::string description;
  double rate_tps = 40.0;  // payments a second; attempts are a little more
  double duration_s = 1800.0;
  uint32_t customers = 20'000;
  uint32_t merchants = 40;
  std::string currency = "INR";
  std::vector<IssuerSpec> issuers = {
      {"HDFC", 0.32}, {"ICICI", 0.26}, {"AXIS", 0.18}, {"SBI", 0.24}};
  std::vector<MethodSpec> methods = {{"card", 0.34, 900},
                                     {"upi", 0.38, 650},
                                     {"wallet", 0.10, 400},
                                     {"bnpl", 0.07, 750},
                                     {"netbanking", 0.11, 1500}};
  std::vector<GatewaySpec> gateways = {{"RAZORPAY", 0.45, 60, 120, 1.0},
                                       {"PAYU", 0.35, 50, 110, 1.1},
                                       {"BILLDESK", 0.20, 70, 140, 0.95}};
  Drift drift;
  std::vector<UpstreamSpec> upstreams;
  std::vector<PathSpec> paths;
  Rhythm rhythm;
  Economics economics;
  Latency latency;
  Retry retry;
  Steering steering;
  Load load;
  double truth_every_s = 30.0;  // latent state is told to simulator.truth so often; 0 = never
  std::vector<Fault> faults;
  static constexpr auto fields() {
    return std::make_tuple(
        field("name", &Scenario::name), field("description", &Scenario::description),
        field("rate_tps", &Scenario::rate_tps), field("duration_s", &Scenario::duration_s),
        field("customers", &Scenario::customers), field("merchants", &Scenario::merchants),
        field("currency", &Scenario::currency), field("issuers", &Scenario::issuers),
        field("methods", &Scenario::methods), field("gateways", &Scenario::gateways),
        field("upstreams", &Scenario::upstreams), field("drift", &Scenario::drift),
        field("paths", &Scenario::paths), field("rhythm", &Scenario::rhythm),
        field("economics", &Scenario::economics), field("latency", &Scenario::latency),
        field("retry", &Scenario::retry), field("steering", &Scenario::steering),
        field("load", &Scenario::load), field("truth_every_s", &Scenario::truth_every_s),
        field("faults", &Scenario::faults));
  }
  // Errors: config, naming the entry that cannot be.
  [[nodiscard]] Status validate() const;
};

// Where scenarios are looked for: $PAYOPS_SCENARIOS, simulators/scenarios under the working
// directory, and beside the program (in a build tree or an installation).
[[nodiscard]] std::vector<std::string> scenario_dirs();

// The scenario of that name in one of `dirs`, or of that path when it holds a '/' or ends in
// ".yaml". Errors: not_found with the nearest name; config with file, line and key.
[[nodiscard]] Result<Scenario> load_scenario(
    const std::string& name_or_path, const std::vector<std::string>& dirs = scenario_dirs());
[[nodiscard]] Result<Scenario> parse_scenario(const std::string& yaml, const std::string& file);

// All names in `dirs`, sorted.
[[nodiscard]] std::vector<std::string> scenario_names(
    const std::vector<std::string>& dirs = scenario_dirs());

}  // namespace payops::simulators

template <>
inline constexpr payops::EnumNames<12> payops::enum_names<payops::simulators::FaultKind>{
    "outage",      "slow_ramp",       "flapping",       "latency_spike",
    "retry_storm", "gateway_failure", "method_fatigue", "insufficient_funds",
    "traffic_mix", "fraud_burst",     "data_delay",     "volume_drop"};
