// What is kept of every series: counts of the last minute in sub-windows, baselines learnt from
// what has left that minute, and the detectors' statistics. Flat records without padding, so that
// their bytes can be digested as they lie; they are read and written through fields().
//
// Depth tells what a series keeps. Every series has the failure detector. Leaves (a full path) and
// single dimensions also have windows and baselines; single dimensions and the global series
// are `watched`: shown to people, with latency, retry, volume and mix detectors.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "payops/core/codec.h"
#include "payops/model/assessment.h"
#include "payops/model/cell.h"
#include "payops/model/dimensions.h"
#include "payops/reasoning/config.h"
#include "payops/reasoning/rate_detector.h"

namespace payops::reasoning {

inline constexpr std::size_t kSlots = 6;  // sub-windows in the display window
inline constexpr uint32_t kNone = UINT32_MAX;

// Shares of attempts that a fault can move. `technical` moves on first attempts; `customer`,
// `policy` and `fraud` are declines by class among them; `slow` counts attempts above the latency
// that a path exceeds once in twenty; `retry` counts attempts that are not a payment's first.
enum class Share : uint8_t { technical, slow, retry, customer, policy, fraud, volume };
inline constexpr std::size_t kShares = 7;

// The technical failures by class, in the order of Tally::technical.
inline constexpr std::array<DeclineClass, 4> kTechnicalClasses{
    DeclineClass::issuer_technical, DeclineClass::gateway, DeclineClass::network,
    DeclineClass::unknown};

// Learning that is stopped: bits of Tally::frozen.
inline constexpr uint32_t kFreezeHealth = 1;
inline constexpr uint32_t kFreezeVolume = 2;
inline constexpr uint32_t kFreezeRetry = 4;

// Counts of one sub-window. `technical`, `customer`, `policy`, `fraud`, `approved` are of first
// attempts; `failed` is of all. `expected_*` are what the paths' baselines foresaw for this mix.
struct Tally {
  uint32_t attempts = 0;
  uint32_t failed = 0;
  uint32_t first = 0;
  uint32_t approved = 0;
  std::array<uint32_t, 4> technical{};
  uint32_t customer = 0;
  uint32_t policy = 0;
  uint32_t fraud = 0;
  uint32_t timed = 0;  // attempts whose path has a latency reference
  uint32_t slow = 0;
  uint32_t frozen = 0;
  double expected_technical = 0.0;
  double usual_technical = 0.0;  // the same but for the hour and the day
  double expected_ok = 0.0;      // approvals among attempts not declined for the customer's account
  [[nodiscard]] uint32_t technical_all() const {
    return technical[0] + technical[1] + technical[2] + technical[3];
  }
  [[nodiscard]] uint32_t retries() const { return attempts - first; }
  // Attempts that say something about the path: the customer's own account did not decide them.
  [[nodiscard]] uint32_t telling() const { return first - customer; }
  Tally& operator+=(const Tally& other);
  static constexpr auto fields() {
    return std::make_tuple(field("attempts", &Tally::attempts), field("failed", &Tally::failed),
                           field("first", &Tally::first), field("approved", &Tally::approved),
                           field("technical", &Tally::technical),
                           field("customer", &Tally::customer), field("policy", &Tally::policy),
                           field("fraud", &Tally::fraud), field("timed", &Tally::timed),
                           field("slow", &Tally::slow), field("frozen", &Tally::frozen),
                           field("expected_technical", &Tally::expected_technical),
                           field("usual_technical", &Tally::usual_technical),
                           field("expected_ok", &Tally::expected_ok));
  }
};

// Exponentially forgetting counts. Their ratios are EWMA rates weighted by attempts; one step of
// forgetting is a sub-window with traffic, so that a quiet night forgets nothing.
struct Baseline {
  double first = 0.0;
  double approved = 0.0;
  double technical = 0.0;
  double customer = 0.0;
  double policy = 0.0;
  double fraud = 0.0;
  double timed = 0.0;
  double slow = 0.0;
  double retry_attempts = 0.0;  // untreated sub-windows only, as the next three
  double retries = 0.0;
  double retry_failed = 0.0;
  double retry_first_failed = 0.0;
  double volume = 0.0;         // first attempts a second, deseasonalised
  double volume_weight = 0.0;  // 1 - forgetting so far: volume / volume_weight is unbiased
  double ok_variance = 0.0;    // beyond binomial, of sub-window rates; likewise below
  double retry_variance = 0.0;
  double volume_variance = 0.0;
  double learnt = 0.0;  // first attempts absorbed in all, nothing forgotten
  static constexpr auto fields() {
    using B = Baseline;
    return std::make_tuple(
        field("first", &B::first), field("approved", &B::approved),
        field("technical", &B::technical), field("customer", &B::customer),
        field("policy", &B::policy), field("fraud", &B::fraud), field("timed", &B::timed),
        field("slow", &B::slow), field("retry_attempts", &B::retry_attempts),
        field("retries", &B::retries), field("retry_failed", &B::retry_failed),
        field("retry_first_failed", &B::retry_first_failed), field("volume", &B::volume),
        field("volume_weight", &B::volume_weight), field("ok_variance", &B::ok_variance),
        field("retry_variance", &B::retry_variance), field("volume_variance", &B::volume_variance),
        field("learnt", &B::learnt));
  }
};

// The last kSlots sub-windows, the newest still filling, and what they leave behind. A sub-window
// enters the baseline when it leaves the ring, or while young as soon as it is two old: what is
// tested is never in what it is tested against.
struct Window {
  std::array<Tally, kSlots> slots{};
  int64_t newest = 0;    // number of the newest sub-window (second / slot length)
  int64_t absorbed = 0;  // sub-windows below it have entered the baseline
  Baseline baseline;
  [[nodiscard]] const Tally& slot(int64_t number) const {
    return slots[static_cast<std::size_t>(number) % kSlots];
  }
  [[nodiscard]] Tally& slot(int64_t number) {
    return slots[static_cast<std::size_t>(number) % kSlots];
  }
  // The sum of sub-windows from..current that the ring still holds.
  [[nodiscard]] Tally sum(int64_t from, int64_t current) const;
  static constexpr auto fields() {
    return std::make_tuple(field("slots", &Window::slots), field("newest", &Window::newest),
                           field("absorbed", &Window::absorbed),
                           field("baseline", &Window::baseline));
  }
};

struct Series {
  SeriesKey key;
  uint16_t depth = 0;
  uint32_t window = kNone;   // index into windows
  uint32_t detail = kNone;   // index into leaves (depth 3) or watched (depth 0, 1)
  uint64_t first = 0;        // first attempts since the beginning
  int64_t last_second = -1;  // last second with traffic
  RateBank failures;
  static constexpr auto fields() {
    return std::make_tuple(field("key", &Series::key), field("depth", &Series::depth),
                           field("window", &Series::window), field("detail", &Series::detail),
                           field("first", &Series::first),
                           field("last_second", &Series::last_second),
                           field("failures", &Series::failures));
  }
};

// What only a full path keeps.
struct Leaf {
  std::array<uint32_t, 8> series{};  // as series_of_leaf; kNone where refused
  // Expected shares, refreshed when a sub-window begins; indexed by Share up to fraud.
  std::array<double, 6> expected{};
  double usual_technical = 0.0;  // of these the first, but for the hour and the day
  double expected_ok = 0.0;
  double amount = 0.0;  // of first attempts, minor units, forgetting as baselines do
  double amount_first = 0.0;
  double attempts_per = 0.0;  // attempts and payments, likewise
  double payments = 0.0;
  std::array<float, kLatencyBuckets> latency{};  // short memory, never frozen
  double latency_total = 0.0;
  uint32_t self = kNone;
  uint32_t slow_from = kNone;  // the first latency bucket that counts as slow
  static constexpr auto fields() {
    return std::make_tuple(
        field("series", &Leaf::series), field("expected", &Leaf::expected),
        field("usual_technical", &Leaf::usual_technical), field("expected_ok", &Leaf::expected_ok),
        field("amount", &Leaf::amount), field("amount_first", &Leaf::amount_first),
        field("attempts_per", &Leaf::attempts_per), field("payments", &Leaf::payments),
        field("latency", &Leaf::latency), field("latency_total", &Leaf::latency_total),
        field("self", &Leaf::self), field("slow_from", &Leaf::slow_from));
  }
};

// What only the global series and single dimensions keep.
struct Watched {
  using ShiftBank = Bank<kShiftShares.size()>;
  std::array<ShiftBank, 5> shifts;  // slow, retry, customer, policy, fraud
  Bank<kDropShares.size()> drop;
  int64_t drop_until = 0;  // seconds below it are in `drop`
  std::array<LatencyHistogram, kSlots> latency;
  std::array<double, kLatencyBuckets> latency_baseline{};
  double latency_total = 0.0;
  double latency_variance = 0.0;  // of ln p95 of a sub-window, beyond sampling
  [[nodiscard]] ShiftBank& shift(Share share) {
    return shifts[static_cast<std::size_t>(share) - 1];
  }
  static constexpr auto fields() {
    return std::make_tuple(field("shifts", &Watched::shifts), field("drop", &Watched::drop),
                           field("drop_until", &Watched::drop_until),
                           field("latency", &Watched::latency),
                           field("latency_baseline", &Watched::latency_baseline),
                           field("latency_total", &Watched::latency_total),
                           field("latency_variance", &Watched::latency_variance));
  }
};

// All series, by dense index in order of first appearance.
class SeriesStore {
 public:
  explicit SeriesStore(uint64_t max_series) : max_series_(max_series) {}

