// What each leaf expects, how widely it scatters, and how much its counts speak for an effect.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "payops/reasoning/slice_scan.h"

namespace payops::reasoning::slice_scan {

// An effect shared by a slice's leaves: the odds of failing are multiplied by `size`, or a share
// `size` of what would have succeeded fails.
struct Effect {
  bool multiplies = true;
  double size = 1.0;
  [[nodiscard]] double rate(double p) const;
};

inline constexpr std::size_t kEffects = 16;
inline constexpr std::size_t kMultiplying = 8;  // the first of them
using Evidence = std::array<float, kEffects>;
// Where the scan looks first; between these an effect is fitted. By kind, rising in size.
extern const std::array<Effect, kEffects> kEffectGrid;

// The leaf counts and what is expected of them. `rate` and `spread` move on as causes are found.
struct Leaves {
  std::vector<double> attempts;
  std::vector<double> failures;
  std::vector<double> base;               // baseline rate
  std::vector<double> baseline_variance;  // relative variance of `base` as estimated
  SliceNoise noise;
  double level = 1.0;  // of now over the history, everything alike
  [[nodiscard]] std::size_t size() const { return attempts.size(); }
  // The design effect of a leaf at a rate: its variance over the binomial's.
  [[nodiscard]] double spread(std::size_t leaf, double rate) const;
};

// ln likelihood ratio of `rate1` against `rate0` for k of n, the variance being `spread` binomials.
[[nodiscard]] double rate_evidence(double n, double k, double rate0, double rate1, double spread);
// The same, allowing that the leaf, against the rest of its slice, is not affected.
[[nodiscard]] double tolerant(double evidence);

// Baseline rates: own history shrunk to the product of the marginal rates, or without history the
// rate that most leaves agree on. `affected` marks leaves to leave out of a common rate or level.
[[nodiscard]] Leaves expect(const SliceCounts& counts);
// Levels and scatter, estimated again from the leaves that are not affected.
void settle(const SliceCounts& counts, const std::vector<bool>& affected, Leaves& leaves);

}  // namespace payops::reasoning::slice_scan
