// What a cycle costs as the number of series grows: taking in one second in which every path had
// traffic, and the cycle that follows eight of them, without the commit. All names known. Times
// are CPU times of what a case names (the eight seconds are not in a cycle's). Counter
// "ns_per_series" is what grows or does not. Traffic is healthy, and in the last case 50 of 729
// paths fail, one after the other, so that each is an alarm of its own, with as many details of
// regions, merchants and amounts as a second may have.
#include <benchmark/benchmark.h>
#include <time.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "payops/core/check.h"
#include "payops/core/random.h"
#include "payops/payments_agent/agent.h"

namespace {

using namespace payops;
using payments_agent::InputHead;
using payments_agent::PaymentsAgent;

constexpr int64_t kStartSecond = 1'772'438'400;
constexpr int64_t kCycleSeconds = 8;
constexpr int64_t kWarmUpSeconds = 64;  // the display window is full
constexpr int64_t kFailingSeconds = 120;
constexpr int64_t kBetweenFailures = 16;
constexpr uint64_t kBuckets = 16;  // different seconds, taken in turn
constexpr DimId kRegionNames = 5;
constexpr DimId kMerchantNames = 40;
constexpr std::size_t kDetailCells = 512;  // as many as a second may have

// Every combination of so many names: (issuers + 1)(methods + 1)(gateways + 1) series.
struct Shape {
  DimId issuers, methods, gateways;
};
constexpr Shape kShapes[] = {{4, 4, 3}, {9, 9, 9}, {24, 19, 19}, {49, 49, 39}};

Cell cell_of(RandomStream& random) {
  Cell cell;
  cell.attempts = cell.first_attempts = 2 + static_cast<uint32_t>(random.below(5));
  for (uint32_t i = 0; i < cell.attempts; ++i) {
    const bool approved = random.chance(0.93);
    cell.approvals += approved;
    const auto reason = static_cast<std::size_t>(
        random.chance(0.5) ? DeclineClass::customer : DeclineClass::issuer_technical);
    cell.failures[reason] += !approved;
    cell.latency.add(150 + static_cast<uint32_t>(random.below(400)));
  }
  cell.first_approvals = cell.approvals;
  cell.first_failures = cell.failures;
  cell.amount_minor = int64_t{250'000} * cell.attempts;
  cell.approved_amount_minor = int64_t{250'000} * cell.approvals;
  return cell;
}

ClosedBucket bucket_of(const Shape& shape, uint64_t number) {
  ClosedBucket bucket;
  RandomStream random = Random(1).at(number);
  for (DimId i = 1; i <= shape.issuers; ++i) {
    for (DimId m = 1; m <= shape.methods; ++m) {
      for (DimId g = 1; g <= shape.gateways; ++g) {
        bucket.cells.push_back({.key = {.path = {i, m, g}}, .cell = cell_of(random)});
      }
    }
  }
  std::set<DetailKey> seen;
  while (seen.size() < std::min(kDetailCells, bucket.cells.size())) {
    const LeafCell& leaf = bucket.cells[random.below(bucket.cells.size())];
    seen.insert({.path = leaf.key.path,
                 .region = static_cast<DimId>(1 + random.below(kRegionNames)),
                 .merchant = static_cast<DimId>(1 + random.below(kMerchantNames)),
                 .band = static_cast<uint8_t>(random.below(kAmountBands))});
  }
  for (const DetailKey& key : seen) {
    DetailCell& detail = bucket.details.emplace_back();
    detail.key = key;
    detail.reached[2] = 2;
    detail.failed[2] = random.chance(0.07) ? 1 : 0;
  }
  return bucket;
}

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// An agent in steady state over one shape.
class Steady {
 public:
  explicit Steady(const Shape& shape) {
    head_.names.details = {names("R", kRegionNames), names("S", kMerchantNames)};
    for (uint64_t n = 0; n < kBuckets; ++n) buckets_.push_back(bucket_of(shape, n));
    head_.names.added = {names("I", shape.issuers), names("M", shape.methods),
                         names("G", shape.gateways)};
    run(kWarmUpSeconds);
  }

  // One path after the other, spread evenly, begins to fail and goes on.
  void fail(std::size_t paths) {
    const std::size_t apart = buckets_.front().cells.size() / paths;
    for (std::size_t i = 0; i < paths; ++i) {
      for (ClosedBucket& bucket : buckets_) fail_path(bucket, bucket.cells[i * apart]);
      run(kBetweenFailures);
    }
    run(kFailingSeconds);
  }

  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += kCycleSeconds) {
      for (int64_t i = 0; i < kCycleSeconds; ++i) observe();
      step();
    }
  }

  // One more second. Gives how long the agent took.
  double observe() {
    ClosedBucket& bucket = buckets_[static_cast<std::size_t>(second_) % kBuckets];
    bucket.second = second_++;
    const double began_s = cpu_s();
    const bool rose = agent_.observe(bucket);
    const double took_s = cpu_s() - began_s;
    benchmark::DoNotOptimize(rose);
    return took_s;
  }

  double step() {
    ++head_.step;
    head_.watermark_ms = second_ * 1000;
    const double began_s = cpu_s();
    const auto output = agent_.step(head_, "");  // not recorded
    const double took_s = cpu_s() - began_s;
    PAYOPS_CHECK(output.has_value());
    head_.names = {};
    return took_s;
  }

  void report(benchmark::State& state, double spent_s) const {
    const auto series = static_cast<double>(agent_.series());
    state.counters["series"] = series;
    state.counters["ns_per_series"] =
        spent_s * 1e9 / static_cast<double>(state.iterations()) / series;
    state.counters["alarms"] = static_cast<double>(agent_.report().alarms.size());
    state.counters["hypotheses"] = static_cast<double>(agent_.report().hypotheses.size());
  }

 private:
  static std::vector<std::string> names(const std::string& prefix, DimId count) {
    std::vector<std::string> list;
    for (int n = 1; n <= count; ++n) list.push_back(prefix + std::to_string(n));
    return list;
  }

  static void fail_path(ClosedBucket& bucket, LeafCell& leaf) {
    constexpr auto kReason = static_cast<std::size_t>(DeclineClass::issuer_technical);
    Cell& cell = leaf.cell;
    for (auto* failures : {&cell.failures, &cell.first_failures}) {
      *failures = {};
      (*failures)[kReason] = cell.attempts;
    }
    cell.approvals = cell.first_approvals = 0;
    for (DetailCell& detail : bucket.details) {
      if (detail.key.path == leaf.key.path) detail.failed[2] = detail.reached[2];
    }
  }

  PaymentsAgent agent_;
  std::vector<ClosedBucket> buckets_;
  InputHead head_;
  int64_t second_ = kStartSecond;
};

void BM_ObserveSecond(benchmark::State& state) {
  Steady steady(kShapes[state.range(0)]);
  double spent_s = 0.0;
  for (auto _ : state) {
    const double took_s = steady.observe();
    spent_s += took_s;
    state.SetIterationTime(took_s);
  }
  steady.report(state, spent_s);
}

void BM_Cycle(benchmark::State& state) {
  Steady steady(kShapes[state.range(0)]);
  double spent_s = 0.0;
  for (auto _ : state) {
    for (int64_t i = 0; i < kCycleSeconds; ++i) steady.observe();
    const double took_s = steady.step();
    spent_s += took_s;
    state.SetIterationTime(took_s);
  }
  steady.report(state, spent_s);
}

void BM_AlarmingCycle(benchmark::State& state) {
  Steady steady(kShapes[1]);
  steady.fail(50);
  double spent_s = 0.0;
  for (auto _ : state) {
    for (int64_t i = 0; i < kCycleSeconds; ++i) steady.observe();
    const double took_s = steady.step();
    spent_s += took_s;
    state.SetIterationTime(took_s);
  }
  steady.report(state, spent_s);
}

}  // namespace

BENCHMARK(BM_AlarmingCycle)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_ObserveSecond)->DenseRange(0, 3)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(BM_Cycle)->DenseRange(0, 3)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK_MAIN();
