#include "payops/reasoning/cause_counts.h"

#include <algorithm>
#include <numeric>

#include "payops/core/check.h"

namespace payops::reasoning {
namespace {

// How often each cause is behind an incident, before any has been confirmed: guesses of an
// operations team.
constexpr std::array<double, kCauses> kGuess{
    0.30,  // issuer_down
    0.20,  // gateway_down
    0.05,  // network
    0.10,  // method_wide
    0.08,  // retry_storm
    0.08,  // latency
    0.07,  // customer_shift
    0.04,  // traffic_drop
    0.02,  // fraud_burst
    0.02,  // own_action
    0.02,  // data_problem
    0.06,  // upstream_down
    0.05,  // authentication
    0.06,  // merchant_change
    0.02,  // none_of_these
    6.00,  // maintenance: only where it was announced, and then it is nearly always the reason
};

std::size_t at(Cause cause) { return static_cast<std::size_t>(cause); }

double guesses() {
  double sum = 0.0;
  for (std::size_t c = 0; c < kCauses; ++c) {
    if (CauseCounts::counts(static_cast<Cause>(c))) sum += kGuess[c];
  }
  return sum;
}

}  // namespace

bool CauseCounts::counts(Cause cause) {
  return cause != Cause::maintenance && cause != Cause::none_of_these;
}

double CauseCounts::guess(Cause cause) { return kGuess[at(cause)]; }

void CauseCounts::confirm(Cause cause, double weight) {
  PAYOPS_CHECK(counts(cause));
  confirmed_[at(cause)] = std::max(0.0, confirmed_[at(cause)] + weight);
  const double sum = total();
  if (sum <= kRemembered) return;
  for (double& count : confirmed_) count *= kRemembered / sum;
}

double CauseCounts::confirmed(Cause cause) const { return confirmed_[at(cause)]; }

double CauseCounts::total() const {
  return std::accumulate(confirmed_.begin(), confirmed_.end(), 0.0);
}

double CauseCounts::prior(Cause cause) const {
  const double n = total();
  if (!counts(cause) || n <= 0.0) return guess(cause);
  const double all = guesses();
  return all * (kGuessIncidents * guess(cause) / all + confirmed(cause)) / (kGuessIncidents + n);
}

}  // namespace payops::reasoning
