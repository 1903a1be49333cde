// Which slices of the traffic explain an excess of failures: a likelihood-ratio scan over every
// combination of dimension values (in the line of Kulldorff 1997, "A spatial scan statistic"), over
// any number of dimensions, for several causes at once.
//
// A slice fixes some dimensions and leaves the others open. Each leaf (a combination of all
// dimensions) expects failures at its own baseline rate and its volume now, so that a change of mix
// is no cause. A slice explains what it covers by one effect shared by all its leaves: the rate is
// multiplied, or a share of the attempts that would have succeeded fails. Leaves that do not follow
// count against it; every fixed dimension costs the logarithm of its choices. So the simplest slice
// that explains wins, and a shared cause beats many separate ones.
//
// Pure and deterministic: the same counts give the same findings, in whatever order their leaves
// come.
#pragma once

#include <cstdint>
#include <vector>

namespace payops::reasoning {

// Counts by leaf. Fractions are welcome: aggregated metrics are no integers.
struct SliceCounts {
  std::size_t dimensions = 0;         // at least 1
  std::vector<uint32_t> values;       // leaves × dimensions, each coded 0…; every leaf once
  std::vector<double> attempts;       // by leaf, now; > 0
  std::vector<double> failures;       // by leaf, now; 0 to attempts
  std::size_t periods = 0;            // of history; 0: every leaf is held against the common rate
  std::vector<double> past_attempts;  // leaves × periods
  std::vector<double> past_failures;  // leaves × periods
  // By leaf, in place of a history: the rate that is expected, and how many failures' worth of
  // knowledge it rests on. Levels and scatter are then taken as known: binomial.
  std::vector<double> rates{};
  std::vector<double> rate_failures{};
  [[nodiscard]] std::size_t leaves() const { return attempts.size(); }
};

struct SliceScanOptions {
  std::size_t causes_max = 12;
  // Slices of more fixed dimensions are not looked at; fewer when the work would exceed
  // `visits_max` (leaves × combinations of dimensions).
  std::size_t depth_max = 6;
  double visits_max = 4e7;
  std::size_t candidates_max = 10;
  // Sizes of effects from a grid, few rival slices and one round of second thoughts: an answer
  // within a cycle's time.
  bool quick = false;
  double chance_max = 0.2;  // probability that an asserted cause is chance, other causes apart
};

inline constexpr int32_t kAnyValue = -1;

struct SliceFinding {
  std::vector<int32_t> values;  // by dimension: a code, or kAnyValue
  double score = 0.0;           // ln of posterior odds against chance, the other causes given
  double excess = 0.0;          // failures above the expected
  double probability = 0.0;     // that this is a cause, among its rivals and none of them
  double attempts = 0.0;
  double failures = 0.0;
  double expected = 0.0;
  std::size_t leaves = 0;
  [[nodiscard]] std::size_t depth() const;  // fixed dimensions
};

// How the counts scatter around what is expected: the variance of a leaf's failures is
// e (1 − p) (excess + e relative²) for e expected failures at rate p.
struct SliceNoise {
  double excess = 1.0;    // 1 is binomial
  double relative = 0.0;  // relative spread of a leaf's expectation, whatever its size
};

struct SliceScan {
  std::vector<SliceFinding> causes;      // asserted, by excess; usually one, none when all is well
  std::vector<SliceFinding> candidates;  // the causes and their rivals, by probability
  SliceNoise noise;
  double attempts = 0.0;
  double failures = 0.0;
  double expected = 0.0;  // failures of all leaves
};

[[nodiscard]] SliceScan scan_slices(const SliceCounts& counts, const SliceScanOptions& options);

}  // namespace payops::reasoning
