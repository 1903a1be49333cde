#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <memory>

#include "observation/events.h"

namespace payops::observation {
namespace {

// What lies on the topic: per slot the messages by offset. Read in one fixed interleaving.
struct Topic {
  struct Record {
    int32_t slot;
    int64_t offset;
    std::string bytes;
  };
  std::vector<Record> records;
  int32_t slots = 1;
};

// What a step commits.
struct Committed {
  std::map<int32_t, Position> positions;
  int64_t closed_to = std::numeric_limits<int64_t>::min();
  Dictionary dictionary;
};

struct Outcome {
  std::vector<ClosedBucket> buckets;
  IngestCounts counts;
  std::size_t dead_letters = 0;
};

constexpr int64_t kNow = kT0 + 3'600'000;

class Process {
 public:
  Process(const Committed& from, int32_t slots)
      : dictionary_(from.dictionary), observer_({}, declines(), {}, dictionary_) {
    if (from.closed_to != std::numeric_limits<int64_t>::min()) {
      observer_.set_closed_to(from.closed_to);
    }
    for (int32_t slot = 0; slot < slots; ++slot) {
      const auto it = from.positions.find(slot);
      const Position position = it == from.positions.end() ? Position{} : it->second;
      observer_.assign(slot, position);
    }
  }
  void add(const Topic::Record& record) {
    observer_.add({record.slot, record.offset, record.bytes}, kNow);
    ClosedBucket bucket;
    while (observer_.next_closed(bucket)) pending_.buckets.push_back(bucket);
  }
  void finish() {
    observer_.finish();
    ClosedBucket bucket;
    while (observer_.next_closed(bucket)) pending_.buckets.push_back(bucket);
  }
  // What has come since the last commit becomes durable; the rest is lost with the process.
  void commit(Committed& state, Outcome& outcome, int32_t slots) {
    for (int32_t slot = 0; slot < slots; ++slot) state.positions[slot] = observer_.position(slot);
    state.closed_to = observer_.closed_to();
    state.dictionary = dictionary_;
    for (ClosedBucket& bucket : pending_.buckets) outcome.buckets.push_back(std::move(bucket));
    pending_.buckets.clear();
    outcome.counts += observer_.take_counts();
    outcome.dead_letters += observer_.take_dead_letters().size();
  }

