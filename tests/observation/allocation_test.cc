#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "observation/events.h"

namespace {
std::atomic<int64_t> allocations{0};
}

// Counts every allocation of the test program. Not inlined, so that the compiler sees a pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* place = std::malloc(size == 0 ? 1 : size)) return place;
  throw std::bad_alloc();
}
// The libraries' own way to allocate, so that what comes from here is given back here.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* place) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place, std::size_t) noexcept { std::free(place); }

namespace payops::observation {
namespace {

constexpr int kPerSecond = 500;

// Events of many seconds, paths, failures, retries, arms and actions.
std::vector<std::string> traffic(int seconds) {
  std::vector<std::string> messages;
  for (int i = 0; i < seconds * kPerSecond; ++i) {
    Event event = Event{}.id(i).at(kT0 + i * 1'000LL / kPerSecond);
    event.text("issuer", i % 3 == 0 ? "SBI" : "a bank with a long name, once");
    event.text("method", i % 2 == 0 ? "upi" : "card").set("attempt_no", i % 9 == 0 ? "2" : "1");
    if (i % 10 == 0) event.text("status", "declined").text("decline_code", "U30");
    if (i % 4 == 0) event.set("action_ids", R"(["act-1","act-2"])").text("arm", "treated");
    if (i % 5 == 0) event.text("region", "a \\u00e9 b");
    messages.push_back(event.json());
  }
  return messages;
}

TEST_CASE("in steady state a message allocates nothing, a second of event time a fixed few") {
  const std::vector<std::string> messages = traffic(60);
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  ClosedBucket bucket;
  int64_t in_messages = 0, in_closing = 0;
  int64_t offset = 0;
  for (const std::string& message : messages) {
    const bool warm = offset >= 20 * kPerSecond;
    const int64_t before = allocations;
    observer.add({0, offset++, message}, kT0 + 100'000);
    const int64_t between = allocations;
    while (observer.next_closed(bucket)) continue;
    if (!warm) continue;
    in_messages += between - before;
    in_closing += allocations - between;
  }
  CHECK(observer.take_counts().attempts == offset);
  // The first message of each second makes a node in the tree of open seconds.
  CHECK(in_messages <= 40 * 2);
  CHECK(in_closing == 0);
}

TEST_CASE("duplicates and late attempts allocate nothing either") {
  const std::vector<std::string> messages = traffic(10);
  Dictionary dictionary;
  Observer observer({}, declines(), {}, dictionary);
  int64_t offset = 0;
  for (const std::string& message : messages) observer.add({0, offset++, message}, kT0 + 100'000);
  ClosedBucket bucket;
  while (observer.next_closed(bucket)) continue;
  const int64_t before = allocations;
  for (const std::string& message : messages) observer.add({0, offset++, message}, kT0 + 100'000);
  CHECK(allocations == before);
  const IngestCounts counts = observer.take_counts();
  CHECK(counts.late + counts.duplicates == static_cast<int64_t>(messages.size()));
}

}  // namespace
}  // namespace payops::observation
