#include "payops/reasoning/slice_scan.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <unordered_map>

#include "slice_scan_choice.h"

namespace payops::reasoning {
namespace {

using slice_scan::Choice;
using slice_scan::Explanation;
using slice_scan::Lattice;
using slice_scan::Leaves;
using slice_scan::Slice;

// Evidence is worth two thirds of what the model says it is: leaves are not quite as independent,
// nor effects as even. Set by the tuning worlds' reliability.
constexpr double kTemper = 1.5;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Sums {
  double seen = 0.0;
  double expected = 0.0;
  double variance = 0.0;
};

// How much wider than its leaves suggest a slice scatters, from its siblings (the other slices of
// the same dimensions) once the causes are explained: leaves that move together show here.
double spread_among_siblings(const Leaves& leaves, const Explanation& explained,
                             const Lattice& lattice, const Slice& slice) {
  if (slice.dimensions == 0) return 1.0;
  std::unordered_map<uint64_t, std::size_t> place;
  std::vector<Sums> siblings;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const auto [it, added] = place.try_emplace(lattice.key(slice.dimensions, i), siblings.size());
    if (added) siblings.emplace_back();
    Sums& sums = siblings[it->second];
    const double n = leaves.attempts[i];
    const double p = explained.rate[i];
    sums.seen += leaves.failures[i];
    sums.expected += n * p;
    sums.variance += n * p * (1.0 - p) * leaves.spread(i, p) + explained.scatter[i];
  }
  if (siblings.size() < 6) return 1.0;
  const auto typical = [&](double relative) {
    std::vector<double> off;
    for (const Sums& s : siblings) {
      off.push_back(std::abs(s.seen - s.expected) /
                    std::sqrt(s.variance + relative * relative * s.expected * s.expected + 1e-300));
    }
    return median(std::move(off));
  };
  constexpr double kNormalMedian = 0.6745;
  double low = 0.0;
  double high = 2.0;
  if (typical(0.0) <= 1.2 * kNormalMedian) return 1.0;
  for (int i = 0; i < 30; ++i) {
    const double middle = 0.5 * (low + high);
    (typical(middle) > kNormalMedian ? low : high) = middle;
  }
  Sums own;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    if (!lattice.covers(slice, i)) continue;
    const double n = leaves.attempts[i];
    const double p = leaves.base[i];
    own.expected += n * p;
    own.variance += n * p * (1.0 - p) * leaves.spread(i, p);
  }
  return 1.0 + low * low * own.expected * own.expected / own.variance;
}

// The same from the slice's own history: how far its failures of each period lay from expected.
double spread_in_history(const SliceCounts& counts, const Leaves& leaves,
                         const std::vector<uint32_t>& cover) {
  if (counts.periods < 4) return 1.0;
  std::vector<double> off;
  for (std::size_t j = 0; j < counts.periods; ++j) {
    Sums sums;
    for (const uint32_t i : cover) {
      const std::size_t cell = i * counts.periods + j;
      const double n = counts.past_attempts[cell];
      const double p = leaves.base[i] / leaves.level;
      const double e = n * p;
      sums.seen += counts.past_failures[cell];
      sums.expected += e;
      sums.variance +=
          e * (1.0 - p) * (leaves.noise.excess + leaves.noise.relative * leaves.noise.relative * e);
    }
    if (sums.variance <= 0.0) continue;
    off.push_back((sums.seen - sums.expected) * (sums.seen - sums.expected) / sums.variance);
  }
  if (off.size() < 4) return 1.0;
  const auto periods = static_cast<double>(off.size());
  constexpr double kChiSquareMedian = 0.455;
  constexpr double kDoubt = 4.0;  // periods' worth of belief in the leaves' own scatter
  const double seen = median(off) / kChiSquareMedian * periods / (periods - 1.0);
  return std::max(1.0, (kDoubt + periods * seen) / (kDoubt + periods));
}

