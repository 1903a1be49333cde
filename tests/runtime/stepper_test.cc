#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "payops/core/json_fields.h"
#include "payops/runtime/in_memory.h"
#include "payops/runtime/step.h"
#include "runtime/counting_agent.h"

namespace payops {
namespace {

struct Crash {};

// The ports, which survive a crash, and what a reader of the topics has seen.
struct World {
  InMemoryStore store;
  InMemoryFiles files;
  std::map<std::string, std::vector<OutboxEntry>> seen;  // by id, in order of arrival
  std::vector<std::string> order;                        // ids at first sight
  CollectingOutbox outbox{[this](const OutboxEntry& entry) {
    auto& copies = seen[entry.id];
    if (copies.empty()) order.push_back(entry.id);
    copies.push_back(entry);
  }};
  int64_t now_ms = 0;
  bool killed = false;
  bool lease = true;
  int lease_away = 0;  // times that it is asked for in vain before it is there again

  PublishGuard guard() {
    return {.killed = [this] { return killed; },
            .holds_lease = [this] { return lease && (lease_away == 0 || lease_away-- == 0); },
            .event_now_ms = [this] { return now_ms; }};
  }
  Stepper stepper(CountingAgent& agent, StepperOptions options = {}) {
    return {agent, store, files, outbox, guard(), std::move(options)};
  }
};

StepperOptions frequent_snapshots() { return {.snapshot_every_ms = 40'000}; }

// A run of one process, crashing when `at_point` throws. Gives whether it lived to step `until`.
bool run(World& world, uint64_t until, const std::function<void(uint64_t, StepPoint)>& at_point) {
  CountingAgent agent;
  StepperOptions options = frequent_snapshots();
  uint64_t step = 0;
  options.at_point = [&](StepPoint point) { at_point(step, point); };
  Stepper stepper = world.stepper(agent, options);
  try {
    Status status = stepper.recover();
    while (!status && status.error().retryable)
      status = stepper.pending() ? stepper.retry() : stepper.recover();
    REQUIRE(status);
    while (stepper.step() < until) {
      step = stepper.step() + 1;
      status = take_counting_step(stepper, agent);
      while (!status && status.error().retryable) status = stepper.retry();
      REQUIRE(status);
    }
  } catch (const Crash&) {
    return false;
  }
  return true;
}

void never(uint64_t, StepPoint) {}

void check_same(const World& got, const World& wanted) {
  CHECK(got.files.lines() == wanted.files.lines());
  CHECK(got.files.blocks() == wanted.files.blocks());
  CHECK(got.files.checkpoint() == wanted.files.checkpoint());
  CHECK(got.order == wanted.order);
  for (const auto& [id, copies] : got.seen) {
    for (const OutboxEntry& copy : copies) {
      CHECK_MESSAGE(copy == wanted.seen.at(id).front(), id);
    }
  }
}

constexpr uint64_t kSteps = 14;

TEST_CASE("a crash at any point of any step changes no line, no block and no message") {
  World calm;
  REQUIRE(run(calm, kSteps, never));
  for (uint64_t step = 1; step <= kSteps; ++step) {
    for (const StepPoint point : {StepPoint::applied, StepPoint::committed, StepPoint::files_synced,
                                  StepPoint::published}) {
      CAPTURE(step);
      CAPTURE(name_of(point));
      World world;
      REQUIRE_FALSE(run(world, kSteps, [&](uint64_t at, StepPoint p) {
        if (at == step && p == point) throw Crash{};
      }));
      if (point == StepPoint::files_synced) world.files.tear_tail();
      REQUIRE(run(world, kSteps, never));
      check_same(world, calm);
    }
  }
}

TEST_CASE("whatever fails and crashes in whatever order, the outcome is the calm run's") {
  World calm;
  REQUIRE(run(calm, kSteps, never));
  const bool held = rc::check([&] {
    World world;
    const auto odds = *rc::gen::inRange(2, 12);
    for (int life = 0; life < 200; ++life) {
      const auto throw_dice = [&](uint64_t, StepPoint) {
        Faults* const ports[] = {&world.store.faults, &world.files.faults, &world.outbox.faults};
        Faults& faults = *ports[*rc::gen::inRange(0, 3)];
        const int fate = *rc::gen::inRange(0, 3 * odds);
        if (fate == 0) faults.fail_before(*rc::gen::inRange(1, 4));
        if (fate == 1) faults.fail_after(*rc::gen::inRange(1, 4));
        if (fate == 2) throw Crash{};
      };
      if (run(world, kSteps, throw_dice)) {
        RC_ASSERT(world.files.lines() == calm.files.lines());
        RC_ASSERT(world.files.blocks() == calm.files.blocks());
        RC_ASSERT(world.order == calm.order);
        for (const auto& [id, copies] : world.seen) {
          for (const OutboxEntry& copy : copies) RC_ASSERT(copy == calm.seen.at(id).front());
        }
        return;
      }
    }
    RC_DISCARD("it crashed two hundred times");
  });
  CHECK(held);
}

TEST_CASE("every decided message is published or withdrawn, whatever the guard says and when") {
  const bool held = rc::check([] {
    World world;
    for (int life = 0; life < 100; ++life) {
      const bool done = run(world, kSteps, [&](uint64_t, StepPoint) {
        world.killed = *rc::gen::arbitrary<bool>();
        world.lease_away = std::max(0, *rc::gen::inRange(-12, 4));
        world.now_ms = *rc::gen::element<int64_t>(0, 1'700'000'060'000);
        if (*rc::gen::inRange(0, 10) == 0) throw Crash{};
      });
      if (done) break;
    }
    CountingAgent agent;
    for (const std::string& block : world.files.blocks()) RC_ASSERT(agent.apply(block));
    const uint64_t steps = agent.state().step;
    for (uint64_t step = 1; step < steps; ++step) {
      for (const char* what : {"alert-", "action-"}) {
        if (what[1] == 'c' && step % 3 != 0) continue;
        const std::string id = what + std::to_string(step);
        const auto fate = agent.state().fates.find(id);
        RC_ASSERT(fate != agent.state().fates.end());
        if (fate->second == "published") RC_ASSERT(world.seen.count(id) == 1);
      }
    }
  });
  CHECK(held);
}

TEST_CASE("the guard is asked again right before publishing, and says why it withdraws") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  for (int i = 0; i < 2; ++i) REQUIRE(take_counting_step(stepper, agent));

  world.killed = true;
  REQUIRE(take_counting_step(stepper, agent));  // step 3: an alert and a guarded action
  CHECK(stepper.results() == std::vector<SendResult>{{.id = "alert-3", .published = true},
                                                     {.id = "action-3", .reason = "kill switch"}});
  CHECK(world.seen.count("action-3") == 0);

  world.killed = false;
  world.now_ms = counting_input(4, {}).ts_ms + 20'001;
  REQUIRE(take_counting_step(stepper, agent));
  CHECK(stepper.results() ==
        std::vector<SendResult>{{.id = "alert-4", .reason = "deadline passed"}});

  CHECK(agent.state().fates.at("action-3") == "withdrawn");
}

TEST_CASE("without the lease nothing goes out, and nothing is given up, until it is held again") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  for (int i = 0; i < 2; ++i) REQUIRE(take_counting_step(stepper, agent));
  world.lease = false;
  const Status silent = take_counting_step(stepper, agent);
  REQUIRE_FALSE(silent);
  CHECK(silent.error().retryable);
  CHECK(stepper.step() == 3);
  CHECK_FALSE(stepper.retry());
  CHECK(world.seen.count("alert-3") == 0);

  // A term that ends there: the next one finds it in the store, and waits for the lease as well.
  CountingAgent next_agent;
  Stepper next = world.stepper(next_agent);
  REQUIRE_FALSE(next.recover());
  REQUIRE(next.pending());
  CHECK(world.seen.count("alert-3") == 0);
  world.lease = true;
  world.killed = true;
  REQUIRE(next.retry());
  CHECK(world.seen.at("alert-3").size() == 1);
  CHECK(next.results() ==
        std::vector<SendResult>{{.id = "alert-3", .published = true},
                                {.id = "action-3", .reason = "kill switch", .uncertain = true}});
}

TEST_CASE("a withdrawal after a failed publish or a crash says that it may have gone out") {
  World world;
  CountingAgent agent;
  {
    Stepper stepper = world.stepper(agent);
    REQUIRE(stepper.recover());
    world.outbox.faults.fail_after(1);
    const Status failed = take_counting_step(stepper, agent);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().retryable);
    REQUIRE(stepper.pending());
    world.now_ms = counting_input(1, {}).ts_ms + 20'001;
    REQUIRE(stepper.retry());
    CHECK(stepper.results().at(0).uncertain);
  }
  Stepper again = world.stepper(agent);
  REQUIRE(again.recover());
  CHECK(again.results() ==
        std::vector<SendResult>{{.id = "alert-1", .reason = "deadline passed", .uncertain = true}});
}

TEST_CASE("a failed publish keeps the step pending and retry() goes on at publishing") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  world.outbox.faults.fail_before(2);
  REQUIRE_FALSE(take_counting_step(stepper, agent));
  const auto lines = world.files.lines();
  REQUIRE_FALSE(stepper.retry());
  REQUIRE(stepper.retry());
  CHECK_FALSE(stepper.pending());
  CHECK(world.files.lines() == lines);
  CHECK(world.seen.at("alert-1").size() == 1);
}

