#include "slice_scan_choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace payops::reasoning::slice_scan {
namespace {

constexpr double kGainMin = 0.5;       // ln odds against chance that a cause must add
constexpr std::size_t kPerPass = 120;  // candidates taken from one pass over the lattice
constexpr std::size_t kPerQuickPass = 16;
constexpr int kRoundsMax = 4;
constexpr double kNever = -std::numeric_limits<double>::infinity();

// Whether every dimension that `wide` fixes is fixed in `slice` too.
bool narrower(const Slice& slice, const Slice& wide) {
  return (slice.dimensions & wide.dimensions) == wide.dimensions;
}

std::vector<std::size_t> chosen(const Explanation& explanation) {
  std::vector<std::size_t> candidates;
  for (const Cause& cause : explanation.causes) candidates.push_back(cause.candidate);
  return candidates;
}

}  // namespace

Choice::Choice(const Lattice& lattice, const Leaves& leaves, const SliceScanOptions& options)
    : lattice_(lattice),
      leaves_(leaves),
      causes_max_(options.causes_max),
      quick_(options.quick),
      nothing_() {
  nothing_.rate = leaves.base;
  nothing_.scatter.assign(leaves.size(), 0.0);
  nothing_.evidence.resize(leaves.size());
  for (std::size_t i = 0; i < leaves.size(); ++i) weigh(i, nothing_);
}

void Choice::weigh(std::size_t leaf, Explanation& explanation) const {
  const double n = leaves_.attempts[leaf];
  const double k = leaves_.failures[leaf];
  const double p = explanation.rate[leaf];
  const double spread =
      leaves_.spread(leaf, p) + explanation.scatter[leaf] / std::max(n * p * (1.0 - p), 1e-12);
  const double log_p = std::log(p);
  const double log_q = std::log1p(-p);
  for (std::size_t j = 0; j < kEffects; ++j) {
    const double rate = kEffectGrid[j].rate(p);
    explanation.evidence[leaf][j] = static_cast<float>(
        tolerant((k * (std::log(rate) - log_p) + (n - k) * (std::log1p(-rate) - log_q)) / spread));
  }
}

double Choice::evidence_at(std::size_t leaf, const Explanation& explanation,
                           const Effect& effect) const {
  const double n = leaves_.attempts[leaf];
  const double p = explanation.rate[leaf];
  const double spread =
      leaves_.spread(leaf, p) + explanation.scatter[leaf] / std::max(n * p * (1.0 - p), 1e-12);
  return tolerant(rate_evidence(n, leaves_.failures[leaf], p, effect.rate(p), spread));
}

double Choice::sum_at(std::size_t candidate, const Explanation& explanation,
                      const Effect& effect) const {
  double sum = 0.0;
  for (const uint32_t i : cover_[candidate]) sum += evidence_at(i, explanation, effect);
  return sum;
}

// The grid says between which sizes the best effect lies; golden-section finds it there.
double Choice::refine(std::size_t candidate, const Explanation& explanation, std::size_t top,
                      Effect& effect, double best) const {
  const bool multiplies = kEffectGrid[top].multiplies;
  const auto side = [&](std::size_t j, double open) {
    return j < kEffects && kEffectGrid[j].multiplies == multiplies ? kEffectGrid[j].size : open;
  };
  const double size = kEffectGrid[top].size;
  double a = std::log(side(top - 1, multiplies ? 1.02 : 0.5 * size));
  double b = std::log(side(top + 1, multiplies ? 10.0 * size : 0.995));
  for (int i = 0; i < 6; ++i) {
    const Effect low{multiplies, std::exp(b - 0.618 * (b - a))};
    const Effect high{multiplies, std::exp(a + 0.618 * (b - a))};
    const double at_low = sum_at(candidate, explanation, low);
    const double at_high = sum_at(candidate, explanation, high);
    const double higher = std::max(at_low, at_high);
    if (higher > best) {
      best = higher;
      effect = at_low > at_high ? low : high;
    }
    if (at_low > at_high) {
      b = std::log(high.size);
    } else {
      a = std::log(low.size);
    }
  }
  return best;
}

double Choice::fit_gain(std::size_t candidate, const Explanation& explanation, double least,
                        Effect& effect) const {
  std::array<double, kEffects> sums{};
  for (const uint32_t i : cover_[candidate]) {
    for (std::size_t j = 0; j < kEffects; ++j) {
      sums[j] += static_cast<double>(explanation.evidence[i][j]);
    }
  }
  const auto middle = sums.begin() + kMultiplying;
  const auto place = [&](auto it) { return static_cast<std::size_t>(it - sums.begin()); };
  const std::size_t top_by_kind[2] = {place(std::max_element(sums.begin(), middle)),
                                      place(std::max_element(middle, sums.end()))};
  const std::size_t top =
      sums[top_by_kind[0]] > sums[top_by_kind[1]] ? top_by_kind[0] : top_by_kind[1];
  const double paid = lattice_.log_prior(pool_[candidate].dimensions) - kPerCause -
                      std::log(static_cast<double>(kEffects));
  effect = kEffectGrid[top];
  double best = sums[top];
  if (quick_) return best + paid;
  // A fit between grid points lifts a gain by a quarter at most.
  if (1.25 * best + 2.0 + paid < least) return best + paid;
  for (const std::size_t start : top_by_kind) {
    if (sums[start] > 0.7 * sums[top]) best = refine(candidate, explanation, start, effect, best);
  }
  return best + paid;
}

