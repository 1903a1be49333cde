// How well the value detector does on synthetic series it was tuned on and on families held out,
// scored as the Numenta benchmark does, next to a plain rule; and what a row costs.
//
//   bench_value [SEEDS [FIRST_SEED]]   (the table; 20 seeds a family from 1 on)
//   bench_value --benchmark_filter=…   (the table, then the timings)
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "payops/reasoning/value_detector.h"
#include "reasoning/value_scoring.h"

namespace {

using namespace payops::reasoning;
using namespace payops::reasoning::test;

std::vector<double> detector_scores(const LabelledSeries& series) {
  ValueDetector detector;
  std::vector<double> scores;
  for (const Row& row : series.rows) scores.push_back(detector.score(row.ts_ms, row.value));
  return scores;
}

// The plain rule: how many standard deviations from the mean of up to 6,400 rows before.
std::vector<double> deviation_scores(const LabelledSeries& series) {
  constexpr std::size_t kRows = 6400;
  std::vector<double> scores;
  double sum = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < series.rows.size(); ++i) {
    const double x = series.rows[i].value;
    const auto n = static_cast<double>(std::min(i, kRows));
    const double variance = n < 10.0 ? 0.0 : squares / n - (sum / n) * (sum / n);
    scores.push_back(variance > 0.0 ? std::abs(x - sum / n) / std::sqrt(variance) : 0.0);
    sum += x;
    squares += x * x;
    if (i < kRows) continue;
    const double old = series.rows[i - kRows].value;
    sum -= old;
    squares -= old * old;
  }
  return scores;
}

using Scorer = std::vector<double> (*)(const LabelledSeries&);

std::vector<Scored> scored(Scorer scorer, bool held_out, uint64_t first, uint64_t seeds) {
  std::vector<Scored> all;
  for (std::size_t family = 0; family < kFamilies; ++family) {
    for (uint64_t seed = first; seed < first + seeds; ++seed) {
      Scored one{.series = labelled_series(held_out, family, seed), .scores = {}};
      one.scores = scorer(one.series);
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::vector<const Scored*> pointers(const std::vector<Scored>& all) {
  std::vector<const Scored*> found;
  for (const Scored& one : all) found.push_back(&one);
  return found;
}

void print_row(const std::string& name, const std::vector<const Scored*>& all, double threshold) {
  const Outcome o = outcome(all, threshold, kStandard);
  std::printf("| %-26s | %6.1f | %6.1f | %6.1f | %3zu / %3zu | %5.2f |\n", name.c_str(), o.points,
              outcome(all, threshold, kFewFalse).points, outcome(all, threshold, kFewMissed).points,
              o.hits, o.windows,
              1000.0 * static_cast<double>(o.false_rows) / static_cast<double>(o.rows));
}

void print_half(const char* half, bool held_out, double plain_threshold, uint64_t first,
                uint64_t seeds) {
  std::printf("\n%s (%llu seeds a family, threshold %.2f for all)\n\n", half,
              static_cast<unsigned long long>(seeds), ValueDetector::kAlarm);
  std::printf("| %-26s | points | low FP | low FN | windows   | false rows / 1000 |\n", "series");
  const std::vector<Scored> ours = scored(detector_scores, held_out, first, seeds);
  const std::vector<Scored> plain = scored(deviation_scores, held_out, first, seeds);
  std::map<std::string, std::vector<const Scored*>> families;
  for (const Scored& one : ours) families[one.series.family].push_back(&one);
  for (const auto& [family, all] : families) print_row(family, all, ValueDetector::kAlarm);
  print_row("all", pointers(ours), ValueDetector::kAlarm);
  print_row("all, deviations from mean", pointers(plain), plain_threshold);

  std::map<std::string, std::pair<int, int>> kinds;
  for (const Scored& one : ours) {
    for (const Window& window : one.series.windows) {
      bool found = false;
      for (std::size_t i = window.first; i <= window.last; ++i) {
        found = found || one.scores[i] >= ValueDetector::kAlarm;
      }
      kinds[window.kind].first += found;
      kinds[window.kind].second += 1;
    }
  }
  std::printf("\nfound by kind:");
  for (const auto& [kind, n] : kinds) std::printf(" %s %d/%d", kind.c_str(), n.first, n.second);
  std::printf("\n");
}

void score_rows(benchmark::State& state) {
  const LabelledSeries series = labelled_series(false, 0, 1);
  for (auto _ : state) benchmark::DoNotOptimize(detector_scores(series));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(series.rows.size()));
}
BENCHMARK(score_rows)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const uint64_t seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20;
  const uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  // The plain rule gets the threshold that is best for it on the tuning half.
  const std::vector<Scored> plain = scored(deviation_scores, false, first, seeds);
  const double plain_threshold = best_threshold(pointers(plain), kStandard);
  print_half("Tuning families", false, plain_threshold, first, seeds);
  print_half("Held-out families", true, plain_threshold, first, seeds);
  benchmark::RunSpecifiedBenchmarks();
}
