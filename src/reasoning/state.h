// The state of a Reasoner and the parts it is worked by. Internal to reasoning.
//   learning.cc     sub-windows, baselines, expectations
//   observe.cc      a closed second: counts, detectors
//   alarms.cc       crossings to alarms, their life and end
//   hypotheses.cc   competing explanations
//   details.cc      counts by region, merchant, amount and stage
//   suspects.cc     which slices of those may be a cause
//   status.cc       readings and path statistics
//   cells.cc        what a console shows of pairs and paths
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "attribution.h"
#include "details.h"
#include "payops/model/intervention.h"
#include "payops/reasoning/cause_counts.h"
#include "payops/reasoning/rate_detector.h"
#include "payops/reasoning/reasoner.h"
#include "season.h"
#include "series.h"
#include "suspects.h"

namespace payops::reasoning {

// Counts of one second of one series while it is worked on: plain sums over its leaves.
// e_… is what the baselines expect, x_… the same with the faults of alarms in force added.
enum Count : std::size_t {
  kAttempts,
  kFailed,
  kFirst,
  kApproved,
  kTechnical,  // and the three after it
  kCustomer = kTechnical + 4,
  kPolicy,
  kFraud,
  kTimed,
  kSlow,
  kTreated,
  kExpectedOk,
  kUsual,                     // technical failures expected but for the hour and the day
  kExpected,                  // by Share, technical … fraud; retry unused
  kForeseen = kExpected + 6,  // likewise; retry: attempts × share moved by retry alarms
  kCounts = kForeseen + 6
};
struct Flow {
  std::array<float, kCounts> v{};
};

// An alarm as it lives here, by ids rather than names.
struct LiveAlarm {
  SeriesKey scope;
  Share share = Share::technical;
  Pattern pattern = Pattern::issuer_degradation;
  Spread spread = Spread::localized;
  bool secondary = false;  // a symptom of another alarm: kept, not told
  bool announced = false;  // has been in Assessment::rose
  int64_t started = 0;     // seconds
  int64_t raised = 0;
  int64_t ended = 0;
  int64_t updated = 0;          // seconds below it are counted
  int64_t recovered_since = 0;  // 0 = not recovered
  int64_t calm_from = 0;        // the second from which `recovery` has been above zero
  double moved = 0.0;           // the share of attempts that the fault takes, now
  double peak = 0.0;            // the most it took
  double recovery = 0.0;        // log-likelihood ratio of health against half the fault
  double statistic = 0.0;
  double threshold = 0.0;
  double false_alarms_per_week = 0.0;
  double attempts = 0.0;  // since it started
  double failures = 0.0;
  double expected = 0.0;
  double storm = 0.0;  // storm_evidence() while it lasted: of its end it says nothing
  Cause cause = Cause::none_of_these;  // that leads among its explanations, and its probability
  double certainty = 0.0;
  Cause asserted = Cause::none_of_these;  // the last that led with more than even odds, and
  DetailSlice slice{};                    // the part of the scope that it is about
  static constexpr auto fields() {
    using A = LiveAlarm;
    return std::make_tuple(
        field("scope", &A::scope), field("share", &A::share), field("pattern", &A::pattern),
        field("spread", &A::spread), field("secondary", &A::secondary),
        field("announced", &A::announced), field("started", &A::started),
        field("raised", &A::raised), field("ended", &A::ended), field("updated", &A::updated),
        field("recovered_since", &A::recovered_since), field("calm_from", &A::calm_from),
        field("moved", &A::moved), field("peak", &A::peak), field("recovery", &A::recovery),
        field("statistic", &A::statistic), field("threshold", &A::threshold),
        field("false_alarms_per_week", &A::false_alarms_per_week), field("attempts", &A::attempts),
        field("failures", &A::failures), field("expected", &A::expected), field("storm", &A::storm),
        field("cause", &A::cause), field("certainty", &A::certainty),
        field("asserted", &A::asserted), field("slice", &A::slice));
  }
};

// Which belief is carried over: about one alarm, one explanation.
struct BeliefKey {
  uint64_t alarm = 0;
  Cause cause = Cause::none_of_these;
  uint64_t scope = 0;
  auto operator<=>(const BeliefKey&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("alarm", &BeliefKey::alarm), field("cause", &BeliefKey::cause),
                           field("scope", &BeliefKey::scope));
  }
};

// How volume depends on the hour of the week: learnt from the global series, used for all once a
// whole week is known; 1 until then.
struct WeekProfile {
  static constexpr std::size_t kHours = 168;
  std::array<double, kHours> rate{};     // first attempts a second, EWMA over weeks
  std::array<uint32_t, kHours> weeks{};  // how often the hour was seen in full
  int64_t hour = -1;                     // hours since the epoch of the hour being counted
  double count = 0.0;
  bool in_use = false;
  [[nodiscard]] double factor(int64_t second) const;
  // Counts a second; true when this made the profile usable.
  bool add(int64_t second, double first_attempts);
  static constexpr auto fields() {
    using W = WeekProfile;
    return std::make_tuple(field("rate", &W::rate), field("weeks", &W::weeks),
                           field("hour", &W::hour), field("count", &W::count),
                           field("in_use", &W::in_use));
  }
};

