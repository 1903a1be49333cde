// What a message costs on the way from bytes to a counted attempt. 343-byte native events of one
// producer, 20 paths, 1,000 attempts a second of event time, 10 % failures.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "../src/observation/attempt_decoder.h"
#include "../src/observation/open_second.h"
#include "payops/core/check.h"
#include "payops/core/random.h"
#include "payops/observation/observer.h"

namespace {

using namespace payops;
using namespace payops::observation;

constexpr int64_t kStartMs = 1'772'366'400'000;
constexpr std::size_t kMessages = 65'536;
constexpr int64_t kPerSecond = 1'000;
constexpr std::size_t kBytes = 343;

std::string event(uint64_t n, int64_t ts_ms) {
  static constexpr const char* kIssuers[] = {"HDFC", "ICICI", "AXIS", "SBI"};
  static constexpr const char* kMethods[] = {"card", "upi", "wallet", "bnpl", "netbanking"};
  static constexpr const char* kGateways[] = {"PAYU", "RAZORPAY", "CASHFREE"};
  auto draw = Random(1).at(n);
  const bool approved = draw.chance(0.9);
  char text[512];
  std::snprintf(text, sizeof text,
                R"({"attempt_id":"a-%012llx","payment_id":"p-%08llx","attempt_no":%d,)"
                R"("ts_ms":%lld,"issuer":"%s","method":"%s","gateway":"%s","merchant_id":"m-%04d",)"
                R"("user_id":"u-%06d","amount_minor":%d,"currency":"INR","status":"%s",)"
                R"("decline_code":%s,"latency_ms":%d,"action_ids":[],)"
                R"("arm":"none","propensity":1.0)",
                static_cast<unsigned long long>(mix64(n) >> 16), static_cast<unsigned long long>(n),
                draw.chance(0.1) ? 2 : 1, static_cast<long long>(ts_ms), kIssuers[draw.below(4)],
                kMethods[draw.below(5)], kGateways[draw.below(3)],
                static_cast<int>(draw.below(1'000)), static_cast<int>(draw.below(1'000'000)),
                static_cast<int>(10'000 + draw.below(490'000)), approved ? "approved" : "declined",
                approved ? "null" : "\"51\"", static_cast<int>(80 + draw.below(900)));
  std::string json = text;
  // Fill up to the size; the last field is one that nobody reads.
  const std::size_t fixed = json.size() + std::strlen(R"(,"mcc":""})");
  json += R"(,"mcc":")" + std::string(fixed < kBytes ? kBytes - fixed : 0, '5') + "\"}";
  return json;
}

// One buffer, as a consumer's batch lies in memory.
struct Stream {
  std::string bytes;
  std::vector<std::string_view> messages;
  Stream() {
    bytes.reserve(kMessages * (kBytes + 16));
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t i = 0; i < kMessages; ++i) {
      const std::string json = event(i, kStartMs + static_cast<int64_t>(i) * 1'000 / kPerSecond);
      places.emplace_back(bytes.size(), json.size());
      bytes += json;
    }
    for (const auto& [at, size] : places) {
      messages.push_back(std::string_view(bytes).substr(at, size));
    }
  }
};

const Stream& stream() {
  static const Stream all;
  return all;
}

void per_message(benchmark::State& state) {
  state.counters["bytes"] = static_cast<double>(stream().bytes.size()) / kMessages;
  state.counters["msgs/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

// simdjson's first stage alone, with the copy into a padded buffer.
void BM_index(benchmark::State& state) {
  const Stream& all = stream();
  std::vector<char> buffer(65'536 + simdjson::SIMDJSON_PADDING);
  simdjson::ondemand::parser parser;
  PAYOPS_CHECK(parser.allocate(65'536) == simdjson::SUCCESS);
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string_view message = all.messages[i++ % kMessages];
    std::memcpy(buffer.data(), message.data(), message.size());
    simdjson::ondemand::document document;
    PAYOPS_CHECK(parser.iterate(buffer.data(), message.size(), buffer.size()).get(document) ==
                 simdjson::SUCCESS);
    benchmark::DoNotOptimize(document);
  }
  per_message(state);
}
BENCHMARK(BM_index);

// For comparison: On-Demand's iteration over the same fields, values not converted.
void BM_on_demand_iteration(benchmark::State& state) {
  const Stream& all = stream();
  std::vector<char> buffer(65'536 + simdjson::SIMDJSON_PADDING);
  simdjson::ondemand::parser parser;
  PAYOPS_CHECK(parser.allocate(65'536) == simdjson::SUCCESS);
  std::size_t i = 0;
  for (auto _ : state) {
    const std::string_view message = all.messages[i++ % kMessages];
    std::memcpy(buffer.data(), message.data(), message.size());
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    PAYOPS_CHECK(parser.iterate(buffer.data(), message.size(), buffer.size()).get(document) ==
                 simdjson::SUCCESS);
    PAYOPS_CHECK(document.get_object().get(object) == simdjson::SUCCESS);
    std::size_t total = 0;
    for (auto result : object) {
      simdjson::ondemand::field field;
      PAYOPS_CHECK(std::move(result).get(field) == simdjson::SUCCESS);
      benchmark::DoNotOptimize(field.key().raw());
      total += field.value().raw_json_token().size();
    }
    benchmark::DoNotOptimize(total);
  }
  per_message(state);
}
BENCHMARK(BM_on_demand_iteration);

// Bytes to a validated attempt.
void BM_decode(benchmark::State& state) {
  const Stream& all = stream();
  AttemptDecoder decoder(ObservationConfig{}, FieldMapping{});
  DecodedAttempt out;
  std::size_t i = 0;
  for (auto _ : state) {
    PAYOPS_CHECK(decoder.decode(all.messages[i++ % kMessages], kStartMs + 600'000, out));
    benchmark::DoNotOptimize(out);
  }
  per_message(state);
}
BENCHMARK(BM_decode);

// A counted attempt into a second of 60 cells: the window update.
void BM_count(benchmark::State& state) {
  std::vector<Counted> attempts;
  for (uint64_t n = 0; n < 4'096; ++n) {
    auto draw = Random(2).at(n);
    attempts.push_back(
        {.key = {{static_cast<DimId>(1 + draw.below(4)), static_cast<DimId>(1 + draw.below(5)),
                  static_cast<DimId>(1 + draw.below(3))},
                 Arm::none},
         .status = draw.chance(0.9) ? AttemptStatus::approved : AttemptStatus::declined,
         .decline_class = DeclineClass::customer,
         .first = draw.chance(0.9),
         .latency_ms = static_cast<uint32_t>(80 + draw.below(900)),
         .amount_minor = 50'000});
  }
  OpenSecond second;
  second.reset(1, 4'096);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(second.count(attempts[i++ % attempts.size()], 2'048));
  }
}
BENCHMARK(BM_count);

// The same attempt's details, most of them of a key of their own.
void BM_count_detail(benchmark::State& state) {
  std::vector<Counted> attempts;
  for (uint64_t n = 0; n < 4'096; ++n) {
    auto draw = Random(2).at(n);
    attempts.push_back(
        {.key = {{static_cast<DimId>(1 + draw.below(4)), static_cast<DimId>(1 + draw.below(5)),
                  static_cast<DimId>(1 + draw.below(3))},
                 Arm::none},
         .merchant = static_cast<DimId>(draw.below(250)),
         .band = static_cast<uint8_t>(draw.below(4))});
  }
  OpenSecond second;
  second.reset(1, 4'096);
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(second.count_detail(attempts[i++ % attempts.size()], 512));
  }
}
BENCHMARK(BM_count_detail);

// The stream going on in time: lap after lap over one buffer with later times. Of several
// partitions one comes after the other, each a minute long, as in catching up, so that as many
// seconds are open.
class Laps {
 public:
  explicit Laps(std::size_t partitions) : bytes_(stream().bytes) {
    for (std::size_t slot = 0; slot < partitions; ++slot) {
      for (std::size_t n = slot; n < kMessages; n += partitions) {
        const std::string_view message = stream().messages[n];
        const auto start = static_cast<std::size_t>(message.data() - stream().bytes.data());
        order_.push_back({static_cast<int32_t>(slot), 0,
                          std::string_view(bytes_).substr(start, message.size())});
      }
    }
  }
  // Another lap: what was read before is overwritten.
  [[nodiscard]] std::vector<Message>& next() {
    for (std::size_t n = 0; n < kMessages; ++n) {
      const std::string_view message = stream().messages[n];
      const auto start = static_cast<std::size_t>(message.data() - stream().bytes.data());
      const std::string text =
          std::to_string(kStartMs + shift_ms_ + static_cast<int64_t>(n) * 1'000 / kPerSecond);
      std::memcpy(&bytes_[start + message.find("\"ts_ms\":") + 8], text.data(), text.size());
    }
    shift_ms_ += static_cast<int64_t>(kMessages) * 1'000 / kPerSecond;
    for (Message& message : order_) message.offset = offset_++;
    return order_;
  }
  [[nodiscard]] int64_t now_ms() const { return kStartMs + shift_ms_ + 60'000; }

 private:
  std::string bytes_;
  std::vector<Message> order_;
  int64_t shift_ms_ = 0;
  int64_t offset_ = 0;
};

// The whole way: decode, validate, deduplicate, count, close. `partitions` as above; messages are
// added `together` at a time; the buckets taken every 1,024.
void BM_add(benchmark::State& state) {
  const auto table = DeclineTable::load("config/decline_codes.yaml");
  PAYOPS_CHECK(table.has_value());
  Dictionary dictionary;
  Observer observer(ObservationConfig{}, *table, FieldMapping{}, dictionary);
  const auto partitions = static_cast<int32_t>(state.range(0));
  for (int32_t slot = 0; slot < partitions; ++slot) observer.assign(slot, {});
  Laps laps(static_cast<std::size_t>(partitions));
  const auto together = static_cast<std::size_t>(state.range(1));
  constexpr std::size_t kChunk = 1'024;
  ClosedBucket bucket;
  int64_t added = 0;
  std::span<const Message> lap;
  for (auto _ : state) {
    if (lap.empty()) {
      state.PauseTiming();
      lap = laps.next();
      state.ResumeTiming();
    }
    for (std::size_t i = 0; i < kChunk; i += together) {
      observer.add(lap.subspan(i, together), laps.now_ms());
    }
    lap = lap.subspan(kChunk);
    added += static_cast<int64_t>(kChunk);
    while (observer.next_closed(bucket)) benchmark::DoNotOptimize(bucket);
  }
  PAYOPS_CHECK(observer.take_counts().attempts == added);
  state.counters["ns/msg"] = benchmark::Counter(
      static_cast<double>(added) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_add)->ArgNames({"partitions", "together"})->ArgsProduct({{1, 4}, {1, 1'024}});

}  // namespace

BENCHMARK_MAIN();
