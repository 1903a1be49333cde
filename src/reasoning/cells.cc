// What a console shows: single dimensions as people read them anywhere, and pairs and paths, which
// keep less. A path's latency baseline is the edge that it exceeds once in twenty.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "readings.h"
#include "state.h"

namespace payops::reasoning {
namespace {

// Sums over the paths of a series.
struct Sum {
  SeriesKey key;
  Tally shown{};   // of the display window
  Tally tested{};  // of the part that the baselines have not absorbed
  Baseline baseline{};
  std::array<double, kLatencyBuckets> latency{};
  double edge_ms = 0.0;  // latency baseline × attempts, and those attempts
  double edge_weight = 0.0;
};

void add(Baseline& to, const Baseline& b) {
  // Variances beyond chance are means by weight; everything else is counts.
  const auto mean = [](double x, double wx, double y, double wy) {
    return wx + wy > 0.0 ? (x * wx + y * wy) / (wx + wy) : 0.0;
  };
  to.ok_variance = mean(to.ok_variance, to.first, b.ok_variance, b.first);
  to.retry_variance =
      mean(to.retry_variance, to.retry_attempts, b.retry_variance, b.retry_attempts);
  to.first += b.first;
  to.approved += b.approved;
  to.technical += b.technical;
  to.customer += b.customer;
  to.timed += b.timed;
  to.slow += b.slow;
  to.retry_attempts += b.retry_attempts;
  to.retries += b.retries;
  to.learnt += b.learnt;
}

std::array<uint32_t, kDeclineClasses> declines_of(const Tally& t) {
  std::array<uint32_t, kDeclineClasses> declines{};
  const auto set = [&](DeclineClass c, uint32_t n) { declines[static_cast<std::size_t>(c)] = n; };
  for (std::size_t c = 0; c < kTechnicalClasses.size(); ++c) {
    set(kTechnicalClasses[c], t.technical[c]);
  }
  set(DeclineClass::customer, t.customer);
  set(DeclineClass::issuer_policy, t.policy);
  set(DeclineClass::fraud, t.fraud);
  return declines;
}

double quantile_ms(const std::array<double, kLatencyBuckets>& counts, double q) {
  LatencyHistogram histogram;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    histogram.counts[i] = static_cast<uint32_t>(counts[i] * 16.0 + 0.5);
  }
  return histogram.quantile_ms(q);
}

// How far k of n lies above the share p, in standard deviations, after the transformation that
// makes a proportion's variance a constant (Anscombe 1948): a thin path's two failures of ten are
// no five sigma. p was learnt from `learnt` attempts; `restless` is the variance it shows beyond
// chance.
double excess_z(double k, double n, double p, double learnt, double restless) {
  if (n <= 0.0 || learnt <= 0.0) return 0.0;
  const double share = std::clamp((k + 0.375) / (n + 0.75), 0.0, 1.0);
  const double usual = std::clamp(p, 1e-6, 1.0 - 1e-6);
  const double variance =
      1.0 / n + 1.0 / learnt + restless / std::max(usual * (1.0 - usual), 0.0025);
  return 2.0 * (std::asin(std::sqrt(share)) - std::asin(std::sqrt(usual))) / std::sqrt(variance);
}

Reading success_of(const Sum& sum, bool warming_up) {
  Reading r = success_reading(sum.tested, sum.baseline, warming_up);
  const double n = sum.tested.telling();
  if (n <= 0.0) return r;
  const double failing = 1.0 - std::clamp(sum.tested.expected_ok / n, 0.0, 1.0);
  r.z = excess_z(n - sum.tested.approved, n, failing, sum.baseline.first - sum.baseline.customer,
                 sum.baseline.ok_variance);
  return r;
}

Reading retries_of(const Sum& sum, bool warming_up) {
  Reading r = retry_reading(sum.tested, sum.baseline, warming_up);
  r.z = excess_z(sum.tested.retries(), sum.tested.attempts, r.baseline, sum.baseline.retry_attempts,
                 sum.baseline.retry_variance);
  return r;
}

// Latency is tested by the share of attempts above the baseline's edge, of which there are by its
// definition no more than one in twenty.
Reading latency_of(const Sum& sum, bool warming_up) {
  const double usual_ms = sum.edge_weight > 0.0 ? sum.edge_ms / sum.edge_weight : 0.0;
  Reading r =
      reading(Signal::latency_p95, quantile_ms(sum.latency, 0.95), usual_ms, 0.0, true, warming_up);
  const double p = sum.baseline.timed > 0.0 ? sum.baseline.slow / sum.baseline.timed : 0.0;
  r.z = excess_z(sum.tested.slow, sum.tested.timed, std::max(p, 0.05), sum.baseline.timed, 0.0);
  return r;
}

void take_worst(CellReading& cell, const std::vector<Reading>& readings, double threshold) {
  bool first = true;
  for (const Reading& r : readings) {
    cell.degraded = cell.degraded || r.z > threshold;
    if (!first && r.z <= cell.z) continue;
    cell.z = r.z;
    cell.signal = r.signal;
    first = false;
  }
}

// The figures that every kind of cell shows, from its readings: success, latency, retries, …
void take_figures(CellReading& cell, const std::vector<Reading>& readings) {
  for (const Reading& r : readings) {
    if (r.signal == Signal::success_rate) {
      cell.success = r.value;
      cell.success_baseline = r.baseline;
      cell.warming_up = r.warming_up;
    } else if (r.signal == Signal::latency_p95) {
      cell.latency_p95_ms = r.value;
      cell.latency_baseline_ms = r.baseline;
    } else if (r.signal == Signal::retry_rate) {
      cell.retry_rate = r.value;
      cell.retry_baseline = r.baseline;
    }
  }
}

CellReading cell_of(const Sum& sum, const ReasoningConfig& config) {
  const bool warming = sum.baseline.learnt < static_cast<double>(config.warmup_attempts);
  const std::vector<Reading> readings{success_of(sum, warming), latency_of(sum, warming),
                                      retries_of(sum, warming)};
  CellReading cell;
  cell.key = sum.key;
  cell.attempts = sum.shown.attempts;
  cell.declines = declines_of(sum.shown);
  take_worst(cell, readings, config.anomaly_threshold);
  take_figures(cell, readings);
  cell.degraded = cell.degraded && !warming;  // against what? it is not known yet
  return cell;
}

void most_first(std::vector<Sum>& sums, std::size_t sums_max) {
  if (sums.size() <= sums_max) return;
  const auto more = [](const Sum& a, const Sum& b) {
    return a.shown.attempts != b.shown.attempts ? a.shown.attempts > b.shown.attempts
                                                : a.key < b.key;
  };
  std::nth_element(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(sums_max), sums.end(),
                   more);
  sums.resize(sums_max);
}

}  // namespace

