#include "payops/streaming/lease.h"

#include <atomic>

#include "client.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/streaming/compacted_reader.h"
#include "payops/streaming/topics.h"

namespace payops::streaming {
namespace {

constexpr std::string_view kLeaseTopic = "payops.lease";

// The value of the lease's key in the lease topic.
struct Holding {
  uint64_t epoch = 0;       // one more with every holder; actions carry it
  std::string instance_id;  // of the holding process: stable for its host and state directory
  int64_t since_ms = 0;     // wall clock of the holder when it took the lease
  static constexpr auto fields() {
    return std::make_tuple(field("epoch", &Holding::epoch),
                           field("instance_id", &Holding::instance_id),
                           field("since_ms", &Holding::since_ms));
  }
};

enum class Phase { standby, claiming, held };

}  // namespace

struct Lease::Impl {
  ClientWatch watch;
  StreamingConfig config;
  LeaseOptions options;
  std::string topic;
  Phase phase = Phase::standby;
  bool announced = false;  // `gained` was returned and `lost` not yet
  bool lost = false;       // to be returned
  std::unique_ptr<Producer> producer;
  std::atomic<uint64_t> epoch = 0;
  std::atomic<int64_t> held_until_ms = 0;  // steady clock; 0 = not held
  int64_t member_until_ms = 0;             // what held_until_ms becomes when held
  int64_t asked_ms = 0;                    // when the last question was asked
  bool asking = false;
  ClientHandle client;

  ~Impl() {
    producer.reset();
    if (client) rd_kafka_consumer_close(client.get());
  }

