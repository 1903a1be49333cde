#include "payops/evaluation/detection.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"
#include "payops/core/random.h"
#include "payops/reasoning/cusum_chain.h"
#include "payops/reasoning/rate_detector.h"

namespace payops::evaluation {
namespace {

using reasoning::CusumChain;
using reasoning::RateDetector;

constexpr double kRates[] = {0.15, 0.20, 0.30, 0.40, 0.60, 0.99};
constexpr double kLeastRise = 0.10;
constexpr uint64_t kChangesEach = 4;      // from one learnt baseline
constexpr uint64_t kDelayMost = 100'000;  // attempts: a change not noticed by then counts as this
constexpr std::size_t kBatches = 32;      // a cell's work, to be shared out
constexpr double kDayMs = 86.4e6;
constexpr double kStartMs = 1.7e12;
enum Purpose : uint64_t { kHealthy, kDrifting, kChanged };

struct Setting {
  double baseline;
  uint64_t learnt;
  uint64_t row_attempts;
};

// Rows of attempts that fail at a rate of one's choice, as they would come.
class Stream {
 public:
  Stream(const DetectionDraw& draw, const Setting& setting, RandomStream random)
      : setting_(&setting),
        random_(random),
        step_ms_(1e3 * static_cast<double>(setting.row_attempts) / draw.attempts_per_s),
        detector({.target_false_alarms = draw.target_false_alarms}) {}
  RateDetector::Event row(double rate) {
    uint64_t failures = 0;
    for (uint64_t i = 0; i < setting_->row_attempts; ++i) failures += random_.chance(rate);
    const auto ts_ms = static_cast<int64_t>(kStartMs + step_ms_ * static_cast<double>(rows_++));
    return detector.observe(ts_ms, static_cast<double>(setting_->row_attempts),
                            static_cast<double>(failures));
  }
  [[nodiscard]] double elapsed_days() const {
    return step_ms_ * static_cast<double>(rows_) / kDayMs;
  }
  [[nodiscard]] uint64_t attempts() const { return rows_ * setting_->row_attempts; }
  void draw_anew(RandomStream random) { random_ = random; }
  double uniform() { return random_.uniform(); }

 private:
  const Setting* setting_;
  RandomStream random_;
  double step_ms_;
  uint64_t rows_ = 0;

