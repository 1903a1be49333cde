// The WebSocket, by a client in another language (live.py).
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "stage.h"
#include "support/paths.h"

namespace payops::api {
namespace {

// Runs a case of live.py while the agent's cycles go on.
int play(
    Stage& stage, const std::string& name, const std::function<void(int)>& at_turn = [](int) {}) {
  std::mutex lock;
  std::condition_variable changed;
  bool over = false;
  std::thread agent([&] {
    std::unique_lock held(lock);
    int turns = 0;
    do {
      stage.turn();
      at_turn(++turns);
    } while (!changed.wait_for(held, std::chrono::milliseconds(3), [&] { return over; }));
  });
  const std::string command = "/usr/bin/python3 " + testing::source_path("tests/api/live.py") +
                              " " + name + " " + std::to_string(stage.console->http_port()) + " " +
                              std::to_string(stage.console->ws_port()) + " " +
                              stage.token(Role::viewer);
  const int status = std::system(command.c_str());
  {
    const std::lock_guard held(lock);
    over = true;
  }
  changed.notify_all();
  agent.join();
  return status;
}

TEST_CASE("a client of another language follows hello, snapshot, deltas and heartbeats") {
  Stage stage([](HubOptions& o) { o.heartbeat_ms = 100; });
  CHECK(play(stage, "follow") == 0);
}

TEST_CASE("a client comes back to a server that was started again, and finds another epoch") {
  Stage stage;
  CHECK(play(stage, "restart", [&](int turn) {
          if (turn == 300) stage.restart();
        }) == 0);
}

TEST_CASE("forged origins and tickets that are no good are refused") {
  Stage stage;
  CHECK(play(stage, "refused") == 0);
  CHECK(stage.console->hub().refused == 9);
}

TEST_CASE("who is removed or gets another role watches no longer") {
  Stage stage([](HubOptions& o) { o.heartbeat_ms = 50; });
  bool changed = false;
  CHECK(play(stage, "removed", [&](int) {
          if (changed || stage.console->hub().clients < 2) return;
          changed = true;
          CHECK(add_user(stage.users_file(), "viewer", Role::customer, kPassword));
        }) == 0);
  CHECK(stage.console->hub().closed_unwelcome == 2);
}

TEST_CASE("who talks is disconnected") {
  Stage stage;
  CHECK(play(stage, "talk") == 0);
  CHECK(stage.console->hub().closed_talking >= 2);
}

TEST_CASE("who reads slowly skips to a snapshot") {
  Stage stage([](HubOptions& o) {
    o.tick_ms = 2;
    o.lag_bytes = 8'000;
    o.send_buffer_bytes = 64 << 10;
  });
  CHECK(play(stage, "slow") == 0);
  CHECK(stage.console->hub().lagged >= 1);
}

}  // namespace
}  // namespace payops::api
