#include "virtual_run.h"

#include <memory>

#include "payops/core/json_fields.h"
#include "payops/memory/audit_files.h"
#include "payops/payments_agent/loop.h"
#include "payops/runtime/in_memory.h"
#include "version.h"

namespace payops::app {
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

Result<RunStory> run_virtually(const VirtualRunSpec& spec) {
  auto declines = load_decline_table(spec.config);
  if (!declines) return tl::make_unexpected(declines.error());
  payments_agent::AgentConfig agent_config = spec.config.agent;
  price_as(spec.scenario, agent_config);

  const double duration_s = spec.duration_s > 0 ? spec.duration_s : spec.scenario.duration_s;
  const int64_t end_ms = spec.start_ms + static_cast<int64_t>(duration_s * 1000);
  simulators::World world(spec.scenario, spec.seed, spec.start_ms, spec.rate_tps);
  StoryTeller teller;
  CollectingOutbox outbox([&](const OutboxEntry& entry) {
    teller.published(entry);
    deliver(entry, world);
  });
  InMemoryStore store;
  std::unique_ptr<StepFiles> files = std::make_unique<InMemoryFiles>(false);
  if (!spec.audit_dir.empty()) {
    auto opened = memory::AuditFiles::open(spec.audit_dir);
    if (!opened) return tl::make_unexpected(opened.error());
    files = std::move(*opened);
  }

  payments_agent::PaymentsAgent agent;
  Dictionary dictionary;
  observation::Observer observer(spec.config.observation, *declines, spec.config.mapping,
                                 dictionary);
  observer.assign(0, 0, 0);
  PublishGuard guard;
  guard.event_now_ms = [&] { return world.now_ms(); };
  Stepper stepper(agent, store, *files, outbox, guard, {});
  if (Status status = stepper.recover(); !status) return tl::make_unexpected(status.error());
  payments_agent::Loop loop(
      agent, observer, stepper,
      {.build = kVersion, .config = agent_config, .on_cycle = [&](const auto& r) {
         teller.cycle(r);
         spec.on_cycle(r);
       }});

  const payments_agent::Health health{.observe_only = "", .epoch = 1};
  std::string json;
  int64_t offset = 0;
  for (int64_t now_ms = spec.start_ms; now_ms < end_ms;) {
    now_ms = std::min(now_ms + kTickMs, end_ms);
    world.advance(now_ms, [&](const simulators::SimulatedAttempt& attempt) {
      observer.add({0, offset++, simulators::to_json(attempt, json)}, now_ms);
    });
    observer.at_end(0, now_ms);
    observer.tick(now_ms);
    if (Status status = loop.pump(health); !status) return tl::make_unexpected(status.error());
    teller.truth(world.take_truth());
    spec.on_progress(now_ms - spec.start_ms, end_ms - spec.start_ms);
  }
  observer.finish();
  if (Status status = loop.stop(health); !status) return tl::make_unexpected(status.error());

  RunStory& story = teller.story;
  story.totals = agent.totals();
  story.books = world.books();
  story.start_ms = spec.start_ms;
  story.end_ms = end_ms;
  story.currency = agent_config.economics.reporting_currency;
  story.result.scenario = spec.scenario.name;
  story.result.seed = spec.seed;
  story.result.cycles = agent.totals().cycles;
  story.result.net_revenue_minor = story.books.net_revenue_minor();
  story.result.nothing_revenue_minor =
      simulators::books_without_actions(spec.scenario, spec.seed, spec.start_ms, end_ms,
                                        spec.rate_tps)
          .net_revenue_minor();
  return story;
}

}  // namespace payops::app
