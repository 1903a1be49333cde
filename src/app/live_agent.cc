#include "live_agent.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "health_file.h"
#include "live_storage.h"
#include "live_term.h"
#include "local_kill_switch.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/sign.h"
#include "payops/core/text.h"
#include "payops/payments_agent/loop.h"
#include "payops/safety/verdict.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/lease.h"
#include "payops/streaming/outbox.h"
#include "payops/streaming/topics.h"
#include "terminal.h"
#include "test_hooks.h"
#include "version.h"

namespace payops::app {
namespace {

using payments_agent::Totals;

constexpr uint32_t kPaymentsIndex = 0;  // index into the consumer's topics
constexpr uint32_t kApprovalsIndex = 1;
constexpr uint32_t kSignalsIndex = 2;
constexpr std::size_t kVerdictBytesMax = 65'536;
constexpr int64_t kClockBackwardsMs = 5'000;
constexpr int64_t kDistrustClockMs = 60'000;

payments_agent::VerdictInput read_verdict(std::string_view payload,
                                          const std::vector<std::string>& operator_keys,
                                          int64_t now_ms) {
  payments_agent::VerdictInput input;
  input.received_ts_ms = now_ms;
  if (payload.size() > kVerdictBytesMax) {
    input.problem = "longer than a verdict can be";
    return input;
  }
  const auto verdict = from_json<Verdict>(Json::parse(payload, nullptr, false));
  if (!verdict) {
    input.problem = "not a verdict: " + verdict.error().message;
    return input;
  }
  input.verdict = *verdict;
  const Status good = safety::verify_verdict(*verdict, operator_keys);
  input.signature_ok = good.has_value();
  if (!good) input.problem = good.error().message;
  return input;
}

// Forwards to Kafka and tells what went out.
class TellingOutbox final : public Outbox {
 public:
  TellingOutbox(streaming::Lease& lease, const std::function<void(const OutboxEntry&)>& tell)
      : kafka_([&lease] { return lease.producer(); }), tell_(tell) {}
  // From now on a broker that is known to be away is not waited for.
  void hurry(std::function<bool()> away) { away_ = std::move(away); }
  Status publish(const std::vector<OutboxEntry>& entries) override {
    if (away_ && away_()) return fail_retryable(ErrorCode::unavailable, "the broker is away");
    if (Status status = kafka_.publish(entries); !status) return status;
    for (const OutboxEntry& entry : entries) tell_(entry);
    return {};
  }

 private:
  streaming::KafkaOutbox kafka_;
  const std::function<void(const OutboxEntry&)>& tell_;
  std::function<bool()> away_;
};

// From gaining the lease to its end.
class Term {
 public:
  Term(const LiveAgentSpec& spec, const observation::DeclineTable& declines,
       streaming::Lease& lease, LocalKillSwitch& kill, Storage storage)
      : spec_(spec),
        declines_(declines),
        lease_(lease),
        kill_(kill),
        storage_(std::move(storage)),
        outbox_(lease, spec.on_published),
        health_file_(spec.config.process.state_dir),
        keys_(spec.config.agent.operator_keys) {
    if (!spec.console_key_hex.empty()) keys_.push_back(spec.console_key_hex);
    if (spec.feed != nullptr) agent_.set_ticks(&monotonic_ns);
  }

  [[nodiscard]] Result<TermEnd> run(LiveAgentResult& result);

 private:
  void make_stepper();
  [[nodiscard]] Status recover();
  [[nodiscard]] Status open_input();
  [[nodiscard]] Status assign_new_partitions();
  void take_batch();
  void take_verdict(const streaming::Record& record, int64_t now_ms);
  [[nodiscard]] payments_agent::Health health();
  [[nodiscard]] std::vector<Cursor> cursors() const;
  [[nodiscard]] Result<TermEnd> turn_until_over();
  [[nodiscard]] bool wait_out(const Error& error);
  void write_health(const std::string& why);
  void tell_kill_switch();
  [[nodiscard]] int64_t event_now_ms() const;
  void tell_console(const std::string& trouble);
  void take_console_notes();

