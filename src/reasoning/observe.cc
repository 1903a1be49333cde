// A closed second: its cells are summed into their series, windows move on, detectors are fed.
#include <algorithm>
#include <cmath>

#include "state.h"

namespace payops::reasoning {
namespace {

constexpr double kWeekSeconds = 604'800.0;
// The statistics of a bank rise together: between them they give about twice the false alarms of
// one, not six times (measured over simulated weeks).
constexpr double kAlternatives = 1.0;

// How the deployment's one false-alarm budget is divided. Within a detector and level it is divided
// by volume, so that every attempt there is worth the same and one threshold serves the level.
double detector_budget(Share share) {
  switch (share) {
    case Share::technical:
      return 0.70;
    case Share::slow:
    case Share::retry:
    case Share::volume:
      return 0.075;
    default:
      return 0.025;  // customer, policy, fraud
  }
}
double level_budget(const SeriesKey& key, Share share) {
  if (share != Share::technical) return key.depth() == 0 ? 0.1 : 0.3;
  switch (key.depth()) {
    case 0:
      return 0.05;
    case 1:
      return key.issuer != kAny ? 0.30 : key.gateway != kAny ? 0.25 : 0.15;
    case 2:
      return 0.20 / 3.0;
    default:
      return 0.05;
  }
}

// What a path's expectation is worth before it has attempts of its own.
constexpr double kLeanAttempts = 20.0;

// How far a baseline rate may really lie above its estimate while little has been learnt.
double cautious(double p0, double learnt) {
  return std::clamp(p0 + 1.5 * std::sqrt(p0 * (1.0 - p0) / (learnt + kLeanAttempts)), 0.002, 0.97);
}

constexpr std::array<Share, 4> kMixShares{Share::slow, Share::customer, Share::policy,
                                          Share::fraud};

Tally to_tally(const Flow& f) {
  const auto count = [&](std::size_t i) { return static_cast<uint32_t>(f.v[i]); };
  return {.attempts = count(kAttempts),
          .failed = count(kFailed),
          .first = count(kFirst),
          .approved = count(kApproved),
          .technical = {count(kTechnical), count(kTechnical + 1), count(kTechnical + 2),
                        count(kTechnical + 3)},
          .customer = count(kCustomer),
          .policy = count(kPolicy),
          .fraud = count(kFraud),
          .timed = count(kTimed),
          .slow = count(kSlow),
          .expected_technical = f.v[kExpected],
          .usual_technical = f.v[kUsual],
          .expected_ok = f.v[kExpectedOk]};
}

// What a cell counts, before any expectation.
Flow counts_of(const Cell& cell, uint32_t slow_from) {
  Flow f;
  const auto set = [&f](std::size_t count, uint32_t value) {
    f.v[count] = static_cast<float>(value);
  };
  const auto failures = [&](DeclineClass c) {
    return cell.first_failures[static_cast<std::size_t>(c)];
  };
  set(kAttempts, cell.attempts);
  set(kFailed, cell.attempts - cell.approvals);
  set(kFirst, cell.first_attempts);
  set(kApproved, cell.first_approvals);
  for (std::size_t c = 0; c < kTechnicalClasses.size(); ++c) {
    set(kTechnical + c, failures(kTechnicalClasses[c]));
  }
  // Who is behind a loss at authentication no class says: attribution asks for the stage.
  f.v[kTechnical + 3] += static_cast<float>(failures(DeclineClass::authentication));
  set(kCustomer, failures(DeclineClass::customer));
  set(kPolicy, failures(DeclineClass::issuer_policy));
  set(kFraud, failures(DeclineClass::fraud));
  if (slow_from != kNone) {
    uint32_t slow = 0;
    for (std::size_t b = slow_from; b < kLatencyBuckets; ++b) slow += cell.latency.counts[b];
    set(kTimed, cell.attempts);
    set(kSlow, slow);
  }
  return f;
}

}  // namespace

double flow_n(const Flow& f, Share share) {
  switch (share) {
    case Share::slow:
      return f.v[kTimed];
    case Share::retry:
      return f.v[kAttempts];
    default:
      return f.v[kFirst];
  }
}
double flow_k(const Flow& f, Share share) {
  switch (share) {
    case Share::technical:
      return f.v[kTechnical] + f.v[kTechnical + 1] + f.v[kTechnical + 2] + f.v[kTechnical + 3];
    case Share::slow:
      return f.v[kSlow];
    case Share::retry:
      return f.v[kAttempts] - f.v[kFirst];
    case Share::customer:
      return f.v[kCustomer];
    case Share::policy:
      return f.v[kPolicy];
    case Share::fraud:
      return f.v[kFraud];
    case Share::volume:
      return f.v[kFirst];
  }
  return 0.0;
}

bool Reasoner::State::observe(const ClosedBucket& bucket) {
  if (bucket.second <= last_second) return false;
  last_second = bucket.second;
  now = std::max(now, bucket.second + 1);
  for (std::size_t i = 0; i < bucket.cells.size();) {
    const SeriesKey& path = bucket.cells[i].key.path;
    Cell cell = bucket.cells[i].cell;
    double treated = bucket.cells[i].key.arm == Arm::treated ? cell.attempts : 0.0;
    for (++i; i < bucket.cells.size() && bucket.cells[i].key.path == path; ++i) {
      cell += bucket.cells[i].cell;
      if (bucket.cells[i].key.arm == Arm::treated) treated += bucket.cells[i].cell.attempts;
    }
    if (cell.attempts == 0) continue;
    const uint32_t leaf = store.leaf(path);
    if (leaf != kNone) add_leaf(leaf, cell, treated, bucket.second);
  }
  const double rate = expected_volume(store.window(store.all[0]).baseline, now);
  alarms_per_attempt = config.false_alarms_per_week / (std::max(0.5, rate) * kWeekSeconds);
  for (const uint32_t series : flowing_series) settle(series, flows[series], bucket.second);
  for (LiveAlarm& alarm : alarms) {
    const uint32_t series = store.find(alarm.scope);
    if (series != kNone && flowing[series] != 0) follow(alarm, flows[series], bucket.second);
  }
  for (const uint32_t series : flowing_series) {
    flows[series] = {};
    flowing[series] = 0;
  }
  flowing_series.clear();
  details.add(bucket.details, bucket.second);
  for (const LiveAlarm& alarm : alarms) {
    if (alarm.share == Share::technical && !alarm.secondary) details.freeze(alarm.started);
  }
  return resolve_crossings();
}

void Reasoner::State::add_leaf(uint32_t leaf_index, const Cell& cell, double treated,
                               int64_t second) {
  flows.resize(store.all.size());
  flowing.resize(store.all.size());
  touched.resize(store.all.size());
  const int64_t slot = second / slot_s();
  Leaf& leaf = store.leaves[leaf_index];
  const Series& self = store.all[leaf.self];
  const bool began = self.last_second < 0 || self.last_second / slot_s() != slot;
  for (const uint32_t series : leaf.series) {
    if (flowing[series] != 0) continue;
    flowing[series] = 1;
    touched[series] = 1;
    flowing_series.push_back(series);
    if (store.all[series].window != kNone) advance(store.all[series], slot);
  }
  if (began) refresh(leaf, second);

  Flow f = counts_of(cell, leaf.slow_from);
  const auto set = [&f](std::size_t count, double value) {
    f.v[count] = static_cast<float>(value);
  };
  set(kTreated, treated);
  set(kExpectedOk, (f.v[kFirst] - f.v[kCustomer]) * leaf.expected_ok);
  set(kUsual, f.v[kFirst] * leaf.usual_technical);
  for (std::size_t s = 0; s < leaf.expected.size(); ++s) {
    const auto share = static_cast<Share>(s);
    const double n = flow_n(f, share);
    const double p = share == Share::retry ? 0.0 : leaf.expected[s];
    const double fault = alarms.empty() ? 0.0 : moved(self.key, share);
    set(kExpected + s, n * p);
    set(kForeseen + s, n * (p + (1.0 - p) * fault));
  }
  for (const uint32_t series : leaf.series) {
    Flow& sum = flows[series];
    for (std::size_t i = 0; i < kCounts; ++i) sum.v[i] += f.v[i];
    const Series& s = store.all[series];
    if (s.depth <= 1) {
      store.watched[s.detail].latency[static_cast<std::size_t>(slot) % kSlots] += cell.latency;
    }
  }
  for (std::size_t b = 0; b < kLatencyBuckets; ++b) {
    leaf.latency[b] += static_cast<float>(cell.latency.counts[b]);
  }
  leaf.latency_total += cell.attempts;
  leaf.amount += static_cast<double>(cell.amount_minor);
  leaf.amount_first += cell.first_attempts;
  leaf.attempts_per += cell.attempts;
  leaf.payments += cell.first_attempts;
}

const LiveAlarm* Reasoner::State::worst(const SeriesKey& path, Share share) const {
  const LiveAlarm* most = nullptr;
  for (const LiveAlarm& alarm : alarms) {
    if (alarm.share != share || !alarm.scope.covers(path)) continue;
    if (most == nullptr || alarm.moved > most->moved) most = &alarm;
  }
  return most;
}

double Reasoner::State::moved(const SeriesKey& path, Share share) const {
  const LiveAlarm* alarm = worst(path, share);
  return alarm == nullptr ? 0.0 : std::max(0.0, alarm->moved);
}

void Reasoner::State::settle(uint32_t index, const Flow& f, int64_t second) {
  Series& series = store.all[index];
  const double n = f.v[kFirst];
  if (n > 0.0 && armed()) test_failures(index, second, f);
  if (series.depth <= 1) settle_watched(index, f, second);
  if (series.window != kNone) {
    Tally tally = to_tally(f);
    tally.frozen = freeze_flags(series.key) | (f.v[kTreated] > 0.0 ? kFreezeRetry : 0);
    // A detector halfway to its alarm: what it looks at is not yet fit to learn from.
    if (series.failures.largest() > 8.0) tally.frozen |= kFreezeHealth;
    store.window(series).slot(second / slot_s()) += tally;
    if (series.depth <= 1) {
      rhythms.resize(store.watched.size());
      rhythms[series.detail].add(second, flow_k(f, Share::technical), f.v[kUsual]);
    }
  }
  series.first += static_cast<uint64_t>(n);
  series.last_second = second;
  if (index == 0 && week.add(second, n / foreknown.volume(second))) {
    for (Window& window : store.windows) {
      window.baseline.volume /= week.factor(second);
      window.baseline.volume_variance /= week.factor(second) * week.factor(second);
    }
  }
}

// The rate detector on technical failures, against what the paths' baselines foresaw.
void Reasoner::State::test_failures(uint32_t index, int64_t second, const Flow& f) {
  Series& series = store.all[index];
  const double n = f.v[kFirst], k = flow_k(f, Share::technical), p0 = f.v[kForeseen] / n;
  if (k == 0.0) return RateTest::add_healthy(series.failures, second, n, p0);
  const RateTest test(learnt_rate(series, p0), alarms_per_attempt *
                                                   detector_budget(Share::technical) *
                                                   level_budget(series.key, Share::technical));
  test.add(series.failures, second, n, k);
  const auto crossed = test.crossed(series.failures);
  if (!crossed) return;
  const Cusum& cusum = series.failures.cusums[*crossed];
  if (cusum.failures < static_cast<double>(config.min_failures)) return;
  crossings.push_back(
      {index, Share::technical, cusum, test.threshold(*crossed), budget(series, Share::technical)});
}

// A series' expected rate with what it is worth: its attempts within the baselines' memory, less
// what their lag behind a drift takes.
LearntRate Reasoner::State::learnt_rate(const Series& series, double rate) const {
  const auto first = static_cast<double>(series.first);
  const double all = std::max(1.0, static_cast<double>(store.all[0].first));
  const double kept = store.window(store.all[0]).baseline.first * first / all;
  const double attempts = std::min(first, kept) + kLeanAttempts;
  const double lag = rate / (1.0 - rate) * lag_variance(config.half_life_s / std::log(2.0));
  return {rate, 1.0 / (1.0 / attempts + lag)};
}

void Reasoner::State::settle_watched(uint32_t index, const Flow& f, int64_t second) {
  const Series& series = store.all[index];
  Watched& watched = store.watched[series.detail];
  const Window& window = store.window(series);
  const auto feed = [&](Share share, double p0) {
    const double n = flow_n(f, share);
    if (n <= 0.0) return;
    Watched::ShiftBank& bank = watched.shift(share);
    bank.add_share(kShiftShares, second, n, flow_k(f, share), p0);
    for (std::size_t j = 0; j < kShiftShares.size(); ++j) {
      check(index, share, bank.cusums[j], p0, kShiftShares[j]);
    }
  };
  for (const Share share : kMixShares) {
    if (!armed()) break;
    const double n = flow_n(f, share);
    const double foreseen = f.v[kForeseen + static_cast<std::size_t>(share)];
    if (n > 0.0) feed(share, cautious(foreseen / n, window.baseline.first));
  }
  const bool own_retries = std::any_of(actions.begin(), actions.end(), [&](const OwnAction& a) {
    return moves_retries(a) && overlap(a.scope, series.key);
  });
  if (own_retries) {
    watched.shift(Share::retry) = {};
  } else if (window.baseline.retry_attempts >= static_cast<double>(config.detect_after_attempts)) {
    // Retries follow failures within seconds: the worse of the last minute and the last moments.
    const Tally recent = window.sum(0, window.newest);
    Tally moments = window.sum(window.newest - 1, window.newest);
    moments.first += static_cast<uint32_t>(f.v[kFirst]);
    moments.approved += static_cast<uint32_t>(f.v[kApproved]);
    double usual =
        std::max(retry_share(window.baseline, recent), retry_share(window.baseline, moments));
    // Retries of what failed before still come when payments have stopped.
    const auto oldest = std::max<int64_t>(0, window.newest - static_cast<int64_t>(kSlots) + 1);
    const double seconds = static_cast<double>(second + 1 - oldest * slot_s());
    const double owed = usual / (1.0 - usual) * recent.first / seconds;
    usual = std::clamp(std::max(usual, owed / f.v[kAttempts]), 0.005, 0.95);
    const double fault = f.v[kForeseen + static_cast<std::size_t>(Share::retry)] / f.v[kAttempts];
    feed(Share::retry, cautious(usual + (1.0 - usual) * fault, window.baseline.retry_attempts));
  }
  add_silence(series.detail, second + 1, f.v[kFirst]);
}

// The share of attempts that are retries where first attempts fail as they do in `recent`: a
// failure is retried with a probability rho and its retry fails like the first one did, so that
// failures alone, however many, are no storm.
double retry_share(const Baseline& b, const Tally& recent) {
  const double first_failed = std::max(1.0, b.retry_first_failed);
  const double per_failure = (b.retries + 1.0) / (first_failed + 1.0);
  const double retry_fails =
      b.retries > 10.0 ? std::clamp((b.retry_failed - first_failed) / b.retries, 0.0, 1.0) : 0.5;
  const double rho = std::min(0.95, per_failure / (1.0 + per_failure * retry_fails));
  const double usual = (first_failed + 1.0) / std::max(2.0, b.retry_attempts - b.retries);
  const double failing =
      recent.first > 20
          ? std::max(usual, (recent.first - recent.approved) / static_cast<double>(recent.first))
          : usual;
  // Baseline chains end as they always did; what fails beyond it fails again.
  const double extra = std::max(0.0, failing - usual);
  const double fails = std::min(0.95, retry_fails + extra);
  const double per_payment = rho * failing / (1.0 - rho * fails);
  return std::clamp(1.1 * per_payment / (1.0 + per_payment), 0.005, 0.9);
}

// Feeds the volume detector up to `until`: seconds without arrivals count too.
void Reasoner::State::add_silence(uint32_t watched_index, int64_t until, double arrivals) {
  Watched& watched = store.watched[watched_index];
  const uint32_t index = store.watched_series[watched_index];
  const Series& series = store.all[index];
  if (watched.drop_until == 0) watched.drop_until = until;
  const int64_t seconds = std::min<int64_t>(until - watched.drop_until, 3600);
  if (seconds <= 0) return;
  watched.drop_until = until;
  const Baseline& baseline = store.window(series).baseline;
  const double own = watched_index < own_share.size() ? own_share[watched_index] : 0.0;
  const double fault = moved(series.key, Share::volume);
  const double rate = cautious_volume(baseline, until) * (1.0 - fault);
  const double expected = rate * (1.0 - own);
  if (rate <= 0.0 || expected < 0.1 * rate) {
    watched.drop = {};
    return;
  }
  // Restless volume counts for less: the variance of a sub-window against a Poisson one.
  const double dispersion =
      std::clamp(1.0 + baseline.volume_variance * static_cast<double>(slot_s()) / rate, 1.0, 20.0);
  const double mean = expected * static_cast<double>(seconds);
  watched.drop.add_drop(kDropShares, until - seconds, arrivals / dispersion, mean / dispersion);
  // A level learnt over minutes may be a passing rush: until it is settled only near-silence tells.
  if (baseline.volume_weight < 0.5) watched.drop.cusums[0] = watched.drop.cusums[1] = {};
  for (std::size_t j = 0; j < kDropShares.size(); ++j) {
    check(index, Share::volume, watched.drop.cusums[j], expected / dispersion, kDropShares[j]);
  }
}

// Whether enough has been learnt for any detector to run.
bool Reasoner::State::armed() const {
  return store.window(store.all[0]).baseline.learnt >=
         static_cast<double>(config.detect_after_attempts);
}

// False alarms a week that a series' detector may give.
double Reasoner::State::budget(const Series& series, Share share) const {
  const double all = static_cast<double>(store.all[0].first);
  const double part = all > 0.0 ? static_cast<double>(series.first) / all : 1.0;
  return config.false_alarms_per_week * detector_budget(share) * level_budget(series.key, share) *
         std::max(part, 1e-6);
}

void Reasoner::State::check(uint32_t index, Share share, const Cusum& cusum, double p0, double g) {
  if (cusum.statistic < 6.0) return;
  const Series& series = store.all[index];
  const double per_week = budget(series, share);
  double threshold = 0.0;
  if (share == Share::volume) {
    if (now - cusum.onset < 5) return;
    threshold = drop_threshold(kWeekSeconds * kAlternatives / per_week, p0, g);
  } else {
    if (cusum.failures < static_cast<double>(config.min_failures)) return;
    const double per_attempt =
        alarms_per_attempt * detector_budget(share) * level_budget(series.key, share);
    threshold = share_threshold(kAlternatives / per_attempt, p0, g);
  }
  if (cusum.statistic > threshold) {
    crossings.push_back({index, share, cusum, threshold, per_week});
  }
}

}  // namespace payops::reasoning
