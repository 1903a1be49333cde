// Sockets that do nothing, or little: bounded, and nothing of the agent waits for them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "stage.h"
#include "support/paths.h"

namespace payops::api {
namespace {

// Connections to a port of this machine that say `text` and then nothing.
class Idlers {
 public:
  Idlers(uint16_t port, int count, const std::string& text) {
    rlimit files{4096, 4096};
    setrlimit(RLIMIT_NOFILE, &files);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      if (fd < 0) break;
      (void)connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
      (void)send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      fds_.push_back(fd);
    }
  }
  ~Idlers() { leave(); }
  void leave() {
    for (const int fd : fds_) close(fd);
    fds_.clear();
  }
  [[nodiscard]] std::size_t count() const { return fds_.size(); }

 private:
  std::vector<int> fds_;
};

// CPU and waiting of a hundred turns of the agent with its telling the console, by the clock.
double turns_ms(Stage& stage) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) stage.turn();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

TEST_CASE("while slow requests are held, others are answered, and nothing of the agent waits") {
  Stage stage;
  Idlers slow(stage.console->http_port(), 200, "GET /api/state HTTP/1.1\r\nX-Slow: ");
  CHECK(slow.count() == 200);
  CHECK(turns_ms(stage) < 5000);  // a turn waits for none of them
  auto client = stage.client();
  const auto health = client.Get("/healthz");
  REQUIRE(health);
  CHECK(health->status == 200);
  const auto me = client.Get("/api/me", stage.as(Role::viewer));
  REQUIRE(me);
  CHECK(me->status == 200);
  // More of them than there is room for: the oldest go.
  Idlers more(stage.console->http_port(), 300,
              "POST /oauth2/token HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
  auto later = stage.client();
  const auto state = later.Get("/api/state", stage.as(Role::viewer));
  REQUIRE(state);
  CHECK(state->status == 200);
  const auto metrics = later.Get("/metrics");
  REQUIRE(metrics);
  CHECK(metrics->body.find("payops_console_connections_cut_total{why=\"room\"} ") !=
        std::string::npos);
  CHECK(metrics->body.find("payops_console_connections_cut_total{why=\"room\"} 0\n") ==
        std::string::npos);
}

TEST_CASE("a thousand idle sockets keep nobody out of the WebSocket") {
  Stage stage;
  const Idlers idle(stage.console->ws_port(), 1000, "");
  CHECK(idle.count() == 1000);
  CHECK(turns_ms(stage) < 5000);
  const std::string command = "/usr/bin/python3 " + testing::source_path("tests/api/live.py") +
                              " glance " + std::to_string(stage.console->http_port()) + " " +
                              std::to_string(stage.console->ws_port()) + " " +
                              stage.token(Role::viewer);
  CHECK(std::system(command.c_str()) == 0);
}

}  // namespace
}  // namespace payops::api
