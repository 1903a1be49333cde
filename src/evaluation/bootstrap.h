// Intervals by a bootstrap over clusters (Cameron, Gelbach and Miller 2008): what shares a seed is
// drawn together. Deterministic.
#pragma once

#include <cstdint>
#include <vector>

#include "payops/evaluation/policy_summary.h"

namespace payops::evaluation {

// Of every bootstrap here: enough for two figures of a 95 % interval.
inline constexpr uint64_t kBootstrapDraws = 2000;
inline constexpr uint64_t kBootstrapSeed = 20'260'302;

// A cluster's share of a pooled ratio.
struct Ratio {
  double part = 0.0;
  double whole = 0.0;
};

// Σ part ÷ Σ whole with its 95 % interval; all 0 without clusters.
[[nodiscard]] Interval pooled_ratio(const std::vector<Ratio>& clusters);

}  // namespace payops::evaluation
