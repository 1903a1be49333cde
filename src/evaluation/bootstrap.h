// Intervals by a bootstrap over clusters (Cameron, Gelbach and Miller 2008): what shares a seed is
// drawn together. Deterministic.
#pragma once

#include <vector>

#include "payops/evaluation/policy_summary.h"

namespace payops::evaluation {

// A cluster's share of a pooled ratio.
struct Ratio {
  double part = 0.0;
  double whole = 0.0;
};

// Σ part ÷ Σ whole with its 95 % interval; all 0 without clusters.
[[nodiscard]] Interval pooled_ratio(const std::vector<Ratio>& clusters);

}  // namespace payops::evaluation