  void on_rebalance(rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions);
  void on_answer(rd_kafka_resp_err_t err);
  void give_up();
  void ask();
  Status claim();
  Result<uint64_t> last_epoch() const;
};

Lease::Lease(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lease::~Lease() = default;

Result<std::unique_ptr<Lease>> Lease::open(const StreamingConfig& config, LeaseOptions options) {
  if (options.instance_id.empty()) {
    return fail(ErrorCode::usage, "a candidate for the lease needs an instance id of its own");
  }
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  impl->topic = topic_name(config, kLeaseTopic);
  const std::string session = std::to_string(config.session_timeout_ms);
  auto conf = client_conf(config, {},
                          {{"group.id", config.topic_prefix + "payops-lease-" + options.name},
                           {"group.instance.id", options.instance_id},
                           {"partition.assignment.strategy", "cooperative-sticky"},
                           {"session.timeout.ms", session},
                           {"heartbeat.interval.ms", std::to_string(config.session_timeout_ms / 5)},
                           {"max.poll.interval.ms",
                            std::to_string(std::max<int64_t>(config.session_timeout_ms, 120'000))},
                           {"socket.timeout.ms", session},
                           {"isolation.level", "read_committed"},
                           {"enable.auto.commit", "false"},
                           {"enable.auto.offset.store", "false"}});
  if (!conf) return tl::make_unexpected(conf.error());
  rd_kafka_conf_set_rebalance_cb(conf->get(),
                                 [](rd_kafka_t*, rd_kafka_resp_err_t what,
                                    rd_kafka_topic_partition_list_t* partitions, void* opaque) {
                                   auto* watch = static_cast<ClientWatch*>(opaque);
                                   static_cast<Impl*>(watch->owner)->on_rebalance(what, partitions);
                                 });
  rd_kafka_conf_set_offset_commit_cb(
      conf->get(),
      [](rd_kafka_t*, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t*, void* opaque) {
        auto* watch = static_cast<ClientWatch*>(opaque);
        static_cast<Impl*>(watch->owner)->on_answer(err);
      });
  impl->options = std::move(options);
  impl->watch.owner = impl.get();
  auto client = open_client(ClientKind::reader, std::move(*conf), impl->watch);
  if (!client) return tl::make_unexpected(client.error());
  impl->client = std::move(*client);
  rd_kafka_poll_set_consumer(impl->client.get());
  const PartitionList wanted(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(wanted.get(), impl->topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const rd_kafka_resp_err_t err = rd_kafka_subscribe(impl->client.get(), wanted.get());
      err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(ErrorCode::internal,
                std::string("cannot stand for the lease: ") + rd_kafka_err2str(err));
  }
  return std::unique_ptr<Lease>(new Lease(std::move(impl)));
}

void Lease::Impl::on_rebalance(rd_kafka_resp_err_t what,
                               rd_kafka_topic_partition_list_t* partitions) {
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    for (int i = 0; i < partitions->cnt; ++i) partitions->elems[i].offset = RD_KAFKA_OFFSET_END;
    const ErrorHandle failed(rd_kafka_incremental_assign(client.get(), partitions));
    if (partitions->cnt > 0 && phase == Phase::standby) phase = Phase::claiming;
    return;
  }
  const bool whole = rd_kafka_assignment_lost(client.get()) != 0;
  const ErrorHandle failed(rd_kafka_incremental_unassign(client.get(), partitions));
  if (partitions->cnt > 0 || whole) give_up();
}

void Lease::Impl::give_up() {
  phase = Phase::standby;
  held_until_ms.store(0);
  member_until_ms = 0;
  if (announced) lost = true;
}

// Commits an offset of the lease partition, for nothing but the answer: the coordinator takes it
// from a present member only, and from that moment waits a whole session for the next sign of life.
void Lease::Impl::ask() {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0)->offset = 0;
  asked_ms = steady_ms();
  asking = rd_kafka_commit(client.get(), list.get(), 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Lease::Impl::on_answer(rd_kafka_resp_err_t err) {
  if (!asking) return;
  asking = false;
  if (err != RD_KAFKA_RESP_ERR_NO_ERROR || phase == Phase::standby) return;
  member_until_ms = asked_ms + config.session_timeout_ms - config.session_timeout_ms / 10;
  if (phase == Phase::held) held_until_ms.store(member_until_ms);
}

Result<uint64_t> Lease::Impl::last_epoch() const {
  auto reader = CompactedReader::open(config, std::string(kLeaseTopic));
  if (!reader) return tl::make_unexpected(reader.error());
  uint64_t last = 0;
  const int64_t deadline_ms = steady_ms() + request_timeout_ms(config);
  while (!(*reader)->caught_up()) {
    if (steady_ms() > deadline_ms) {
      return fail_retryable(ErrorCode::unavailable,
                            "the lease topic \"" + topic + "\" could not be read to its end");
    }
    for (const Record& record : (*reader)->poll(100)) {
      if (record.key != options.name || record.tombstone()) continue;
      const Json json = Json::parse(record.payload, nullptr, false);
      const auto holding = from_json<Holding>(json);
      if (!holding || !json.is_object()) {
        return fail(ErrorCode::corrupt,
                    "\"" + topic + "\" offset " + std::to_string(record.offset) +
                        " is no record of a holder: " + std::string(record.payload.substr(0, 100)));
      }
      last = std::max(last, holding->epoch);
    }
  }
  return last;
}

// Fences the predecessor, then reads the last epoch (which nobody can raise any more), then writes
// the next one.
Status Lease::Impl::claim() {
  if (member_until_ms <= steady_ms()) return {};  // not confirmed as a member yet
  if (producer == nullptr || producer->fenced()) {
    auto opened = Producer::open(config, "payops-decider-" + options.name);
    if (!opened) return tl::make_unexpected(opened.error());
    producer = std::move(*opened);
  }
  const auto last = last_epoch();
  if (!last) return tl::make_unexpected(last.error());
  const Holding next{
      .epoch = *last + 1, .instance_id = options.instance_id, .since_ms = SystemClock().now_ms()};
  const Message message{.topic = std::string(kLeaseTopic),
                        .key = options.name,
                        .payload = dump(to_json(next)),
                        .id = options.name + "-" + std::to_string(next.epoch)};
  if (const Status written = producer->publish({&message, 1}); !written) {
    producer.reset();
    return fail_retryable(ErrorCode::unavailable, written.error().message);
  }
  epoch.store(next.epoch);
  phase = Phase::held;
  held_until_ms.store(member_until_ms);
  return {};
}

Result<LeaseEvent> Lease::poll() {
  Impl& in = *impl_;
  for (int served = 0; served < 100; ++served) {
    const MessageHandle message(rd_kafka_consumer_poll(in.client.get(), 0));
    if (message == nullptr) break;
  }
  char reason[256] = "";
  const bool out =
      rd_kafka_fatal_error(in.client.get(), reason, sizeof reason) != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (out) in.give_up();
  if (in.producer != nullptr && in.producer->fenced() && in.phase == Phase::held) {
    in.give_up();
    in.phase = Phase::claiming;  // still the member that is assigned: it may take over again
  }
  if (in.announced && in.lost) {
    in.announced = in.lost = false;
    in.producer.reset();
    return LeaseEvent::lost;
  }
  if (out) {
    return fail(ErrorCode::refused, "the candidate \"" + in.options.instance_id + "\" is out (" +
                                        reason +
                                        "); does another process run under the same instance id?");
  }
  if (in.phase == Phase::standby) return LeaseEvent::none;
  if (!in.asking && steady_ms() >= in.asked_ms + in.config.session_timeout_ms / 5) in.ask();
  if (in.phase == Phase::held) return LeaseEvent::none;
  if (const Status claimed = in.claim(); !claimed) return tl::make_unexpected(claimed.error());
  if (in.phase != Phase::held) return LeaseEvent::none;
  in.announced = true;
  return LeaseEvent::gained;
}

bool Lease::holds() const { return steady_ms() < impl_->held_until_ms.load(); }
uint64_t Lease::epoch() const { return impl_->epoch.load(); }
Producer* Lease::producer() const { return impl_->announced ? impl_->producer.get() : nullptr; }

}  // namespace payops::streaming
