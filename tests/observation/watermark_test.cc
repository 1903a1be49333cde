#include <doctest/doctest.h>

#include "observation/events.h"

namespace payops::observation {
namespace {

constexpr int64_t kNow = kT0 + 3'600'000;

// Attempts of ascending ids on any slot, a given event time each.
class Feed : public Rig {
 public:
  using Rig::Rig;
  void at(int64_t offset_ms, int32_t slot = 0, int64_t now_ms = kNow) {
    add(Event{}.id(++id_).at(kT0 + offset_ms), now_ms, slot);
  }
  // From one time to another, ten a second.
  void run(int64_t from_ms, int64_t to_ms, int32_t slot = 0, int64_t now_ms = kNow) {
    for (int64_t ms = from_ms; ms < to_ms; ms += 100) at(ms, slot, now_ms);
  }
  [[nodiscard]] int64_t mark() const { return observer.watermark_ms() - kT0; }

 private:
  int64_t id_ = 0;
};

TEST_CASE("seconds close in ascending order once the watermark has passed their end") {
  Feed feed;
  feed.run(0, 5'000);
  CHECK(feed.mark() == 2'900);
  REQUIRE(feed.buckets.size() == 2);
  CHECK(feed.buckets[0].second == kSecond0);
  CHECK(feed.buckets[1].second == kSecond0 + 1);
  CHECK(feed.observer.closed_to() == kSecond0 + 1);
  feed.at(2'500);  // disordered, but within the lateness
  feed.at(1'999);  // too late
  CHECK(feed.total.late == 1);
  feed.finish();
  CHECK(feed.buckets.size() == 5);
  CHECK(feed.buckets[2].cells[0].cell.attempts == 11);
}

TEST_CASE("a caller can take the seconds before a moment and leave the rest open") {
  Feed feed;
  feed.run(0, 2'000);
  for (int64_t ms = 2'000; ms < 8'000; ms += 100) {
    feed.observer.add({0, 1'000 + ms, Event{}.id(ms).at(kT0 + ms).json()}, kNow);
  }
  ClosedBucket bucket;
  int taken = 0;
  while (feed.observer.next_closed(bucket, kSecond0 + 3)) ++taken;
  CHECK(taken == 3);
  CHECK(feed.observer.closed_to() == kSecond0 + 2);
  CHECK(feed.observer.position(0).replay_from == 1'000 + 3'000);
  feed.observer.add({0, 9'000, Event{}.id(9'000).at(kT0 + 3'050).json()}, kNow);  // not late
  CHECK(feed.observer.take_counts().late == 0);
  CHECK(feed.observer.next_closed(bucket));
  CHECK(bucket.second == kSecond0 + 3);
  CHECK(bucket.cells[0].cell.attempts == 11);
}

TEST_CASE("the slowest partition holds the watermark, one that has ended does not") {
  Feed feed;
  feed.observer.assign(0, {});
  feed.observer.assign(1, {});
  feed.run(0, 10'000, 0);
  CHECK(feed.observer.watermark_ms() == kNoWatermark);  // nothing yet from slot 1
  feed.run(0, 4'000, 1);
  CHECK(feed.mark() == 1'900);
  feed.observer.at_end(1, kNow);
  CHECK(feed.mark() == 1'900);
  feed.tick(kNow + 1'999);
  CHECK(feed.mark() == 1'900);
  feed.at(10'000, 0, kNow + 1'999);
  feed.tick(kNow + 2'000);
  CHECK(feed.mark() == 8'000);
  feed.at(5'000, 1, kNow + 2'000);  // speaks again: late, and nothing moves back
  CHECK(feed.total.late == 1);
  CHECK(feed.mark() == 8'000);
}

TEST_CASE("a slot that is empty to its end does not hold the watermark back") {
  Feed feed;
  feed.observer.assign(0, {});
  feed.observer.assign(1, {});
  feed.observer.at_end(1, kNow);
  feed.run(0, 5'000, 0);
  CHECK(feed.observer.watermark_ms() == kNoWatermark);
  feed.run(5'000, 6'000, 0, kNow + 2'000);
  CHECK(feed.mark() == 3'900);
}

TEST_CASE("a clock far in the future does not push the watermark, a stream that moved on does") {
  Feed feed;
  feed.run(0, 5'000);
  feed.at(200'000);
  CHECK(feed.mark() == 2'900);
  for (int i = 0; i < 20; ++i) {  // a wrong clock among right ones
    feed.at(5'000 + i * 100);
    feed.at(300'000 + i);
  }
  for (int i = 0; i < 20; ++i) {  // right ones no newer than the newest count as well
    feed.at(6'800);
    feed.at(310'000 + i);
  }
  feed.at(6'950);
  CHECK(feed.mark() == 4'950);
  for (int i = 0; i < 7; ++i) feed.at(60'000 + i * 10);
  CHECK(feed.mark() == 4'950);
  feed.at(60'100);
  CHECK(feed.mark() == 58'100);
}

TEST_CASE("the watermark never passes the clock less the lateness") {
  Feed feed;
  feed.run(0, 20'000, 0, kT0 + 8'000);
  CHECK(feed.mark() == 6'000);
  for (int i = 0; i < 8; ++i) feed.at(20'000, 0, kT0 + 9'000);
  CHECK(feed.mark() == 7'000);
}

TEST_CASE("after silence the watermark goes on at the pace of the clock from where it stood") {
  Feed feed;
  feed.run(0, 5'000);
  CHECK(feed.mark() == 2'900);
  feed.tick(kNow + 1'999);
  CHECK(feed.mark() == 2'900);
  feed.tick(kNow + 2'500);
  CHECK(feed.mark() == 3'400);
  feed.tick(kNow + 6'000);
  CHECK(feed.mark() == 6'900);
  CHECK(feed.buckets.size() == 5);
  feed.at(7'050, 0, kNow + 6'100);  // the stream goes on
  CHECK(feed.mark() == 6'900);
  feed.tick(kNow + 8'000);
  CHECK(feed.mark() == 6'900);
  feed.tick(kNow + 8'200);
  CHECK(feed.mark() == 7'000);
}

TEST_CASE("after silence, what silence has passed is near enough to be trusted at once") {
  Feed feed;
  feed.run(0, 5'000);
  feed.tick(kNow + 22'000);
  CHECK(feed.mark() == 22'900);
  feed.at(28'500, 0, kNow + 22'000);  // 23.6 s beyond the high mark
  CHECK(feed.mark() == 26'500);
}

TEST_CASE("a stall is not silence: a partition known not to be at its end stops the clock") {
  Feed feed;
  feed.observer.assign(0, {});
  feed.observer.assign(1, {});
  feed.tick(kNow);
  feed.tick(kNow + 60'000);
  CHECK(feed.observer.watermark_ms() == kNoWatermark);
  feed.run(0, 5'000, 0);
  feed.run(0, 5'000, 1);
  feed.observer.at_end(0, kNow);
  feed.tick(kNow + 60'000);
  CHECK(feed.mark() == 2'900);
  feed.observer.at_end(1, kNow + 60'000);
  feed.tick(kNow + 60'500);
  CHECK(feed.mark() > 2'900);
}

TEST_CASE("streams too short to be trusted close in silence or at the end") {
  Feed feed;
  feed.at(0);
  feed.at(1'000);
  feed.at(2'000);
  CHECK(feed.observer.watermark_ms() == kNoWatermark);
  feed.tick(kNow + 2'000);
  CHECK(feed.mark() == -2'000);
  feed.tick(kNow + 6'000);
  CHECK(feed.buckets.size() == 2);
  feed.finish();
  CHECK(feed.buckets.size() == 3);
  CHECK(feed.total.attempts == 3);
}

TEST_CASE("sparse streams move the watermark too") {
  Feed feed;
  for (int i = 0; i < 30; ++i) feed.at(i * 1'000, 0, kNow + i * 1'000);
  CHECK(feed.mark() == 27'000);
  Feed slow;  // one attempt every 10 s, in real time
  for (int i = 0; i < 30; ++i) {
    const int64_t now = kT0 + i * 10'000;
    slow.at(i * 10'000, 0, now);
    for (int64_t ms = 500; ms < 10'000; ms += 500) slow.tick(now + ms);
  }
  CHECK(slow.mark() > 280'000);
  CHECK(slow.total.late == 0);
}

}  // namespace
}  // namespace payops::observation
