#include "live_support.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "customers.h"
#include "health_file.h"
#include "key_vault.h"
#include "live_storage.h"
#include "live_term.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/mask.h"
#include "payops/core/seal.h"
#include "payops/core/sign.h"
#include "payops/core/text.h"
#include "payops/model/intervention.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/lease.h"
#include "payops/streaming/outbox.h"
#include "payops/streaming/topics.h"
#include "support_knowledge.h"
#include "support_reads.h"
#include "terminal.h"
#include "test_hooks.h"
#include "version.h"

namespace payops::app {
namespace {

using support_agent::SupportInput;

constexpr uint32_t kInbound = 0;  // indices into the consumer's topics
constexpr uint32_t kAlerts = 1;
constexpr uint32_t kActions = 2;
const std::vector<std::string> kInputs{"chat.inbound", "payops.alerts", "payops.actions"};
const std::vector<std::string_view> kTopics{
    "chat.inbound",          "chat.outbound",   "payops.alerts",   "payops.actions",
    "payops.dead-letters",   "support.tickets", "support.signals", "support.notifications",
    "payments.transactions", "payops.lease",    "payops.decisions"};
constexpr std::size_t kMessagesPerStep = 256;  // messages in a step
constexpr std::size_t kExcerptBytes = 512;
constexpr int64_t kArticlesEveryMs = 2'000;

constexpr std::size_t kTraceparentBytes = 55;  // of version 00

// A reply goes on in the trace of its message, as a span of its own.
std::string traceparent_of(const OutboxEntry& entry) {
  if (entry.topic != "chat.outbound") return "";
  const auto reply =
      from_json<support_agent::ChatReply>(Json::parse(entry.payload, nullptr, false));
  if (!reply || reply->trace_id.empty()) return "";
  return "00-" + reply->trace_id + "-" + hex64(hash64(entry.id)) + "-01";
}

// The checkpoints of this chain under a key of their own, beside the payments agent's.
class SupportOutbox final : public Outbox {
 public:
  explicit SupportOutbox(streaming::Lease& lease)
      : kafka_([&lease] { return lease.producer(); }, &traceparent_of) {}
  Status publish(const std::vector<OutboxEntry>& entries) override {
    std::vector<OutboxEntry> own = entries;
    for (OutboxEntry& entry : own) {
      if (entry.topic == "decisions" && entry.key == kCheckpointKey) {
        entry.key = "support-" + entry.key;
        entry.id = "support-" + entry.id;
      }
    }
    return kafka_.publish(own);
  }

 private:
  streaming::KafkaOutbox kafka_;
};

// From gaining the lease to its end.
class SupportTerm {
 public:
  SupportTerm(const LiveSupportSpec& spec, const support_agent::Knowledge& knowledge,
              Customers& customers, streaming::Lease& lease, Storage storage)
      : spec_(spec),
        customers_(customers),
        lease_(lease),
        storage_(std::move(storage)),
        outbox_(lease),
        vault_(*storage_.store),
        agent_(vault_),
        health_file_(spec.config.process.state_dir),
        config_json_(dump(to_json(spec.config.agent))),
        model_hash_(knowledge.model_hash) {
    agent_.know(knowledge);
    agent_.set_ticks(&monotonic_ns);
  }
  [[nodiscard]] Result<TermEnd> run(LiveSupportResult& result);

 private:
  void make_stepper();
  [[nodiscard]] Status recover();
  [[nodiscard]] Status open_input();
  [[nodiscard]] Status assign_new_partitions();
  void take_batch();
  void take_record(const streaming::Record& record);
  void take_message(const streaming::Record& record);
  void take_line();
  void take_erasure(support_agent::DeskCommand command);
  void follow_payments();
  void look_at_articles();
  [[nodiscard]] Status pump(bool stopping);
  [[nodiscard]] std::vector<Cursor> cursors() const;
  [[nodiscard]] Result<TermEnd> turn_until_over();
  [[nodiscard]] bool wait_out(const Error& error);
  void write_health(const std::string& why);
  void hand_out();

