#include "value_scoring.h"

#include <algorithm>
#include <cmath>

namespace payops::reasoning::test {
namespace {

// 0.987 at the left edge of a window (-1), 0 at its right edge, -1 far behind it.
double scaled_sigmoid(double position) {
  return position > 3.0 ? -1.0 : 2.0 / (1.0 + std::exp(5.0 * position)) - 1.0;
}

// What an alarm at a row is worth: in window `window` (or none, -1), `worth` before weighting.
struct Worth {
  std::ptrdiff_t window;
  double value;
};
Worth worth(const LabelledSeries& series, std::size_t row) {
  const Window* before = nullptr;
  for (std::size_t w = 0; w < series.windows.size(); ++w) {
    const Window& window = series.windows[w];
    const auto width = static_cast<double>(window.last - window.first + 1);
    if (row >= window.first && row <= window.last) {
      const double position = -static_cast<double>(window.last - row + 1) / width;
      return {static_cast<std::ptrdiff_t>(w), scaled_sigmoid(position) / scaled_sigmoid(-1.0)};
    }
    if (window.last < row) before = &window;
  }
  if (before == nullptr) return {-1, -1.0};
  const auto width = static_cast<double>(before->last - before->first);
  return {-1, scaled_sigmoid(static_cast<double>(row - before->last) / width)};
}

double points(double raw, std::size_t windows, const Profile& profile) {
  if (windows == 0) return raw;
  const double least = -profile.miss * static_cast<double>(windows);
  const double most = profile.hit * static_cast<double>(windows);
  return 100.0 * (raw - least) / (most - least);
}

}  // namespace

Outcome outcome(const std::vector<const Scored*>& all, double threshold, const Profile& profile) {
  Outcome total;
  double raw = 0.0;
  for (const Scored* one : all) {
    const std::size_t rows = one->series.rows.size();
    std::vector<double> best(one->series.windows.size(), -1.0);
    for (std::size_t row = probation(rows); row < rows; ++row) {
      ++total.rows;
      if (one->scores[row] < threshold) continue;
      const Worth w = worth(one->series, row);
      if (w.window < 0) {
        raw += profile.false_alarm * w.value;
        ++total.false_rows;
      } else {
        double& most = best[static_cast<std::size_t>(w.window)];
        most = std::max(most, w.value);
      }
    }
    for (const double value : best) {
      ++total.windows;
      total.hits += value >= 0.0;
      raw += value >= 0.0 ? profile.hit * value : -profile.miss;
    }
  }
  total.points = points(raw, total.windows, profile);
  return total;
}

double best_threshold(const std::vector<const Scored*>& all, const Profile& profile) {
  struct Alarm {
    double score;
    std::size_t series;
    Worth worth;
  };
  std::vector<Alarm> alarms;
  std::vector<std::vector<double>> best;
  std::size_t windows = 0;
  for (std::size_t s = 0; s < all.size(); ++s) {
    const std::size_t rows = all[s]->series.rows.size();
    best.emplace_back(all[s]->series.windows.size(), -1.0);
    windows += best.back().size();
    for (std::size_t row = probation(rows); row < rows; ++row) {
      alarms.push_back({all[s]->scores[row], s, worth(all[s]->series, row)});
    }
  }
  std::stable_sort(alarms.begin(), alarms.end(),
                   [](const Alarm& a, const Alarm& b) { return a.score > b.score; });
  double raw = -profile.miss * static_cast<double>(windows), most = raw, chosen = 2.0;
  for (std::size_t i = 0; i < alarms.size(); ++i) {
    const Alarm& a = alarms[i];
    if (a.worth.window < 0) {
      raw += profile.false_alarm * a.worth.value;
    } else {
      double& had = best[a.series][static_cast<std::size_t>(a.worth.window)];
      if (had < 0.0) raw += profile.miss;
      if (a.worth.value > had) {
        raw += profile.hit * (a.worth.value - std::max(0.0, had));
        had = a.worth.value;
      }
    }
    const bool last = i + 1 == alarms.size() || alarms[i + 1].score < a.score;
    if (last && raw > most) {
      most = raw;
      chosen = a.score;
    }
  }
  return chosen;
}

}  // namespace payops::reasoning::test
