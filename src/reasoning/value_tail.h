// How far out in its own past a size lies: a histogram of an eighth of an octave a bin, forgetting
// slowly, and beyond what is often seen a generalised Pareto tail (Pickands 1975), its shape by
// probability-weighted moments (Hosking and Wallis 1987) drawn towards a usual one.
#pragma once

#include <array>
#include <cstddef>

namespace payops::reasoning {

class Tail {
 public:
  // x >= 0, told apart within 2^-20 … 2^20. `rows` is how many rows of the series it stands for:
  // what lies 8,000 rows back counts 1/e.
  void add(double x, double rows);
  // -log10 of the chance of a size of at least x; 0 while nothing was added. The tail's scale is
  // taken to be at least `least`, for a past with next to no spread.
  [[nodiscard]] double surprise(double x, double least) const;
  // Additions so far, those forgotten taken off.
  [[nodiscard]] double seen() const { return total_ / weight_; }

 private:
  static constexpr std::size_t kPerOctave = 8;
  static constexpr std::size_t kBins = 40 * kPerOctave + 1;
  static std::size_t bin_of(double x, double& within);

  std::array<float, kBins> bins_{};
  double total_ = 0.0;
  double weight_ = 1.0;  // of an addition now; grows, so that earlier ones count for less
  std::size_t top_ = 0;  // nothing above
};

}  // namespace payops::reasoning