  // The leaf's index in `leaves`, with all its series made if there is room; kNone if not.
  [[nodiscard]] uint32_t leaf(const SeriesKey& path);
  [[nodiscard]] uint32_t find(const SeriesKey& key) const;  // index of a series, or kNone
  [[nodiscard]] const Window& window(const Series& s) const { return windows[s.window]; }
  [[nodiscard]] Window& window(const Series& s) { return windows[s.window]; }
  [[nodiscard]] Window& leaf_window(const Leaf& leaf) { return windows[all[leaf.self].window]; }
  [[nodiscard]] const Window& leaf_window(const Leaf& leaf) const {
    return windows[all[leaf.self].window];
  }
  [[nodiscard]] const SeriesKey& path(const Leaf& leaf) const { return all[leaf.self].key; }
  void encode(Encoder& out) const;
  void decode(Decoder& in);

  std::vector<Series> all;
  std::vector<Window> windows;
  std::vector<Leaf> leaves;
  std::vector<Watched> watched;
  std::vector<uint32_t> watched_series;  // series of each of `watched`
  uint64_t refused = 0;

 private:
  [[nodiscard]] uint32_t add(const SeriesKey& key);
  uint64_t max_series_;
  struct Hash {
    std::size_t operator()(uint64_t packed) const {
      packed *= 0x9E3779B97F4A7C15ULL;
      return static_cast<std::size_t>(packed ^ packed >> 32);
    }
  };
  std::unordered_map<uint64_t, uint32_t, Hash> index_;
};

// Whether a record's bytes are all members, so that they can be digested as they lie.
template <Reflected T>
constexpr bool unpadded() {
  return std::is_trivially_copyable_v<T> &&
         std::apply(
             [](const auto&... f) {
               return (sizeof(std::declval<T&>().*(f.member)) + ... + std::size_t{0});
             },
             T::fields()) == sizeof(T);
}
static_assert(unpadded<Tally>() && unpadded<Baseline>() && unpadded<Window>() &&
              unpadded<Series>() && unpadded<Leaf>() && unpadded<Watched>() && unpadded<Cusum>());
template <Reflected T>
std::string_view raw_bytes(const T& record) {
  return {reinterpret_cast<const char*>(&record), sizeof(T)};
}

}  // namespace payops::reasoning
