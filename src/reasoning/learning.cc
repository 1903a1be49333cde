// How baselines learn, and what they then expect.
#include <algorithm>
#include <cmath>

#include "state.h"

namespace payops::reasoning {
namespace {

// What is believed of a share before anything is seen, worth kPriorAttempts attempts.
constexpr double kPriorAttempts = 50.0;
constexpr double kPriorTechnical = 0.03;
constexpr double kPriorSlow = 0.05;
constexpr double kPriorCustomer = 0.03;
constexpr double kPriorPolicy = 0.015;
constexpr double kPriorFraud = 0.003;
constexpr double kPriorNotOk = 0.05;
// How many attempts' worth a series leans on its parents.
constexpr double kDimensionLean = 20.0;
constexpr double kLeafLean = 40.0;

constexpr double kLatencyKeep = 0.95;        // of a path's latency memory, per sub-window
constexpr double kReferenceAttempts = 40.0;  // before a path has a latency reference

double odds(double p) { return p / (1.0 - p); }

// A path's share as its issuer, method and gateway each move the global one: odds multiply.
double combined(double global, double issuer, double method, double gateway) {
  const double o = odds(issuer) * odds(method) * odds(gateway) / (odds(global) * odds(global));
  return std::clamp(o / (1.0 + o), 0.0005, 0.97);
}

template <class Number>
double p95_of(const std::array<Number, kLatencyBuckets>& histogram, double total,
              std::size_t* bucket) {
  double below = 0.0;
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    const double count = histogram[i];
    if (count > 0.0 && below + count >= 0.95 * total) {
      if (bucket != nullptr) *bucket = i;
      const double low = latency_bucket_low_ms(i);
      const double high = latency_bucket_low_ms(i + 1);
      return low + (high - low) * (0.95 * total - below) / count;
    }
    below += count;
  }
  return 0.0;
}

// Binomial variance of a rate on n attempts, never quite zero.
double binomial_variance(double p, double n) { return std::max(p * (1.0 - p), 0.0025) / n; }

void blend_variance(double& variance, double sample, double keep) {
  variance = std::max(0.0, keep * variance + (1.0 - keep) * sample);
}

struct Pace {
  double keep = 1.0;         // of health, per sub-window with traffic
  double keep_volume = 1.0;  // of volume, per sub-window
  double slot_s = 10.0;
};

void absorb_health(Baseline& b, const Tally& t, const Pace& pace) {
  if (t.telling() > 0 && b.learnt > 0.0) {
    const double n = t.telling();
    const double p = t.expected_ok / n;
    const double gap = t.approved / n - p;
    blend_variance(b.ok_variance, gap * gap - binomial_variance(p, n), pace.keep);
  }
  for (double* sum :
       {&b.first, &b.approved, &b.technical, &b.customer, &b.policy, &b.fraud, &b.timed, &b.slow}) {
    *sum *= pace.keep;
  }
  // What the hour or the day bring is left out: they would have gone well.
  const bool seasonal = t.usual_technical > 0.0 && t.expected_technical > 0.0;
  const double technical =
      seasonal ? t.technical_all() * (t.usual_technical / t.expected_technical) : t.technical_all();
  b.first += t.first;
  b.approved += t.approved + (t.technical_all() - technical);
  b.technical += technical;
  b.customer += t.customer;
  b.policy += t.policy;
  b.fraud += t.fraud;
  b.timed += t.timed;
  b.slow += t.slow;
  b.learnt += t.first;
}

void absorb_retries(Baseline& b, const Tally& t, const Pace& pace) {
  if (b.retry_attempts > 0.0) {
    const double n = t.attempts;
    const double p = b.retries / b.retry_attempts;
    const double gap = t.retries() / n - p;
    blend_variance(b.retry_variance, gap * gap - binomial_variance(p, n), pace.keep);
  }
  for (double* sum : {&b.retry_attempts, &b.retries, &b.retry_failed, &b.retry_first_failed}) {
    *sum *= pace.keep;
  }
  b.retry_attempts += t.attempts;
  b.retries += t.retries();
  b.retry_failed += t.failed;
  b.retry_first_failed += t.first - t.approved;
}

void absorb_volume(Baseline& b, double rate, const Pace& pace) {
  if (b.volume_weight > 0.05) {
    const double level = b.volume / b.volume_weight;
    const double gap = rate - level;
    blend_variance(b.volume_variance, gap * gap - level / pace.slot_s, pace.keep_volume);
  }
  b.volume = pace.keep_volume * b.volume + (1.0 - pace.keep_volume) * rate;
  b.volume_weight = pace.keep_volume * b.volume_weight + (1.0 - pace.keep_volume);
}

void absorb_latency(Watched& w, const LatencyHistogram& slot, const Pace& pace) {
  const auto n = static_cast<double>(slot.total());
  if (n <= 0.0) return;
  if (w.latency_total > 100.0 && n >= 20.0) {
    const double gap =
        std::log(std::max(1.0, slot.quantile_ms(0.95)) /
                 std::max(1.0, p95_of(w.latency_baseline, w.latency_total, nullptr)));
    // ln p95 of n attempts scatters by about 2 sqrt(0.05 × 0.95 / n) / 0.05 × (1 / 8) around a
    // usual payment latency; what exceeds that is the path's own restlessness.
    blend_variance(w.latency_variance, gap * gap - 1.2 / n, pace.keep);
  }
  for (std::size_t i = 0; i < kLatencyBuckets; ++i) {
    w.latency_baseline[i] = pace.keep * w.latency_baseline[i] + slot.counts[i];
  }
  w.latency_total = pace.keep * w.latency_total + n;
}

}  // namespace

