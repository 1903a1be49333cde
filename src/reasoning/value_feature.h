// What the value detector's statistics are made of: means that follow, a running median, and a
// feature of the series judged by its own past.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "value_tail.h"

namespace payops::reasoning {

// The surprise (-log10 of a chance) from which a row is an anomaly.
inline constexpr double kTelling = 4.2;

// A mean that follows: plain at first, exponentially weighted once 1 / rate values were seen.
struct Following {
  double value = 0.0;
  double seen = 0.0;
  void add(double x, double rate) {
    seen += 1.0;
    value += std::max(rate, 1.0 / seen) * (x - value);
  }
};

// The median of the last N values; 0 before N were seen. N odd.
template <std::size_t N>
struct RunningMedian {
  std::array<double, N> last{};
  std::size_t seen = 0;
  double value = 0.0;
  void add(double x) {
    last[seen++ % N] = x;
    if (seen < N) return;
    auto sorted = last;
    std::nth_element(sorted.begin(), sorted.begin() + N / 2, sorted.end());
    value = sorted[N / 2];
  }
};

// A statistic of the series, both sides of zero told apart. A slow one hardly changes from a row to
// the next, so that its past is counted in blocks of rows, each by its extremes; a block enters the
// past when the next has ended, so that nothing is judged by itself.
class Feature {
 public:
  // `bonus`: added to the surprise of a slow feature, whose blocks are rarer than rows.
  explicit Feature(std::size_t block_rows, double bonus = 0.0)
      : block_rows_(block_rows), bonus_(bonus) {}

  // The surprise of `x`, which becomes part of the past; an anomaly only in part, so that the same
  // is still one when it comes again, and none if it keeps coming.
  double judge(double x) {
    const double size = std::abs(x);
    seen_ += 1.0;
    const double most = seen_ < 50.0 ? size : 8.0 * usual_;
    usual_ += std::max(1.0 / seen_, kRate) * (std::min(size, most) - usual_);
    const Tail& side = x > 0.0 ? up_ : down_;
    double surprise = 0.0;
    if (side.seen() > 1.0) {
      surprise = side.surprise(size, kLeastScale * usual_) * std::min(1.0, side.seen() / kTrusted);
      surprise += bonus_;
    }
    enter(surprise > kTelling ? x * kTelling / surprise : x);
    return surprise;
  }

 private:
  static constexpr double kRate = 1.0 / 2000.0;
  static constexpr double kLeastScale = 0.3;  // of a tail, in usual sizes
  static constexpr double kTrusted = 10.0;    // blocks until a past is believed in full

  void enter(double x) {
    high_ = std::max(high_, x);
    low_ = std::max(low_, -x);
    if (++filled_ < block_rows_) return;
    if (ended_) {
      up_.add(ended_high_, static_cast<double>(block_rows_));
      down_.add(ended_low_, static_cast<double>(block_rows_));
    }
    ended_ = true;
    ended_high_ = high_;
    ended_low_ = low_;
    high_ = low_ = 0.0;
    filled_ = 0;
  }

  Tail up_, down_;
  std::size_t block_rows_;
  double bonus_;
  double usual_ = 0.0, seen_ = 0.0;
  std::size_t filled_ = 0;
  double high_ = 0.0, low_ = 0.0;
  bool ended_ = false;
  double ended_high_ = 0.0, ended_low_ = 0.0;
};

}  // namespace payops::reasoning
