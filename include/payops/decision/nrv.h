// Net revenue value: what an intervention is worth over its horizon against doing nothing, as a
// predictive distribution with every term itemised.
//
//   NRV = Σ payments × [(P(converts | action) − P(converts | nothing)) × margin − Δfees − Δretry
//   fees]
//         − latency − execution − friction
//
// The sum runs over the treated payments of every path touched, first while the fault lasts, then
// from its end until the intervention is ended too.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "payops/decision/economics.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"

namespace payops::decision {

// How one payment fares, in expectation.
struct Outlook {
  std::string gateway;  // whose terms price it; empty = the default's
  double conversion = 0.0;
  double conversion_sigma = 0.0;  // standard error of `conversion`
  double first_attempts = 1.0;    // below one where some customers never try
  double retries = 0.0;
  double wait_s = 0.0;  // over all its attempts
};

// What an intervention changes for one path's payments.
struct PathChange {
  Scope path;
  double payments_per_s = 0.0;  // eligible ones, as if all of the scope were selected
  double amount_minor = 0.0;    // mean
  Outlook nothing;              // while the fault lasts
  Outlook action;               //   as the mechanism predicts, before the learnt factor
  Outlook nothing_after;        // once it is over
  Outlook action_after;
  double asked = 0.0;  // share of customers asked to pay another way
  // Standard error of action.conversion − nothing.conversion that all paths have in common.
  double common_sigma = 0.0;
};

// A later step on the same key, or a renewal, takes over from an intervention; from then on what is
// gained is the later one's.
struct Takeover {
  double chance = 0.0;   // that it does, if the fault lasts so long
  double after_s = 0.0;  // from the beginning of the lease; may come at half or twice that
};

// That the target of a reroute gives way to what is sent there, which its own customers suffer for
// too until it is noticed.
struct Overload {
  double chance = 0.0;
  double loss_minor = 0.0;  // then, all of it
};

// A retry storm feeds on itself: when some no longer feed it, all in its scope fare better.
struct Relief {
  double loss_minor_per_s = 0.0;  // what they lose by it
};

// An intervention as it is valued.
struct Stakes {
  std::string type;
  std::vector<PathChange> changes;
  double strength = 1.0;
  double holdout = 0.0;
  double duration_s = 0.0;
  double fault_age_s = 0.0;  // how long the fault has lasted already
  double replaced_s = 0.0;   // what is left of the lease of what this takes over from
  // The share of this one's payments that it treats already: only the rest is gained until then.
  double replaced_share = 0.0;
  Takeover takeover;
  Overload overload;
  Relief relief;
  EffectPosterior factor;  // on action.conversion − nothing.conversion (effect_for)
  double belief = 1.0;     // that the cause is one it helps against; else conversion stays
};

// Some of the ends that a fault and its intervention may have.
struct OverlapPart {
  double chance = 0.0;
  double mean_s = 0.0;
  double sigma_s = 0.0;
  double after_s = 0.0;
};

// How much of a lease a fault overlaps; what an intervention taken over from would have done
// anyway is left out.
struct Overlap {
  double mean_s = 0.0;
  double sigma_s = 0.0;
  double after_s = 0.0;  // expected time from the fault's end to the intervention's
  // What these are the moments of, from the shortest overlap to the longest; some have no chance.
  std::array<OverlapPart, 17> parts{};
};

// For a fault that has lasted `age_s`, with log-normal length, and a lease of `duration_s` that a
// later step may take over from, and of which `replaced_share` would have been treated for
// `replaced_s` anyway; summed over 64 ends that the fault may have within the lease, and none.
[[nodiscard]] Overlap overlap(const Economics& economics, double age_s, double duration_s,
                              double replaced_s = 0.0, double replaced_share = 0.0,
                              const Takeover& takeover = {});

// The value, with the items conversion, fees, retry_fees, latency, execution and friction in this
// order; total.mean is their sum in this order, bit for bit. Its distribution is a mixture over the
// ends that fault and intervention may have, how much relief a storm gets (the cube of what is
// even between none and all) and whether the target gives way. Within each the value is normal, its
// variance that of the learnt factor, the measured rates and the outcomes: of a chance that the
// cause is another and nothing is mended (1 − belief), what all paths may be wrong in together,
// and: of a Poisson number of payments with amounts of amount_cv, those differ that the
// intervention changes (common random numbers: a payment that goes through in the worse world goes
// through in the better one).
[[nodiscard]] Nrv value(const Stakes& stakes, const Economics& economics);

// Change of conversion probability of a treated payment while the fault lasts, with the learnt
// factor; weighted by payments.
[[nodiscard]] Estimate effect_of(const Stakes& stakes);
// The same without the factor.
[[nodiscard]] double model_effect_of(const Stakes& stakes);

// Payments a second that the stakes treat: strength and holdout applied.
[[nodiscard]] double treated_per_s(const Stakes& stakes);

// Probability that a customer tries again after a failure, from attempts per payment k = 1/(1 − (1
// − s) r) of a path with success s, where every attempt succeeds alike. In [0, 0.95].
[[nodiscard]] double retry_propensity(const PathStats& path);
// How payments fare on `path` if an attempt succeeds with probability `success` and a failed one is
// tried again with probability `retry`, up to `max_attempts` in all: with q = (1 − s) r, attempts
// k = (1 − qᵐ)/(1 − q) and conversion s k. Waits are the path's p95, the ones customers notice.
[[nodiscard]] Outlook outlook(const PathStats& path, double success, double success_sigma,
                              double retry, int max_attempts = 100);

}  // namespace payops::decision