double share_n(const Tally& t, Share share) {
  switch (share) {
    case Share::slow:
      return t.timed;
    case Share::retry:
      return t.attempts;
    default:
      return t.first;
  }
}

double share_k(const Tally& t, Share share) {
  switch (share) {
    case Share::technical:
      return t.technical_all();
    case Share::slow:
      return t.slow;
    case Share::retry:
      return t.retries();
    case Share::customer:
      return t.customer;
    case Share::policy:
      return t.policy;
    case Share::fraud:
      return t.fraud;
    case Share::volume:
      return t.first;
  }
  return 0.0;
}

bool moves_traffic(const OwnAction& action) {
  return action.type == action_type::kSuppressPath || action.type == action_type::kRerouteTraffic;
}
bool moves_retries(const OwnAction& action) {
  return action.type == action_type::kAdjustRetry ||
         action.type == action_type::kReduceRetryAttempts;
}

double WeekProfile::factor(int64_t second) const {
  if (!in_use) return 1.0;
  double mean = 0.0;
  for (const double r : rate) mean += r / static_cast<double>(kHours);
  if (mean <= 0.0) return 1.0;
  // Linear between the middles of neighbouring hours.
  const double at = static_cast<double>(second) / 3600.0 - 0.5;
  const auto before = static_cast<int64_t>(std::floor(at));
  const double part = at - static_cast<double>(before);
  const auto slot = [this](int64_t h) { return rate[static_cast<std::size_t>(h % 168)]; };
  return std::max(0.05, ((1.0 - part) * slot(before) + part * slot(before + 1)) / mean);
}

bool WeekProfile::add(int64_t second, double first_attempts) {
  const int64_t h = second / 3600;
  bool ready = false;
  if (h != hour) {
    if (hour >= 0 && h == hour + 1) {
      const auto slot = static_cast<std::size_t>(hour % 168);
      const double seen = count / 3600.0;
      rate[slot] = weeks[slot] == 0 ? seen : 0.7 * rate[slot] + 0.3 * seen;
      ++weeks[slot];
      if (!in_use && std::all_of(weeks.begin(), weeks.end(), [](uint32_t w) { return w > 0; })) {
        in_use = ready = true;
      }
    }
    // The hour in which counting began, or was interrupted, is not a full one and is passed over.
    hour = hour >= 0 && h == hour + 1 ? h : (second % 3600 == 0 ? h : -1);
    count = 0.0;
  }
  if (hour >= 0) count += first_attempts;
  return ready;
}

uint32_t Reasoner::State::freeze_flags(const SeriesKey& key) const {
  uint32_t flags = 0;
  for (const LiveAlarm& alarm : alarms) {
    if (alarm.share == Share::volume) {
      // Wider series go on: the day's rhythm moves on beneath them.
      if (alarm.scope.covers(key)) flags |= kFreezeVolume;
    } else if (overlap(alarm.scope, key)) {
      flags |= kFreezeHealth | kFreezeRetry;
    }
  }
  for (const OwnAction& action : actions) {
    // Traffic moved away from a scope arrives somewhere else.
    if (moves_traffic(action)) flags |= kFreezeVolume;
    if (moves_retries(action) && overlap(action.scope, key)) flags |= kFreezeRetry;
  }
  return flags;
}