// A detector that has exceeded its threshold.
struct Crossing {
  uint32_t series = kNone;
  Share share = Share::technical;
  Cusum cusum;
  double threshold = 0.0;
  double false_alarms_per_week = 0.0;
};

// The rows of one signal since one moment, and the table of those that no alarm covers: what the
// alarms of a cycle have in common.
struct CommonRows {
  CommonRows(std::vector<Row> rows, RowKind kind, std::shared_ptr<const Lattice> known)
      : evidence(std::move(rows), kind, std::move(known)) {}
  RowEvidence evidence;
  std::unique_ptr<ScopeTable> uncovered;
  std::vector<uint32_t> covered;  // rows that some alarm covers
};

// What the details say in one cycle, with the ids that it is said in.
struct Detailed {
  Detailed(const DetailStore& details, int64_t from_second, std::size_t leaves_max,
           const Topology& topology, const Dictionary& dictionary)
      : upstreams(topology, dictionary), suspects(details, from_second, leaves_max, upstreams) {}
  UpstreamIds upstreams;
  Suspects suspects;
};

struct Reasoner::State {
  explicit State(const ReasoningConfig& c)
      : config(c),
        store(c.max_series),
        details(c.max_detail_slices, c.display_window_s / int64_t{kSlots}, c.half_life_s) {}

  // learning.cc
  [[nodiscard]] int64_t slot_s() const { return config.display_window_s / int64_t{kSlots}; }
  [[nodiscard]] uint32_t freeze_flags(const SeriesKey& key) const;
  void advance(const Series& series, int64_t slot);
  void refresh(Leaf& leaf, int64_t second);
  [[nodiscard]] double expected_volume(const Baseline& baseline, int64_t second) const;
  [[nodiscard]] double cautious_volume(const Baseline& baseline, int64_t second) const;
  void relearn(const SeriesKey& scope);
  // How volume and the odds of a technical failure differ from the usual by hour and day.
  [[nodiscard]] double volume_season(int64_t second) const;
  [[nodiscard]] double failure_season(const Leaf& leaf, int64_t second) const;

  // observe.cc
  bool observe(const ClosedBucket& bucket);
  void add_leaf(uint32_t leaf, const Cell& cell, double treated, int64_t second);
  void settle(uint32_t series, const Flow& flow, int64_t second);
  void settle_watched(uint32_t series, const Flow& flow, int64_t second);
  void test_failures(uint32_t series, int64_t second, const Flow& flow);
  [[nodiscard]] LearntRate learnt_rate(const Series& series, double rate) const;
  void add_silence(uint32_t watched_index, int64_t until, double arrivals);
  void check(uint32_t series, Share share, const Cusum& cusum, double p0, double g);
  [[nodiscard]] bool armed() const;
  [[nodiscard]] double budget(const Series& series, Share share) const;
  [[nodiscard]] double moved(const SeriesKey& path, Share share) const;
  // The alarm of that share that takes most of the path's attempts; nullptr without one.
  [[nodiscard]] const LiveAlarm* worst(const SeriesKey& path, Share share) const;

  // alarms.cc
  bool resolve_crossings();
  bool resolve(Share share);
  bool grow(Share share, const Crossing& crossing, const std::vector<Row>& rows);
  void raise(Share share, const ScopeScore& scope, const Crossing& crossing);
  void reset_detectors(Share share);
  void follow(LiveAlarm& alarm, const Flow& flow, int64_t second);
  void tend_alarms();
  void rescope(LiveAlarm& alarm);
  void classify(LiveAlarm& alarm);
  [[nodiscard]] std::array<double, 4> spread(LiveAlarm& alarm);
  [[nodiscard]] bool end_if_over(LiveAlarm& alarm);
  [[nodiscard]] std::vector<Row> rows(Share share, int64_t from_second) const;
  // The same for as long as the cycle lasts, worked out once.
  [[nodiscard]] CommonRows& common_rows(Share share, int64_t from_second);
  // Of these the uncovered ones, and those covered ones that `in` admits.
  template <class In>
  [[nodiscard]] ScopeTable table_of(CommonRows& common, Share share, In&& in);
  // The logarithm of how much likelier the retries of a scope are in a storm than as what its
  // failures usually bring; bounded.
  [[nodiscard]] double storm_evidence(const SeriesKey& scope, int64_t from_second) const;
  [[nodiscard]] Row leaf_row(const Leaf& leaf, Share share, int64_t from_slot) const;
  void note_own_actions();
  void judge_silence(int64_t until);
  [[nodiscard]] Alarm told(const LiveAlarm& alarm, const Dictionary& dictionary) const;
  [[nodiscard]] std::string announced(const LiveAlarm& alarm, const Dictionary& dictionary) const;

