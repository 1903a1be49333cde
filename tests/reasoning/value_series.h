// Synthetic series of a single metric with anomalies at known places: what the value detector is
// tuned on, tested on and judged by. Sixteen families in two halves; nothing about the detector may
// be chosen by looking at the second half.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace payops::reasoning::test {

struct Row {
  int64_t ts_ms;
  double value;
};
// Rows [first, last] in which an alarm counts; the anomaly itself begins at `onset`.
struct Window {
  std::size_t first;
  std::size_t last;
  std::size_t onset;
  std::string kind;
};
struct LabelledSeries {
  std::string family;
  std::vector<Row> rows;
  std::vector<Window> windows;  // ascending, none within the first 15 % of the rows
};

inline constexpr std::size_t kFamilies = 8;  // in each half

// One series of family 0 … kFamilies - 1 of a half, a pure function of its arguments. `anomalous`
// false leaves everything out that a window would name.
[[nodiscard]] LabelledSeries labelled_series(bool held_out, std::size_t family, uint64_t seed,
                                             bool anomalous = true);

// Rows at the start in which nothing is judged: 15 %, at most 750.
[[nodiscard]] std::size_t probation(std::size_t rows);

}  // namespace payops::reasoning::test