  const LiveAgentSpec& spec_;
  const observation::DeclineTable& declines_;
  streaming::Lease& lease_;
  LocalKillSwitch& kill_;
  Storage storage_;
  TellingOutbox outbox_;
  HealthFile health_file_;
  SystemClock clock_;

  std::unique_ptr<streaming::Consumer> consumer_;
  payments_agent::PaymentsAgent agent_;
  std::optional<Stepper> stepper_;
  Dictionary dictionary_;
  std::optional<observation::Observer> observer_;
  std::vector<observation::Message> messages_;  // of the last batch
  std::optional<payments_agent::Loop> loop_;

  std::vector<std::string> keys_;  // whose verdicts count
  std::vector<std::string> topic_ids_;
  std::vector<streaming::Position> assigned_;
  std::vector<streaming::Watermarks> ends_;  // when the term began
  Totals at_start_;
  int64_t last_message_ms_ = 0;  // wall clock
  int64_t last_wall_ms_ = 0;
  int64_t distrust_clock_until_ms_ = 0;
  int64_t next_partitions_ms_ = 0;
  std::string gap_;         // what is missing, until a cycle has been told
  bool caught_up_ = false;  // with what was in the topics when the term began
  std::map<int32_t, int64_t> others_verdicts_to_;  // by partition: the offset of the first of ours
  int64_t back_off_ms_ = 0;
  int64_t failing_since_ms_ = 0;  // wall clock; 0 = not failing
  std::string trouble_;
  std::string health_trouble_;
  api::Load load_;
  std::string kill_told_;  // what was last said of the kill switch; empty while it is off
};

void Term::make_stepper() {
  PublishGuard guard;
  guard.killed = [this] { return agent_.killed() || kill_.on(); };
  guard.holds_lease = [this] { return lease_.holds(); };
  guard.event_now_ms = [this] { return event_now_ms(); };
  StepperOptions options;
  options.at_point = crash_point_from_environment();
  options.sign = [secret = storage_.secret_key_hex](std::string_view text) {
    return sign_text(text, secret).value_or("");
  };
  stepper_.emplace(agent_, *storage_.store, *storage_.files, outbox_, guard, options);
}

// Where deadlines are measured: by the wall clock where old input is not acted on; where input of
// any age is, by the step's own time and how long publishing has been failing since.
int64_t Term::event_now_ms() const {
  const bool live = spec_.config.process.max_input_age_s > 0 && !spec_.until_end;
  if (live) return clock_.now_ms();
  const int64_t failing_ms = failing_since_ms_ == 0 ? 0 : clock_.now_ms() - failing_since_ms_;
  return stepper_->ts_ms() + failing_ms;
}

Status Term::recover() {
  Status status = stepper_->recover();
  while (!status) {
    if (!status.error().retryable || spec_.stop()) return status;
    if (!wait_out(status.error())) {
      return fail_retryable(ErrorCode::refused, "the lease was lost while recovering");
    }
    status = stepper_->pending() ? stepper_->retry() : stepper_->recover();
  }
  trouble_.clear();
  failing_since_ms_ = 0;
  spec_.on_note(stepper_->step() == 0
                    ? "no state in " + spec_.config.process.state_dir +
                          ": starting cold, watching until the baselines are learnt"
                    : "state of step " + std::to_string(stepper_->step()) + " at " +
                          iso_time(stepper_->ts_ms()) + ", " + std::to_string(agent_.series()) +
                          " series");
  return {};
}

Status Term::open_input() {
  auto consumer = streaming::Consumer::open(
      spec_.config.streaming, {"payments.transactions", "payops.approvals", "support.signals"});
  if (!consumer) return tl::make_unexpected(consumer.error());
  consumer_ = std::move(*consumer);
  topic_ids_.clear();
  for (const uint32_t topic : {kPaymentsIndex, kApprovalsIndex, kSignalsIndex}) {
    auto id = consumer_->topic_id(topic);
    if (!id) return tl::make_unexpected(id.error());
    topic_ids_.push_back(std::move(*id));
  }

  dictionary_ = agent_.dictionary();
  for (NameTable& table : dictionary_.tables) table.set_limit(spec_.config.observation.max_names);
  observer_.emplace(spec_.config.observation, declines_, spec_.config.mapping, dictionary_);
  if (agent_.closed_to_ms() > 0) observer_->set_closed_to(agent_.closed_to_ms() / 1000 - 1);
  assigned_.clear();
  if (Status status = assign_new_partitions(); !status) return status;
  auto ends = consumer_->watermarks();
  if (!ends) return tl::make_unexpected(ends.error());
  ends_ = std::move(*ends);
  payments_agent::LoopOptions options;
  options.build = kVersion;
  options.config = spec_.config.agent;
  options.cursors = [this] { return cursors(); };
  options.source = streaming::topic_name(spec_.config.streaming, "payments.transactions");
  options.on_cycle = [this](const payments_agent::CycleReport& report) {
    for (const payments_agent::VerdictResult& v : report.verdicts) {
      spec_.on_note("verdict \"" + v.verdict + "\" on " + v.proposal_id + " by " + v.by + ": " +
                    v.result + ", " + v.why);
    }
    if (spec_.feed != nullptr) spec_.feed->cycle(agent_);
    spec_.on_cycle(report);
  };
  if (spec_.feed != nullptr) {
    options.on_second = [this](const ClosedBucket& bucket) { spec_.feed->second(bucket); };
    options.on_input = [this](const payments_agent::InputHead& head) { spec_.feed->input(head); };
  }
  loop_.emplace(agent_, *observer_, *stepper_, std::move(options));
  last_message_ms_ = last_wall_ms_ = clock_.now_ms();
  return {};
}

Status Term::assign_new_partitions() {
  auto marks = consumer_->watermarks();
  if (!marks) return tl::make_unexpected(marks.error());
  bool fresh = false;
  for (const streaming::Watermarks& mark : *marks) {
    const auto known = std::any_of(assigned_.begin(), assigned_.end(), [&](const auto& p) {
      return p.topic == mark.topic && p.partition == mark.partition;
    });
    if (known) continue;
    fresh = true;
    const std::string& topic_id = topic_ids_[mark.topic];
    // Without state everything is read from the beginning. Verdicts from before are not about
    // anything this agent proposed, but a kill switch that is on stays on.
    Cursor cursor{topic_id, mark.partition, mark.begin, mark.begin, {}, {}};
    bool stored_before = false;
    for (const Cursor& stored : stepper_->cursors()) {
      if (stored.topic_id != topic_id || stored.partition != mark.partition) continue;
      cursor = stored;
      stored_before = true;
    }
    if (mark.topic == kApprovalsIndex && !stored_before) {
      others_verdicts_to_[mark.partition] = mark.end;
    }
    assigned_.push_back({mark.topic, mark.partition, cursor.replay_from});
    if (mark.topic == kPaymentsIndex) {
      observer_->assign(mark.partition, {cursor.replay_from, cursor.seen_to, cursor.high_ms,
                                         std::move(cursor.doubts_ms)});
    }
  }
  if (!fresh) return {};
  std::vector<streaming::Position> positions = assigned_;
  for (streaming::Position& p : positions) {
    if (const int64_t at = consumer_->position(p.topic, p.partition); at >= 0) p.offset = at;
  }
  return consumer_->assign(positions);
}

std::vector<Cursor> Term::cursors() const {
  std::vector<Cursor> cursors;
  for (const streaming::Position& p : assigned_) {
    if (p.topic == kPaymentsIndex) {
      observation::Position at = observer_->position(p.partition);
      cursors.push_back({topic_ids_[p.topic], p.partition, at.replay_from, at.seen_to, at.high_ms,
                         std::move(at.doubts_ms)});
    } else {
      const int64_t at = consumer_->position(p.topic, p.partition);
      const int64_t next = at >= 0 ? at : p.offset;
      cursors.push_back({topic_ids_[p.topic], p.partition, next, next, {}, {}});
    }
  }
  return cursors;
}

void Term::take_verdict(const streaming::Record& record, int64_t now_ms) {
  payments_agent::VerdictInput input = read_verdict(record.payload, keys_, now_ms);
  const auto others = others_verdicts_to_.find(record.partition);
  if (others != others_verdicts_to_.end() && record.offset < others->second) {
    if (!input.signature_ok || input.verdict.proposal_id != "kill") return;
    input.received_ts_ms = input.verdict.ts_ms;  // in their order, old as they are
  }
  loop_->add_verdict(std::move(input));
}

void Term::take_batch() {
  const streaming::Batch batch = consumer_->poll(spec_.until_end ? 20 : 50);
  const int64_t now_ms = clock_.now_ms();
  messages_.clear();
  std::vector<payments_agent::Complaint> complaints;
  for (const streaming::Record& record : batch.records) {
    if (record.topic == kSignalsIndex) {
      auto complaint = payments_agent::parse_complaint(record.payload);
      if (!complaint) spec_.on_trouble("support.signals: " + complaint.error().message);
      if (complaint) complaints.push_back(std::move(*complaint));
      continue;
    }
    last_message_ms_ = now_ms;
    if (record.topic == kPaymentsIndex) {
      messages_.push_back({record.partition, record.offset, record.payload});
    } else {
      take_verdict(record, now_ms);
    }
  }
  loop_->hear(std::move(complaints));
  const int64_t begun_ns = monotonic_ns();
  observer_->add(messages_, now_ms);
  load_.messages += messages_.size();
  load_.ingest_ns += monotonic_ns() - begun_ns;
  for (const streaming::Position& end : batch.ends) {
    if (end.topic == kPaymentsIndex) observer_->at_end(end.partition, now_ms);
  }
  for (const streaming::Gap& gap : batch.gaps) {
    const std::string lost = "partition " + std::to_string(gap.partition) + ": wanted offset " +
                             std::to_string(gap.wanted) + ", the broker goes on at " +
                             std::to_string(gap.resumed) + "; " + std::to_string(gap.lost()) +
                             " messages are gone";
    spec_.on_trouble(lost);
    if (gap_.empty()) gap_ = "messages are missing from the input: " + lost;
  }
  // A broker that is away is no silence of the payments.
  if (consumer_->broker_up()) observer_->tick(now_ms);
}

payments_agent::Health Term::health() {
  payments_agent::Health health;
  health.epoch = lease_.epoch();
  health.killed = kill_.on();
  const int64_t now_ms = clock_.now_ms();
  health.clock_ms = now_ms;
  if (now_ms + kClockBackwardsMs < last_wall_ms_)
    distrust_clock_until_ms_ = now_ms + kDistrustClockMs;
  last_wall_ms_ = now_ms;
  if (spec_.until_end) return health;
  health.data_age_ms = std::max<int64_t>(0, now_ms - last_message_ms_);
  const double age_max_s = spec_.config.process.max_input_age_s;
  const int64_t watermark_ms = observer_->watermark_ms();
  const double age_s = watermark_ms > 0 ? static_cast<double>(now_ms - watermark_ms) / 1000.0 : 0.0;
  if (!consumer_->broker_up()) {
    health.observe_only = "the broker is away: " + consumer_->trouble();
  } else if (now_ms < distrust_clock_until_ms_) {
    health.observe_only = "the machine's clock went backwards";
  } else if (age_max_s > 0 && age_s > age_max_s) {
    health.observe_only = "the input is " + fixed(age_s, 0) + " s old";
  } else if (!gap_.empty()) {
    health.observe_only = gap_;
  } else if (!caught_up_) {
    health.observe_only = "still reading what came before the start";
  }
  return health;
}

void Term::write_health(const std::string& why) {
  const Status written = health_file_.write({.ready = why.empty(),
                                             .why = why,
                                             .step = stepper_->step(),
                                             .event_ts_ms = stepper_->ts_ms()},
                                            clock_.now_ms());
  const std::string trouble = written ? "" : written.error().message;
  if (!trouble.empty() && trouble != health_trouble_) spec_.on_trouble(trouble);
  health_trouble_ = trouble;
}

void Term::tell_kill_switch() {
  const bool local = kill_.on();
  std::string now;
  if (local || agent_.killed()) {
    now = "the kill switch is on, by " + (local ? kill_.by() : std::string("a signed message")) +
          ": nothing is done, what was in force is undone";
  }
  if (now == kill_told_) return;
  spec_.on_trouble(now.empty() ? "the kill switch is off: acting again" : now);
  kill_told_ = std::move(now);
}

void Term::tell_console(const std::string& trouble) {
  if (spec_.feed == nullptr) return;
  api::Pulse pulse;
  pulse.wall_ms = clock_.now_ms();
  pulse.watermark_ms = observer_ ? std::max<int64_t>(0, observer_->watermark_ms()) : 0;
  pulse.killed = agent_.killed() || kill_.on();
  pulse.agent_state = pulse.killed ? "killed" : trouble.empty() ? "acting" : "observe_only";
  pulse.why = pulse.killed ? kill_told_ : trouble;
  if (consumer_ != nullptr) pulse.input_lag = consumer_->lag();
  if (observer_) {
    load_.open_seconds = observer_->open_seconds();
    load_.open_attempts = observer_->open_attempts();
    load_.dead_letters = observer_->dead_letters_pending();
  }
  load_.step_pending = stepper_->pending();
  pulse.load = load_;
  spec_.feed->pulse(std::move(pulse), &agent_);
}

void Term::take_console_notes() {
  if (spec_.feed == nullptr || !loop_) return;
  for (payments_agent::VerdictInput& note : spec_.feed->take_notes(clock_.now_ms())) {
    loop_->add_verdict(std::move(note));
  }
}

// After a retryable error: says it once, waits a little longer each time, keeps the lease alive.
// False when the lease is lost.
bool Term::wait_out(const Error& error) {
  if (trouble_ != error.message) spec_.on_trouble(trouble_ = error.message);
  write_health(error.message);
  tell_console(error.message);
  if (failing_since_ms_ == 0) failing_since_ms_ = clock_.now_ms();
  back_off_ms_ = std::min<int64_t>(back_off_ms_ == 0 ? 50 : back_off_ms_ * 2, 1000);
  sleep_ms(back_off_ms_);
  const auto event = lease_.poll();
  return !event || *event != streaming::LeaseEvent::lost;
}

Result<TermEnd> Term::turn_until_over() {
  for (;;) {
    const auto event = lease_.poll();
    if (!event && !event.error().retryable) return tl::make_unexpected(event.error());
    if (event && *event == streaming::LeaseEvent::lost) return TermEnd::lease_lost;
    if (spec_.stop()) break;
    if (!lease_.holds()) {  // silence of the coordinator: neither read nor act
      constexpr const char* kSilent =
          "Kafka does not confirm the lease; neither reading nor acting until it does";
      if (trouble_ != kSilent) spec_.on_trouble(trouble_ = kSilent);
      write_health(kSilent);
      tell_console(kSilent);
      sleep_ms(50);
      continue;
    }
    if (!stepper_->pending()) take_batch();
    take_console_notes();
    const payments_agent::Health now = health();
    const uint64_t step_before = stepper_->step();
    const int64_t begun_ns = monotonic_ns();
    const Status pumped = loop_->pump(now);
    if (stepper_->step() != step_before) {
      load_.steps += stepper_->step() - step_before;
      load_.steps_ns += monotonic_ns() - begun_ns;
    }
    if (!pumped) {
      if (!pumped.error().retryable) {
        if (pumped.error().code == ErrorCode::refused) return TermEnd::lease_lost;
        return tl::make_unexpected(pumped.error());
      }
      if (!wait_out(pumped.error())) return TermEnd::lease_lost;
      continue;
    }
    if (!trouble_.empty()) spec_.on_note("going on: what failed works again");
    trouble_.clear();
    back_off_ms_ = 0;
    failing_since_ms_ = 0;
    if (stepper_->step() > step_before) gap_.clear();
    caught_up_ = caught_up_ || consumer_->has_read_to(ends_);
    tell_kill_switch();
    write_health(!now.observe_only.empty() ? now.observe_only : kill_told_);
    tell_console(now.observe_only);
    if (spec_.until_end && consumer_->has_read_to(ends_)) {
      observer_->finish();
      break;
    }
    if (!spec_.until_end && clock_.now_ms() >= next_partitions_ms_) {
      next_partitions_ms_ = clock_.now_ms() + kPartitionsEveryMs;
      if (Status status = assign_new_partitions(); !status) {
        spec_.on_trouble(status.error().message);
      }
    }
  }
  stepper_->request_snapshot();
  if (spec_.stop()) outbox_.hurry([this] { return !consumer_->broker_up(); });
  Status status = loop_->stop(health());
  while (!status && status.error().retryable && !Signals::stop_requested()) {
    if (!wait_out(status.error())) return TermEnd::lease_lost;
    status = stepper_->pending() ? stepper_->retry() : loop_->stop(health());
  }
  if (!status && !stepper_->unsent()) return tl::make_unexpected(status.error());
  if (!status) {
    spec_.on_trouble(status.error().message + ": " + std::string(kUnsentWaits));
  }
  return TermEnd::stopped;
}

Result<TermEnd> Term::run(LiveAgentResult& result) {
  make_stepper();
  for (Status (Term::*open)() : {&Term::recover, &Term::open_input}) {
    const Status status = (this->*open)();
    if (status) continue;
    if (status.error().retryable && status.error().code == ErrorCode::refused) {
      return TermEnd::lease_lost;
    }
    return tl::make_unexpected(status.error());
  }
  at_start_ = agent_.totals();
  auto end = turn_until_over();
  const Totals total = agent_.totals();
  result.step = stepper_->step();
  result.total = total;
  result.since_start.attempts += total.attempts - at_start_.attempts;
  result.since_start.late += total.late - at_start_.late;
  result.since_start.duplicates += total.duplicates - at_start_.duplicates;
  result.since_start.dead_letters += total.dead_letters - at_start_.dead_letters;
  result.since_start.cycles += total.cycles - at_start_.cycles;
  result.since_start.alarms += total.alarms - at_start_.alarms;
  result.since_start.actions += total.actions - at_start_.actions;
  return end;
}

// Polls until the lease is gained; false when told to stop. Errors: of the lease.
Result<bool> await_lease(const LiveAgentSpec& spec, streaming::Lease& lease) {
  constexpr int64_t kSaidAfterMs = 10'000;
  const SystemClock clock;
  int64_t say_ms = clock.now_ms() + kSaidAfterMs;
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
    if (clock.now_ms() > say_ms) {
      say_ms = std::numeric_limits<int64_t>::max();
      spec.on_note(
          "standing by: the lease is not free yet; another agent holds it, or held it until a "
          "moment ago");
    }
    if (spec.feed != nullptr) {
      api::Pulse pulse;
      pulse.wall_ms = clock.now_ms();
      pulse.why = "waiting for the lease";
      spec.feed->pulse(std::move(pulse), nullptr);
    }
    sleep_ms(20);
  }
  return false;
}

}  // namespace

