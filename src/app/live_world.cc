#include "live_world.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <thread>

#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/streaming/compacted_reader.h"
#include "payops/streaming/event_producer.h"
#include "payops/streaming/topics.h"

namespace payops::app {
namespace {

constexpr int64_t kTickMs = 100;  // simulated time between looks at actions
constexpr int64_t kWorldSentMs = 60'000;

// Where events go: a topic or a file.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual Status attempt(const std::string& payment_id, std::string_view json) = 0;
  virtual Status truth(const simulators::TruthEvent& event) = 0;
  virtual Status finish() = 0;
};

class FileSink final : public EventSink {
 public:
  static Result<std::unique_ptr<EventSink>> open(const std::string& path) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
    if (file == nullptr) return fail(ErrorCode::unavailable, path + " cannot be written");
    return std::unique_ptr<EventSink>(new FileSink(file));
  }
  Status attempt(const std::string&, std::string_view json) override {
    if (std::fwrite(json.data(), 1, json.size(), file_.get()) == json.size() &&
        std::fputc('\n', file_.get()) != EOF) {
      return {};
    }
    return fail(ErrorCode::unavailable, "the output file cannot be written: disk full?");
  }
  Status truth(const simulators::TruthEvent&) override { return {}; }
  Status finish() override {
    if (std::fflush(file_.get()) == 0) return {};
    return fail(ErrorCode::unavailable, "the output file cannot be written: disk full?");
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdout) std::fclose(file);
    }
  };
  explicit FileSink(std::FILE* file) : file_(file) {}
  std::unique_ptr<std::FILE, Close> file_;
};

class TopicSink final : public EventSink {
 public:
  explicit TopicSink(std::unique_ptr<streaming::EventProducer> producer)
      : producer_(std::move(producer)) {}
  Status attempt(const std::string& payment_id, std::string_view json) override {
    return producer_->send("payments.transactions", payment_id, json);
  }
  Status truth(const simulators::TruthEvent& event) override {
    return producer_->send("simulator.truth", to_string(event.scope), dump(to_json(event)));
  }
  Status finish() override {
    if (Status status = producer_->flush(kWorldSentMs); !status) return status;
    const uint64_t failed = producer_->counts().failed;
    if (failed == 0) return {};
    return fail(ErrorCode::unavailable, std::to_string(failed) + " events were not delivered");
  }

 private:
  std::unique_ptr<streaming::EventProducer> producer_;
};

void apply(const streaming::Record& record, simulators::World& world, LiveWorldResult& result,
           const LiveWorldSpec& spec) {
  if (record.tombstone() || record.payload.empty()) {
    world.end(std::string(record.key));
    return;
  }
  const auto action = from_json<Action>(Json::parse(record.payload, nullptr, false));
  if (!action) {
    spec.on_trouble("an unreadable action was ignored: " + action.error().message);
    return;
  }
  ++result.actions_applied;
  world.apply(*action);
}

}  // namespace

Result<LiveWorldResult> run_live_world(const LiveWorldSpec& spec) {
  std::unique_ptr<EventSink> sink;
  std::unique_ptr<streaming::CompactedReader> actions;
  if (!spec.out.empty()) {
    auto file = FileSink::open(spec.out);
    if (!file) return tl::make_unexpected(file.error());
    sink = std::move(*file);
  } else {
    auto cluster = streaming::await_cluster(spec.streaming, [&](const std::string& sentence) {
      spec.on_trouble(sentence);
      return !spec.stop();
    });
    if (!cluster) return tl::make_unexpected(cluster.error());
    auto producer = streaming::EventProducer::open(spec.streaming);
    if (!producer) return tl::make_unexpected(producer.error());
    sink = std::make_unique<TopicSink>(std::move(*producer));
    auto reader = streaming::CompactedReader::open(spec.streaming, "payops.actions");
    if (!reader) return tl::make_unexpected(reader.error());
    actions = std::move(*reader);
  }

  using Clock = std::chrono::steady_clock;
  auto began = Clock::now();  // of the time that runs at `speed`, and where it began
  double speed = spec.speed;
  const int64_t duration_ms = std::llround(spec.duration_s * 1000);
  const bool real_time = spec.speed == 1.0 && spec.out.empty() && spec.warm_up_s == 0.0;
  LiveWorldResult result;
  result.scenario = spec.scenario.name;
  result.seed = spec.seed;
  result.start_ms = spec.start_ms.value_or(SystemClock().now_ms() - (real_time ? 0 : duration_ms));
  simulators::World world(spec.scenario, spec.seed, result.start_ms, spec.rate_tps);
  std::string json;
  Status status;
  const auto send = [&](const simulators::SimulatedAttempt& attempt) {
    if (!status) return;
    ++result.attempts;
    status = sink->attempt(attempt.payment_id(), simulators::to_json(attempt, json));
  };
  const int64_t warm_up_ms = std::llround(spec.warm_up_s * 1000);
  int64_t simulated_ms = 0;
  int64_t began_at_ms = warm_up_ms;
  while (status && !spec.stop() && (duration_ms == 0 || simulated_ms < duration_ms)) {
    simulated_ms += kTickMs;
    if (duration_ms > 0) simulated_ms = std::min(simulated_ms, duration_ms);
    if (speed > 0 && simulated_ms > warm_up_ms) {
      const auto shown_ms = static_cast<double>(simulated_ms - began_at_ms);
      std::this_thread::sleep_until(
          began + std::chrono::microseconds(std::llround(shown_ms * 1000.0 / speed)));
    }
    const double speed_before = speed;
    spec.on_turn(world, speed);
    if (speed != speed_before) {
      began = Clock::now();
      began_at_ms = simulated_ms;
    }
    world.advance(result.start_ms + simulated_ms, send);
    if (actions != nullptr) {
      for (const streaming::Record& record : actions->poll(0)) apply(record, world, result, spec);
    }
    const std::vector<simulators::TruthEvent> truth = world.take_truth();
    for (const simulators::TruthEvent& event : truth) {
      if (status) status = sink->truth(event);
    }
    spec.on_truth(truth);
    spec.on_progress(simulated_ms, result.attempts);
  }
  if (!status) return tl::make_unexpected(status.error());
  if (Status finished = sink->finish(); !finished) return tl::make_unexpected(finished.error());
  result.end_ms = result.start_ms + simulated_ms;
  result.books = world.books();
  result.net_revenue_minor = result.books.net_revenue_minor();
  return result;
}

}  // namespace payops::app