  // hypotheses.cc
  [[nodiscard]] std::vector<Hypothesis> hypotheses(const Dictionary& dictionary);
  [[nodiscard]] std::unique_ptr<Detailed> suspect_details(const Dictionary& dictionary) const;

  // status.cc
  [[nodiscard]] std::vector<SeriesStatus> statuses(const Dictionary& dictionary) const;
  [[nodiscard]] SeriesStatus status(uint32_t series, const Dictionary& dictionary) const;
  [[nodiscard]] std::vector<PathStats> paths(const Dictionary& dictionary) const;

  // cells.cc
  [[nodiscard]] std::vector<CellReading> cells(const Dictionary& dictionary,
                                               std::size_t cells_max) const;

  void encode(Encoder& out) const;
  void decode(Decoder& in);
  void digest_touched(StateDigest& digest);
  [[nodiscard]] bool consistent() const;

  ReasoningConfig config;
  Topology topology;        // not of the state: set again after decode()
  Foreknowledge foreknown;  // likewise
  SeriesStore store;
  DetailStore details;
  std::vector<LiveAlarm> alarms;
  std::vector<LiveAlarm> gone;  // ended and not yet told
  std::vector<OwnAction> actions;
  std::map<BeliefKey, double> beliefs;
  CauseCounts causes;  // behind past incidents
  WeekProfile week;
  std::vector<FailureRhythm> rhythms;  // per watched
  std::vector<double> own_share;       // per watched: volume under our own traffic actions
  std::vector<uint8_t> touched;        // per series, since the last digest
  int64_t last_second = -1;
  int64_t now = 0;  // seconds; everything below it has been observed

  // Working memory, empty between calls.
  std::vector<Flow> flows;
  std::vector<uint8_t> flowing;
  std::vector<uint32_t> flowing_series;
  std::vector<Crossing> crossings;
  std::map<std::pair<Share, int64_t>, CommonRows> cycle_rows;  // by the first sub-window
  std::shared_ptr<const Lattice> lattice;  // of the rows that were asked for last
  double alarms_per_attempt = 0.0;  // false ones that the budget allows, at the present volume
};

template <class In>
ScopeTable Reasoner::State::table_of(CommonRows& common, Share share, In&& in) {
  const std::vector<Row>& rows = common.evidence.rows();
  if (common.uncovered == nullptr) {
    std::vector<uint8_t> alarmed(common.evidence.scopes().size(), 0);
    for (const LiveAlarm& a : alarms) {
      const uint32_t scope = common.evidence.index(a.scope);
      if (a.share == share && scope != RowEvidence::kUnseen) alarmed[scope] = 1;
    }
    std::vector<uint8_t> covered(rows.size(), 0);
    common.covered.clear();
    for (uint32_t i = 0; i < rows.size(); ++i) {
      for (const uint32_t scope : common.evidence.scopes_of(i)) covered[i] |= alarmed[scope];
      if (covered[i] != 0) common.covered.push_back(i);
    }
    common.uncovered = std::make_unique<ScopeTable>(
        common.evidence, [&](std::size_t row) { return covered[row] == 0; });
  }
  std::vector<uint32_t> further;
  for (const uint32_t row : common.covered) {
    if (in(rows[row])) further.push_back(row);
  }
  return ScopeTable(*common.uncovered, further);
}

// The counts a share is made of: n attempts of which k moved.
[[nodiscard]] double share_n(const Tally& t, Share share);
[[nodiscard]] double share_k(const Tally& t, Share share);
[[nodiscard]] double flow_n(const Flow& f, Share share);
[[nodiscard]] double flow_k(const Flow& f, Share share);
[[nodiscard]] Signal signal_of(Share share);
// The share of attempts that are retries, by a baseline, where first attempts fail as in `recent`.
[[nodiscard]] double retry_share(const Baseline& baseline, const Tally& recent);

// Whether some attempt can belong to both.
[[nodiscard]] constexpr bool overlap(const SeriesKey& a, const SeriesKey& b) {
  const auto meets = [](DimId x, DimId y) { return x == kAny || y == kAny || x == y; };
  return meets(a.issuer, b.issuer) && meets(a.method, b.method) && meets(a.gateway, b.gateway);
}
// Whether one contains the other.
[[nodiscard]] constexpr bool nested(const SeriesKey& a, const SeriesKey& b) {
  return a.covers(b) || b.covers(a);
}
[[nodiscard]] bool moves_traffic(const OwnAction& action);
[[nodiscard]] bool moves_retries(const OwnAction& action);
[[nodiscard]] uint64_t alarm_hash(const LiveAlarm& alarm);

// p shrunk towards `prior` by `strength` attempts' worth of belief.
[[nodiscard]] constexpr double shrunk(double k, double n, double prior, double strength) {
  return (k + prior * strength) / (n + strength);
}

}  // namespace payops::reasoning