 public:
  RateDetector detector;
};

struct Healthy {
  uint64_t watched = 0;
  uint64_t alarms = 0;
};

// One healthy stream: learns, then watches as long again or to its first alarm.
Healthy watch(Stream stream, const Setting& setting, bool drifting) {
  const double phase = drifting ? stream.uniform() : 0.0;
  Healthy seen;
  while (stream.attempts() < 2 * setting.learnt) {
    const double wave =
        drifting ? 0.2 * std::sin(2.0 * M_PI * (stream.elapsed_days() + phase)) : 0.0;
    const bool learning = stream.attempts() < setting.learnt;
    const bool alarm = stream.row(setting.baseline * (1.0 + wave)) == RateDetector::Event::raised;
    if (!learning) seen.watched += setting.row_attempts;
    if (!alarm) continue;
    seen.alarms = learning ? 0 : 1;
    break;
  }
  return seen;
}

// Attempts to the alarm, by true rate, of changes from one learnt baseline; sums over a batch.
struct Delays {
  double sum = 0.0;
  double squares = 0.0;  // of the means of each learnt baseline
  uint64_t learnt = 0;
};

void change(const Stream& learnt, double rate, uint64_t run, const Random& random, uint64_t key,
            Delays& delays) {
  double sum = 0.0;
  for (uint64_t c = 0; c < kChangesEach; ++c) {
    Stream stream = learnt;
    stream.draw_anew(random.at(key, kChanged, run, 1 + c));
    const uint64_t from = stream.attempts();
    while (stream.row(rate) != RateDetector::Event::raised) {
      if (stream.attempts() - from >= kDelayMost) break;
    }
    sum += static_cast<double>(stream.attempts() - from);
  }
  const double mean = sum / static_cast<double>(kChangesEach);
  delays.sum += mean;
  delays.squares += mean * mean;
  ++delays.learnt;
}

struct Batch {
  Healthy steady, drifting;
  std::vector<Delays> delays;
};

std::vector<double> rates_of(const Setting& setting) {
  std::vector<double> rates;
  for (const double rate : kRates) {
    if (rate >= setting.baseline + kLeastRise - 1e-9) rates.push_back(rate);
  }
  return rates;
}

Batch measure(const DetectionDraw& draw, const Setting& setting, uint64_t cell, uint64_t batch) {
  const Random random(draw.seed);
  const auto key = [&](uint64_t number) { return number * kBatches + batch; };
  Batch done;
  for (const bool drifting : {false, true}) {
    Healthy& all = drifting ? done.drifting : done.steady;
    const uint64_t wanted = draw.healthy_attempts / kBatches;
    for (uint64_t i = 0; all.watched < wanted; ++i) {
      const auto purpose = drifting ? kDrifting : kHealthy;
      const Healthy one =
          watch({draw, setting, random.at(cell, purpose, key(i))}, setting, drifting);
      all.watched += one.watched;
      all.alarms += one.alarms;
    }
  }
  const std::vector<double> rates = rates_of(setting);
  done.delays.resize(rates.size());
  for (uint64_t i = 0; key(i) < draw.runs; ++i) {
    Stream stream(draw, setting, random.at(cell, kChanged, key(i)));
    bool alarmed = false;
    while (!alarmed && stream.attempts() < setting.learnt) {
      alarmed = stream.row(setting.baseline) == RateDetector::Event::raised;
    }
    if (alarmed) continue;  // a false alarm, counted elsewhere
    for (std::size_t r = 0; r < rates.size(); ++r) {
      change(stream, rates[r], key(i), random, cell, done.delays[r]);
    }
  }
  return done;
}

// A count's rate with its 95 % interval (Poisson, by Wilson and Hilferty 1931).
Interval per_attempt(const Healthy& h) {
  const auto k = static_cast<double>(h.alarms);
  const double n = std::max(1.0, static_cast<double>(h.watched));
  const auto cube = [](double x) { return x * x * x; };
  const double low = k > 0.0 ? k * cube(1.0 - 1.0 / (9.0 * k) - 1.96 / (3.0 * std::sqrt(k))) : 0.0;
  const double high =
      (k + 1.0) * cube(1.0 - 1.0 / (9.0 * (k + 1.0)) + 1.96 / (3.0 * std::sqrt(k + 1.0)));
  return {k / n, std::max(0.0, low) / n, high / n};
}

DetectionDelay delay_of(const DetectionCell& cell, double rate, const Delays& delays) {
  const auto runs = static_cast<double>(std::max<uint64_t>(1, delays.learnt));
  const CusumChain chain(cell.baseline, rate, static_cast<unsigned>(cell.row_attempts));
  // None counted: one is less than the truth in two cases of three.
  const double least = 1.0 / std::max(1.0, static_cast<double>(cell.watched));
  const double measured = std::max(cell.per_attempt.mean, least);
  DetectionDelay d{.baseline = cell.baseline,
                   .learnt = cell.learnt,
                   .row_attempts = cell.row_attempts,
                   .rate = rate,
                   .runs = delays.learnt * kChangesEach,
                   .delay = delays.sum / runs,
                   .optimum = chain.delay_at(measured),
                   .bar = cell.learnt >= 20'000 ? 1.3 : 1.5};
  d.excess_failures = (rate - cell.baseline) * d.delay;
  d.optimum_excess_failures = (rate - cell.baseline) * d.optimum;
  const double variance = std::max(0.0, delays.squares / runs - d.delay * d.delay) / runs;
  const double ratio = d.delay / d.optimum;
  const auto side = [&](double false_alarms) {  // of the two errors together, squared
    const double other = d.delay / chain.delay_at(std::max(false_alarms, 0.1 * least));
    return std::hypot(other - ratio, 1.96 * std::sqrt(variance) / d.optimum);
  };
  d.ratio = {ratio, ratio - side(cell.per_attempt.low), ratio + side(cell.per_attempt.high)};
  d.within = ratio <= d.bar || d.delay <= d.optimum + static_cast<double>(cell.row_attempts);
  return d;
}

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const auto& [learnt, row] :
       {std::pair<uint64_t, uint64_t>{20'000, 1}, {2'000, 1}, {20'000, 20}}) {
    for (const double baseline : {0.01, 0.05, 0.20}) all.push_back({baseline, learnt, row});
  }
  return all;
}

}  // namespace

DetectionFigures measure_detection(const DetectionDraw& draw) {
  const std::vector<Setting> all = settings();
  std::vector<Batch> batches(all.size() * kBatches);
  in_parallel(
      draw.jobs, in_order(batches.size()),
      [&](std::size_t i) {
        batches[i] = measure(draw, all[i / kBatches], i / kBatches, i % kBatches);
      },
      draw.progress);
  DetectionFigures figures{.target_false_alarms = draw.target_false_alarms,
                           .attempts_per_s = draw.attempts_per_s};
  for (std::size_t s = 0; s < all.size(); ++s) {
    Healthy steady, drifting;
    const std::vector<double> rates = rates_of(all[s]);
    std::vector<Delays> delays(rates.size());
    for (std::size_t b = 0; b < kBatches; ++b) {
      const Batch& batch = batches[s * kBatches + b];
      steady.watched += batch.steady.watched;
      steady.alarms += batch.steady.alarms;
      drifting.watched += batch.drifting.watched;
      drifting.alarms += batch.drifting.alarms;
      for (std::size_t r = 0; r < rates.size(); ++r) {
        delays[r].sum += batch.delays[r].sum;
        delays[r].squares += batch.delays[r].squares;
        delays[r].learnt += batch.delays[r].learnt;
      }
    }
    figures.cells.push_back({.baseline = all[s].baseline,
                             .learnt = all[s].learnt,
                             .row_attempts = all[s].row_attempts,
                             .watched = steady.watched,
                             .false_alarms = steady.alarms,
                             .per_attempt = per_attempt(steady),
                             .drift_watched = drifting.watched,
                             .drift_false_alarms = drifting.alarms,
                             .drift_per_attempt = per_attempt(drifting)});
    for (std::size_t r = 0; r < rates.size(); ++r) {
      figures.delays.push_back(delay_of(figures.cells.back(), rates[r], delays[r]));
    }
  }
  return figures;
}

}  // namespace payops::evaluation
