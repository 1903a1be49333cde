// What people and the planner read: every watched series against its baseline, every live path.
#include <algorithm>
#include <cmath>

#include "readings.h"
#include "state.h"

namespace payops::reasoning {
namespace {

constexpr double kTightenAttempts = 20.0;  // how strongly a path's short window leans on its prior

}  // namespace

Reading reading(Signal signal, double value, double baseline, double sigma, bool higher_is_worse,
                bool warming_up) {
  Reading r{.signal = signal,
            .value = value,
            .baseline = baseline,
            .sigma = sigma,
            .warming_up = warming_up};
  if (sigma > 0.0) r.z = (higher_is_worse ? value - baseline : baseline - value) / sigma;
  return r;
}

Reading success_reading(const Tally& t, const Baseline& b, bool warming_up) {
  const double usual_customer = shrunk(b.customer, b.first, 0.03, 50.0);
  const double scale = 1.0 - usual_customer;
  const double n = t.telling();
  if (n <= 0.0 || b.learnt <= 0.0) {
    const double telling = std::max(1.0, b.first - b.customer);
    const double usual = b.learnt > 0.0 ? b.approved / telling * scale : 0.0;
    const double value = n > 0.0 ? t.approved / n * scale : usual;
    return reading(Signal::success_rate, value, usual, 0.0, false, true);
  }
  const double p = std::clamp(t.expected_ok / n, 0.0, 1.0);
  const double variance = std::max(p * (1.0 - p), 0.0025) / n + b.ok_variance;
  return reading(Signal::success_rate, t.approved / n * scale, p * scale,
                 std::sqrt(variance) * scale, false, warming_up);
}

namespace {

double baseline_p95(const Watched& w, double* density) {
  double below = 0.0;
  const double target = 0.95 * w.latency_total;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    const double count = w.latency_baseline[i];
    if (count > 0.0 && below + count >= target) {
      const double low = latency_bucket_low_ms(i);
      const double high = latency_bucket_low_ms(i + 1);
      // Over the neighbours too, for a steadier figure.
      const std::size_t from = i > 0 ? i - 1 : 0;
      const std::size_t to = std::min(i + 1, kLatencyBuckets - 1);
      double mass = 0.0;
      for (std::size_t j = from; j <= to; ++j) mass += w.latency_baseline[j];
      const double width = latency_bucket_low_ms(to + 1) - latency_bucket_low_ms(from);
      *density = mass / w.latency_total / width;
      return low + (high - low) * (target - below) / count;
    }
    below += count;
  }
  return 0.0;
}

// The sampling deviation of a quantile is sqrt(q (1 - q) / n) over the density there; to it comes
// the histogram's own coarseness and the restlessness seen between sub-windows.
Reading latency_reading(const LatencyHistogram& recent, const Watched& w, bool warming_up) {
  const auto n = static_cast<double>(recent.total());
  double density = 0.0;
  const double usual = w.latency_total > 0.0 ? baseline_p95(w, &density) : 0.0;
  const double value = n > 0.0 ? recent.quantile_ms(0.95) : usual;
  if (n <= 0.0 || usual <= 0.0 || density <= 0.0) {
    return reading(Signal::latency_p95, value, usual, 0.0, true, true);
  }
  const double sampling = std::sqrt(0.95 * 0.05 / n) / density;
  const double sigma =
      std::sqrt(sampling * sampling + 0.0025 * usual * usual + w.latency_variance * usual * usual);
  return reading(Signal::latency_p95, value, usual, sigma, true, warming_up);
}

}  // namespace

Reading retry_reading(const Tally& t, const Baseline& b, bool warming_up) {
  const double n = t.attempts;
  const double p = b.retry_attempts > 0.0 ? b.retries / b.retry_attempts : 0.0;
  if (n <= 0.0 || b.retry_attempts <= 0.0) {
    const double value = n > 0.0 ? t.retries() / n : p;
    return reading(Signal::retry_rate, value, p, 0.0, true, true);
  }
  const double variance = std::max(p * (1.0 - p), 0.0025) / n + b.retry_variance;
  return reading(Signal::retry_rate, t.retries() / n, p, std::sqrt(variance), true, warming_up);
}

namespace {

Reading volume_reading(double rate, double seconds, double usual, const Baseline& b, double own,
                       bool warming_up) {
  if (usual <= 0.0 || seconds <= 0.0) {
    return reading(Signal::volume, rate, usual, 0.0, false, true);
  }
  // What our own actions take away is expected to be away.
  const double expected = usual * (1.0 - own);
  const double variance = std::max(expected, 0.05) / seconds + b.volume_variance;
  Reading r = reading(Signal::volume, rate, expected, std::sqrt(variance), false, warming_up);
  if (own > 0.9) r.z = std::min(r.z, 0.0);
  return r;
}

}  // namespace

