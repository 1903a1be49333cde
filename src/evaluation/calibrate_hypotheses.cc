// Faults drawn at random, and what the agent thinks of them.
#include <algorithm>
#include <cmath>
#include <optional>

#include "parallel.h"
#include "payops/core/random.h"
#include "payops/evaluation/calibration.h"
#include "payops/runtime/in_memory.h"

namespace payops::evaluation {
namespace {

using payments_agent::CycleReport;
using simulators::Fault;
using simulators::FaultKind;
using simulators::Scenario;

constexpr std::size_t kCauses = enum_names<Cause>.size();
constexpr std::array<std::size_t, 3> kJudgedCycles{0, 2, 7};  // that know of an alarm
constexpr std::size_t kPosteriorBins = 10;

using ByCause = std::array<double, kCauses>;

// A kind of fault, where it strikes, and the cause that names it.
struct Kind {
  FaultKind kind;
  Dimension dimension;
  Cause cause;
};
constexpr std::array<Kind, 11> kKinds{{
    {FaultKind::outage, Dimension::issuer, Cause::issuer_down},
    {FaultKind::slow_ramp, Dimension::issuer, Cause::issuer_down},
    {FaultKind::flapping, Dimension::issuer, Cause::issuer_down},
    {FaultKind::gateway_failure, Dimension::gateway, Cause::gateway_down},
    {FaultKind::outage, Dimension::gateway, Cause::gateway_down},
    {FaultKind::method_fatigue, Dimension::method, Cause::method_wide},
    {FaultKind::latency_spike, Dimension::issuer, Cause::latency},
    {FaultKind::retry_storm, Dimension::issuer, Cause::retry_storm},
    {FaultKind::insufficient_funds, Dimension::issuer, Cause::customer_shift},
    {FaultKind::fraud_burst, Dimension::issuer, Cause::fraud_burst},
    {FaultKind::volume_drop, Dimension::method, Cause::traffic_drop},
}};

struct Drawn {
  Scenario scenario;
  Cause truth = Cause::none_of_these;
};

// The world of one case: healthy but for one fault of drawn kind, place, severity and length.
Drawn draw_case(const HypothesisDraw& draw, std::size_t number) {
  RandomStream random = Random(draw.seed).at(number, 0xFA17);
  Drawn drawn;
  Scenario& world = drawn.scenario;
  world.name = "drawn_" + std::to_string(number + 1);
  world.drift.sigma = 0.003;
  world.rate_tps = 30.0 + 40.0 * random.uniform();
  const Kind& kind = kKinds[random.below(kKinds.size())];
  drawn.truth = kind.cause;
  Fault fault;
  fault.kind = kind.kind;
  fault.start_s = 400.0 + std::floor(300.0 * random.uniform());
  fault.duration_s = 300.0 + std::floor(400.0 * random.uniform());
  fault.severity = 0.25 + 0.65 * random.uniform();
  fault.factor = 2.5 + 4.0 * random.uniform();
  if (fault.kind == FaultKind::fraud_burst) fault.severity = 0.2 + random.uniform();
  if (fault.kind == FaultKind::method_fatigue || fault.kind == FaultKind::slow_ramp) {
    fault.ramp_s = 60.0 + 200.0 * random.uniform();
  }
  switch (kind.dimension) {
    case Dimension::issuer:
      fault.scope.issuer = world.issuers[random.below(world.issuers.size())].name;
      break;
    case Dimension::method:
      fault.scope.method = world.methods[random.below(world.methods.size())].name;
      break;
    case Dimension::gateway:
      fault.scope.gateway = world.gateways[random.below(world.gateways.size())].name;
      break;
  }
  world.duration_s = fault.start_s + fault.duration_s;
  world.faults.push_back(std::move(fault));
  return drawn;
}

// The hypotheses at the judged cycles of one case.
using Thoughts = std::array<std::vector<Hypothesis>, kJudgedCycles.size()>;

Result<Thoughts> watch(const Drawn& drawn, uint64_t seed, const AgentSetup& setup,
                       const observation::DeclineTable& declines) {
  AgentSetup watching = setup;
  watching.agent.limits.mode = Mode::observe;
  const Stage stage = stage_of(drawn.scenario, seed);
  const int64_t began_ms =
      stage.start_ms + static_cast<int64_t>(drawn.scenario.faults.front().start_s * 1000.0);
  Thoughts thoughts;
  std::size_t known = 0;
  Watcher watcher;
  watcher.cycle = [&](const CycleReport& report) {
    const bool about = std::any_of(report.alarms.begin(), report.alarms.end(),
                                   [&](const Alarm& a) { return a.raised_ts_ms >= began_ms; });
    if (!about || report.hypotheses.empty()) return;
    for (std::size_t i = 0; i < kJudgedCycles.size(); ++i) {
      if (known == kJudgedCycles[i]) thoughts[i] = report.hypotheses;
    }
    ++known;
  };
  payments_agent::PaymentsAgent agent;
  InMemoryFiles files(false);
  auto books = run_closed_loop(stage, watching, declines, agent, files, watcher);
  if (!books) return tl::make_unexpected(books.error());
  if (thoughts[1].empty()) thoughts[1] = thoughts[0];  // noticed with less than three cycles left
  return thoughts;
}

ByCause by_cause(const std::vector<Hypothesis>& hypotheses, double Hypothesis::*probability) {
  ByCause sums{};
  double all = 0.0;
  for (const Hypothesis& h : hypotheses) {
    sums[static_cast<std::size_t>(h.cause)] += h.*probability;
    all += h.*probability;
  }
  for (double& sum : sums) sum = all > 0.0 ? sum / all : 0.0;
  return sums;
}

double brier(const ByCause& said, Cause truth) {
  double sum = 0.0;
  for (std::size_t c = 0; c < kCauses; ++c) {
    const double is = c == static_cast<std::size_t>(truth) ? 1.0 : 0.0;
    sum += (said[c] - is) * (said[c] - is);
  }
  return sum;
}

bool names(const Hypothesis& h, const Drawn& drawn) {
  return h.cause == drawn.truth && h.scope == drawn.scenario.faults.front().scope;
}

HypothesisCase judge(std::size_t number, const Drawn& drawn,
                     const std::vector<Hypothesis>& hypotheses) {
  const Fault& fault = drawn.scenario.faults.front();
  HypothesisCase result;
  result.number = number + 1;
  result.fault = name_of(fault.kind);
  result.scope = fault.scope;
  result.truth = drawn.truth;
  result.noticed = !hypotheses.empty();
  if (!result.noticed) return result;
  const Hypothesis& leading = hypotheses.front();
  result.leading = leading.cause;
  result.leading_scope = leading.scope;
  result.leading_probability = leading.posterior;
  result.right = names(leading, drawn);
  result.brier = brier(by_cause(hypotheses, &Hypothesis::posterior), drawn.truth);
  result.prior_brier = brier(by_cause(hypotheses, &Hypothesis::prior), drawn.truth);
  return result;
}

void count(const std::vector<Hypothesis>& hypotheses, const Drawn& drawn,
           std::vector<ReliabilityBin>& bins) {
  for (const Hypothesis& h : hypotheses) {
    const auto bin =
        std::min(kPosteriorBins - 1, static_cast<std::size_t>(h.posterior * kPosteriorBins));
    ReliabilityBin& b = bins[bin];
    ++b.said;
    b.mean_probability += h.posterior;
    b.right += names(h, drawn) ? 1.0 : 0.0;
  }
}

void summarise_bins(HypothesisCalibration& result) {
  double said = 0.0, error = 0.0;
  for (ReliabilityBin& b : result.bins) {
    if (b.said == 0) continue;
    const auto n = static_cast<double>(b.said);
    b.mean_probability /= n;
    b.right /= n;
    said += n;
    error += n * std::abs(b.mean_probability - b.right);
  }
  if (said > 0.0) result.expected_calibration_error = error / said;
}

}  // namespace

Result<HypothesisCalibration> calibrate_hypotheses(const HypothesisDraw& draw,
                                                   const AgentSetup& setup,
                                                   const observation::DeclineTable& declines) {
  std::vector<Result<Thoughts>> thoughts(draw.faults);
  in_parallel(
      draw.jobs, in_order(draw.faults),
      [&](std::size_t i) {
        thoughts[i] = watch(draw_case(draw, i), mix64(draw.seed, i), setup, declines);
      },
      draw.progress);
  HypothesisCalibration result;
  result.faults = draw.faults;
  for (std::size_t i = 0; i < kPosteriorBins; ++i) {
    const double width = 1.0 / kPosteriorBins;
    ReliabilityBin bin;
    bin.low = static_cast<double>(i) * width;
    bin.high = static_cast<double>(i + 1) * width;
    result.bins.push_back(bin);
  }
  std::vector<ByCause> said;
  std::vector<Cause> truths;
  for (std::size_t i = 0; i < draw.faults; ++i) {
    if (!thoughts[i]) return tl::make_unexpected(thoughts[i].error());
    const Drawn drawn = draw_case(draw, i);
    const std::vector<Hypothesis>& judged = (*thoughts[i])[1];
    result.cases.push_back(judge(i, drawn, judged));
    const HypothesisCase& one = result.cases.back();
    if (!one.noticed) continue;
    for (const auto& hypotheses : *thoughts[i]) count(hypotheses, drawn, result.bins);
    ++result.noticed;
    result.leading_right += one.right ? 1.0 : 0.0;
    result.brier += one.brier;
    result.prior_brier += one.prior_brier;
    said.push_back(by_cause(judged, &Hypothesis::posterior));
    truths.push_back(one.truth);
  }
  summarise_bins(result);
  for (std::size_t i = 0; i < said.size(); ++i) {
    result.shuffled_brier += brier(said[i], truths[(i + 1) % truths.size()]);
  }
  const auto n = static_cast<double>(std::max<uint64_t>(1, result.noticed));
  for (double* sum :
       {&result.leading_right, &result.brier, &result.prior_brier, &result.shuffled_brier}) {
    *sum /= n;
  }
  return result;
}

}  // namespace payops::evaluation