TEST_CASE("a fenced outbox is an error that trying again does not mend") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  world.outbox.fence();
  const Status fenced = take_counting_step(stepper, agent);
  REQUIRE_FALSE(fenced);
  CHECK(fenced.error().code == ErrorCode::refused);
  CHECK_FALSE(fenced.error().retryable);
  CHECK(world.order.empty());
}

TEST_CASE("another build that computes another state is stopped with the step named") {
  World world;
  {
    CountingAgent agent;
    Stepper stepper = world.stepper(agent);
    REQUIRE(stepper.recover());
    for (int i = 0; i < 3; ++i) REQUIRE(take_counting_step(stepper, agent));
  }
  CountingAgent other(2);
  Stepper stepper = world.stepper(other);
  const Status refused = stepper.recover();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::corrupt);
  CHECK(refused.error().message.starts_with("step 1 recomputed from its recorded input"));
}

TEST_CASE("after a requested snapshot another build may go on") {
  World world;
  int64_t sum = 0;
  {
    CountingAgent agent;
    Stepper stepper = world.stepper(agent);
    REQUIRE(stepper.recover());
    for (int i = 0; i < 3; ++i) REQUIRE(take_counting_step(stepper, agent));
    stepper.request_snapshot();
    REQUIRE(take_counting_step(stepper, agent));
    sum = agent.state().sum;
  }
  CHECK(parse_line(world.files.lines().back())->kind == "snapshot");
  CountingAgent other(2);
  Stepper stepper = world.stepper(other);
  REQUIRE(stepper.recover());
  CHECK(other.state().sum == sum);
  REQUIRE(take_counting_step(stepper, other));
}

