#include "ingest_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include "payops/core/clock.h"
#include "payops/core/text.h"
#include "payops/observation/observer.h"
#include "payops/payments_agent/agent.h"
#include "payops/simulators/world.h"
#include "payops/streaming/bench.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/streaming/topics.h"

namespace payops::app {
namespace {

constexpr const char* kTopic = "payments.transactions";
constexpr int32_t kPartitions = 4;
constexpr int64_t kFilledMs = 120'000;
constexpr int64_t kGiveUpAfterMs = 30'000;  // without a message
constexpr int64_t kWorldStepMs = 100;
constexpr std::size_t kMessageBytes = 343;

double steady_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

// The event at the size that rates are compared at: of what nobody reads, some is cut and the rest
// filled up.
void resize(std::string& json) {
  for (const std::string_view member : {R"(,"merchant_id":")", R"(,"region":")"}) {
    const std::size_t at = json.find(member);
    if (at == std::string::npos) continue;
    json.erase(at, json.find('"', at + member.size()) + 1 - at);
  }
  constexpr std::string_view kFill = R"(,"mcc":"")";
  if (json.size() + kFill.size() >= kMessageBytes) return;
  const std::string digits(kMessageBytes - json.size() - kFill.size(), '5');
  json.insert(json.size() - 1, R"(,"mcc":")" + digits + "\"");
}

// A world of `messages` attempts that ends about now.
Result<uint64_t> fill(const IngestBenchSpec& spec, const streaming::StreamingConfig& streaming) {
  auto scenario = simulators::load_scenario("healthy_day");
  if (!scenario) return tl::make_unexpected(scenario.error());
  auto producer = streaming::EventProducer::open(streaming, {.linger_ms = 20});
  if (!producer) return tl::make_unexpected(producer.error());
  scenario->rhythm.amplitude = 0.0;  // every second as full as the next
  const auto span_s = static_cast<double>(spec.messages) / spec.rate_tps;
  const int64_t start_ms = SystemClock().now_ms() - std::llround(span_s * 1000);
  simulators::World world(*scenario, spec.seed, start_ms, spec.rate_tps);
  uint64_t sent = 0, bytes = 0;
  std::string buffer, json;
  Status status;
  while (status && sent < spec.messages) {
    if (spec.stop()) return fail(ErrorCode::refused, "stopped while filling the topic");
    world.advance(world.now_ms() + kWorldStepMs, [&](const simulators::SimulatedAttempt& attempt) {
      if (!status || sent >= spec.messages) return;
      json = simulators::to_json(attempt, buffer);
      resize(json);
      status = (*producer)->send(kTopic, attempt.payment_id(), json);
      ++sent;
      bytes += json.size();
    });
    (void)world.take_truth();
    spec.on_progress("filling: " + std::to_string(sent) + " of " + std::to_string(spec.messages));
  }
  if (!status) return tl::make_unexpected(status.error());
  if (Status flushed = (*producer)->flush(kFilledMs); !flushed) {
    return tl::make_unexpected(flushed.error());
  }
  if (const auto counts = (*producer)->counts(); counts.failed > 0) {
    return fail(ErrorCode::unavailable,
                std::to_string(counts.failed) + " messages were lost: " + (*producer)->trouble());
  }
  return bytes;
}

struct IngestRate {
  double wall_s = 0.0;
  double cpu_s = 0.0;
  uint64_t attempts = 0;
  uint64_t seconds = 0;
  uint64_t cycles = 0;
  uint64_t series = 0;
};

// The agent's input side and its cycles, as the loop runs them, without the commit.
class IngestPath {
 public:
  IngestPath(const AppConfig& config, const observation::DeclineTable& declines)
      : observer_(config.observation, declines, config.mapping, dictionary_),
        interval_s_(std::max<int64_t>(1, std::llround(config.agent.cycle_interval_s))) {
    agent_.configure(config.agent);
    for (int32_t p = 0; p < kPartitions; ++p) observer_.assign(p, {});
  }

  void add(const streaming::Batch& batch, int64_t now_ms) {
    messages_.clear();
    for (const streaming::Record& record : batch.records) {
      messages_.push_back({record.partition, record.offset, record.payload});
    }
    observer_.add(messages_, now_ms);
    for (const streaming::Position& end : batch.ends) observer_.at_end(end.partition, now_ms);
  }

  // Hands over what is closed, with a cycle at every multiple of the interval.
  Status close() {
    for (;;) {
      while (observer_.next_closed(bucket_, next_cycle_s_)) {
        if (!started_) next_cycle_s_ = (bucket_.second / interval_s_ + 1) * interval_s_;
        started_ = true;
        (void)agent_.observe(bucket_);
        ++rate_.seconds;
      }
      if (!started_ || observer_.watermark_ms() < next_cycle_s_ * 1000) return {};
      if (Status status = cycle(next_cycle_s_ * 1000); !status) return status;
      next_cycle_s_ += interval_s_;
    }
  }

  // The rest, and a last cycle.
  Status close_all() {
    observer_.finish();
    if (Status status = close(); !status) return status;
    return cycle((observer_.closed_to() + 1) * 1000);
  }

  [[nodiscard]] IngestRate counted() const {
    IngestRate rate = rate_;
    rate.attempts = static_cast<uint64_t>(agent_.totals().attempts);
    rate.series = agent_.series();
    return rate;
  }

 private:
  Status cycle(int64_t at_ms) {
    payments_agent::InputHead head;
    head.step = ++rate_.cycles;
    head.watermark_ms = at_ms;
    head.names = observer_.take_new_names();
    head.counts = observer_.take_counts();
    head.dead_letters = observer_.take_dead_letters();
    const auto output = agent_.step(head, "");  // not recorded
    if (!output) return tl::make_unexpected(output.error());
    return {};
  }

