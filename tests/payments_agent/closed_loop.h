// The payments agent in a simulated world, in virtual time and in memory: what its tests drive.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/json_fields.h"
#include "payops/core/sign.h"
#include "payops/observation/observer.h"
#include "payops/payments_agent/agent.h"
#include "payops/payments_agent/loop.h"
#include "payops/runtime/in_memory.h"
#include "payops/safety/verdict.h"
#include "payops/simulators/world.h"
#include "support/paths.h"

namespace payops::payments_agent {

class ClosedLoop {
 public:
  explicit ClosedLoop(const std::string& scenario, AgentConfig with = {}, uint64_t seed = 1)
      : config(std::move(with)),
        key(*key_pair_from_seed(std::string(64, '7'))),
        world_(*simulators::load_scenario(scenario, {testing::source_path("simulators/scenarios")}),
               seed, kStartMs),
        declines_(
            *observation::DeclineTable::load(testing::source_path("config/decline_codes.yaml"))),
        outbox_([this](const OutboxEntry& entry) { deliver(entry); }) {
    config.operator_keys = {key.public_key_hex};
    config.economics.margin_share = world_.scenario().economics.margin_share;
    for (const simulators::UpstreamSpec& upstream : world_.scenario().upstreams) {
      config.topology.upstreams.push_back({.name = upstream.name, .gateways = upstream.gateways});
    }
    start();
  }

  // As after a crash: everything in memory is gone, the store and the files stay.
  void restart() {
    loop_.reset();
    stepper_.reset();
    start();
  }

  // Lives on for so many seconds, in which `health` holds.
  void run(int seconds) {
    for (int tick = 0; tick < seconds * 4; ++tick) {
      world_.advance(world_.now_ms() + 250, [&](const simulators::SimulatedAttempt& attempt) {
        std::string json;
        messages_.emplace_back(simulators::to_json(attempt, json));
      });
      feed();
      REQUIRE(loop_->pump(health).has_value());
    }
  }

  // As run(), where the disk may refuse: then nothing is read until it has room again, as live.
  // Gives how many turns were refused.
  int run_with_trouble(int seconds) {
    int refused = 0;
    for (int tick = 0; tick < seconds * 4; ++tick) {
      world_.advance(world_.now_ms() + 250, [&](const simulators::SimulatedAttempt& attempt) {
        std::string json;
        messages_.emplace_back(simulators::to_json(attempt, json));
      });
      if (!stepper_->pending()) feed();
      const Status status = loop_->pump(health);
      if (status) continue;
      REQUIRE(status.error().retryable);
      CHECK(stepper_->pending());
      ++refused;
    }
    return refused;
  }

  // A person's command, signed unless `signed_by` says otherwise.
  void say(Verdict verdict, const KeyPair* signed_by = nullptr) {
    verdict.by = "anna";
    verdict.ts_ms = world_.now_ms();
    REQUIRE(
        safety::sign_verdict(verdict, (signed_by != nullptr ? *signed_by : key).secret_key_hex));
    const Status good = safety::verify_verdict(verdict, config.operator_keys);
    loop_->add_verdict(
        {verdict, good.has_value(), good ? "" : good.error().message, verdict.ts_ms});
  }

  // Customers complain, and the agent hears of it; no payment is made meanwhile.
  void complain(std::vector<Complaint> complaints, int64_t clock_ms) {
    health.clock_ms = clock_ms;
    loop_->hear(std::move(complaints));
    REQUIRE(loop_->pump(health).has_value());
  }
  [[nodiscard]] const CycleReport& report() const { return agent->report(); }

  // Actions published so far, inverses and alerts aside.
  [[nodiscard]] std::vector<Action> on_traffic() const {
    std::vector<Action> kept;
    for (const Action& action : published) {
      if (!safety::is_advisory(action.type) && action.inverse_of.empty()) kept.push_back(action);
    }
    return kept;
  }
  [[nodiscard]] int inverses() const {
    int count = 0;
    for (const Action& action : published) count += action.inverse_of.empty() ? 0 : 1;
    return count;
  }
  [[nodiscard]] std::size_t lines(const std::string& kind) const {
    std::size_t count = 0;
    for (const std::string& line : files_.lines()) {
      count += line.find("\"kind\":\"" + kind + "\"") != std::string::npos ? 1 : 0;
    }
    return count;
  }
  [[nodiscard]] std::size_t attempts() const { return messages_.size(); }
  [[nodiscard]] const std::vector<std::string>& blocks() const { return files_.blocks(); }
  [[nodiscard]] int64_t seconds() const { return (world_.now_ms() - kStartMs) / 1000; }

  AgentConfig config;
  KeyPair key;
  Health health{.observe_only = "", .killed = false, .data_age_ms = 0, .epoch = 1};
  std::vector<Action> published;
  std::unique_ptr<PaymentsAgent> agent;
  Faults& commits() { return store_.faults; }
  Faults& files() { return files_.faults; }

 private:
  static constexpr int64_t kStartMs = 1'772'438'400'000;

  void start() {
    agent = std::make_unique<PaymentsAgent>();
    stepper_ = std::make_unique<Stepper>(*agent, store_, files_, outbox_, PublishGuard{},
                                         StepperOptions{});
    REQUIRE(stepper_->recover().has_value());
    dictionary_ = agent->dictionary();
    observer_ = std::make_unique<observation::Observer>(observation::ObservationConfig{}, declines_,
                                                        observation::FieldMapping{}, dictionary_);
    if (agent->closed_to_ms() > 0) observer_->set_closed_to(agent->closed_to_ms() / 1000 - 1);
    Cursor cursor{"payments", 0, 0, 0};
    if (!stepper_->cursors().empty()) cursor = stepper_->cursors().front();
    observer_->assign(0, {cursor.replay_from, cursor.seen_to, cursor.high_ms, cursor.doubts_ms});
    next_ = cursor.replay_from;
    LoopOptions options;
    options.build = "test";
    options.config = config;
    options.cursors = [this] {
      const observation::Position at = observer_->position(0);
      return std::vector<Cursor>{
          {"payments", 0, at.replay_from, at.seen_to, at.high_ms, at.doubts_ms}};
    };
    loop_ = std::make_unique<Loop>(*agent, *observer_, *stepper_, std::move(options));
  }

  void feed() {
    for (; next_ < static_cast<int64_t>(messages_.size()); ++next_) {
      observer_->add({0, next_, messages_[static_cast<std::size_t>(next_)]}, world_.now_ms());
    }
    observer_->at_end(0, world_.now_ms());
    observer_->tick(world_.now_ms());
  }

  void deliver(const OutboxEntry& entry) {
    if (entry.topic != "actions") return;
    if (entry.payload.empty()) {
      world_.end(entry.key);
      return;
    }
    const auto action = from_json<Action>(Json::parse(entry.payload));
    REQUIRE(action.has_value());
    published.push_back(*action);
    world_.apply(*action);
  }

  simulators::World world_;
  observation::DeclineTable declines_;
  std::vector<std::string> messages_;
  int64_t next_ = 0;
  InMemoryStore store_;
  InMemoryFiles files_;
  CollectingOutbox outbox_;
  Dictionary dictionary_;
  std::unique_ptr<observation::Observer> observer_;
  std::unique_ptr<Stepper> stepper_;
  std::unique_ptr<Loop> loop_;
};

}  // namespace payops::payments_agent