TEST_CASE("snapshots come with each span of event time and after so many steps") {
  const auto snapshot_steps = [](StepperOptions options) {
    World world;
    CountingAgent agent;
    Stepper stepper = world.stepper(agent, std::move(options));
    REQUIRE(stepper.recover());
    std::vector<uint64_t> steps;
    while (stepper.step() < 20) {
      REQUIRE(take_counting_step(stepper, agent));
      const auto last = parse_line(world.files.lines().back());
      if (last->kind == "snapshot") {
        const auto mark = parse_snapshot_mark(last->body);
        REQUIRE(mark);
        CHECK(mark->step == stepper.step());
        CHECK(mark->sha256 == sha256_hex(agent.snapshot()));
        steps.push_back(stepper.step());
      }
    }
    return steps;
  };
  // 1'700'000'000'000 is a whole number of 40 s spans, and a step takes 8 s.
  CHECK(snapshot_steps(frequent_snapshots()) == std::vector<uint64_t>{5, 10, 15, 20});
  CHECK(snapshot_steps({.snapshot_every_ms = INT64_MAX, .snapshot_every_steps = 7}) ==
        std::vector<uint64_t>{7, 14});
}

TEST_CASE("each step publishes a signed checkpoint of its last line") {
  World world;
  CountingAgent agent;
  StepperOptions options;
  options.sign = [](std::string_view hash) { return "signed:" + std::string(hash); };
  Stepper stepper = world.stepper(agent, options);
  REQUIRE(stepper.recover());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(take_counting_step(stepper, agent));
    const auto last = parse_line(world.files.lines().back());
    const Checkpoint wanted{.seq = last->seq,
                            .hash = std::string(last->hash),
                            .ts_ms = last->ts_ms,
                            .sig = "signed:" + std::string(last->hash)};
    CHECK(stepper.checkpoint() == wanted);
    CHECK(world.files.checkpoint() == wanted);
    const OutboxEntry& entry =
        world.seen.at("checkpoint-" + std::to_string(wanted.seq) + "-" + wanted.hash.substr(0, 16))
            .front();
    CHECK(entry.topic == "decisions");
    const auto published = from_json<Checkpoint>(Json::parse(entry.payload));
    REQUIRE(published);
    CHECK(*published == wanted);
    for (const SendResult& result : stepper.results()) CHECK_FALSE(result.id.starts_with("check"));
  }
}

TEST_CASE("a step's first line names its input, state digest, messages and cursors") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  REQUIRE(take_counting_step(stepper, agent));
  const auto line = parse_line(world.files.lines().front());
  REQUIRE(line);
  CHECK(line->seq == 1);
  CHECK(line->kind == "step");
  CHECK(line->prev == kNoHash);
  const auto head = parse_step_head(line->body);
  REQUIRE(head);
  CHECK(head->step == 1);
  CHECK(head->length == world.files.blocks().front().size());
  CHECK(head->sha256 == sha256_hex(world.files.blocks().front()));
  CHECK(head->cursors == counting_cursors(1));
  CountingAgent fresh;
  const auto output = fresh.apply(world.files.blocks().front());
  CHECK(head->digest == output->digest);
  CHECK(head->outbox == outbox_digest(output->outbox));
}

TEST_CASE("a record that cannot become a line, or takes the stepper's kinds, is refused") {
  World world;
  CountingAgent agent;
  Stepper stepper = world.stepper(agent);
  REQUIRE(stepper.recover());
  for (const AuditRecord& bad : {AuditRecord{.kind = "no good"}, AuditRecord{.kind = "step"}}) {
    const Status refused =
        stepper.take("", {.audit = {bad}, .outbox = {}, .digest = "d", .ts_ms = 1}, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::internal);
    CHECK_FALSE(stepper.pending());
  }
  CHECK(world.files.lines().empty());
}

}  // namespace
}  // namespace payops