 private:
  Dictionary dictionary_;
  Observer observer_;
  Outcome pending_;
};

Outcome run_uninterrupted(const Topic& topic) {
  Committed state;
  Outcome outcome;
  Process process(state, topic.slots);
  for (const Topic::Record& record : topic.records) process.add(record);
  process.finish();
  process.commit(state, outcome, topic.slots);
  return outcome;
}

// Crashes after each of `crashes` records; commits every `step` records. After a crash every slot
// is read from its replay_from, slots one after the other up to where they had been, then as
// before.
Outcome run_with_crashes(const Topic& topic, const std::vector<std::size_t>& crashes,
                         std::size_t step, bool replay_first) {
  Committed state;
  Outcome outcome;
  auto process = std::make_unique<Process>(state, topic.slots);
  std::size_t reached = 0;  // records before this were read at the last commit
  std::size_t next_crash = 0;
  for (std::size_t i = 0; i < topic.records.size();) {
    process->add(topic.records[i]);
    ++i;
    if (i % step == 0) {
      process->commit(state, outcome, topic.slots);
      reached = i;
    }
    if (next_crash == crashes.size() || i != crashes[next_crash]) continue;
    ++next_crash;
    process = std::make_unique<Process>(state, topic.slots);
    const auto wanted = [&](std::size_t r) {
      return topic.records[r].offset >= state.positions[topic.records[r].slot].replay_from;
    };
    if (replay_first) {
      for (std::size_t r = 0; r < reached; ++r) {
        if (wanted(r)) process->add(topic.records[r]);
      }
    } else {
      // One slot is far ahead of the others while they are still reading again.
      for (std::size_t r = 0; r < topic.records.size(); ++r) {
        if (topic.records[r].slot == 0 && wanted(r)) process->add(topic.records[r]);
      }
      for (std::size_t r = 0; r < topic.records.size(); ++r) {
        if (topic.records[r].slot != 0 && wanted(r)) process->add(topic.records[r]);
      }
      break;
    }
    i = reached;
  }
  process->finish();
  process->commit(state, outcome, topic.slots);
  return outcome;
}

// Attempts with moderate disorder, duplicates, late ones and bad ones.
Topic any_topic(int32_t slots, bool wild) {
  Topic topic;
  topic.slots = slots;
  std::map<int32_t, int64_t> next;
  const int n = *rc::gen::inRange(1, 250);
  int64_t time = kT0;
  for (int i = 0; i < n; ++i) {
    time += *rc::gen::inRange(0, 400);
    const int32_t slot = *rc::gen::inRange<int32_t>(0, slots);
    const int64_t late = *rc::gen::weightedElement<int64_t>({{6, 0}, {3, 800}, {1, 3'500}});
    const int64_t jump = wild ? *rc::gen::weightedElement<int64_t>({{12, 0}, {1, 20'000}}) : 0;
    Event event = Event{}.id(i).at(time - late + jump);
    event.text("issuer", i % 3 == 0 ? "SBI" : "AXIS");
    if (*rc::gen::inRange(0, 5) == 0) event.text("status", "declined").text("decline_code", "X?");
    std::string bytes = event.json();
    if (*rc::gen::inRange(0, 20) == 0) bytes.pop_back();
    if (*rc::gen::inRange(0, 8) == 0 && i > 0) {  // sent again, perhaps to another partition
      const auto back =
          *rc::gen::inRange<std::size_t>(1, 1 + std::min<std::size_t>(8, topic.records.size()));
      bytes = topic.records[topic.records.size() - back].bytes;
    }
    const int64_t gap = *rc::gen::inRange(0, 12) == 0 ? 2 : 1;  // control records hold no message
    next[slot] += gap;
    topic.records.push_back({slot, next[slot], bytes});
  }
  return topic;
}

std::vector<std::size_t> any_crashes(const Topic& topic) {
  auto crashes = *rc::gen::unique<std::vector<std::size_t>>(
      rc::gen::inRange<std::size_t>(1, topic.records.size() + 1));
  std::sort(crashes.begin(), crashes.end());
  if (crashes.size() > 5) crashes.resize(5);
  return crashes;
}

// Buckets of the same second added up (a second is handed out once, but by several processes).
std::map<int64_t, uint64_t> attempts_by_second(const Outcome& outcome) {
  std::map<int64_t, uint64_t> sum;
  for (const ClosedBucket& bucket : outcome.buckets) {
    for (const LeafCell& leaf : bucket.cells) sum[bucket.second] += leaf.cell.attempts;
  }
  return sum;
}

TEST_CASE("a stream split by crashes at any points gives the buckets and counts of one whole run") {
  CHECK(rc::check([] {
    const Topic topic = any_topic(1, false);
    const Outcome whole = run_uninterrupted(topic);
    const auto step = *rc::gen::inRange<std::size_t>(1, 40);
    const Outcome split = run_with_crashes(topic, any_crashes(topic), step, true);
    RC_ASSERT(split.buckets == whole.buckets);
    RC_ASSERT(split.counts == whole.counts);
    RC_ASSERT(split.dead_letters == whole.dead_letters);
  }));
}

TEST_CASE("so does a stream over several partitions, read again before it goes on") {
  CHECK(rc::check([] {
    const Topic topic = any_topic(3, false);
    const Outcome whole = run_uninterrupted(topic);
    const auto step = *rc::gen::inRange<std::size_t>(1, 40);
    const Outcome split = run_with_crashes(topic, any_crashes(topic), step, true);
    RC_ASSERT(split.buckets == whole.buckets);
    RC_ASSERT(split.counts == whole.counts);
  }));
}

TEST_CASE("with wild clocks and partitions out of step no attempt is lost or counted twice") {
  CHECK(rc::check([] {
    const Topic topic = any_topic(3, true);
    const auto step = *rc::gen::inRange<std::size_t>(1, 40);
    const Outcome split =
        run_with_crashes(topic, any_crashes(topic), step, *rc::gen::arbitrary<bool>());
    const IngestCounts& c = split.counts;
    RC_ASSERT(c.attempts + c.late + c.duplicates + c.dead_letters_total() ==
              static_cast<int64_t>(topic.records.size()));
    uint64_t counted = 0;
    int64_t before = 0;
    for (const auto& [second, attempts] : attempts_by_second(split)) counted += attempts;
    for (const ClosedBucket& bucket : split.buckets) {
      RC_ASSERT(bucket.second > before);  // each second once, ascending
      before = bucket.second;
    }
    RC_ASSERT(counted == static_cast<uint64_t>(c.attempts));
    RC_ASSERT(split.dead_letters == static_cast<std::size_t>(c.dead_letters_total()));
  }));
}

TEST_CASE("a crash before anything was read again loses no place") {
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  observer.assign(0, {10, 20});
  CHECK(observer.position(0) == Position{10, 20});
  observer.add({0, 10, Event{}.json()}, kNow);
  CHECK(observer.position(0) == Position{10, 20});
  CHECK(observer.take_counts() == IngestCounts{});
}

TEST_CASE("nothing closes until every slot has been read again") {
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  observer.assign(0, {0, 5});
  observer.assign(1, {0, 2});
  const auto add = [&](int32_t slot, int64_t offset, int64_t ms) {
    observer.add({slot, offset, Event{}.id(slot * 1'000 + offset).at(kT0 + ms).json()}, kNow);
  };
  for (int64_t i = 0; i < 40; ++i) add(0, i, i * 1'000);
  add(1, 0, 0);
  ClosedBucket bucket;
  CHECK_FALSE(observer.next_closed(bucket));
  for (int64_t i = 1; i < 40; ++i) add(1, i, i * 1'000);
  CHECK(observer.next_closed(bucket));
  CHECK(bucket.cells[0].cell.attempts == 2);
}

TEST_CASE("a newer offset ends a slot's reading again, when the last before hold no message") {
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  observer.assign(0, {0, 5});
  const auto add = [&](int64_t offset) {
    observer.add({0, offset, Event{}.id(offset).at(kT0 + offset * 1'000).json()}, kNow);
  };
  for (int64_t i = 0; i < 3; ++i) add(i);
  for (int64_t i = 6; i < 20; ++i) add(i);
  ClosedBucket bucket;
  CHECK(observer.next_closed(bucket));
}

TEST_CASE("an attempt read anew before its original is read again is the duplicate after all") {
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  observer.assign(0, {7, 8});
  observer.assign(1, {3, 3});
  observer.add({1, 3, Event{}.json()}, kNow);
  observer.add({0, 7, Event{}.json()}, kNow);
  const IngestCounts counts = observer.take_counts();
  CHECK(counts.attempts == 0);  // it was counted before the restart
  CHECK(counts.duplicates == 1);
}

TEST_CASE("the end of a slot ends its reading again, when its last offsets hold no message") {
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  observer.assign(0, {0, 100, kT0 + 39'000});
  for (int64_t i = 0; i < 40; ++i) {
    observer.add({0, i, Event{}.id(i).at(kT0 + i * 1'000).json()}, kNow);
  }
  ClosedBucket bucket;
  CHECK_FALSE(observer.next_closed(bucket));
  observer.at_end(0, kNow);
  CHECK(observer.next_closed(bucket));
}

}  // namespace
}  // namespace payops::observation
