#include "notify_process.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "live_storage.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/notify/dispatcher.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/lease.h"
#include "payops/streaming/topics.h"

namespace payops::app {
namespace {

constexpr const char* kGroup = "payops-notify";
constexpr std::size_t kIdMax = 64;
constexpr std::size_t kAlertsBatch = 256;
constexpr int64_t kShowEveryMs = 1000;

// An incident, and for how long a person has silenced it, by its own time.
struct Heard {
  Incident incident;
  int64_t silent_for_ms = 0;
};

Result<Heard> read_incident(std::string_view payload) {
  const Json body = Json::parse(payload, nullptr, false);
  auto incident = from_json<Incident>(body);
  if (!incident) return tl::make_unexpected(incident.error());
  if (incident->id.empty() || incident->id.size() > kIdMax) {
    return fail(ErrorCode::corrupt, "an incident without a usable id");
  }
  const auto silenced = body.find("silenced_until_ms");
  const bool is_number = silenced != body.end() && silenced->is_number_integer();
  const int64_t until_ms = is_number ? silenced->get<int64_t>() : 0;
  const int64_t silent_for_ms = std::max<int64_t>(0, until_ms - incident->updated_ts_ms);
  return Heard{std::move(*incident), silent_for_ms};
}

// From gaining the lease to its end.
class Speaking {
 public:
  Speaking(const NotifyProcessSpec& spec, streaming::Lease& lease) : spec_(spec), lease_(lease) {}
  [[nodiscard]] Status run();

 private:
  [[nodiscard]] Status open();
  [[nodiscard]] Result<std::vector<streaming::Position>> places(const notify::Journal& journal);
  void take(const streaming::Batch& batch, int64_t now_ms);
  void show(int64_t now_ms);