SeriesStatus Reasoner::State::status(uint32_t index, const Dictionary& dictionary) const {
  const Series& series = store.all[index];
  const Window& window = store.window(series);
  const Watched& watched = store.watched[series.detail];
  const Baseline& b = window.baseline;
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  // The tested sub-windows are those that the baseline has not absorbed.
  const int64_t from = std::max(window.absorbed, current - static_cast<int64_t>(kSlots) + 1);
  const Tally shown = window.sum(0, current);
  const Tally tested = window.sum(from, current);
  const bool warming = b.learnt < static_cast<double>(config.warmup_attempts);
  LatencyHistogram latency;
  for (int64_t s = from; s <= std::min(window.newest, current); ++s) {
    latency += watched.latency[static_cast<std::size_t>(s) % kSlots];
  }
  const auto seconds = static_cast<double>(now - from * slot_s());
  const double own = series.detail < own_share.size() ? own_share[series.detail] : 0.0;
  SeriesStatus status{
      .scope = dictionary.scope(series.key), .attempts = shown.attempts, .readings = {}};
  status.readings = {success_reading(tested, b, warming),
                     latency_reading(latency, watched, warming), retry_reading(tested, b, warming),
                     volume_reading(seconds > 0.0 ? tested.first / seconds : 0.0, seconds,
                                    expected_volume(b, now), b, own, warming)};
  for (const Reading& r : status.readings) {
    status.degraded = status.degraded || r.z > config.anomaly_threshold;
  }
  status.alarming = std::any_of(alarms.begin(), alarms.end(), [&](const LiveAlarm& a) {
    return !a.secondary && a.scope == series.key;
  });
  return status;
}

std::vector<SeriesStatus> Reasoner::State::statuses(const Dictionary& dictionary) const {
  std::vector<SeriesStatus> all;
  all.reserve(store.watched_series.size());
  for (const uint32_t series : store.watched_series) all.push_back(status(series, dictionary));
  // Global, then issuers, methods, gateways, each by name.
  const auto rank = [](const Scope& s) {
    return s.issuer != "*" ? 1 : s.method != "*" ? 2 : s.gateway != "*" ? 3 : 0;
  };
  std::sort(all.begin(), all.end(), [&](const SeriesStatus& a, const SeriesStatus& b) {
    const int ra = rank(a.scope), rb = rank(b.scope);
    return ra != rb ? ra < rb : a.scope < b.scope;
  });
  return all;
}

std::vector<PathStats> Reasoner::State::paths(const Dictionary& dictionary) const {
  std::vector<PathStats> all;
  const int64_t current = now > 0 ? (now - 1) / slot_s() : 0;
  const int64_t recent_from = std::max<int64_t>(0, now - config.short_window_s) / slot_s();
  for (const Leaf& leaf : store.leaves) {
    const Series& series = store.all[leaf.self];
    const Window& window = store.leaf_window(leaf);
    const Baseline& b = window.baseline;
    const Tally shown = window.sum(0, current);
    double rate = expected_volume(b, now);
    if (b.volume_weight < 0.05) {  // nothing long yet: what is in the ring
      const double seconds = static_cast<double>(
          std::max<int64_t>(1, now - std::max(window.absorbed - 2, current - 5) * slot_s()));
      rate = shown.first / seconds;
    }
    if (shown.attempts == 0 && rate * 600.0 < 1.0) continue;  // no longer live
    // Leans on what the alarms in force say of the path, or else on its baseline. What was before
    // the fault says nothing of it.
    const double usual = leaf.expected_ok * (1.0 - leaf.expected[std::size_t(Share::customer)]);
    const LiveAlarm* alarm = worst(series.key, Share::technical);
    const double fault = alarm == nullptr ? 0.0 : std::max(0.0, alarm->moved);
    const int64_t began = alarm == nullptr ? 0 : (alarm->started + slot_s() - 1) / slot_s();
    const Tally recent = window.sum(std::max(recent_from, began), current);
    const double p = std::clamp(
        shrunk(recent.approved, recent.first, usual * (1.0 - fault), kTightenAttempts), 0.0, 1.0);
    const double leaning = kTightenAttempts / (recent.first + kTightenAttempts);
    PathStats stats{
        .path = dictionary.scope(series.key),
        .payments_per_s = rate,
        .success_rate = p,
        .success_sigma =
            std::sqrt(std::max(p * (1.0 - p), 0.0025) / (recent.first + kTightenAttempts)),
        .fault_sigma = alarm == nullptr ? 0.0
                                        : leaning * usual *
                                              std::sqrt(std::max(fault * (1.0 - fault), 0.0025) /
                                                        std::max(1.0, alarm->attempts)),
        .baseline_success = usual,
        .attempts = series.first,
        .warming_up = series.first < config.warmup_attempts};
    if (leaf.payments > 0.0) {
      stats.attempts_per_payment = std::max(1.0, leaf.attempts_per / leaf.payments);
    }
    if (leaf.amount_first > 0.0) stats.amount_minor_mean = leaf.amount / leaf.amount_first;
    LatencyHistogram histogram;
    for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
      histogram.counts[i] = static_cast<uint32_t>(leaf.latency[i] * 16.0F + 0.5F);
    }
    stats.latency_p95_ms = histogram.quantile_ms(0.95);
    all.push_back(std::move(stats));
  }
  std::sort(all.begin(), all.end(),
            [](const PathStats& a, const PathStats& b) { return a.path < b.path; });
  return all;
}

}  // namespace payops::reasoning