// What is normal is known better without the leaves that are not. False when too few are left, or
// when that changes too little to search anew.
bool settle_anew(const SliceCounts& counts, const Explanation& explained, const Choice& choice,
                 Leaves& leaves) {
  if (!counts.rates.empty()) return false;
  std::vector<bool> affected(counts.leaves(), false);
  for (const auto& cause : explained.causes) {
    if (choice.pool()[cause.candidate].dimensions == 0) continue;  // a level, which is settled
    for (const uint32_t i : choice.cover(cause.candidate)) affected[i] = true;
  }
  const auto covered = static_cast<std::size_t>(std::count(affected.begin(), affected.end(), true));
  if (explained.causes.empty() || covered > counts.leaves() - counts.leaves() / 8) return false;
  Leaves settled = leaves;
  slice_scan::settle(counts, affected, settled);
  constexpr double kLittle = 0.01;
  const bool same = settled.noise.excess == leaves.noise.excess &&
                    settled.noise.relative == leaves.noise.relative &&
                    std::abs(settled.base[0] / leaves.base[0] - 1.0) < kLittle;
  if (!same) leaves = std::move(settled);
  return !same;
}

double likely(double log_odds) { return 1.0 / (1.0 + std::exp(-log_odds / kTemper)); }

class Report {
 public:
  Report(const SliceCounts& counts, const Leaves& leaves, const Lattice& lattice, Choice& choice)
      : counts_(counts), leaves_(leaves), lattice_(lattice), choice_(choice) {}

  // A cause's rivals share what its evidence leaves of certainty; `out` gets the cause and them.
  SliceFinding judge(const Explanation& explained, std::size_t x, std::vector<SliceFinding>& out) {
    const std::size_t own = explained.causes[x].candidate;
    const Slice& slice = choice_.pool()[own];
    const double wide = std::max(spread_among_siblings(leaves_, explained, lattice_, slice),
                                 spread_in_history(counts_, leaves_, choice_.cover(own)));
    const std::vector<double> gains = choice_.rivals(explained, x);
    const double top = *std::max_element(gains.begin(), gains.end());
    double sum = 0.0;
    for (const double gain : gains) sum += std::exp((gain - top) / kTemper);
    const double prior = lattice_.log_prior(slice.dimensions) - slice_scan::kPerCause -
                         std::log(static_cast<double>(slice_scan::kEffects));
    const auto finding_of = [&](std::size_t c) {
      SliceFinding finding = describe(choice_.pool()[c], choice_.cover(c));
      finding.score = (gains[c] - prior) / wide + prior;
      finding.probability = std::exp((gains[c] - top) / kTemper) / sum * likely(finding.score);
      return finding;
    };
    for (std::size_t c = 0; c < gains.size(); ++c) {
      if (c != own && gains[c] > top - 20.0) out.push_back(finding_of(c));
    }
    return finding_of(own);
  }

  // What comes closest to a cause where there is none, against each other and chance.
  std::vector<SliceFinding> nearest(const Explanation& explained, const SliceScanOptions& options) {
    std::vector<SliceFinding> findings;
    double sum = 1.0;
    for (const Slice& slice : lattice_.best(explained.evidence, options.candidates_max, -50.0)) {
      SliceFinding finding = describe(slice, lattice_.leaves_of(slice));
      if (finding.excess <= 0.0) continue;
      finding.score = slice.score - slice_scan::kPerCause;
      finding.probability = std::exp(finding.score / kTemper);
      sum += finding.probability;
      findings.push_back(std::move(finding));
    }
    for (SliceFinding& finding : findings) finding.probability /= sum;
    return findings;
  }

  SliceFinding describe(const Slice& slice, const std::vector<uint32_t>& cover) const {
    SliceFinding finding;
    for (std::size_t d = 0; d < counts_.dimensions; ++d) {
      const bool fixed = (slice.dimensions >> d & 1U) != 0;
      finding.values.push_back(
          fixed ? static_cast<int32_t>(counts_.values[slice.leaf * counts_.dimensions + d])
                : kAnyValue);
    }
    for (const uint32_t i : cover) {
      finding.attempts += leaves_.attempts[i];
      finding.failures += leaves_.failures[i];
      finding.expected += leaves_.attempts[i] * leaves_.base[i];
    }
    finding.excess = finding.failures - finding.expected;
    finding.leaves = cover.size();
    return finding;
  }

 private:
  const SliceCounts& counts_;
  const Leaves& leaves_;
  const Lattice& lattice_;
  Choice& choice_;
};