  const NotifyProcessSpec& spec_;
  streaming::Lease& lease_;
  SystemClock clock_;
  std::string topic_id_;
  std::unique_ptr<streaming::Consumer> consumer_;
  std::optional<notify::Dispatcher> dispatcher_;
  std::vector<streaming::Position> read_;  // everything before it has been folded in
  std::vector<streaming::Position> shown_;
  int64_t show_ms_ = 0;
  std::string trouble_;
};

// Where to read on: where this journal stands; without one, where the group stood, which is where
// everything before had been said; without either at the end.
Result<std::vector<streaming::Position>> Speaking::places(const notify::Journal& journal) {
  const auto marks = consumer_->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  const auto shown = consumer_->shown_positions();
  if (!shown) return tl::make_unexpected(shown.error());
  std::vector<streaming::Position> places;
  for (const streaming::Watermarks& mark : *marks) {
    streaming::Position place{.topic = 0, .partition = mark.partition, .offset = mark.end};
    for (const streaming::Position& one : *shown) {
      if (one.partition == mark.partition) place.offset = one.offset;
    }
    const auto own = journal.offsets.find(std::to_string(mark.partition));
    if (journal.topic_id == topic_id_ && own != journal.offsets.end()) place.offset = own->second;
    places.push_back(place);
  }
  return places;
}

Status Speaking::open() {
  const AppConfig& config = spec_.config;
  const std::string file = config.process.state_dir + "/notify.json";
  auto journal = notify::load_journal(file);
  if (!journal) return tl::make_unexpected(journal.error());
  auto channels = notify::open_channels(config.notify, notify::environment());
  if (!channels) return tl::make_unexpected(channels.error());
  auto consumer =
      streaming::Consumer::open(config.streaming, {"payops.alerts"}, kAlertsBatch, kGroup);
  if (!consumer) return tl::make_unexpected(consumer.error());
  consumer_ = std::move(*consumer);
  auto topic_id = consumer_->topic_id(0);
  if (!topic_id) return tl::make_unexpected(topic_id.error());
  topic_id_ = *topic_id;
  const auto places_now = places(*journal);
  if (!places_now) return tl::make_unexpected(places_now.error());
  read_ = *places_now;
  dispatcher_.emplace(std::move(*channels), config.notify,
                      config.agent.economics.reporting_currency, file, std::move(*journal),
                      spec_.on_delivery);
  // A start without payments must find its place again too.
  for (const streaming::Position& p : read_) {
    dispatcher_->read_to(topic_id_, p.partition, p.offset);
  }
  return consumer_->assign(read_);
}

void Speaking::take(const streaming::Batch& batch, int64_t now_ms) {
  for (const streaming::Record& record : batch.records) {
    if (record.tombstone()) continue;
    const auto heard = read_incident(record.payload);
    if (heard) {
      dispatcher_->take(heard->incident, now_ms, heard->silent_for_ms);
    } else {
      spec_.on_trouble("payops.alerts, partition " + std::to_string(record.partition) +
                       ", offset " + std::to_string(record.offset) + ": " + heard.error().message);
    }
  }
  for (streaming::Position& p : read_) {
    const int64_t at = consumer_->position(p.topic, p.partition);
    if (at < 0 || at == p.offset) continue;
    p.offset = at;
    dispatcher_->read_to(topic_id_, p.partition, at);
  }
}

// Kafka is told of a place once nothing before it remains to be said.
void Speaking::show(int64_t now_ms) {
  if (now_ms < show_ms_ + kShowEveryMs || read_ == shown_ || !dispatcher_->idle(now_ms)) return;
  show_ms_ = now_ms;
  shown_ = read_;
  consumer_->show_positions(read_);
}

Status Speaking::run() {
  if (Status opened = open(); !opened) return opened;
  while (!spec_.stop()) {
    const auto event = lease_.poll();
    if (!event && !event.error().retryable) return tl::make_unexpected(event.error());
    if (event && *event == streaming::LeaseEvent::lost) {
      spec_.on_trouble("the lease was lost: another process may speak now; saying nothing more");
      return {};
    }
    const int64_t now_ms = clock_.now_ms();
    take(consumer_->poll(50), now_ms);
    if (!lease_.holds()) continue;  // silence of the coordinator: listen, and say nothing
    const Status turned = dispatcher_->turn(now_ms);
    const std::string trouble = turned ? "" : turned.error().message;
    if (!trouble.empty() && trouble != trouble_) spec_.on_trouble(trouble);
    trouble_ = trouble;
    if (turned) show(now_ms);
  }
  return {};
}

// True when the lease was gained, false when told to stop.
Result<bool> await_turn(const NotifyProcessSpec& spec, streaming::Lease& lease) {
  while (!spec.stop()) {
    const auto event = lease.poll();
    if (!event && !event.error().retryable) return tl::make_unexpected(event.error());
    if (event && *event == streaming::LeaseEvent::gained) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

}  // namespace

Status run_notify(const NotifyProcessSpec& spec) {
  const auto channels = notify::open_channels(spec.config.notify, notify::environment());
  if (!channels) return tl::make_unexpected(channels.error());
  if (channels->empty()) {
    return fail(ErrorCode::config,
                "the configuration names nobody to tell: notify.webhooks, notify.slack and "
                "notify.email are empty (docs/alerts.md)");
  }
  const auto cluster = streaming::await_cluster(spec.config.streaming, [&](const std::string& s) {
    spec.on_trouble(s);
    return !spec.stop();
  });
  if (!cluster) return tl::make_unexpected(cluster.error());
  if (Status there = check_topics(spec.config.streaming); !there) return there;
  const std::string& state_dir = spec.config.process.state_dir;
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  auto lease = streaming::Lease::open(
      spec.config.streaming, {.name = "notify", .instance_id = instance_id(state_dir) + "-notify"});
  if (!lease) return tl::make_unexpected(lease.error());
  std::vector<std::string> names;
  for (const auto& [name, channel] : *channels) names.push_back(name);
  while (!spec.stop()) {
    const auto gained = await_turn(spec, **lease);
    if (!gained) return tl::make_unexpected(gained.error());
    if (!*gained) break;
    spec.on_note("telling of incidents: " + join(names, ", "));
    if (Status spoken = Speaking(spec, **lease).run(); !spoken) return spoken;
  }
  return {};
}

}  // namespace payops::app