std::vector<CellReading> Reasoner::State::cells(const Dictionary& dictionary,
                                                std::size_t cells_max) const {
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  std::vector<CellReading> all;
  for (const uint32_t index : store.watched_series) {
    if (all.size() >= cells_max) break;
    const SeriesStatus told = status(index, dictionary);
    CellReading& cell = all.emplace_back();
    cell.key = store.all[index].key;
    cell.attempts = told.attempts;
    cell.declines = declines_of(store.window(store.all[index]).sum(0, current));
    take_worst(cell, told.readings, config.anomaly_threshold);
    take_figures(cell, told.readings);
  }
  std::vector<Sum> pairs, paths;
  std::unordered_map<uint64_t, std::size_t> pair_of;
  for (const Leaf& leaf : store.leaves) {
    const Window& window = store.leaf_window(leaf);
    const int64_t from = std::max(window.absorbed, current - static_cast<int64_t>(kSlots) + 1);
    Sum path{.key = store.path(leaf)};
    path.shown = window.sum(0, current);
    if (path.shown.attempts == 0) continue;
    path.tested = window.sum(from, current);
    path.baseline = window.baseline;
    for (std::size_t i = 0; i < kLatencyBuckets; ++i) path.latency[i] = leaf.latency[i];
    if (leaf.slow_from != kNone) {
      path.edge_weight = path.shown.attempts;
      path.edge_ms = latency_bucket_low_ms(leaf.slow_from) * path.edge_weight;
    }
    const SeriesKey key{path.key.issuer, path.key.method, kAny};
    const auto [at, fresh] = pair_of.try_emplace(key.packed(), pairs.size());
    if (fresh) pairs.push_back(Sum{.key = key});
    Sum& pair = pairs[at->second];
    pair.shown += path.shown;
    pair.tested += path.tested;
    add(pair.baseline, path.baseline);
    for (std::size_t i = 0; i < kLatencyBuckets; ++i) pair.latency[i] += path.latency[i];
    pair.edge_ms += path.edge_ms;
    pair.edge_weight += path.edge_weight;
    paths.push_back(std::move(path));
  }
  for (std::vector<Sum>* sums : {&pairs, &paths}) {
    most_first(*sums, cells_max - all.size());
    for (const Sum& sum : *sums) all.push_back(cell_of(sum, config));
  }
  const auto window_s = static_cast<double>(config.display_window_s);
  for (CellReading& cell : all) {
    cell.scope = dictionary.scope(cell.key);
    cell.per_s = static_cast<double>(cell.attempts) / window_s;
    cell.alarming = std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
      return !a.secondary && a.scope == cell.key;
    });
  }
  return all;
}

}  // namespace payops::reasoning