// The leaves in an order of their own, that of their counts and then of their values: sums of
// fractions, ties and samples then hang neither on the order in which leaves came nor, but for
// leaves that are counted alike, on how their values are numbered.
SliceCounts in_order(const SliceCounts& counts) {
  std::vector<std::size_t> order(counts.leaves());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto part = [](const auto& all, std::size_t leaf, std::size_t width) {
    return std::span(all).subspan(leaf * width, width);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (counts.attempts[a] != counts.attempts[b]) return counts.attempts[a] < counts.attempts[b];
    if (counts.failures[a] != counts.failures[b]) return counts.failures[a] < counts.failures[b];
    if (!counts.rates.empty() && counts.rates[a] != counts.rates[b]) {
      return counts.rates[a] < counts.rates[b];
    }
    for (const auto* past : {&counts.past_failures, &counts.past_attempts}) {
      const auto of_a = part(*past, a, counts.periods), of_b = part(*past, b, counts.periods);
      const auto [x, y] = std::mismatch(of_a.begin(), of_a.end(), of_b.begin());
      if (x != of_a.end()) return *x < *y;
    }
    const auto of_a = part(counts.values, a, counts.dimensions);
    const auto of_b = part(counts.values, b, counts.dimensions);
    return std::lexicographical_compare(of_a.begin(), of_a.end(), of_b.begin(), of_b.end());
  });
  SliceCounts sorted{.dimensions = counts.dimensions,
                     .values = {},
                     .attempts = {},
                     .failures = {},
                     .periods = counts.periods,
                     .past_attempts = {},
                     .past_failures = {}};
  const auto copy = [&](const auto& from, auto& to, std::size_t width) {
    to.reserve(from.size());
    for (const std::size_t leaf : order) {
      const auto of_leaf = part(from, leaf, width);
      to.insert(to.end(), of_leaf.begin(), of_leaf.end());
    }
  };
  copy(counts.values, sorted.values, counts.dimensions);
  copy(counts.attempts, sorted.attempts, 1);
  copy(counts.failures, sorted.failures, 1);
  copy(counts.past_attempts, sorted.past_attempts, counts.periods);
  copy(counts.past_failures, sorted.past_failures, counts.periods);
  if (!counts.rates.empty()) {
    copy(counts.rates, sorted.rates, 1);
    copy(counts.rate_failures, sorted.rate_failures, 1);
  }
  return sorted;
}

void sort_by_probability(std::vector<SliceFinding>& findings, std::size_t limit) {
  std::sort(findings.begin(), findings.end(), [](const SliceFinding& a, const SliceFinding& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.values < b.values;
  });
  std::vector<SliceFinding> kept;
  for (SliceFinding& finding : findings) {
    if (kept.size() == limit) break;
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const SliceFinding& other) {
      return other.values == finding.values;
    });
    if (!known) kept.push_back(std::move(finding));
  }
  findings = std::move(kept);
}

}  // namespace

std::size_t SliceFinding::depth() const {
  return static_cast<std::size_t>(
      std::count_if(values.begin(), values.end(), [](int32_t v) { return v != kAnyValue; }));
}

SliceScan scan_slices(const SliceCounts& given, const SliceScanOptions& options) {
  const SliceCounts counts = in_order(given);
  Leaves leaves = slice_scan::expect(counts);
  const Lattice lattice(counts, options);
  std::optional<Choice> choice;
  choice.emplace(lattice, leaves, options);
  Explanation explained = choice->explain();
  if (settle_anew(counts, explained, *choice, leaves)) {
    choice.emplace(lattice, leaves, options);
    explained = choice->explain();
  }

  SliceScan scan;
  scan.noise = leaves.noise;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    scan.attempts += leaves.attempts[i];
    scan.failures += leaves.failures[i];
    scan.expected += leaves.attempts[i] * leaves.base[i];
  }
  Report report(counts, leaves, lattice, *choice);
  for (std::size_t x = 0; x < explained.causes.size(); ++x) {
    const SliceFinding finding = report.judge(explained, x, scan.candidates);
    scan.candidates.push_back(finding);
    if (likely(finding.score) >= 1.0 - options.chance_max && finding.excess > 0.0) {
      scan.causes.push_back(finding);
    }
  }
  if (explained.causes.empty()) scan.candidates = report.nearest(explained, options);
  sort_by_probability(scan.candidates, options.candidates_max);
  std::sort(scan.causes.begin(), scan.causes.end(),
            [](const SliceFinding& a, const SliceFinding& b) {
              return a.excess != b.excess ? a.excess > b.excess : a.values < b.values;
            });
  return scan;
}

}  // namespace payops::reasoning
