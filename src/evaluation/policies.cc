#include "payops/evaluation/policies.h"

#include <algorithm>
#include <memory>

#include "oracle.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/decision/situation.h"
#include "payops/runtime/in_memory.h"
#include "payops/safety/safety.h"
#include "routers.h"

namespace payops::evaluation {
namespace {

constexpr int64_t kRouterMs = 1000;  // how often a router may change its mind

// A message that begins or changes something about traffic.
struct Act {
  int64_t ts_ms = 0;
  Scope scope;
};

// What a policy did, and when it said that something was wrong.
struct Record {
  simulators::Books books;
  std::vector<Act> acts;
  std::vector<Act> alarms;
  std::vector<int64_t> earned_by_minute;
};

// Notes what a world has earned whenever another minute of it is over.
class Minutes {
 public:
  Minutes(const Stage& stage, std::vector<int64_t>& earned)
      : start_ms_(stage.start_ms), earned_(earned) {}
  void note(const simulators::World& world) {
    const auto over = static_cast<std::size_t>((world.now_ms() - start_ms_) / 60'000);
    if (earned_.size() < over) earned_.resize(over, world.books().net_revenue_minor());
  }

 private:
  int64_t start_ms_;
  std::vector<int64_t>& earned_;
};

bool touches_traffic(const Action& action) {
  return action.inverse_of.empty() && !safety::is_advisory(action.type);
}

// What every run of a stage is held against.
struct Yardstick {
  const Stage& stage;
  Record left_alone;
  simulators::Books faultless;
};

Record left_alone(const Stage& stage) {
  Record record;
  Minutes minutes(stage, record.earned_by_minute);
  simulators::World world(stage.scenario, stage.seed, stage.start_ms, stage.rate_tps);
  while (world.now_ms() < stage.end_ms) {
    world.advance(std::min(world.now_ms() + 60'000, stage.end_ms),
                  [](const simulators::SimulatedAttempt&) {});
    minutes.note(world);
  }
  record.books = world.books();
  return record;
}

bool live(const simulators::Fault& fault, const Stage& stage, int64_t ts_ms) {
  const double t = static_cast<double>(ts_ms - stage.start_ms) / 1000.0;
  return t >= fault.start_s && t < fault.start_s + fault.duration_s;
}

std::optional<int64_t> detection_delay(const Stage& stage, const std::vector<Act>& alarms) {
  const auto& faults = stage.scenario.faults;
  if (faults.empty()) return std::nullopt;
  const auto first =
      std::min_element(faults.begin(), faults.end(),
                       [](const auto& a, const auto& b) { return a.start_s < b.start_s; });
  const int64_t began_ms = stage.start_ms + static_cast<int64_t>(first->start_s * 1000.0);
  std::optional<int64_t> soonest;
  for (const Act& alarm : alarms) {
    if (alarm.ts_ms < began_ms || !live(*first, stage, alarm.ts_ms)) continue;
    if (!decision::overlaps(alarm.scope, first->scope)) continue;
    soonest = std::min(soonest.value_or(alarm.ts_ms - began_ms), alarm.ts_ms - began_ms);
  }
  return soonest;
}

PolicyRun run_of(const Yardstick& yardstick, Policy policy, const Record& record) {
  const Stage& stage = yardstick.stage;
  PolicyRun run;
  run.scenario = stage.scenario.name;
  run.seed = stage.seed;
  run.policy = name_of(policy);
  run.net_revenue_minor = record.books.net_revenue_minor();
  run.excess_failures =
      static_cast<int64_t>(record.books.lost) - static_cast<int64_t>(yardstick.faultless.lost);
  run.detection_delay_ms = detection_delay(stage, record.alarms);
  run.actions = record.acts.size();
  for (const Act& act : record.acts) {
    const auto& faults = stage.scenario.faults;
    run.false_actions += std::none_of(faults.begin(), faults.end(), [&](const auto& fault) {
      return live(fault, stage, act.ts_ms) && decision::overlaps(fault.scope, act.scope);
    });
  }
  run.earned_by_minute = record.earned_by_minute;
  return run;
}

Record run_router(const Stage& stage, Policy policy) {
  Record record;
  Minutes minutes(stage, record.earned_by_minute);
  simulators::World world(stage.scenario, stage.seed, stage.start_ms, stage.rate_tps);
  const std::unique_ptr<Router> router = policy == Policy::zscore
                                             ? zscore_rule(world.scenario())
                                             : success_rate_router(world.scenario());
  for (int64_t now_ms = stage.start_ms; now_ms < stage.end_ms;) {
    now_ms = std::min(now_ms + kRouterMs, stage.end_ms);
    world.advance(now_ms, [&](const simulators::SimulatedAttempt& a) { router->observe(a); });
    for (const Action& action : router->decide(now_ms)) {
      world.apply(action);
      if (!touches_traffic(action)) continue;
      record.acts.push_back({now_ms, action.scope});
      if (router->alarms()) record.alarms.push_back(record.acts.back());
    }
    (void)world.take_truth();
    minutes.note(world);
  }
  record.books = world.books();
  return record;
}

Result<Record> run_agent(const Stage& stage, const AgentSetup& setup,
                         const observation::DeclineTable& declines,
                         payments_agent::PaymentsAgent& agent, TrueState* truth = nullptr) {
  Record record;
  InMemoryFiles files(false);
  Watcher watcher;
  Minutes minutes(stage, record.earned_by_minute);
  const simulators::World* lived = nullptr;
  watcher.began = [&](const simulators::World& world) {
    lived = &world;
    if (truth != nullptr) truth->watch(world);
  };
  watcher.progress = [&](int64_t, int64_t) { minutes.note(*lived); };
  watcher.cycle = [&](const payments_agent::CycleReport& report) {
    for (const Alarm& alarm : report.alarms)
      record.alarms.push_back({alarm.raised_ts_ms, alarm.scope});
  };
  watcher.published = [&](const OutboxEntry& entry) {
    if (entry.topic != "actions" || entry.payload.empty()) return;
    const auto action = from_json<Action>(Json::parse(entry.payload));
    if (action && touches_traffic(*action))
      record.acts.push_back({action->issued_ts_ms, action->scope});
  };
  auto books = run_closed_loop(stage, setup, declines, agent, files, watcher);
  if (!books) return tl::make_unexpected(books.error());
  record.books = *books;
  return record;
}

Result<Record> run_informed(const Stage& stage, AgentSetup setup,
                            const observation::DeclineTable& declines,
                            const std::vector<std::string>& disabled) {
  auto& off = setup.agent.planner.disabled;
  off.insert(off.end(), disabled.begin(), disabled.end());
  TrueState truth(stage.scenario, stage.seed, stage.start_ms);
  payments_agent::PaymentsAgent agent;
  agent.set_insight(
      {.rises = [&](const ClosedBucket& bucket) { return truth.rises(bucket.second); },
       .reveal = [&](Assessment& assessment,
                     decision::Economics& economics) { truth.reveal(assessment, economics); }});
  return run_agent(stage, setup, declines, agent, &truth);
}

// The best of what the limits allow someone who knows the truth, and what would come of acting on
// it: everything, no suppression, reroutes alone; payops' own decisions; leaving it alone.
Result<Record> run_oracle(const Yardstick& yardstick, const AgentSetup& setup,
                          const observation::DeclineTable& declines,
                          const std::optional<Record>& own) {
  Record best = yardstick.left_alone;
  const auto consider = [&](const Record& record) {
    if (record.books.net_revenue_minor() > best.books.net_revenue_minor()) best = record;
  };
  if (own) consider(*own);
  const std::string suppress(action_type::kSuppressPath);
  const std::string reduce(action_type::kReduceRetryAttempts);
  const std::string adjust(action_type::kAdjustRetry);
  for (const auto& disabled :
       {std::vector<std::string>{}, {suppress}, {suppress, reduce, adjust}}) {
    auto record = run_informed(yardstick.stage, setup, declines, disabled);
    if (!record) return record;
    consider(*record);
  }
  return best;
}

}  // namespace

Result<std::vector<PolicyRun>> price(const Stage& stage, const std::vector<Policy>& policies,
                                     const AgentSetup& setup,
                                     const observation::DeclineTable& declines) {
  simulators::Scenario mended = stage.scenario;
  mended.faults.clear();
  const Yardstick yardstick{stage, left_alone(stage),
                            simulators::books_without_actions(mended, stage.seed, stage.start_ms,
                                                              stage.end_ms, stage.rate_tps)};
  const auto asked = [&](Policy policy) {
    return std::find(policies.begin(), policies.end(), policy) != policies.end();
  };
  std::optional<Record> own;
  if (asked(Policy::agent) || asked(Policy::oracle)) {
    payments_agent::PaymentsAgent agent;
    auto record = run_agent(stage, setup, declines, agent);
    if (!record) return tl::make_unexpected(record.error());
    own = std::move(*record);
  }
  std::vector<PolicyRun> runs;
  for (const Policy policy : policies) {
    Record record;
    if (policy == Policy::nothing) record = yardstick.left_alone;
    if (policy == Policy::agent) record = *own;
    if (policy == Policy::zscore || policy == Policy::success_rate) {
      record = run_router(stage, policy);
    }
    if (policy == Policy::oracle) {
      auto informed = run_oracle(yardstick, setup, declines, own);
      if (!informed) return tl::make_unexpected(informed.error());
      record = std::move(*informed);
    }
    runs.push_back(run_of(yardstick, policy, record));
  }
  return runs;
}

Result<std::vector<Policy>> parse_policies(std::string_view comma_separated) {
  std::vector<std::string> known;
  for (const std::string_view name : enum_names<Policy>) known.emplace_back(name);
  std::vector<Policy> policies;
  while (!comma_separated.empty()) {
    const std::size_t comma = std::min(comma_separated.find(','), comma_separated.size());
    const std::string_view word = comma_separated.substr(0, comma);
    comma_separated.remove_prefix(std::min(comma + 1, comma_separated.size()));
    const auto policy = parse_enum<Policy>(word);
    if (!policy) {
      return fail(ErrorCode::usage, "there is no policy \"" + std::string(word) + "\"" +
                                        did_you_mean(word, known) + "; policies are " +
                                        join(known, ", "));
    }
    if (std::find(policies.begin(), policies.end(), *policy) != policies.end()) {
      return fail(ErrorCode::usage, "policy \"" + std::string(word) + "\" is named twice");
    }
    policies.push_back(*policy);
  }
  if (policies.empty()) return fail(ErrorCode::usage, "no policy is named");
  return policies;
}

}  // namespace payops::evaluation
