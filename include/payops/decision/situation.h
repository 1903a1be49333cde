// What a planner sees of the world in one cycle, and the questions that intervention types ask of
// it. All pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "payops/decision/economics.h"
#include "payops/decision/nrv.h"
#include "payops/model/assessment.h"
#include "payops/model/decision.h"
#include "payops/model/effect.h"

namespace payops::decision {

// The busiest that each gateway has recently been, payments a second; halves in a day. And the load
// under which one gave way to what was sent to it, attempts a second; doubles in a day. State of
// the agent, by which headroom is learnt.
struct TrafficPeaks {
  std::map<std::string, double> payments_per_s;
  std::map<std::string, double> gave_way_per_s;
  int64_t updated_ts_ms = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("payments_per_s", &TrafficPeaks::payments_per_s),
                           field("gave_way_per_s", &TrafficPeaks::gave_way_per_s),
                           field("updated_ts_ms", &TrafficPeaks::updated_ts_ms));
  }
};
// Takes in a cycle's traffic. At most 4096 gateways are kept.
void observe(TrafficPeaks& peaks, const Assessment& assessment);
// Remembers that `gateway` gave way under its present load.
void remember_overload(TrafficPeaks& peaks, const Assessment& assessment,
                       const std::string& gateway);

// Attempts a second that a gateway is seen to carry now, retries and what is sent there included; 0
// for one that is not watched.
[[nodiscard]] double load_per_s(const Assessment& assessment, std::string_view gateway);

// Does a reroute in force cost the customers of its target more than it gains its own? They are in
// neither of its arms, so no holdout shows it: it costs what the target succeeds less than usual,
// beyond 3 standard errors, where nothing was wrong with it before `since_ms`, from when on traffic
// has been sent there. `effect` is the gain in conversion of a treated payment.
[[nodiscard]] bool overloads_target(const Assessment& assessment, const Action& reroute,
                                    int64_t since_ms, double effect);

// How soon an intervention is judged, which is when the next step of its ramp takes over: the terms
// of learning's sequential test.
struct JudgingPace {
  double alpha = 0.05;
  double mixture_sd = 0.1;
  double payments_min = 30.0;  // in each arm
  double stabilise_s = 30.0;   // not counted
};
// Expected time from its issue until a difference of `effect` in conversions of about `conversion`
// is found, with so many payments a second in each arm; infinite for no effect or no payments.
[[nodiscard]] double judged_after_s(const JudgingPace& pace, double effect, double conversion,
                                    double treated_per_s, double holdout_per_s);

using Paths = std::vector<const PathStats*>;  // into the assessment

// The live paths by issuer. REQUIRES: the assessment outlives it, unchanged.
class PathIndex {
 public:
  explicit PathIndex(const Assessment& assessment);
  // Those of one issuer, or all for "*", in the assessment's order.
  [[nodiscard]] const Paths& of_issuer(const std::string& issuer) const;
  // nullptr when no traffic has been seen there.
  [[nodiscard]] const PathStats* find(const Scope& path) const;
  // How a payment fares now on one of them; worked out once. Not for two threads at a time.
  [[nodiscard]] const Outlook& present(const PathStats& path) const;

 private:
  const PathStats* first_;
  Paths all_;
  mutable std::vector<std::optional<Outlook>> present_;  // by place in the assessment
  std::unordered_map<std::string_view, Paths> by_issuer_;
};

struct Situation {
  const Assessment& assessment;
  const EffectTable& effects;
  const std::vector<Intervention>& interventions;  // the ledger, ended ones too, oldest first
  const Economics& economics;
  int64_t ts_ms = 0;
  const TrafficPeaks* peaks = nullptr;  // none: the present traffic counts as the peak
  JudgingPace pace{};
  std::optional<RampStep> step{};  // the only step of the ramp to consider; none: as the ramp goes
  PathIndex paths{assessment};
};

// Does every payment of `inner` belong to `outer`? Can a payment belong to both?
[[nodiscard]] bool covers(const Scope& outer, const Scope& inner);
[[nodiscard]] bool overlaps(const Scope& a, const Scope& b);

[[nodiscard]] Paths paths_in(const PathIndex& index, const Scope& scope);
[[nodiscard]] uint64_t attempts_of(const Paths& paths);
// Too little known to move traffic on: fewer attempts in all than attempts_min, a single path that
// is still warming up, or more than warming_max of the payments on such.
[[nodiscard]] bool thin(const Paths& paths, const Economics& economics);

// Is an intervention deciding about traffic now: active and not expired, on its way, or waiting for
// a person?
[[nodiscard]] bool in_force(const Intervention& intervention, int64_t ts_ms);

// Amount of live first attempts a second in a scope; all of it for Scope{}.
[[nodiscard]] double live_value_per_s(const Assessment& assessment, const Scope& scope = {});

// Share of its scope's customers that an action treats.
[[nodiscard]] double treated_share(const Action& action);

// What is in force under a key (type and scope), the newest; nullptr when nothing is.
[[nodiscard]] const Intervention* in_force_on(const Situation& situation, std::string_view type,
                                              const Scope& scope);
// Its strength; 0 when there is none.
[[nodiscard]] double strength_in_force(const Situation& situation, std::string_view type,
                                       const Scope& scope);

// Payments a second that `gateway` can take on top of what it carries and of what is already being
// sent to it, below its limit, or headroom_multiple of its peak, or nine tenths of the load under
// which it gave way; never negative.
[[nodiscard]] double headroom_per_s(const Situation& situation, std::string_view gateway);

// How long the trouble behind a scope has lasted, by the alarms in force that overlap it.
[[nodiscard]] double fault_age_s(const Situation& situation, const Scope& scope);

// How customers kept off `scope` fare by other means: other methods of the same issuer when the
// scope names issuer and method, else whatever lies outside the scope; weighted by payments. All
// zero when there is nothing else.
[[nodiscard]] Outlook other_way(const PathIndex& index, const Scope& scope);

// How a payment fares on `path`, with the customers who, declined, pay another way unasked.
[[nodiscard]] Outlook fare(const Economics& economics, const Outlook& on_path,
                           const Outlook& other);

// The steps of the ramp that an intervention may take now, by what the ledger has of its key: while
// it is in force, the next one if it has improved (or the same again shortly before it expires),
// otherwise none; after an improvement within ramp_memory_s the step that improved; else those up
// to ramp_first_max, all of them where what it does is `measured` on live traffic already, or the
// first alone after a harm. None either while one of its type covers it.
[[nodiscard]] std::vector<RampStep> ramp_steps(const Situation& situation, std::string_view type,
                                               const Scope& scope, bool measured = false);

}  // namespace payops::decision