Result<LiveAgentResult> run_live_agent(const LiveAgentSpec& spec) {
  auto declines = load_decline_table(spec.config);
  if (!declines) return tl::make_unexpected(declines.error());
  const auto cluster = streaming::await_cluster(spec.config.streaming, [&](const std::string& s) {
    spec.on_trouble(s);
    return !spec.stop();
  });
  if (!cluster) return tl::make_unexpected(cluster.error());
  if (Status there = check_topics(spec.config.streaming); !there) {
    return tl::make_unexpected(there.error());
  }
  std::error_code error;
  std::filesystem::create_directories(spec.config.process.state_dir, error);
  LocalKillSwitch kill(spec.config.process.kill_file);
  LiveAgentResult result;
  std::unique_ptr<streaming::Lease> lease;
  while (!spec.stop()) {
    auto storage = open_storage(storage_of(spec), lease.get());
    if (!storage) return tl::make_unexpected(storage.error());
    if (lease == nullptr) {
      auto stood = streaming::Lease::open(
          spec.config.streaming,
          {.name = "payments", .instance_id = instance_id(spec.config.process.state_dir)});
      if (!stood) return tl::make_unexpected(stood.error());
      lease = std::move(*stood);
    }
    const auto gained = await_lease(spec, *lease);
    if (!gained) return tl::make_unexpected(gained.error());
    if (!*gained) break;
    Term term(spec, *declines, *lease, kill, std::move(*storage));
    const auto end = term.run(result);
    if (!end) return tl::make_unexpected(end.error());
    if (*end == TermEnd::stopped) return result;
    spec.on_trouble("the lease was lost: uncommitted work is dropped, waiting to hold it again");
  }
  return result;
}

}  // namespace payops::app