double Reasoner::State::expected_volume(const Baseline& b, int64_t second) const {
  return b.volume_weight > 0.0 ? b.volume / b.volume_weight * volume_season(second) : 0.0;
}

double Reasoner::State::volume_season(int64_t second) const {
  return week.factor(second) * foreknown.volume(second);
}

// As expectations do: what issuer, method and gateway each make of the hour beyond what all do.
double Reasoner::State::failure_season(const Leaf& leaf, int64_t second) const {
  const auto rhythm = [&](std::size_t i, double toward) {
    const uint32_t watched = store.all[leaf.series[i]].detail;
    return watched < rhythms.size() ? rhythms[watched].factor(second, toward) : toward;
  };
  const double all = rhythm(0, 1.0);
  const double hour = rhythm(1, all) * rhythm(2, all) * rhythm(4, all) / (all * all);
  return std::clamp(hour, 1.0 / FailureRhythm::kMost, FailureRhythm::kMost) *
         foreknown.failures(second);
}

double Reasoner::State::cautious_volume(const Baseline& b, int64_t second) const {
  const double keep = std::exp2(-static_cast<double>(slot_s()) / config.volume_half_life_s);
  if (b.volume_weight < 1.0 - std::pow(keep, 12)) return 0.0;
  const double rate = expected_volume(b, second);
  const double seconds = static_cast<double>(slot_s()) * b.volume_weight / (1.0 - keep);
  return std::max(0.0, rate - 1.5 * std::sqrt(rate / seconds));
}