// The share of a slice's leaves, of those that speak clearly, that follow its effect. A slice that
// holds two causes and much that is well gains more than either; each should be taken by itself.
double Choice::followers(std::size_t candidate, const Explanation& explanation,
                         const Effect& effect) const {
  constexpr double kClear = 2.3;
  double follow = 0.0;
  double differ = 0.0;
  for (const uint32_t i : cover_[candidate]) {
    const double evidence = evidence_at(i, explanation, effect);
    if (evidence > kClear) follow += 1.0;
    if (evidence < -kClear) differ += 1.0;
  }
  return follow + differ > 0.0 ? follow / (follow + differ) : 1.0;
}

// How unevenly a cause hits its leaves: the spread of its effect, of the failures it adds, that
// makes what is left most likely.
double Choice::unevenness(std::size_t candidate, const Explanation& explanation,
                          const Effect& effect) const {
  if (cover_[candidate].size() < 6) return 0.1;
  double best = 0.0;
  double best_likelihood = kNever;
  for (const double uneven : {0.0, 0.05, 0.1, 0.2, 0.35, 0.6}) {
    double likelihood = 0.0;
    for (const uint32_t i : cover_[candidate]) {
      const double n = leaves_.attempts[i];
      const double p = explanation.rate[i];
      const double rate = effect.rate(p);
      const double added = uneven * n * (rate - p);
      const double variance = n * rate * (1.0 - rate) * leaves_.spread(i, rate) +
                              explanation.scatter[i] + added * added;
      const double off = leaves_.failures[i] - n * rate;
      likelihood += std::log(std::exp(-0.5 * off * off / variance) / std::sqrt(variance) +
                             0.02 / std::sqrt(100.0 * variance));
    }
    if (likelihood > best_likelihood) {
      best_likelihood = likelihood;
      best = uneven;
    }
  }
  return best;
}

void Choice::accept(const Cause& cause, Explanation& explanation) const {
  const double uneven = unevenness(cause.candidate, explanation, cause.effect);
  for (const uint32_t i : cover_[cause.candidate]) {
    const double p = explanation.rate[i];
    const double rate = cause.effect.rate(p);
    const double added = uneven * leaves_.attempts[i] * (rate - p);
    explanation.scatter[i] += added * added;
    explanation.rate[i] = rate;
    weigh(i, explanation);
  }
  explanation.causes.push_back(cause);
  explanation.total += cause.gain;
}

bool Choice::extend(Explanation& explanation, std::size_t barred) const {
  if (explanation.causes.size() >= causes_max_) return false;
  std::vector<std::size_t> order(pool_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ceiling_[a] > ceiling_[b]; });
  Cause best;
  double most = kGainMin;
  bool found = false;
  for (const std::size_t c : order) {
    if (1.25 * ceiling_[c] + 2.0 < most) break;
    const bool taken = std::any_of(explanation.causes.begin(), explanation.causes.end(),
                                   [&](const Cause& cause) { return cause.candidate == c; });
    if (c == barred || taken) continue;
    Effect effect;
    const double gain = fit_gain(c, explanation, most, effect);
    if (gain <= most) continue;
    const double alike = followers(c, explanation, effect);
    if (gain * alike * alike > most) {
      most = gain * alike * alike;
      best = {.candidate = c, .effect = effect, .gain = gain};
      found = true;
    }
  }
  if (found) accept(best, explanation);
  return found;
}

std::size_t Choice::add(const Slice& slice) {
  for (std::size_t c = 0; c < pool_.size(); ++c) {
    if (pool_[c].cover == slice.cover) return c;
  }
  pool_.push_back(slice);
  cover_.push_back(lattice_.leaves_of(slice));
  double best = kNever;
  std::array<double, kEffects> sums{};
  for (const uint32_t i : cover_.back()) {
    for (std::size_t j = 0; j < kEffects; ++j) {
      sums[j] += static_cast<double>(nothing_.evidence[i][j]);
    }
  }
  for (const double sum : sums) best = std::max(best, sum);
  ceiling_.push_back(best + lattice_.log_prior(slice.dimensions));
  return pool_.size() - 1;
}

