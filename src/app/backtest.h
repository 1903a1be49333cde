// The agent over a team's own history, in shadow: what it would have noticed, concluded and done.
// It never publishes, and history cannot answer: expected savings are what it expected when it
// would have acted, not what came of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "app_config.h"
#include "history.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"
#include "payops/payments_agent/cycle_report.h"

namespace payops::app {

// A rate over event time in at most so many points: neighbours are merged as time goes on.
class Trace {
 public:
  struct Point {
    int64_t ts_ms = 0;  // of its first reading
    double value = 0.0;
    double usual = 0.0;
    double z = 0.0;
    double readings = 0.0;
  };
  explicit Trace(std::size_t most = 2048) : most_(most) {}
  void add(int64_t ts_ms, double value, double usual, double z);
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

 private:
  std::size_t most_;
  double per_point_ = 1.0;
  std::vector<Point> points_;
};

// An intervention that would have been taken.
struct WouldAct {
  int64_t ts_ms = 0;
  std::string decision_id;
  std::string type;
  Scope scope;
  std::map<std::string, std::string> params;
  double strength = 0.0;
  Cause cause = Cause::none_of_these;
  double confidence = 0.0;
  double expected_minor = 0.0;  // NRV against doing nothing
  double low_minor = 0.0;       // its 90 % interval
  double high_minor = 0.0;
  double blast_radius = 0.0;
  double failure_probability = 0.0;  // by the pre-mortem
  bool needs_approval = false;       // of a person, before it would have gone ahead
  std::string why;
  static constexpr auto fields() {
    using W = WouldAct;
    return std::make_tuple(
        field("ts_ms", &W::ts_ms), field("decision_id", &W::decision_id), field("type", &W::type),
        field("scope", &W::scope), field("params", &W::params), field("strength", &W::strength),
        field("cause", &W::cause), field("confidence", &W::confidence),
        field("expected_minor", &W::expected_minor), field("low_minor", &W::low_minor),
        field("high_minor", &W::high_minor), field("blast_radius", &W::blast_radius),
        field("failure_probability", &W::failure_probability),
        field("needs_approval", &W::needs_approval), field("why", &W::why));
  }
};

// An incident as it was last told, what was concluded and what would have been done about it.
struct FoundIncident {
  Incident incident;
  int64_t noticed_ts_ms = 0;
  std::vector<Hypothesis> hypotheses;  // when the leading one was surest
  std::vector<WouldAct> acts;          // on traffic it touches, while it lasted
  std::string shown;                   // the series of `trace`
  std::vector<Trace::Point> trace;     // around it
  static constexpr auto fields() {
    using F = FoundIncident;
    return std::make_tuple(field("incident", &F::incident),
                           field("noticed_ts_ms", &F::noticed_ts_ms),
                           field("hypotheses", &F::hypotheses), field("acts", &F::acts));
  }
};

struct BacktestResult {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  uint64_t cycles = 0;
  observation::IngestCounts counts;
  std::vector<FoundIncident> incidents;  // at most kMaxIncidents; the first ones
  uint64_t incidents_found = 0;
  std::vector<WouldAct> acts;   // traffic-touching, at most kMaxActs
  double expected_minor = 0.0;  // sum over all of them
  double expected_sigma = 0.0;  // of that sum, taken as independent
  double lost_minor = 0.0;      // by excess failures of all incidents
  std::string currency;
  static constexpr auto fields() {
    using B = BacktestResult;
    return std::make_tuple(
        field("from_ms", &B::from_ms), field("to_ms", &B::to_ms), field("cycles", &B::cycles),
        field("counts", &B::counts), field("incidents", &B::incidents),
        field("incidents_found", &B::incidents_found), field("acts", &B::acts),
        field("expected_minor", &B::expected_minor), field("expected_sigma", &B::expected_sigma),
        field("lost_minor", &B::lost_minor), field("currency", &B::currency));
  }
};
inline constexpr std::size_t kMaxIncidents = 500;
inline constexpr std::size_t kMaxActs = 5'000;

// A backtest's result with what its charts need.
struct BacktestStory {
  BacktestResult result;
  std::map<std::string, Trace> traces;  // success rate, by series; "all payments" is always there
  std::string config_hash;
};

struct BacktestSpec {
  AppConfig config;
  std::function<void(double done_share, int64_t event_ms)> on_progress = [](double, int64_t) {};
  std::function<bool()> stop = [] { return false; };
};

// Errors: those of the history; usage when it holds no attempt that could be read, naming what was
// wrong with the messages; refused when stopped.
[[nodiscard]] Result<BacktestStory> run_backtest(const BacktestSpec& spec, History& history);

// One HTML page that needs nothing else: figures, charts, every incident in words.
[[nodiscard]] std::string backtest_page(const BacktestStory& story, const std::string& source);

}  // namespace payops::app
