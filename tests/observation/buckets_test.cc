#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <array>
#include <set>
#include <span>

#include "observation/events.h"
#include "payops/core/digest.h"

namespace payops::observation {
namespace {

std::size_t index_of(DeclineClass c) { return static_cast<std::size_t>(c); }

TEST_CASE("an attempt is counted in its second, path and arm with all its counters") {
  Rig rig;
  rig.add(Event{}.id(1).at(kT0 + 10));
  rig.add(Event{}.id(2).at(kT0 + 999).text("status", "declined").text("decline_code", "51"));
  rig.add(Event{}.id(3).at(kT0).text("status", "timeout").text("decline_code", "91"));
  rig.add(Event{}.id(4).at(kT0 + 1).set("attempt_no", "2").text("arm", "treated"));
  rig.add(Event{}.id(5).at(kT0 + 1'000));
  rig.finish();
  REQUIRE(rig.buckets.size() == 2);
  CHECK(rig.buckets[1].second == kSecond0 + 1);
  REQUIRE(rig.buckets[0].cells.size() == 2);
  const LeafCell& plain = rig.buckets[0].cells[0];
  CHECK(plain.key.arm == Arm::none);
  CHECK(plain.cell.attempts == 3);
  CHECK(plain.cell.approvals == 1);
  CHECK(plain.cell.first_attempts == 3);
  CHECK(plain.cell.first_approvals == 1);
  CHECK(plain.cell.timeouts == 1);
  CHECK(plain.cell.failures[index_of(DeclineClass::customer)] == 1);
  CHECK(plain.cell.failures[index_of(DeclineClass::unknown)] == 1);  // whatever a timeout's code
  CHECK(plain.cell.first_technical() == 1);
  CHECK(plain.cell.amount_minor == 3 * 49'990);
  CHECK(plain.cell.approved_amount_minor == 49'990);
  CHECK(plain.cell.latency.total() == 3);
  const LeafCell& treated = rig.buckets[0].cells[1];
  CHECK(treated.key.arm == Arm::treated);
  CHECK(treated.cell.retries() == 1);
  CHECK(treated.cell.amount_minor == 0);
  CHECK(treated.cell.approved_amount_minor == 49'990);
  CHECK(treated.cell.first_attempts == 0);
  CHECK(rig.total.unknown_codes.empty());
}

TEST_CASE("arms count payments once and conversions whenever they come") {
  Rig rig;
  const auto in_force = [](int64_t id, int no, const char* status) {
    return Event{}
        .id(id)
        .set("attempt_no", std::to_string(no))
        .text("status", status)
        .set("action_ids", R"(["act-1","act-2","act-1"])")
        .text("arm", "treated")
        .set("propensity", "0.25");
  };
  rig.add(in_force(1, 1, "declined"));
  rig.add(in_force(2, 2, "approved"));
  rig.add(in_force(3, 1, "approved"));
  rig.finish();
  REQUIRE(rig.buckets.size() == 1);
  REQUIRE(rig.buckets[0].arms.size() == 2);
  CHECK(rig.buckets[0].arms[0].action < rig.buckets[0].arms[1].action);
  for (const ArmCell& arm : rig.buckets[0].arms) {
    CHECK((arm.action == hash64("act-1") || arm.action == hash64("act-2")));
    CHECK(arm.arm == Arm::treated);
    CHECK(arm.payments == 2);
    CHECK(arm.conversions == 2);
    CHECK(arm.attempts == 3);
    CHECK(arm.first_approvals == 1);
    CHECK(arm.amount_minor == 2 * 49'990);
    CHECK(arm.converted_amount_minor == 2 * 49'990);
    CHECK(arm.propensity_ppm_sum == 500'000);
  }
}

TEST_CASE("cells and arms are sorted by key and sum to the attempts, whatever the order in") {
  CHECK(rc::check([] {
    std::vector<Event> events;
    const int n = *rc::gen::inRange(1, 60);
    for (int i = 0; i < n; ++i) {
      Event event = Event{}.id(i).at(kT0 + *rc::gen::inRange(0, 3'000));
      event.text("issuer", std::string(1, static_cast<char>('A' + *rc::gen::inRange(0, 5))));
      event.text("gateway", std::string(1, static_cast<char>('P' + *rc::gen::inRange(0, 4))));
      event.text("arm", *rc::gen::element<std::string>("none", "treated", "holdout", "probe"));
      if (*rc::gen::arbitrary<bool>()) event.set("action_ids", R"(["a","b","c","d","e","f"])");
      events.push_back(event);
    }
    // Names first, so that ids do not hang on the order.
    Rig one, two;
    for (Rig* rig : {&one, &two}) {
      for (const char* name : {"A", "B", "C", "D", "E"}) {
        (void)rig->dictionary.of(Dimension::issuer).intern(name);
      }
      for (const char* name : {"P", "Q", "R", "S"}) {
        (void)rig->dictionary.of(Dimension::gateway).intern(name);
      }
    }
    for (const Event& event : events) one.observer.add({0, 0, event.json()}, kT0 + 60'000);
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      two.observer.add({1, 0, it->json()}, kT0 + 60'000);
    }
    one.finish();
    two.finish();
    // Offsets repeat, so only the first of each slot is fresh: the rest counts as read again.
    RC_ASSERT(one.buckets == two.buckets);
    RC_ASSERT(one.sum().attempts == static_cast<uint32_t>(n));
    for (const ClosedBucket& bucket : one.buckets) {
      RC_ASSERT(std::is_sorted(bucket.cells.begin(), bucket.cells.end(),
                               [](const auto& a, const auto& b) { return a.key < b.key; }));
    }
  }));
}

TEST_CASE("a repeated attempt id counts once while its second is open, and is late afterwards") {
  Rig rig;
  rig.add(Event{}.id(1).at(kT0));
  rig.add(Event{}.id(1).at(kT0));
  rig.add(Event{}.id(1).at(kT0 + 500).text("issuer", "SBI"));
  rig.finish();
  rig.add(Event{}.id(1).at(kT0));
  rig.add(Event{}.id(2).at(kT0 + 999));
  rig.finish();
  CHECK(rig.total.attempts == 1);
  CHECK(rig.total.duplicates == 2);
  CHECK(rig.total.late == 2);
  CHECK(rig.sum().attempts == 1);
}

// Messages of every kind in any order: new names and codes, nonsense, repeats, late and early ones.
std::vector<std::string> mixed_messages(int count) {
  std::vector<std::string> messages;
  for (int i = 0; i < count; ++i) {
    Event event = Event{}.id(*rc::gen::inRange(0, count)).at(kT0 + *rc::gen::inRange(0, 9'000));
    event.text("issuer", "bank" + std::to_string(*rc::gen::inRange(0, 8)));
    switch (*rc::gen::inRange(0, 9)) {
      case 0:
        event.text("status", "declined").text("decline_code", "51");
        break;
      case 1:
        event.text("status", "error").text("decline_code", "new \\u0041" + std::to_string(i));
        break;
      case 2:
        event.set("action_ids", R"(["a","b"])").text("arm", "treated").set("propensity", "0.5");
        break;
      case 3:
        event.text("gateway", "a|b");
        break;
      case 4:
        event.set("amount_minor", "{}");
        break;
      default:
        break;
    }
    messages.push_back(*rc::gen::inRange(0, 20) == 0 ? "" : event.json());
  }
  return messages;
}

TEST_CASE("messages added together count as those added one by one") {
  CHECK(rc::check([] {
    const std::vector<std::string> texts = mixed_messages(60);
    std::vector<Message> messages;
    std::array<int64_t, 3> next{};
    for (const std::string& text : texts) {
      const int32_t slot = *rc::gen::inRange(0, 3);
      messages.push_back({slot, next[static_cast<std::size_t>(slot)]++, text});
    }
    ObservationConfig config;
    config.max_names = 6;
    Rig together(config), alone(config);
    for (Rig* rig : {&together, &alone}) rig->observer.assign(1, {0, 7});  // some are read again
    for (std::size_t from = 0; from < messages.size();) {
      const auto size =
          std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 20), messages.size() - from);
      together.observer.add(std::span(messages).subspan(from, size), kT0 + 60'000);
      for (std::size_t i = from; i < from + size; ++i) {
        alone.observer.add(messages[i], kT0 + 60'000);
      }
      RC_ASSERT(together.observer.watermark_ms() == alone.observer.watermark_ms());
      together.drain();
      alone.drain();
      from += size;
    }
    for (Rig* rig : {&together, &alone}) rig->finish();
    RC_ASSERT(together.buckets == alone.buckets);
    RC_ASSERT(together.total == alone.total);
    RC_ASSERT(together.letters.size() == alone.letters.size());
    for (std::size_t i = 0; i < alone.letters.size(); ++i) {
      RC_ASSERT(together.letters[i].offset == alone.letters[i].offset);
      RC_ASSERT(together.letters[i].reason == alone.letters[i].reason);
      RC_ASSERT(together.letters[i].payload == alone.letters[i].payload);
    }
    RC_ASSERT(together.observer.take_new_names().added == alone.observer.take_new_names().added);
    for (int32_t slot = 0; slot < 3; ++slot) {
      RC_ASSERT(together.observer.position(slot) == alone.observer.position(slot));
    }
  }));
}

TEST_CASE("invented names fill other, not memory") {
  ObservationConfig config;
  config.max_names = 5;  // "other" and four names
  config.max_leaf_keys = 3;
  Rig rig(config);
  for (int i = 0; i < 50; ++i) {
    rig.observer.add({0, i, Event{}.id(i).text("issuer", "bank" + std::to_string(i)).json()},
                     kT0 + 60'000);
  }
  CHECK(rig.observer.take_new_names().added[0] ==
        std::vector<std::string>{"bank0", "bank1", "bank2", "bank3"});
  CHECK(rig.observer.take_new_names().added[0].empty());
  rig.finish();
  CHECK(rig.dictionary.of(Dimension::issuer).size() == 5);
  CHECK(rig.total.attempts == 50);
  CHECK(rig.total.names_to_other == 46);
  CHECK(rig.total.keys_to_other == 47);
  REQUIRE(rig.buckets.size() == 1);
  REQUIRE(rig.buckets[0].cells.size() == 4);  // three, and the one of "other"
  CHECK(rig.buckets[0].cells[0].key.path == SeriesKey{kOther, kOther, kOther});
  CHECK(rig.buckets[0].cells[0].cell.attempts == 47);
}

TEST_CASE("cells over all open seconds and actions in one second are bounded") {
  ObservationConfig config;
  config.max_open_cells = 10;
  Rig rig(config);
  for (int i = 0; i < 100; ++i) {
    Event event = Event{}.id(i).at(kT0 + (i % 20) * 1'000).text("issuer", "b" + std::to_string(i));
    event.set("action_ids", "[\"x" + std::to_string(i) + "\"]");
    rig.observer.add({0, i, event.json()}, kT0 + 60'000);
  }
  for (int i = 100; i < 500; ++i) {
    Event event = Event{}.id(i).set("action_ids", "[\"y" + std::to_string(i) + "\"]");
    rig.observer.add({0, i, event.json()}, kT0 + 60'000);
  }
  rig.finish();
  CHECK(rig.sum().attempts == 500);
  std::size_t cells = 0;
  for (const ClosedBucket& bucket : rig.buckets) {
    cells += bucket.cells.size();
    CHECK(bucket.arms.size() <= 256);
  }
  CHECK(cells <= 10 + 20);
  CHECK(rig.total.arms_dropped == 5 + 400 - 256);
}

TEST_CASE("beyond the bound on open seconds or attempts the oldest close early") {
  ObservationConfig config;
  config.max_open_seconds = 3;
  Rig seconds(config);
  for (int i = 0; i < 10; ++i) seconds.add(Event{}.id(i).at(kT0 + i * 1'000));
  CHECK(seconds.observer.open_seconds() <= 3);
  CHECK(seconds.buckets.size() >= 7);
  CHECK(seconds.total.seconds_forced > 0);
  config = {};
  config.max_open_attempts = 100;
  Rig attempts(config);
  for (int i = 0; i < 1'000; ++i) attempts.add(Event{}.id(i).at(kT0 + i % 2 * 1'000));
  CHECK(attempts.observer.open_attempts() <= 101);
  attempts.finish();
  CHECK(attempts.total.attempts + attempts.total.late == 1'000);
  CHECK(attempts.sum().attempts == attempts.total.attempts);
}

}  // namespace
}  // namespace payops::observation
