#include "payops/simulators/population.h"

#include <algorithm>

#include "payops/core/check.h"
#include "payops/core/random.h"
#include "payops/simulators/latent.h"

namespace payops::simulators {
namespace {

constexpr uint64_t kDrawCustomer = 1;
constexpr double kOneInstrument = 0.35;
constexpr double kTwoInstruments = 0.75;  // cumulative
constexpr double kOtherBank = 0.7;        // a further instrument is of another issuer

template <class Spec>
std::vector<double> weights_of(const std::vector<Spec>& specs) {
  std::vector<double> weights;
  weights.reserve(specs.size());
  for (const Spec& spec : specs) weights.push_back(spec.share);
  return weights;
}

std::array<char, 8> user_id(std::size_t number) {
  std::array<char, 8> id{'u'};
  for (std::size_t i = id.size(); i-- > 1; number /= 10) {
    id[i] = static_cast<char>('0' + number % 10);
  }
  return id;
}

}  // namespace

Shares::Shares(const std::vector<double>& weights) {
  double sum = 0.0;
  for (const double weight : weights) cumulative_.push_back(sum += weight);
  PAYOPS_CHECK(sum > 0.0);
  for (double& value : cumulative_) value /= sum;
  cumulative_.back() = 1.0;
}

std::size_t Shares::pick(double u) const {
  std::size_t i = 0;
  while (i + 1 < cumulative_.size() && u >= cumulative_[i]) ++i;
  return i;
}

std::size_t Shares::pick_without(double u, std::size_t without) const {
  const double low = without == 0 ? 0.0 : cumulative_[without - 1];
  const double scaled = u * (1.0 - share(without));
  const std::size_t i = pick(scaled < low ? scaled : scaled + share(without));
  if (i != without) return i;
  return without + 1 < size() ? without + 1 : without - 1;  // rounding at the very edge
}

double Shares::share(std::size_t i) const {
  return i == 0 ? cumulative_[0] : cumulative_[i] - cumulative_[i - 1];
}

Population::Population(const Scenario& scenario, uint64_t seed) : honest_(scenario.customers) {
  const Shares issuers(weights_of(scenario.issuers));
  const Shares methods(weights_of(scenario.methods));
  const Random random(seed);
  const std::size_t fraudsters = std::max<std::size_t>(50, scenario.customers / 100);
  customers_.resize(honest_ + fraudsters);
  for (std::size_t i = 0; i < customers_.size(); ++i) {
    RandomStream draw = random.at(kDrawCustomer, i);
    Customer& customer = customers_[i];
    customer.id = user_id(i);
    customer.region = static_cast<uint8_t>(draw.below(kRegions.size()));
    const double held = draw.uniform();
    const int wanted = held < kOneInstrument ? 1 : held < kTwoInstruments ? 2 : 3;
    for (int n = 0; n < wanted; ++n) {
      const std::size_t issuer = issuers.pick(draw.uniform());
      const bool own_bank = n > 0 && !draw.chance(kOtherBank);
      const Instrument candidate{
          own_bank ? customer.instruments[0].issuer : static_cast<uint8_t>(issuer),
          static_cast<uint8_t>(methods.pick(draw.uniform()))};
      auto* const first = customer.instruments.data();
      auto* const last = first + (n == 0 ? 0 : customer.instrument_count);
      if (std::find(first, last, candidate) != last) continue;
      *last = candidate;
      customer.instrument_count = static_cast<uint8_t>(last - first + 1);
    }
  }
}

std::vector<Holding> Population::holdings(const Scope& scope, const Scenario& scenario) const {
  std::vector<Holding> found;
  for (std::size_t i = 0; i < honest_; ++i) {
    for (uint8_t k = 0; k < customers_[i].instrument_count; ++k) {
      const Instrument& held = customers_[i].instruments[k];
      if (in_scope(Scope{scope.issuer, scope.method, "*"}, scenario.issuers[held.issuer].name,
                   scenario.methods[held.method].name, "")) {
        found.push_back({static_cast<uint32_t>(i), k});
      }
    }
  }
  return found;
}

}  // namespace payops::simulators
