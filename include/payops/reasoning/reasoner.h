// Reasoning over closed one-second buckets: how every issuer, method and gateway stands against
// its baseline, which series changed, and which explanations compete.
//
//   Reasoner reasoner(config);
//   if (reasoner.observe(bucket)) cut_a_cycle_now();
//   Assessment assessment = reasoner.assess(watermark_ms, dictionary, actions_in_force);
//
// Pure and deterministic: state is a function of the calls made. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/model/assessment.h"
#include "payops/model/calendar.h"
#include "payops/model/cell.h"
#include "payops/model/dimensions.h"
#include "payops/model/topology.h"
#include "payops/reasoning/cause_counts.h"
#include "payops/reasoning/cell_reading.h"
#include "payops/reasoning/config.h"

namespace payops::reasoning {

// An intervention of ours in force: what it does to the traffic of its scope is not news.
struct OwnAction {
  SeriesKey scope;
  std::string type;  // action_type::…
  int64_t since_ts_ms = 0;
  int64_t until_ts_ms = 0;
  double share = 1.0;  // of the scope's payments that it treats
  static constexpr auto fields() {
    return std::make_tuple(field("scope", &OwnAction::scope), field("type", &OwnAction::type),
                           field("since_ts_ms", &OwnAction::since_ts_ms),
                           field("until_ts_ms", &OwnAction::until_ts_ms),
                           field("share", &OwnAction::share));
  }
};

class Reasoner {
 public:
  struct State;                                      // src/reasoning/state.h
  explicit Reasoner(const ReasoningConfig& config);  // REQUIRES: config.validate() is fine
  ~Reasoner();
  Reasoner(Reasoner&&) noexcept;
  Reasoner& operator=(Reasoner&&) noexcept;

  // Takes one closed second. Seconds come in ascending order and may be skipped; one that is not
  // later than the last is ignored. True when an alarm rose or grew worse: a cycle should be cut at
  // once. Costs what the bucket's cells cost, not what the series do.
  bool observe(const ClosedBucket& bucket);

  // What stands on what; held until set again, and no part of the state.
  void set_topology(const Topology& topology);
  // What is known beforehand; likewise. REQUIRES: it is valid.
  void set_calendar(const Calendar& calendar);

  // Concludes a cycle at event time ts_ms, before which every bucket has been observed; silence is
  // judged here. `dictionary` names every id observed so far. The actions hold until the next call.
  [[nodiscard]] Assessment assess(int64_t ts_ms, const Dictionary& dictionary,
                                  const std::vector<OwnAction>& actions);

  // How every series with traffic stands now: the global one and single dimensions, then pairs of
  // issuer and method, then paths, those with most attempts first where there are more than
  // `cells_max`. For a console: changes nothing, and costs only when asked. Volume is judged for
  // single dimensions only; a pair's latency baseline is the mean of its paths'.
  [[nodiscard]] std::vector<CellReading> cells(const Dictionary& dictionary,
                                               std::size_t cells_max) const;

  // What has been confirmed of past incidents, and so how likely each cause is beforehand. Part of
  // the state; whoever learns of an incident's cause adds to it.
  [[nodiscard]] CauseCounts& causes();
  [[nodiscard]] const CauseCounts& causes() const;

  // The whole state; one read back goes on exactly as the other would have. Errors show in the
  // decoder: after a failed decode the state is empty.
  void encode(Encoder& out) const;
  void decode(Decoder& in);

  // Adds what changed since the last call: series in order of first appearance, then alarms,
  // beliefs and actions.
  void digest_touched(StateDigest& digest);

  [[nodiscard]] std::size_t series() const;
  [[nodiscard]] uint64_t series_refused() const;  // new series met beyond max_series, times met

 private:
  std::unique_ptr<State> state_;
};

}  // namespace payops::reasoning
