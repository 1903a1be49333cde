// Do probabilities and intervals mean what they say? Hypotheses are held against the faults that
// were drawn; values of executed interventions against the same world without only that one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/evaluation/closed_loop.h"
#include "payops/evaluation/policy_summary.h"

namespace payops::evaluation {

// What was said with a probability in [low, high), and how often it was so.
struct ReliabilityBin {
  double low = 0.0;
  double high = 0.0;
  uint64_t said = 0;
  double mean_probability = 0.0;
  double right = 0.0;  // share of what was said
  static constexpr auto fields() {
    using B = ReliabilityBin;
    return std::make_tuple(field("low", &B::low), field("high", &B::high), field("said", &B::said),
                           field("mean_probability", &B::mean_probability),
                           field("right", &B::right));
  }
};

// One drawn fault and what was thought of it.
struct HypothesisCase {
  uint64_t number = 0;
  std::string fault;  // its kind
  Scope scope;
  Cause truth = Cause::none_of_these;
  bool noticed = false;
  Cause leading = Cause::none_of_these;  // at the cycle that is judged
  Scope leading_scope;
  double leading_probability = 0.0;
  bool right = false;  // the leading one names cause and scope
  double brier = 0.0;  // over causes: sum of squared differences, 0 best, 2 worst
  double prior_brier = 0.0;
  static constexpr auto fields() {
    using C = HypothesisCase;
    return std::make_tuple(
        field("number", &C::number), field("fault", &C::fault), field("scope", &C::scope),
        field("truth", &C::truth), field("noticed", &C::noticed), field("leading", &C::leading),
        field("leading_scope", &C::leading_scope),
        field("leading_probability", &C::leading_probability), field("right", &C::right),
        field("brier", &C::brier), field("prior_brier", &C::prior_brier));
  }
};

struct HypothesisCalibration {
  uint64_t faults = 0;
  uint64_t noticed = 0;
  double leading_right = 0.0;  // share of the noticed
  double brier = 0.0;          // means over the noticed (Brier 1950)
  double prior_brier = 0.0;
  double shuffled_brier = 0.0;  // each posterior held against the next noticed fault's truth
  double expected_calibration_error = 0.0;
  std::vector<ReliabilityBin> bins;  // of every hypothesis at three cycles of each fault
  std::vector<HypothesisCase> cases;
  static constexpr auto fields() {
    using C = HypothesisCalibration;
    return std::make_tuple(field("faults", &C::faults), field("noticed", &C::noticed),
                           field("leading_right", &C::leading_right), field("brier", &C::brier),
                           field("prior_brier", &C::prior_brier),
                           field("shuffled_brier", &C::shuffled_brier),
                           field("expected_calibration_error", &C::expected_calibration_error),
                           field("bins", &C::bins), field("cases", &C::cases));
  }
};

struct HypothesisDraw {
  uint64_t faults = 200;
  uint64_t seed = 1;
  unsigned jobs = 1;
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {};
};

// Draws faults of every kind that has a cause to name, each in a world of its own, and lets the
// agent watch (it may not act). Judged is the third cycle that knows of an alarm within the fault;
// reliability also counts the first and the eighth. Errors: of the closed loop.
[[nodiscard]] Result<HypothesisCalibration> calibrate_hypotheses(
    const HypothesisDraw& draw, const AgentSetup& setup, const observation::DeclineTable& declines);

// An executed intervention on traffic: what was expected of it, and what it was worth.
struct ValueCase {
  std::string scenario;
  uint64_t seed = 0;
  std::string type;
  Cause cause = Cause::none_of_these;
  double expected_minor = 0.0;
  double low_minor = 0.0;  // of the 90 % interval
  double high_minor = 0.0;
  double realised_minor = 0.0;
  bool covered = false;
  double issued_s = 0.0;  // after the world's beginning
  double lasted_s = 0.0;  // until its lease ended, it was undone, or its key's next took over
  double strength = 0.0;
  Scope scope{};
  static constexpr auto fields() {
    using C = ValueCase;
    return std::make_tuple(
        field("scenario", &C::scenario), field("seed", &C::seed), field("type", &C::type),
        field("cause", &C::cause), field("expected_minor", &C::expected_minor),
        field("low_minor", &C::low_minor), field("high_minor", &C::high_minor),
        field("realised_minor", &C::realised_minor), field("covered", &C::covered),
        field("issued_s", &C::issued_s), field("lasted_s", &C::lasted_s),
        field("strength", &C::strength), field("scope", &C::scope));
  }
};

struct ValueCalibration {
  uint64_t actions = 0;
  Interval coverage;   // share within the 90 % interval; 95 % interval of that, by seed
  double below = 0.0;  // share realised below the interval
  double above = 0.0;
  double expected_minor = 0.0;  // sums
  double realised_minor = 0.0;
  std::vector<ValueCase> cases;
  static constexpr auto fields() {
    using C = ValueCalibration;
    return std::make_tuple(field("actions", &C::actions), field("coverage", &C::coverage),
                           field("below", &C::below), field("above", &C::above),
                           field("expected_minor", &C::expected_minor),
                           field("realised_minor", &C::realised_minor), field("cases", &C::cases));
  }
};

struct ValueSweep {
  std::vector<simulators::Scenario> scenarios;
  // Of the logarithm of how much longer or shorter than scripted each fault is in each seed; 0: as
  // scripted, where all faults of a scenario end at the same age and say little of how sure of that
  // one could be. The world lasts as much longer as its last fault does.
  double length_spread = 0.0;
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;
  unsigned jobs = 1;
  std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t, std::size_t) {};
};

// The scenario with each fault as much longer or shorter as the seed draws, at least 30 s.
[[nodiscard]] simulators::Scenario with_lengths(simulators::Scenario scenario, double spread,
                                                uint64_t seed);

// Runs the agent in every world, then each world again for each executed intervention, with all
// messages to the router but those of that one; the difference of the books (less the cost of
// carrying it out, which no book holds) is what it was worth. Errors: of the closed loop.
[[nodiscard]] Result<ValueCalibration> calibrate_values(const ValueSweep& sweep,
                                                        const AgentSetup& setup,
                                                        const observation::DeclineTable& declines);

}  // namespace payops::evaluation
