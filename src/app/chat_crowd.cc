#include "chat_crowd.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "intent_catalogue.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/support_agent/chat.h"

namespace payops::app {
namespace {

constexpr int64_t kFlushMs = 10'000;
constexpr uint64_t kWriters = 5'000;  // who write about anything

using Words = std::pair<std::string, std::string>;  // who, what

Words about_anything(const support_agent::IntentCatalogue& catalogue, const Random& random,
                     uint64_t n) {
  RandomStream draw = random.at(1, n);
  const auto& intent = catalogue.intents[draw.below(catalogue.intents.size())];
  return {"chat_" + std::to_string(draw.below(kWriters)),
          intent.examples[draw.below(intent.examples.size())]};
}

std::string text_at(const Json& object, const char* key, const char* otherwise) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

// Nothing of an attempt that went well, or that its customer lets pass.
std::optional<Words> about(const Json& attempt, const Random& random, double share) {
  const std::string status = text_at(attempt, "status", "");
  if (status == "approved" || status.empty()) return std::nullopt;
  RandomStream draw = random.at(2, hash64(text_at(attempt, "attempt_id", "")));
  if (!draw.chance(share)) return std::nullopt;
  const std::string way = text_at(attempt, "method", "card") + " payment through " +
                          text_at(attempt, "issuer", "my bank");
  const std::vector<std::string> forms{"my " + way + " failed", way + " is not working, why",
                                       "why did my " + way + " fail", way + " fail ho raha hai",
                                       "money debited but " + way + " failed"};
  return Words{text_at(attempt, "user_id", "somebody"), forms[draw.below(forms.size())]};
}

// The stream from its end.
Result<std::unique_ptr<streaming::Consumer>> passing_by(const streaming::StreamingConfig& config) {
  auto payments = streaming::Consumer::open(config, {"payments.transactions"});
  if (!payments) return payments;
  const auto marks = (*payments)->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  std::vector<streaming::Position> ends;
  for (const auto& mark : *marks) ends.push_back({mark.topic, mark.partition, mark.end});
  if (Status assigned = (*payments)->assign(ends); !assigned) {
    return tl::make_unexpected(assigned.error());
  }
  return payments;
}

}  // namespace

Result<uint64_t> run_chat_crowd(const ChatCrowdSpec& spec) {
  const auto catalogue = read_intent_catalogue(spec.intents);
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  auto out = streaming::EventProducer::open(spec.streaming);
  if (!out) return tl::make_unexpected(out.error());
  auto payments = passing_by(spec.streaming);
  if (!payments) return tl::make_unexpected(payments.error());
  const Random random(spec.seed);
  const SystemClock clock;
  const int64_t begun_ms = clock.now_ms();
  uint64_t sent = 0, due = 0;
  const auto send = [&](const Words& words) {
    support_agent::ChatMessage message;
    message.message_id =
        "sim-" + hex64(mix64(spec.seed, ++sent)) + hex64(static_cast<uint64_t>(begun_ms));
    message.user_id = words.first;
    message.text = words.second;
    message.ts_ms = clock.now_ms();
    return (*out)->send("chat.inbound", message.user_id, dump(to_json(message)));
  };
  while (!spec.stop()) {
    const double elapsed_s = static_cast<double>(clock.now_ms() - begun_ms) / 1000.0;
    if (spec.duration_s > 0.0 && elapsed_s >= spec.duration_s) break;
    Status status;
    for (; static_cast<double>(due) < elapsed_s * spec.rate && status; ++due) {
      status = send(about_anything(*catalogue, random, due));
    }
    for (const streaming::Record& record : (*payments)->poll(20).records) {
      const Json attempt = Json::parse(record.payload, nullptr, false);
      if (!attempt.is_object() || !status) continue;
      const auto words = about(attempt, random, spec.failed_share);
      if (words) status = send(*words);
    }
    if (!status) return tl::make_unexpected(status.error());
  }
  if (Status flushed = (*out)->flush(kFlushMs); !flushed) {
    return tl::make_unexpected(flushed.error());
  }
  return sent;
}

}  // namespace payops::app
