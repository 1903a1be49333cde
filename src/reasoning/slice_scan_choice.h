// Which slices together explain the leaves: chosen greedily, then put to the test one by one.
#pragma once

#include <vector>

#include "slice_scan_lattice.h"

namespace payops::reasoning::slice_scan {

inline constexpr double kPerCause = 2.0;  // ln cost of one cause more

struct Cause {
  std::size_t candidate = 0;  // its place in Choice's pool
  Effect effect = {};
  double gain = 0.0;  // what it adds to the explanation, its prior and freedom paid for
};

// What is expected of every leaf once some causes are accepted, and what its counts then say.
struct Explanation {
  std::vector<double> rate;
  std::vector<double> scatter;  // by leaf: variance that the causes' unevenness adds, in failures²
  std::vector<Evidence> evidence;
  std::vector<Cause> causes = {};
  double total = 0.0;  // of their gains
};

class Choice {
 public:
  Choice(const Lattice& lattice, const Leaves& leaves, const SliceScanOptions& options);

  // The best explanation found.
  [[nodiscard]] Explanation explain();
  // The gain of every candidate when `without` is left out of the explanation (SIZE_MAX: nothing
  // is); those in it come out at −infinity.
  [[nodiscard]] std::vector<double> rivals(const Explanation& explanation, std::size_t without);

  [[nodiscard]] const std::vector<Slice>& pool() const { return pool_; }
  [[nodiscard]] const std::vector<uint32_t>& cover(std::size_t candidate) const {
    return cover_[candidate];
  }

 private:
  void weigh(std::size_t leaf, Explanation& explanation) const;
  [[nodiscard]] double fit_gain(std::size_t candidate, const Explanation& explanation, double least,
                                Effect& effect) const;
  [[nodiscard]] double refine(std::size_t candidate, const Explanation& explanation,
                              std::size_t top, Effect& effect, double best) const;
  [[nodiscard]] double followers(std::size_t candidate, const Explanation& explanation,
                                 const Effect& effect) const;
  [[nodiscard]] double evidence_at(std::size_t leaf, const Explanation& explanation,
                                   const Effect& effect) const;
  [[nodiscard]] double sum_at(std::size_t candidate, const Explanation& explanation,
                              const Effect& effect) const;
  void accept(const Cause& cause, Explanation& explanation) const;
  [[nodiscard]] double unevenness(std::size_t candidate, const Explanation& explanation,
                                  const Effect& effect) const;
  // Accepts the best candidate; false when none gains enough. `barred` may not be chosen.
  bool extend(Explanation& explanation, std::size_t barred) const;
  void widen(const Explanation& explanation);
  [[nodiscard]] Explanation rebuild(std::vector<std::size_t> candidates) const;
  bool improve(Explanation& explanation);
  std::size_t common(std::size_t a, std::size_t b);
  std::size_t add(const Slice& slice);

  const Lattice& lattice_;
  const Leaves& leaves_;
  std::size_t causes_max_;
  bool quick_;
  std::vector<Slice> pool_;
  std::vector<std::vector<uint32_t>> cover_;
  std::vector<double> ceiling_;  // score when nothing was explained: explaining only takes away
  Explanation nothing_;
};

}  // namespace payops::reasoning::slice_scan