// Slices that would add to the explanation join the candidates.
void Choice::widen(const Explanation& explanation) {
  const double floor = explanation.causes.empty() ? 0.0 : kGainMin;
  for (const Slice& slice :
       lattice_.best(explanation.evidence, quick_ ? kPerQuickPass : kPerPass, floor)) {
    add(slice);
  }
}

// In order of what each explains by itself, so that totals compare: what two causes share counts
// for the stronger one.
Explanation Choice::rebuild(std::vector<std::size_t> candidates) const {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](std::size_t a, std::size_t b) { return ceiling_[a] > ceiling_[b]; });
  Explanation explanation = nothing_;
  for (const std::size_t c : candidates) {
    Cause cause;
    cause.candidate = c;
    cause.gain = fit_gain(c, explanation, kNever, cause.effect);
    accept(cause, explanation);
  }
  return explanation;
}

// The narrowest slice that holds both.
std::size_t Choice::common(std::size_t a, std::size_t b) {
  Slice slice = pool_[a];
  slice.dimensions = 0;
  for (uint32_t d = 0; d < 32; ++d) {
    const uint32_t bit = 1U << d;
    if ((pool_[a].dimensions & pool_[b].dimensions & bit) == 0) continue;
    slice.dimensions |= bit;
    if (!lattice_.covers({.dimensions = bit, .leaf = pool_[a].leaf}, pool_[b].leaf)) {
      slice.dimensions &= ~bit;
    }
  }
  if (slice.dimensions == 0) return SIZE_MAX;
  return add(lattice_.described(slice));
}

// Tries the explanation without each cause, with others in its place, and with pairs put together.
bool Choice::improve(Explanation& explanation) {
  const std::size_t causes = explanation.causes.size();
  Explanation best;
  best.total = explanation.total + 1e-6;
  bool found = false;
  const auto consider = [&](const Explanation& other) {
    if (other.total <= best.total) return;
    best = other;
    found = true;
  };
  const auto all_but = [&](std::size_t a, std::size_t b) {
    std::vector<std::size_t> rest;
    for (std::size_t x = 0; x < causes; ++x) {
      if (x != a && x != b) rest.push_back(explanation.causes[x].candidate);
    }
    return rest;
  };
  for (std::size_t a = 0; a < causes; ++a) {
    Explanation other = rebuild(all_but(a, a));
    consider(other);
    for (int more = 0; more < 3 && extend(other, explanation.causes[a].candidate); ++more) {
      consider(rebuild(chosen(other)));
    }
    for (std::size_t b = a + 1; b < causes; ++b) {
      const std::size_t both =
          common(explanation.causes[a].candidate, explanation.causes[b].candidate);
      if (both == SIZE_MAX || both == explanation.causes[a].candidate ||
          both == explanation.causes[b].candidate) {
        continue;
      }
      std::vector<std::size_t> merged;
      for (const std::size_t c : all_but(a, b)) {
        if (!lattice_.covers(pool_[both], pool_[c].leaf) || !narrower(pool_[c], pool_[both])) {
          merged.push_back(c);
        }
      }
      merged.push_back(both);
      consider(rebuild(merged));
    }
  }
  if (found) explanation = std::move(best);
  return found;
}

Explanation Choice::explain() {
  Explanation explanation = nothing_;
  // A pass over the lattice for every cause: among the candidates of an earlier pass a weaker cause
  // would be taken for something wider that borders on a stronger one.
  for (std::size_t pass = 0; pass < causes_max_; ++pass) {
    widen(explanation);
    if (!extend(explanation, SIZE_MAX)) break;
  }
  if (explanation.causes.empty()) return explanation;
  explanation = rebuild(chosen(explanation));
  for (int round = 0; round < (quick_ ? 1 : kRoundsMax) && improve(explanation); ++round) {
    widen(explanation);
    while (extend(explanation, SIZE_MAX)) {
    }
  }
  return explanation;
}

std::vector<double> Choice::rivals(const Explanation& explanation, std::size_t without) {
  std::vector<std::size_t> rest;
  for (std::size_t x = 0; x < explanation.causes.size(); ++x) {
    if (x != without) rest.push_back(explanation.causes[x].candidate);
  }
  // The others as they are: fitted anew, a wide one would take over what this one leaves.
  Explanation others = nothing_;
  for (std::size_t x = 0; x < explanation.causes.size(); ++x) {
    if (x != without) accept(explanation.causes[x], others);
  }
  std::vector<double> gains(pool_.size(), kNever);
  for (std::size_t c = 0; c < pool_.size(); ++c) {
    if (std::find(rest.begin(), rest.end(), c) != rest.end()) continue;
    Effect effect;
    gains[c] = fit_gain(c, others, -5.0, effect);
  }
  return gains;
}

}  // namespace payops::reasoning::slice_scan
