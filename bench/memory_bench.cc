// What a commit costs on a real disk: the synced batch in RocksDB, then inputs, audit lines and
// checkpoint, for blocks of typical sizes. Percentiles are over single steps, in milliseconds.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "payops/core/random.h"
#include "payops/core/sign.h"
#include "payops/memory/audit_files.h"
#include "payops/memory/audit_verify.h"
#include "payops/memory/rocks_store.h"
#include "payops/runtime/in_memory.h"

namespace payops::memory {
namespace {

// Decides nothing; its state is `state_bytes` of noise.
class Idle final : public Reducer {
 public:
  explicit Idle(std::size_t state_bytes) : state_(state_bytes, '\0') {
    RandomStream random = Random(1).at(2);
    for (char& byte : state_) byte = static_cast<char>(random.next());
  }
  Result<StepOutput> apply(std::string_view) override { return StepOutput{}; }
  std::string snapshot() const override { return state_; }
  Status restore(std::string_view) override { return {}; }

 private:
  std::string state_;
};

struct Disk {
  std::string root;
  Disk() {
    std::string pattern = (std::filesystem::temp_directory_path() / "payops-bench-XXXXXX").string();
    root = ::mkdtemp(pattern.data());
  }
  ~Disk() { std::filesystem::remove_all(root); }
};

// Half noise, half zeros: about as compressible as leaf cells.
std::string block_of(std::size_t bytes, uint64_t step) {
  std::string block(bytes, '\0');
  RandomStream random = Random(step).at(1);
  for (std::size_t i = 0; i < bytes; i += 2) block[i] = static_cast<char>(random.next());
  return block;
}

StepOutput output_of(uint64_t step, int64_t ts_ms) {
  StepOutput output{.digest = std::string(32, 'd'), .ts_ms = ts_ms};
  for (int i = 0; i < 12; ++i) {
    output.audit.push_back({"decided", ts_ms, "\"text\":\"" + std::string(600, 'a') + "\""});
  }
  for (int i = 0; i < 4; ++i) {
    output.outbox.push_back({.id = std::to_string(step) + "-" + std::to_string(i),
                             .topic = "decisions",
                             .payload = std::string(600, 'p')});
  }
  return output;
}

double percentile(std::vector<double> sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

// The disk alone, to hold the steps against: a step syncs four times.
void BM_four_syncs(benchmark::State& state) {
  const Disk disk;
  const int fd = ::open((disk.root + "/file").c_str(), O_WRONLY | O_CREAT, 0644);
  const std::string bytes(4096, 'x');
  std::vector<double> took_ms;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 4; ++i) {
      if (::write(fd, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd) != 0) {
        return state.SkipWithError("the disk refuses");
      }
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    took_ms.push_back(took.count());
  }
  ::close(fd);
  state.counters["p50_ms"] = percentile(took_ms, 0.5);
  state.counters["p99_ms"] = percentile(took_ms, 0.99);
}
BENCHMARK(BM_four_syncs)->Iterations(400)->Unit(benchmark::kMillisecond)->UseRealTime();

// range(0): bytes of the block; range(1): bytes of the state, snapshotted every 40th step.
void BM_step(benchmark::State& state) {
  const Disk disk;
  const KeyPair key = make_key_pair();
  auto store = RocksStore::open(disk.root + "/state");
  auto files = AuditFiles::open(disk.root + "/audit", {.public_key_hex = key.public_key_hex});
  Idle idle(static_cast<std::size_t>(state.range(1)));
  CollectingOutbox outbox([](const OutboxEntry&) {});
  StepperOptions options{.snapshot_every_ms = 320'000};
  options.sign = [&](std::string_view text) { return *sign_text(text, key.secret_key_hex); };
  Stepper stepper(idle, **store, **files, outbox, {}, options);
  if (!stepper.recover()) return state.SkipWithError("recover failed");
  std::vector<double> plain_ms, snapshot_ms;
  for (auto _ : state) {
    state.PauseTiming();
    const uint64_t step = stepper.step() + 1;
    const auto ts_ms = static_cast<int64_t>(step) * 8'000;
    std::string block = block_of(static_cast<std::size_t>(state.range(0)), step);
    StepOutput output = output_of(step, ts_ms);
    state.ResumeTiming();
    const auto begin = std::chrono::steady_clock::now();
    if (!stepper.take(std::move(block), std::move(output), {})) {
      return state.SkipWithError("a step failed");
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    (step % 40 == 0 ? snapshot_ms : plain_ms).push_back(took.count());
  }
  state.counters["p50_ms"] = percentile(plain_ms, 0.5);
  state.counters["p99_ms"] = percentile(plain_ms, 0.99);
  state.counters["snapshot_p50_ms"] = snapshot_ms.empty() ? 0 : percentile(snapshot_ms, 0.5);
}
BENCHMARK(BM_step)
    ->Args({1 << 10, 1 << 10})
    ->Args({16 << 10, 64 << 10})
    ->Args({128 << 10, 1 << 20})
    ->Args({1 << 20, 16 << 20})
    ->Iterations(400)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_verify(benchmark::State& state) {
  const Disk disk;
  auto files = AuditFiles::open(disk.root, {.sync = false});
  InMemoryStore store;
  Idle idle(1000);
  CollectingOutbox outbox([](const OutboxEntry&) {});
  Stepper stepper(idle, store, **files, outbox, {}, {});
  if (!stepper.recover()) return state.SkipWithError("recover failed");
  while (stepper.step() < 1000) {
    const uint64_t step = stepper.step() + 1;
    if (!stepper.take(block_of(16 << 10, step), output_of(step, 8'000), {})) {
      return state.SkipWithError("a step failed");
    }
  }
  uint64_t lines = 0;
  for (auto _ : state) {
    const auto report = audit_verify(disk.root);
    if (!report || !report->ok) return state.SkipWithError("does not verify");
    lines += report->lines;
  }
  state.counters["lines_per_s"] =
      benchmark::Counter(static_cast<double>(lines), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_verify)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace payops::memory

BENCHMARK_MAIN();
