// What decisions are priced with: margins, fees, customers' behaviour, how long faults last, where
// payments may go, and by which steps an intervention grows. Configuration; nothing here is learnt.
//
// Money is in minor units of the reporting currency, shares are in [0, 1], times in seconds.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::decision {

// One gateway's prices and limits.
struct GatewayTerms {
  double attempt_fee_minor = 60.0;      // every attempt, approved or not
  double fee_bps = 120.0;               // of the approved amount
  std::vector<std::string> currencies;  // empty = any
  double amount_min_minor = 0.0;
  double amount_max_minor = 0.0;    // 0 = no limit
  double portable_share = 1.0;      // payments whose merchant and mandate are good there too
  double max_payments_per_s = 0.0;  // 0 = learnt: headroom_multiple × recent peak
  static constexpr auto fields() {
    return std::make_tuple(field("attempt_fee_minor", &GatewayTerms::attempt_fee_minor),
                           field("fee_bps", &GatewayTerms::fee_bps),
                           field("currencies", &GatewayTerms::currencies),
                           field("amount_min_minor", &GatewayTerms::amount_min_minor),
                           field("amount_max_minor", &GatewayTerms::amount_max_minor),
                           field("portable_share", &GatewayTerms::portable_share),
                           field("max_payments_per_s", &GatewayTerms::max_payments_per_s));
  }
};

// A step of the ramp. Small steps hold half of the selected back, so that they can be judged soon.
struct RampStep {
  double strength = 1.0;  // share of the scope's customers selected
  double holdout = 0.05;  // share of the selected left untreated
  static constexpr auto fields() {
    return std::make_tuple(field("strength", &RampStep::strength),
                           field("holdout", &RampStep::holdout));
  }
};

struct Economics {
  std::string reporting_currency = "INR";
  double margin_share = 0.08;  // of a converted payment's amount, before gateway fees
  double amount_cv = 1.1;      // standard deviation of amounts ÷ their mean, within a path

  // Costs.
  std::map<std::string, GatewayTerms> gateways;
  GatewayTerms default_gateway;      // of gateways not listed
  double retry_fee_minor = 200.0;    // scheme's charge on a retry, on top of the attempt fee
  double friction_minor = 20.0;      // a customer asked to pay another way
  double latency_minor_per_s = 2.0;  // a customer kept waiting for a second
  double execution_minor = 100.0;    // carrying out one intervention
  std::map<std::string, double> execution_minor_by_type = {{"alert_ops", 5000.0}};

  // Customers.
  double switch_acceptance = 0.35;     // of those asked to pay another way, who do
  double switch_acceptance_sd = 0.15;  // how far that may be wrong
  double switch_alone = 0.1;           // of those declined, who do so unasked
  double retry_abandon_per_s = 0.005;  // hazard of leaving while a retry is held back
  double storm_relief = 0.5;       // of a retry storm's losses, what ends with its excess attempts
  double storm_feedback = 10.0;    // most load that goes with each retry spaced: it bred others
  double value_error = 0.2;        // how far the model of a value may be off, as a share of it
  double ops_repair_share = 0.01;  // of the losses over the horizon, what alerted people avert

  // How long things last. A fault's length is taken as log-normal.
  double horizon_s = 600.0;  // an intervention's lease, and what its value is counted over
  double fault_mean_s = 1200.0;
  double fault_sd_s = 1800.0;
  double recovery_notice_s = 60.0;  // from a fault's end to that of its intervention

  // Where payments may go.
  std::map<std::string, std::vector<std::string>>
      method_gateways;                                        // absent = where it is seen live
  std::map<std::string, std::vector<std::string>> upstreams;  // gateway → what it stands on
  double headroom_multiple = 1.5;                             // of a gateway's recent peak

  // Evidence that interventions on traffic need.
  double posterior_min = 0.05;  // of the hypothesis answered
  double attempts_min = 500.0;  // seen on the scope, and on the target of a reroute
  double warming_max = 1.0;     // share of the scope's payments on paths still warming up
  double healthy_share = 0.9;   // of the baseline success, from which a path counts as healthy
  double outage_share = 0.6;    // below which one counts as out
  std::vector<RampStep> ramp = {{0.05, 0.5}, {0.25, 0.2}, {1.0, 0.05}};
  double ramp_first_max = 0.25;   // largest step before anything is known of an intervention
  double ramp_memory_s = 3600.0;  // for which an improvement entitles to the same step again
  double renew_share = 0.1;       // of the lease, when less is left an improving one is renewed

  // REQUIRES validate(). Errors: config, naming the key.
  [[nodiscard]] Status validate() const;

  [[nodiscard]] const GatewayTerms& terms(std::string_view gateway) const;
  // Cost of carrying out an intervention of this type.
  [[nodiscard]] double execution(std::string_view type) const;
  // May `method` be paid through `gateway`? True for methods not listed in method_gateways.
  [[nodiscard]] bool supports(std::string_view method, std::string_view gateway) const;
  // Do two gateways stand on something in common? Every gateway shares with itself.
  [[nodiscard]] bool share_upstream(std::string_view a, std::string_view b) const;
  // Of payments with this mean amount, the share that `gateway` takes: by currency, amount limits
  // (amounts taken as exponential) and portability.
  [[nodiscard]] double acceptable_share(std::string_view gateway, double amount_mean_minor) const;

  static constexpr auto fields() {
    return std::make_tuple(
        field("reporting_currency", &Economics::reporting_currency),
        field("margin_share", &Economics::margin_share), field("amount_cv", &Economics::amount_cv),
        field("gateways", &Economics::gateways),
        field("default_gateway", &Economics::default_gateway),
        field("retry_fee_minor", &Economics::retry_fee_minor),
        field("friction_minor", &Economics::friction_minor),
        field("latency_minor_per_s", &Economics::latency_minor_per_s),
        field("execution_minor", &Economics::execution_minor),
        field("execution_minor_by_type", &Economics::execution_minor_by_type),
        field("switch_acceptance", &Economics::switch_acceptance),
        field("switch_acceptance_sd", &Economics::switch_acceptance_sd),
        field("switch_alone", &Economics::switch_alone),
        field("retry_abandon_per_s", &Economics::retry_abandon_per_s),
        field("storm_relief", &Economics::storm_relief),
        field("storm_feedback", &Economics::storm_feedback),
        field("value_error", &Economics::value_error),
        field("ops_repair_share", &Economics::ops_repair_share),
        field("horizon_s", &Economics::horizon_s), field("fault_mean_s", &Economics::fault_mean_s),
        field("fault_sd_s", &Economics::fault_sd_s),
        field("recovery_notice_s", &Economics::recovery_notice_s),
        field("method_gateways", &Economics::method_gateways),
        field("upstreams", &Economics::upstreams),
        field("headroom_multiple", &Economics::headroom_multiple),
        field("posterior_min", &Economics::posterior_min),
        field("attempts_min", &Economics::attempts_min),
        field("warming_max", &Economics::warming_max),
        field("healthy_share", &Economics::healthy_share),
        field("outage_share", &Economics::outage_share), field("ramp", &Economics::ramp),
        field("ramp_first_max", &Economics::ramp_first_max),
        field("ramp_memory_s", &Economics::ramp_memory_s),
        field("renew_share", &Economics::renew_share));
  }
};

}  // namespace payops::decision
