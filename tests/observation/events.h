// Events and a small driver for the tests of observation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "payops/observation/observer.h"
#include "support/paths.h"

namespace payops::observation {

inline constexpr int64_t kT0 = 1'772'366'400'000;  // 2026-03-01T12:00:00Z
inline constexpr int64_t kSecond0 = kT0 / 1'000;

// A native event, field by field as JSON text, in the order of writing.
class Event {
 public:
  Event() {
    set("attempt_id", "\"att-1\"").set("payment_id", "\"pay-1\"").set("attempt_no", "1");
    set("ts_ms", std::to_string(kT0)).set("issuer", "\"HDFC\"").set("method", "\"card\"");
    set("gateway", "\"PAYU\"").set("merchant_id", "\"m-1\"").set("user_id", "\"u-1\"");
    set("amount_minor", "49990").set("currency", "\"INR\"").set("status", "\"approved\"");
    set("decline_code", "null").set("latency_ms", "120").set("region", "\"west\"");
    set("action_ids", "[]").set("arm", "\"none\"").set("propensity", "1.0");
  }
  Event& set(const std::string& key, const std::string& json) {
    for (auto& [name, value] : fields_) {
      if (name != key) continue;
      value = json;
      return *this;
    }
    fields_.emplace_back(key, json);
    return *this;
  }
  Event& text(const std::string& key, const std::string& value) {
    return set(key, "\"" + value + "\"");
  }
  Event& id(int64_t n) { return text("attempt_id", "att-" + std::to_string(n)); }
  Event& at(int64_t ts_ms) { return set("ts_ms", std::to_string(ts_ms)); }
  Event& without(const std::string& key) {
    std::erase_if(fields_, [&](const auto& field) { return field.first == key; });
    return *this;
  }
  Event& backwards() {
    fields_ = {fields_.rbegin(), fields_.rend()};
    return *this;
  }
  [[nodiscard]] std::string json() const {
    std::string text = "{";
    for (const auto& [name, value] : fields_) {
      if (text.size() > 1) text += ",";
      text += "\"" + name + "\":" + value;
    }
    return text + "}";
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

inline DeclineTable declines() {
  static const DeclineTable table = [] {
    auto loaded = DeclineTable::load(testing::source_path("config/decline_codes.yaml"));
    if (!loaded) throw std::runtime_error(loaded.error().message);
    return *loaded;
  }();
  return table;
}

// An observer with its dictionary, counting offsets and collecting buckets.
class Rig {
 public:
  explicit Rig(const ObservationConfig& config = {}, const FieldMapping& mapping = {})
      : observer(config, declines(), mapping, dictionary) {}

  // Adds at wall time `now_ms` and hands out what closes.
  void add(const std::string& bytes, int64_t now_ms = kT0 + 60'000, int32_t slot = 0) {
    observer.add({slot, next_[slot]++, bytes}, now_ms);
    drain();
  }
  void add(const Event& event, int64_t now_ms = kT0 + 60'000, int32_t slot = 0) {
    add(event.json(), now_ms, slot);
  }
  void tick(int64_t now_ms) {
    observer.tick(now_ms);
    drain();
  }
  void finish() {
    observer.finish();
    drain();
  }
  void drain() {
    ClosedBucket bucket;
    while (observer.next_closed(bucket)) buckets.push_back(bucket);
    total += observer.take_counts();
    for (DeadLetter& letter : observer.take_dead_letters()) letters.push_back(std::move(letter));
  }
  // All cells of all buckets added up.
  [[nodiscard]] Cell sum() const {
    Cell all;
    for (const ClosedBucket& bucket : buckets) {
      for (const LeafCell& leaf : bucket.cells) all += leaf.cell;
    }
    return all;
  }

  Dictionary dictionary;
  Observer observer;
  std::vector<ClosedBucket> buckets;
  IngestCounts total;
  std::vector<DeadLetter> letters;

 private:
  std::map<int32_t, int64_t> next_;
};

}  // namespace payops::observation