  const LiveSupportSpec& spec_;
  Customers& customers_;
  streaming::Lease& lease_;
  Storage storage_;
  SupportOutbox outbox_;
  KeyVault vault_;
  support_agent::SupportAgent agent_;
  HealthFile health_file_;
  std::string config_json_;
  std::string model_hash_;
  SystemClock clock_;
  std::optional<Stepper> stepper_;
  std::unique_ptr<streaming::Consumer> consumer_, payments_;
  std::vector<std::string> topic_ids_;
  std::vector<streaming::Position> assigned_;
  std::vector<streaming::Watermarks> ends_;
  SupportInput next_;  // what the next step takes
  std::vector<std::string> erasing_;
  std::optional<support_agent::DeskCommand> erasure_;  // waits for a step of its own
  std::string articles_stamp_;
  int64_t next_articles_ms_ = 0, next_partitions_ms_ = 0;
  bool config_recorded_ = false;
  bool handed_out_ = true;
  int64_t back_off_ms_ = 0;
  int64_t replies_ = 0;
  std::string trouble_;
};

void SupportTerm::make_stepper() {
  PublishGuard guard;
  guard.holds_lease = [this] { return lease_.holds(); };
  guard.event_now_ms = [this] { return clock_.now_ms(); };
  StepperOptions options;
  const auto crash = crash_point_from_environment();
  options.at_point = [this, crash](StepPoint point) {
    crash(point);
    // What is committed and in the audit log may be told: Kafka's readers are not waited for.
    if (point == StepPoint::files_synced) hand_out();
  };
  options.sign = [secret = storage_.secret_key_hex](std::string_view text) {
    return sign_text(text, secret).value_or("");
  };
  stepper_.emplace(agent_, *storage_.store, *storage_.files, outbox_, guard, options);
}

Status SupportTerm::recover() {
  Status status = stepper_->recover();
  while (!status) {
    if (!status.error().retryable || spec_.stop()) return status;
    if (!wait_out(status.error())) {
      return fail_retryable(ErrorCode::refused, "the lease was lost while recovering");
    }
    status = stepper_->pending() ? stepper_->retry() : stepper_->recover();
  }
  trouble_.clear();
  spec_.on_note(stepper_->step() == 0
                    ? "no state in " + spec_.config.process.state_dir + ": starting anew"
                    : "state of step " + std::to_string(stepper_->step()) + ", " +
                          std::to_string(agent_.sessions().size()) + " open sessions");
  return {};
}

Status SupportTerm::open_input() {
  auto consumer = streaming::Consumer::open(spec_.config.streaming, kInputs, kMessagesPerStep);
  if (!consumer) return tl::make_unexpected(consumer.error());
  consumer_ = std::move(*consumer);
  for (uint32_t topic = 0; topic < kInputs.size(); ++topic) {
    auto id = consumer_->topic_id(topic);
    if (!id) return tl::make_unexpected(id.error());
    topic_ids_.push_back(*id);
  }
  if (Status assigned = assign_new_partitions(); !assigned) return assigned;
  if (spec_.until_end) {
    auto ends = consumer_->watermarks();
    if (!ends) return tl::make_unexpected(ends.error());
    ends_ = std::move(*ends);
  }
  if (!spec_.config.process.follow_payments) return {};
  auto payments = streaming::Consumer::open(spec_.config.streaming, {"payments.transactions"});
  if (!payments) return tl::make_unexpected(payments.error());
  payments_ = std::move(*payments);
  auto marks = payments_->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  std::vector<streaming::Position> positions;
  for (const streaming::Watermarks& mark : *marks) {
    // The newest of what there is; a customer's last payments, not the topic's history.
    constexpr int64_t kBack = 20'000;
    positions.push_back({mark.topic, mark.partition, std::max(mark.begin, mark.end - kBack)});
  }
  return payments_->assign(positions);
}

Status SupportTerm::assign_new_partitions() {
  auto marks = consumer_->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  bool fresh = false;
  for (const streaming::Watermarks& mark : *marks) {
    const bool known = std::any_of(assigned_.begin(), assigned_.end(), [&](const auto& p) {
      return p.topic == mark.topic && p.partition == mark.partition;
    });
    if (known) continue;
    fresh = true;
    int64_t from = mark.begin;
    for (const Cursor& stored : stepper_->cursors()) {
      if (stored.topic_id == topic_ids_[mark.topic] && stored.partition == mark.partition) {
        from = stored.replay_from;
      }
    }
    assigned_.push_back({mark.topic, mark.partition, from});
  }
  if (!fresh) return {};
  std::vector<streaming::Position> positions = assigned_;
  for (streaming::Position& p : positions) {
    if (const int64_t at = consumer_->position(p.topic, p.partition); at >= 0) p.offset = at;
  }
  return consumer_->assign(positions);
}

std::vector<Cursor> SupportTerm::cursors() const {
  std::vector<Cursor> all;
  for (const streaming::Position& p : assigned_) {
    const int64_t at = consumer_->position(p.topic, p.partition);
    const int64_t next = at >= 0 ? at : p.offset;
    all.push_back({topic_ids_[p.topic], p.partition, next, next, {}, {}});
  }
  return all;
}

void SupportTerm::take_message(const streaming::Record& record) {
  auto message = support_agent::parse_chat_message(record.payload);
  if (!message) {
    next_.dead_letters.push_back(
        {.reason = message.error().message,
         .topic = streaming::topic_name(spec_.config.streaming, "chat.inbound"),
         .partition = record.partition,
         .offset = record.offset,
         .payload = masked_excerpt(record.payload, kExcerptBytes)});
    return;
  }
  const std::string_view traceparent = streaming::header_of(record, "traceparent");
  if (message->traceparent.empty() && traceparent.size() == kTraceparentBytes &&
      traceparent.find_first_not_of("0123456789abcdef-") == std::string_view::npos) {
    message->traceparent = traceparent;
  }
  support_agent::CustomerView customer = customers_.look_up(message->user_id);
  next_.messages.push_back({std::move(*message), std::move(customer), false});
}

void SupportTerm::take_record(const streaming::Record& record) {
  if (record.topic == kInbound) return take_message(record);
  if (record.tombstone()) return;
  const Json object = Json::parse(record.payload, nullptr, false);
  if (record.topic == kAlerts) {
    // What is no incident of ours is somebody else's message: passed over.
    if (auto incident = from_json<Incident>(object); incident && !incident->id.empty()) {
      next_.incidents.push_back(std::move(*incident));
    }
  } else if (record.topic == kActions) {
    if (const auto action = from_json<Action>(object); action && !action->action_id.empty()) {
      next_.actions.emplace_back(action->action_id, action->type);
    }
  }
}

void SupportTerm::take_batch() {
  const bool others = spec_.line != nullptr;
  const streaming::Batch batch = consumer_->poll(spec_.until_end ? 20 : others ? 1 : 20);
  for (const streaming::Record& record : batch.records) take_record(record);
  for (const streaming::Gap& gap : batch.gaps) {
    spec_.on_trouble("topic " + kInputs[gap.topic] + ", partition " +
                     std::to_string(gap.partition) + ": " + std::to_string(gap.lost()) +
                     " messages are gone");
  }
  if (others && batch.records.empty()) spec_.line->await(5);
}

void SupportTerm::follow_payments() {
  if (payments_ == nullptr) return;
  for (const streaming::Record& record : payments_->poll(0).records) {
    customers_.observe(record.payload);
  }
}

void SupportTerm::take_line() {
  if (spec_.line == nullptr) return;
  spec_.line->answer_reads([this](const std::string& what, const std::string& id) {
    return read_support({.agent = agent_,
                         .tables = *storage_.store,
                         .vault = vault_,
                         .now_ms = clock_.now_ms(),
                         .step = stepper_->step(),
                         .broker_up = consumer_->broker_up(),
                         .trouble = trouble_},
                        what, id);
  });
  auto work = spec_.line->take(kMessagesPerStep);
  for (support_agent::ChatMessage& message : work.messages) {
    support_agent::CustomerView customer = customers_.look_up(message.user_id);
    next_.messages.push_back({std::move(message), std::move(customer), false});
  }
  for (support_agent::DeskCommand& command : work.commands) {
    // What they write in the same moment must not be sealed with the key that is destroyed.
    const bool alone = next_.messages.empty() && next_.commands.empty();
    if (command.kind == "erase" && !alone) {
      erasure_ = std::move(command);
    } else if (command.kind == "erase") {
      take_erasure(std::move(command));
    } else {
      next_.commands.push_back(std::move(command));
    }
  }
}

void SupportTerm::take_erasure(support_agent::DeskCommand command) {
  command.rows = rows_of_user(*storage_.store, command.user_id);
  command.rows.push_back(std::string(kKeysTable) + '\0' + command.user_id);
  erasing_.push_back(command.user_id);
  stepper_->request_snapshot();  // nothing before it is ever computed again from here
  next_.commands.push_back(std::move(command));
}

void SupportTerm::look_at_articles() {
  const int64_t now_ms = clock_.now_ms();
  if (now_ms < next_articles_ms_) return;
  next_articles_ms_ = now_ms + kArticlesEveryMs;
  std::string stamp = articles_stamp(spec_.config.process.articles);
  if (stamp == articles_stamp_) return;
  auto articles = load_articles(spec_.config.process.articles);
  if (!articles) {
    spec_.on_trouble(articles.error().message + "; the articles before it stay in force");
    articles_stamp_ = std::move(stamp);
    return;
  }
  articles_stamp_ = std::move(stamp);
  if (*articles == agent_.faq().articles()) return;
  spec_.on_note(std::to_string(articles->size()) + " articles");
  next_.articles_changed = true;
  next_.articles = std::move(*articles);
}

void SupportTerm::hand_out() {
  if (handed_out_) return;
  handed_out_ = true;
  for (const support_agent::ChatReply& reply : agent_.replies()) {
    ++replies_;
    spec_.on_reply(reply);
    if (spec_.line != nullptr) spec_.line->answer(reply);
  }
  if (spec_.line == nullptr) return;
  for (const auto& result : agent_.command_results()) spec_.line->answer(result);
}

Status SupportTerm::pump(bool stopping) {
  if (stepper_->pending()) {
    if (Status status = stepper_->retry(); !status) return status;
  }
  const bool news = !next_.messages.empty() || !next_.commands.empty() ||
                    !next_.incidents.empty() || !next_.dead_letters.empty() ||
                    next_.articles_changed || !next_.actions.empty() || !config_recorded_;
  if (!news && !stopping) return {};
  SupportInput input = std::exchange(next_, {});
  std::vector<std::string> asked;
  for (const auto& m : input.messages) asked.push_back(m.message.message_id);
  input.step = stepper_->step() + 1;
  input.at_ms = clock_.now_ms();
  input.stopping = stopping;
  input.build = kVersion;
  if (!config_recorded_) input.config = config_json_;
  input.model_hash = model_hash_;
  input.entropy = make_seal_key();
  input.results = stepper_->results();
  auto taken = agent_.step(std::move(input));
  if (!taken) return tl::make_unexpected(taken.error());
  config_recorded_ = true;
  handed_out_ = false;
  for (TableRow& row : vault_.take_new_keys()) taken->rows.push_back(std::move(row));
  storage_.store->put_with_next_commit(std::move(taken->rows));
  for (const std::string& user : std::exchange(erasing_, {})) vault_.forget(user);
  Status status = stepper_->take(std::move(taken->block), std::move(taken->output), cursors());
  if (spec_.line != nullptr && status) {
    for (const std::string& id : asked) {
      spec_.line->refuse(id,
                         {ErrorCode::refused, false, "the message id is taken by another message"});
    }
  }
  return status;
}

void SupportTerm::write_health(const std::string& why) {
  (void)health_file_.write({.ready = why.empty(),
                            .why = why,
                            .step = stepper_->step(),
                            .event_ts_ms = stepper_->ts_ms()},
                           clock_.now_ms());
}

bool SupportTerm::wait_out(const Error& error) {
  if (trouble_ != error.message) spec_.on_trouble(trouble_ = error.message);
  write_health(error.message);
  back_off_ms_ = std::min<int64_t>(back_off_ms_ == 0 ? 50 : back_off_ms_ * 2, 1000);
  sleep_ms(back_off_ms_);
  const auto event = lease_.poll();
  return !event || *event != streaming::LeaseEvent::lost;
}

Result<TermEnd> SupportTerm::turn_until_over() {
  for (;;) {
    const auto event = lease_.poll();
    if (!event && !event.error().retryable) return tl::make_unexpected(event.error());
    if (event && *event == streaming::LeaseEvent::lost) return TermEnd::lease_lost;
    if (spec_.stop()) break;
    if (!lease_.holds()) {
      if (!wait_out({ErrorCode::unavailable, true, "Kafka does not confirm the lease"})) {
        return TermEnd::lease_lost;
      }
      continue;
    }
    if (!stepper_->pending()) {
      if (erasure_) {
        take_erasure(*std::exchange(erasure_, std::nullopt));
      } else {
        look_at_articles();
        follow_payments();
        take_batch();
        take_line();
      }
    }
    if (Status status = pump(false); !status) {
      if (!status.error().retryable) {
        if (status.error().code == ErrorCode::refused) return TermEnd::lease_lost;
        return tl::make_unexpected(status.error());
      }
      if (!wait_out(status.error())) return TermEnd::lease_lost;
      continue;
    }
    if (!trouble_.empty()) spec_.on_note("going on: what failed works again");
    trouble_.clear();
    back_off_ms_ = 0;
    write_health(consumer_->broker_up() ? "" : "the broker is away: " + consumer_->trouble());
    if (spec_.until_end && consumer_->has_read_to(ends_)) break;
    if (!spec_.until_end && clock_.now_ms() >= next_partitions_ms_) {
      next_partitions_ms_ = clock_.now_ms() + kPartitionsEveryMs;
      if (Status s = assign_new_partitions(); !s) spec_.on_trouble(s.error().message);
    }
  }
  stepper_->request_snapshot();
  Status status = pump(true);
  while (!status && status.error().retryable && !Signals::stop_requested()) {
    if (!wait_out(status.error())) return TermEnd::lease_lost;
    status = stepper_->pending() ? stepper_->retry() : pump(true);
  }
  if (!status && !stepper_->unsent()) return tl::make_unexpected(status.error());
  if (!status) {
    spec_.on_trouble(status.error().message + ": " + std::string(kUnsentWaits));
  }
  return TermEnd::stopped;
}

Result<TermEnd> SupportTerm::run(LiveSupportResult& result) {
  make_stepper();
  for (Status (SupportTerm::*open)() : {&SupportTerm::recover, &SupportTerm::open_input}) {
    const Status status = (this->*open)();
    if (status) continue;
    if (status.error().retryable && status.error().code == ErrorCode::refused) {
      return TermEnd::lease_lost;
    }
    return tl::make_unexpected(status.error());
  }
  auto end = turn_until_over();
  result.step = stepper_->step();
  result.replies += replies_;
  result.counts = agent_.counts();
  return end;
}

// Polls until the lease is gained; false when told to stop.
Result<bool> await_lease(const LiveSupportSpec& spec, streaming::Lease& lease) {
  std::string trouble;
  while (!spec.stop()) {
    const auto event = lease.poll();
    if (!event) {
      if (!event.error().retryable) return tl::make_unexpected(event.error());
      if (trouble != event.error().message) spec.on_trouble(trouble = event.error().message);
    } else if (*event == streaming::LeaseEvent::gained) {
      spec.on_note("holding the lease, epoch " + std::to_string(lease.epoch()));
      return true;
    }
    sleep_ms(20);
  }
  return false;
}

}  // namespace

Result<LiveSupportResult> run_live_support(const LiveSupportSpec& spec) {
  const SupportProcessConfig& process = spec.config.process;
  const auto knowledge = load_knowledge(
      {.intents = process.intents,
       .articles = process.articles,
       .model = process.model,
       .model_dir = process.model_dir.empty() ? process.state_dir : process.model_dir,
       .stop = spec.stop},
      spec.on_note);
  if (!knowledge && spec.stop()) return LiveSupportResult{};
  if (!knowledge) return tl::make_unexpected(knowledge.error());
  if (const auto articles = load_articles(process.articles); !articles) {
    return tl::make_unexpected(articles.error());
  }
  Customers customers;
  if (!process.customers.empty()) {
    if (Status loaded = customers.load(process.customers); !loaded) {
      return tl::make_unexpected(loaded.error());
    }
  }
  const auto cluster = streaming::await_cluster(spec.config.streaming, [&](const std::string& s) {
    spec.on_trouble(s);
    return !spec.stop();
  });
  if (!cluster) return tl::make_unexpected(cluster.error());
  if (Status there = check_topics(spec.config.streaming, kTopics); !there) {
    return tl::make_unexpected(there.error());
  }
  std::error_code error;
  std::filesystem::create_directories(process.state_dir, error);
  const StorageSpec storage_spec{.state_dir = process.state_dir,
                                 .audit_dir = process.audit_dir,
                                 .session_timeout_ms = spec.config.streaming.session_timeout_ms,
                                 .stop = spec.stop,
                                 .on_note = spec.on_note,
                                 .on_trouble = spec.on_trouble};
  LiveSupportResult result;
  std::unique_ptr<streaming::Lease> lease;
  while (!spec.stop()) {
    auto storage = open_storage(storage_spec, lease.get());
    if (!storage) return tl::make_unexpected(storage.error());
    if (lease == nullptr) {
      auto stood = streaming::Lease::open(
          spec.config.streaming,
          {.name = "support", .instance_id = instance_id(process.state_dir)});
      if (!stood) return tl::make_unexpected(stood.error());
      lease = std::move(*stood);
    }
    const auto gained = await_lease(spec, *lease);
    if (!gained) return tl::make_unexpected(gained.error());
    if (!*gained) break;
    SupportTerm term(spec, *knowledge, customers, *lease, std::move(*storage));
    const auto end = term.run(result);
    if (!end) return tl::make_unexpected(end.error());
    if (*end == TermEnd::stopped) return result;
    spec.on_trouble("the lease was lost: uncommitted work is dropped, waiting to hold it again");
  }
  return result;
}

}  // namespace payops::app