  Dictionary dictionary_;
  observation::Observer observer_;
  std::vector<observation::Message> messages_;  // of the last batch
  payments_agent::PaymentsAgent agent_;
  ClosedBucket bucket_;
  int64_t interval_s_;
  int64_t next_cycle_s_ = std::numeric_limits<int64_t>::max();  // until the first second is known
  bool started_ = false;
  IngestRate rate_;
};

Result<IngestRate> measure_path(const IngestBenchSpec& spec,
                                const streaming::StreamingConfig& streaming,
                                const observation::DeclineTable& declines) {
  auto consumer = streaming::Consumer::open(streaming, {kTopic});
  if (!consumer) return tl::make_unexpected(consumer.error());
  const auto marks = (*consumer)->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  if (Status status = (*consumer)->assign(streaming::beginnings(*marks)); !status) {
    return tl::make_unexpected(status.error());
  }
  IngestPath path(spec.config, declines);
  const SystemClock clock;
  uint64_t read = 0;
  double start_s = 0.0, start_cpu_s = 0.0, last_s = steady_s();
  while (read < spec.messages) {
    const streaming::Batch batch = (*consumer)->poll(10);
    // As for raw: from the first batch, which counts.
    if (read == 0 && !batch.records.empty()) {
      start_s = steady_s();
      start_cpu_s = streaming::process_cpu_s();
    }
    path.add(batch, clock.now_ms());
    if (Status status = path.close(); !status) return tl::make_unexpected(status.error());
    read += batch.records.size();
    if (!batch.records.empty()) {
      last_s = steady_s();
    } else if (steady_s() - last_s > static_cast<double>(kGiveUpAfterMs) / 1000.0) {
      return fail(ErrorCode::limit, "the topic gave " + std::to_string(read) + " messages, not " +
                                        std::to_string(spec.messages) + "; " +
                                        (*consumer)->trouble());
    }
  }
  if (Status status = path.close_all(); !status) return tl::make_unexpected(status.error());
  IngestRate rate = path.counted();
  rate.wall_s = steady_s() - start_s;
  rate.cpu_s = streaming::process_cpu_s() - start_cpu_s;
  return rate;
}

Result<streaming::StreamingConfig> make_topic(const IngestBenchSpec& spec) {
  streaming::StreamingConfig streaming = spec.config.streaming;
  streaming.topic_prefix =
      !spec.topic_prefix.empty()
          ? spec.topic_prefix
          : "bench-" + hex64(static_cast<uint64_t>(SystemClock().now_ms())).substr(4) + ".";
  streaming.topics.clear();
  streaming.topics[kTopic] = {.name = {}, .partitions = kPartitions, .retention_h = 1};
  if (auto made = streaming::create_topics(streaming); !made) {
    return tl::make_unexpected(made.error());
  }
  return streaming;
}

}  // namespace

Result<IngestBenchResult> measure_ingest(const IngestBenchSpec& spec) {
  const auto declines = load_decline_table(spec.config);
  if (!declines) return tl::make_unexpected(declines.error());
  const auto streaming = make_topic(spec);
  if (!streaming) return tl::make_unexpected(streaming.error());
  const auto bytes = fill(spec, *streaming);
  if (!bytes) return tl::make_unexpected(bytes.error());

  std::vector<double> raw_s, raw_cpu_s, ingest_s, ingest_cpu_s;
  IngestBenchResult result;
  for (uint32_t round = 0; round < spec.rounds; ++round) {
    if (spec.stop())
      return fail(ErrorCode::refused,
                  "stopped after " + std::to_string(round) + " rounds; nothing was kept");
    spec.on_progress("round " + std::to_string(round + 1) + " of " + std::to_string(spec.rounds));
    const auto raw = streaming::measure_raw_consume(*streaming, kTopic, spec.messages);
    if (!raw) return tl::make_unexpected(raw.error());
    const auto path = measure_path(spec, *streaming, *declines);
    if (!path) return tl::make_unexpected(path.error());
    if (path->attempts != spec.messages) {
      return fail(ErrorCode::refused, std::to_string(path->attempts) +
                                          " attempts were counted of " +
                                          std::to_string(spec.messages) + " sent");
    }
    const auto n = static_cast<double>(spec.messages);
    raw_s.push_back(raw->per_s());
    raw_cpu_s.push_back(raw->per_cpu_s());
    ingest_s.push_back(n / path->wall_s);
    ingest_cpu_s.push_back(n / path->cpu_s);
    result.attempts = path->attempts;
    result.seconds = path->seconds;
    result.cycles = path->cycles;
    result.series = path->series;
  }
  result.messages = spec.messages;
  result.message_bytes = static_cast<double>(*bytes) / static_cast<double>(spec.messages);
  result.rounds = spec.rounds;
  result.raw_msgs_per_s = median(raw_s);
  result.raw_msgs_per_cpu_s = median(raw_cpu_s);
  result.ingest_msgs_per_s = median(ingest_s);
  result.ingest_msgs_per_cpu_s = median(ingest_cpu_s);
  result.ratio = result.ingest_msgs_per_s / result.raw_msgs_per_s;
  result.over_raw_cpu_ns = 1e9 / result.ingest_msgs_per_cpu_s - 1e9 / result.raw_msgs_per_cpu_s;
  result.topic = streaming::topic_name(*streaming, kTopic);
  return result;
}

}  // namespace payops::app
