#include "payops/notify/dispatcher.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "incident.h"
#include "payops/core/text.h"
#include "support/process.h"

namespace payops::notify {
namespace {

// What channels of a test share: what they were given, and whether they may answer.
struct Outside {
  std::mutex lock;
  std::condition_variable changed;
  bool open = true;
  DeliveryResult answer = DeliveryResult::delivered;
  std::vector<Message> got;
};

class Fake final : public Channel {
 public:
  explicit Fake(Outside& outside) : outside_(outside) {}
  Delivery deliver(const Message& message) override {
    std::unique_lock held(outside_.lock);
    outside_.got.push_back(message);
    outside_.changed.notify_all();
    outside_.changed.wait(held, [&] { return outside_.open; });
    return {.result = outside_.answer, .why = "as told"};
  }

 private:
  Outside& outside_;
};

struct Stage {
  testing::TemporaryFolder folder;
  std::string file = folder.path() + "/notify.json";
  NotifyConfig config{.group_wait_s = 0};
  Outside fast, slow;
  int deliveries = 0;

  std::unique_ptr<Dispatcher> start() {
    const auto journal = load_journal(file);
    REQUIRE(journal);
    std::map<std::string, NamedChannel> channels;
    channels["fast"] = {std::make_unique<Fake>(fast), Severity::low};
    channels["slow"] = {std::make_unique<Fake>(slow), Severity::low};
    return std::make_unique<Dispatcher>(
        std::move(channels), config, "INR", file, *journal,
        [&](const std::string&, const Message&, const Delivery&) { ++deliveries; });
  }
  // Turns until `done`; false when that is not within ten seconds.
  template <class Done>
  static bool turn_until(Dispatcher& d, int64_t now_ms, Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      (void)d.turn(now_ms);
      testing::pace(1);
    }
    return true;
  }
  static std::size_t count(Outside& outside) {
    const std::lock_guard held(outside.lock);
    return outside.got.size();
  }
  // False when the channel has not been given so many messages within ten seconds.
  static bool await(Outside& outside, std::size_t messages) {
    std::unique_lock held(outside.lock);
    return outside.changed.wait_for(held, std::chrono::seconds(10),
                                    [&] { return outside.got.size() >= messages; });
  }
  static void let_go(Outside& outside) {
    const std::lock_guard held(outside.lock);
    outside.open = true;
    outside.changed.notify_all();
  }
};

TEST_CASE("a channel that hangs holds up no other") {
  Stage stage;
  stage.slow.open = false;
  const auto d = stage.start();
  d->take(incident("1", "HDFC"), kStart);
  CHECK(Stage::turn_until(*d, kStart, [&] { return Stage::count(stage.slow) == 1; }));
  d->take(incident("2", "ICICI"), kStart);
  CHECK(Stage::turn_until(*d, kStart, [&] { return Stage::count(stage.fast) == 2; }));
  CHECK(Stage::count(stage.slow) == 1);
  CHECK_FALSE(d->idle(kStart));
  Stage::let_go(stage.slow);
  CHECK(Stage::turn_until(*d, kStart, [&] { return d->idle(kStart); }));
  CHECK(Stage::count(stage.slow) == 2);
  CHECK(stage.deliveries == 4);
}

TEST_CASE("killed before it knew that a message was taken, it gives the same once more") {
  Stage stage;
  std::string as_killed;
  {
    const auto d = stage.start();
    d->take(incident("1", "HDFC"), kStart);
    d->read_to("cluster/payops.alerts", 0, 7);
    REQUIRE(d->turn(kStart));  // written down, handed out, and no turn after it
    CHECK(Stage::await(stage.slow, 1));
    as_killed = *read_file(stage.file);
  }
  std::ofstream(stage.file) << as_killed;
  {
    const auto d = stage.start();
    CHECK(d->journal().offsets.at("0") == 7);
    CHECK(d->journal().topic_id == "cluster/payops.alerts");
    CHECK(Stage::turn_until(*d, kStart, [&] { return d->idle(kStart); }));
  }
  REQUIRE(Stage::count(stage.slow) == 2);
  CHECK(stage.slow.got[0] == stage.slow.got[1]);
  // Ended in order, it says nothing again.
  const auto d = stage.start();
  d->take(incident("1", "HDFC"), kStart + 1000);
  REQUIRE(d->turn(kStart + 1000));
  CHECK(d->idle(kStart + 1000));
  CHECK(Stage::count(stage.slow) == 2);
}

TEST_CASE("ended in order, it knows what became of the last message") {
  Stage stage;
  {
    const auto d = stage.start();
    d->take(incident("1", "HDFC"), kStart);
    REQUIRE(d->turn(kStart));
    CHECK(Stage::await(stage.fast, 1));
    CHECK(Stage::await(stage.slow, 1));
  }
  CHECK(stage.deliveries == 2);
  const auto d = stage.start();
  CHECK(d->idle(kStart));
}

TEST_CASE("what cannot be written down is not said") {
  Stage stage;
  const auto d = stage.start();
  std::filesystem::create_directory(stage.file);  // nothing can take its place
  d->take(incident("1", "HDFC"), kStart);
  const Status refused = d->turn(kStart);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().retryable);
  CHECK(Stage::count(stage.fast) == 0);
  std::filesystem::remove(stage.file);
  CHECK(Stage::turn_until(*d, kStart, [&] { return d->idle(kStart); }));
  CHECK(Stage::count(stage.fast) == 1);
}

TEST_CASE("a journal that is none is refused by name") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.path() + "/notify.json";
  CHECK(load_journal(file));
  for (const char* text : {"", "{", "[]", R"({"offsets":7})", R"({"pager":{"desks":7}})"}) {
    std::ofstream(file) << text;
    const auto journal = load_journal(file);
    REQUIRE_FALSE(journal);
    CHECK(journal.error().message.find(file) == 0);
  }
}

}  // namespace
}  // namespace payops::notify
