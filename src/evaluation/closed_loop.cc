#include "payops/evaluation/closed_loop.h"

#include <algorithm>

#include "payops/core/json_fields.h"
#include "payops/payments_agent/loop.h"
#include "payops/runtime/in_memory.h"

namespace payops::evaluation {
namespace {

constexpr int64_t kTickMs = 250;  // how often the loop turns, in virtual time

// Delivers what the agent publishes to the world, as the topic payops.actions would.
void deliver(const OutboxEntry& entry, simulators::World& world) {
  if (entry.topic != "actions") return;
  if (entry.payload.empty()) {
    world.end(entry.key);
    return;
  }
  if (const auto action = from_json<Action>(Json::parse(entry.payload))) world.apply(*action);
}

}  // namespace

Stage stage_of(const simulators::Scenario& scenario, uint64_t seed, double duration_s,
               std::optional<double> rate_tps, int64_t start_ms) {
  const double seconds = duration_s > 0.0 ? duration_s : scenario.duration_s;
  return {.scenario = scenario,
          .seed = seed,
          .start_ms = start_ms,
          .end_ms = start_ms + static_cast<int64_t>(seconds * 1000.0),
          .rate_tps = rate_tps};
}

Result<simulators::Books> run_closed_loop(const Stage& stage, const AgentSetup& setup,
                                          const observation::DeclineTable& declines,
                                          payments_agent::PaymentsAgent& agent, StepFiles& files,
                                          const Watcher& watcher) {
  payments_agent::AgentConfig config = setup.agent;
  price_as(stage.scenario, config);
  simulators::World world(stage.scenario, stage.seed, stage.start_ms, stage.rate_tps);
  watcher.began(world);
  CollectingOutbox outbox([&](const OutboxEntry& entry) {
    watcher.published(entry);
    deliver(entry, world);
  });
  InMemoryStore store;
  Dictionary dictionary;
  observation::Observer observer(setup.observation, declines, setup.mapping, dictionary);
  observer.assign(0, {});
  PublishGuard guard;
  guard.event_now_ms = [&] { return world.now_ms(); };
  Stepper stepper(agent, store, files, outbox, guard, {});
  if (Status status = stepper.recover(); !status) return tl::make_unexpected(status.error());
  payments_agent::Loop loop(agent, observer, stepper,
                            {.build = setup.build, .config = config, .on_cycle = watcher.cycle});

  const payments_agent::Health health{.observe_only = "", .epoch = 1};
  std::string json;
  int64_t offset = 0;
  for (int64_t now_ms = stage.start_ms; now_ms < stage.end_ms;) {
    now_ms = std::min(now_ms + kTickMs, stage.end_ms);
    world.advance(now_ms, [&](const simulators::SimulatedAttempt& attempt) {
      observer.add({0, offset++, simulators::to_json(attempt, json)}, now_ms);
    });
    observer.at_end(0, now_ms);
    observer.tick(now_ms);
    watcher.turn(now_ms);
    if (Status status = loop.pump(health); !status) return tl::make_unexpected(status.error());
    watcher.truth(world.take_truth());
    watcher.progress(now_ms - stage.start_ms, stage.end_ms - stage.start_ms);
    if (watcher.stop()) break;
  }
  observer.finish();
  if (Status status = loop.stop(health); !status) return tl::make_unexpected(status.error());
  return world.books();
}

void price_as(const simulators::Scenario& scenario, payments_agent::AgentConfig& agent) {
  decision::Economics& economics = agent.economics;
  economics.margin_share = scenario.economics.margin_share;
  economics.retry_fee_minor = static_cast<double>(scenario.economics.retry_fee_minor);
  for (const simulators::GatewaySpec& gateway : scenario.gateways) {
    decision::GatewayTerms terms = economics.terms(gateway.name);
    terms.attempt_fee_minor = static_cast<double>(gateway.fee_minor);
    terms.fee_bps = gateway.fee_bps;
    economics.gateways[gateway.name] = terms;
  }
  agent.learning.margin_share = scenario.economics.margin_share;
  if (!agent.topology.upstreams.empty()) return;
  for (const simulators::UpstreamSpec& upstream : scenario.upstreams) {
    agent.topology.upstreams.push_back({.name = upstream.name, .gateways = upstream.gateways});
  }
}

}  // namespace payops::evaluation