// Moves the window on to sub-window `slot`, letting the baseline absorb what is old enough.
void Reasoner::State::advance(const Series& series, int64_t slot) {
  Window& window = store.window(series);
  Watched* watched = series.depth <= 1 ? &store.watched[series.detail] : nullptr;
  if (series.last_second < 0) {  // nothing seen yet: begin here
    window.newest = slot;
    window.absorbed = slot;
    return;
  }
  if (slot <= window.newest) return;
  const double length = static_cast<double>(slot_s());
  const Pace pace{std::exp2(-length / config.half_life_s),
                  std::exp2(-length / config.volume_half_life_s), length};
  const bool young = window.baseline.learnt < static_cast<double>(config.warmup_attempts);
  const int64_t lag = young ? 2 : int64_t{kSlots};
  const uint32_t frozen_now = freeze_flags(series.key);
  for (int64_t s = window.absorbed; s <= std::min(slot - lag, window.newest); ++s) {
    const Tally& tally = window.slot(s);
    const uint32_t frozen = tally.frozen | frozen_now;
    if (tally.attempts > 0 && (frozen & kFreezeHealth) == 0) {
      absorb_health(window.baseline, tally, pace);
      if (watched != nullptr) {
        absorb_latency(*watched, watched->latency[static_cast<std::size_t>(s) % kSlots], pace);
      }
    }
    if (tally.attempts > 0 && (frozen & kFreezeRetry) == 0) {
      absorb_retries(window.baseline, tally, pace);
    }
    if ((frozen & kFreezeVolume) == 0) {
      absorb_volume(window.baseline, tally.first / length / volume_season(s * slot_s()), pace);
    }
  }
  // Sub-windows without a single attempt only teach that nothing came.
  const int64_t silent_from = std::max(window.absorbed, window.newest + 1);
  const int64_t silent = std::clamp<int64_t>(slot - lag - silent_from + 1, 0, 10'000);
  if ((frozen_now & kFreezeVolume) == 0) {
    for (int64_t i = 0; i < silent; ++i) absorb_volume(window.baseline, 0.0, pace);
  }
  window.absorbed = std::max(window.absorbed, slot - lag + 1);
  const int64_t first_new = std::max(window.newest + 1, slot - static_cast<int64_t>(kSlots) + 1);
  for (int64_t s = first_new; s <= slot; ++s) {
    window.slot(s) = {};
    if (watched != nullptr) watched->latency[static_cast<std::size_t>(s) % kSlots] = {};
  }
  window.newest = slot;
}

// Recomputes what a path expects, once per sub-window.
void Reasoner::State::refresh(Leaf& leaf, int64_t second) {
  const auto baseline = [&](std::size_t i) -> const Baseline& {
    return store.window(store.all[leaf.series[i]]).baseline;
  };
  const Baseline& global = baseline(0);
  const std::array<const Baseline*, 3> dims{&baseline(1), &baseline(2), &baseline(4)};
  Baseline& own = store.leaf_window(leaf).baseline;
  const auto expect = [&](auto count, double prior) {
    const auto share = [&](const Baseline& b, double toward, double strength) {
      const auto [k, n] = count(b);
      return std::clamp(shrunk(k, n, toward, strength), 0.0005, 0.97);
    };
    const double all = share(global, prior, kPriorAttempts);
    const double parents =
        combined(all, share(*dims[0], all, kDimensionLean), share(*dims[1], all, kDimensionLean),
                 share(*dims[2], all, kDimensionLean));
    return share(own, parents, kLeafLean);
  };
  const auto of_first = [](double Baseline::*member) {
    return [member](const Baseline& b) { return std::pair(b.*member, b.first); };
  };
  const auto at = [&](Share s) -> double& { return leaf.expected[static_cast<std::size_t>(s)]; };
  at(Share::technical) = expect(of_first(&Baseline::technical), kPriorTechnical);
  at(Share::customer) = expect(of_first(&Baseline::customer), kPriorCustomer);
  at(Share::policy) = expect(of_first(&Baseline::policy), kPriorPolicy);
  at(Share::fraud) = expect(of_first(&Baseline::fraud), kPriorFraud);
  leaf.expected_ok = 1.0 - expect(
                               [](const Baseline& b) {
                                 const double telling = b.first - b.customer;
                                 return std::pair(telling - b.approved, telling);
                               },
                               kPriorNotOk);
  leaf.usual_technical = at(Share::technical);
  const double season = failure_season(leaf, second);
  if (season != 1.0) {
    const double o = season * odds(leaf.usual_technical);
    at(Share::technical) = std::clamp(o / (1.0 + o), 0.0005, 0.97);
    leaf.expected_ok *= (1.0 - at(Share::technical)) / (1.0 - leaf.usual_technical);
  }
  // The latency reference: fixed while about one in twenty exceeds it, set anew when not.
  const double slow_share = shrunk(own.slow, own.timed, kPriorSlow, kPriorAttempts);
  const bool drifted = own.timed > 200.0 && (slow_share < 0.015 || slow_share > 0.12);
  if (leaf.latency_total >= kReferenceAttempts && (leaf.slow_from == kNone || drifted) &&
      (freeze_flags(store.path(leaf)) & kFreezeHealth) == 0) {
    std::size_t bucket = 0;
    (void)p95_of(leaf.latency, leaf.latency_total, &bucket);
    leaf.slow_from = static_cast<uint32_t>(bucket) + 1;
    own.slow = own.timed = 0.0;
  }
  at(Share::slow) = shrunk(own.slow, own.timed, kPriorSlow, kPriorAttempts);
  for (float& count : leaf.latency) count *= static_cast<float>(kLatencyKeep);
  leaf.latency_total *= kLatencyKeep;
  const double keep = std::exp2(-static_cast<double>(slot_s()) / config.half_life_s);
  for (double* sum : {&leaf.amount, &leaf.amount_first}) *sum *= keep;
  for (double* sum : {&leaf.attempts_per, &leaf.payments}) *sum *= kLatencyKeep;
}

// A new normal: whatever the scope's series show now is what they shall expect.
void Reasoner::State::relearn(const SeriesKey& scope) {
  for (const Series& series : store.all) {
    if (series.window == kNone || !scope.covers(series.key)) continue;
    Window& window = store.window(series);
    const Tally recent = window.sum(0, window.newest);
    if (recent.first == 0) continue;
    const Pace pace{0.0, 0.0, static_cast<double>(slot_s() * int64_t{kSlots})};
    absorb_health(window.baseline, recent, pace);
    absorb_retries(window.baseline, recent, pace);
    absorb_volume(window.baseline, recent.first / pace.slot_s, pace);
    window.baseline.learnt = recent.first;
    window.baseline.ok_variance = window.baseline.retry_variance = 0.0;
    window.baseline.volume_variance = 0.0;
    window.absorbed = window.newest + 1;
    if (series.depth <= 1) {
      Watched& watched = store.watched[series.detail];
      for (double& count : watched.latency_baseline) count = 0.0;
      watched.latency_total = 0.0;
      for (const LatencyHistogram& slot : watched.latency) absorb_latency(watched, slot, {});
      watched.latency_variance = 0.0;
    }
    if (series.depth == 3) refresh(store.leaves[series.detail], last_second);
  }
}

}  // namespace payops::reasoning
