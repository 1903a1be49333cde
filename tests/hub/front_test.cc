// HTTP as it comes over a socket: whole, in pieces, not at all, and wrong.
#include "../../src/api/hub/front.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../src/api/hub/request_head.h"

namespace payops::api {
namespace {

using Kind = RequestEnd::Kind;

RequestEnd end_of(const std::string& bytes) { return request_end(bytes, 200, 10); }

TEST_CASE("a request ends where its head or its body does") {
  CHECK(end_of("").kind == Kind::more);
  CHECK(end_of("GET / HTTP/1.1\r\nHost: a\r\n").kind == Kind::more);
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  CHECK(end_of(get).kind == Kind::whole);
  CHECK(end_of(get + "GET").bytes == get.size());
  CHECK(end_of("GET / HTTP/1.1\r\n\r\n").kind == Kind::whole);
  const std::string post = "POST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\n";
  CHECK(end_of(post + "1234").kind == Kind::more);
  CHECK(end_of(post + "12345").kind == Kind::whole);
  CHECK(end_of(post + "123456").bytes == post.size() + 5);
  CHECK(end_of("POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n")
            .wants_continue);
  const std::string large = "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n";
  CHECK(end_of(large).kind == Kind::whole);
  CHECK(end_of(large).body_left_out);
}

TEST_CASE("what is no request, or none whose end is sure, is told so") {
  CHECK(end_of("GET / HTTP/1.1\r\nX: " + std::string(300, 'x')).status == 431);
  CHECK(end_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").status == 411);
  for (const char* field :
       {"Content-Length: -1", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 0x5",
        "Content-Length: 1234567890123", "Content-Length:", "Content-Length : 5", "no colon",
        ": no name", " X: folded"}) {
    CAPTURE(field);
    CHECK(end_of("GET / HTTP/1.1\r\n" + std::string(field) + "\r\n\r\n").status == 400);
  }
}

// A socket that says things and hears what is answered.
class Caller {
 public:
  explicit Caller(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  Caller(Caller&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Caller(const Caller&) = delete;
  ~Caller() {
    if (fd_ >= 0) close(fd_);
  }
  bool say(const std::string& text) {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Until what was heard ends with this, or the other side is gone, or half a minute has passed.
  std::string hear(const std::string& until = "") {
    std::string heard;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (until.empty() || heard.size() < until.size() ||
           heard.compare(heard.size() - until.size(), until.size(), until) != 0) {
      pollfd waiting{fd_, POLLIN, 0};
      char c[4096];
      if (std::chrono::steady_clock::now() > end) return heard + " (nothing more came)";
      if (poll(&waiting, 1, 1000) == 0) continue;
      const ssize_t got = recv(fd_, c, sizeof c, 0);
      if (got <= 0) return heard + " (gone)";
      heard.append(c, static_cast<std::size_t>(got));
    }
    return heard;
  }

 private:
  int fd_;
};

// Answers a request with its own length and last letter.
FrontAnswer echo(const FrontRequest& request) {
  return {std::to_string(request.bytes.size()) + request.bytes.back() + ";", false};
}

std::unique_ptr<Front> front_of(const std::function<void(FrontOptions&)>& adjust = {},
                                Front::Answerer answerer = echo) {
  FrontOptions options;
  options.workers = 2;
  if (adjust) adjust(options);
  std::string error;
  auto front = Front::open(std::move(options), std::move(answerer), error);
  REQUIRE_MESSAGE(front != nullptr, error);
  front->serve();
  return front;
}

const std::string kGet = "GET / HTTP/1.1\r\n\r\n";

TEST_CASE("one connection is answered again and again, in order, however its bytes come") {
  const auto front = front_of();
  Caller caller(front->port());
  CHECK(caller.say(kGet));
  CHECK(caller.hear(";") == "18\n;");
  const std::string post = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
  for (const char c : post) CHECK(caller.say(std::string(1, c)));
  CHECK(caller.hear(";") == "41c;");
  CHECK(caller.say(post + kGet + post));
  CHECK(caller.hear("18\n;41c;") == "41c;18\n;41c;");
  CHECK(caller.say("POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(caller.hear("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(caller.say("z"));
  CHECK(caller.hear(";") == "61z;");
}

TEST_CASE("what is wrong is answered, and the connection ends") {
  const auto front = front_of([](FrontOptions& o) { o.body_bytes_max = 100; });
  Caller chunked(front->port());
  CHECK(chunked.say("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"));
  const std::string heard = chunked.hear();
  CHECK(heard.rfind("HTTP/1.1 411 ", 0) == 0);
  CHECK(heard.find("(gone)") != std::string::npos);
  // The answer arrives although more is sent than anybody reads.
  Caller large(front->port());
  CHECK(large.say("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x')));
  CHECK(large.hear().rfind("43\n;", 0) == 0);
}

TEST_CASE("who never ends a request, or never asks, is let go") {
  const auto front = front_of([](FrontOptions& o) {
    o.request_ms = 300;
    o.idle_ms = 300;
  });
  Caller silent(front->port()), slow(front->port()), idle(front->port());
  CHECK(slow.say("GET / HTT"));
  CHECK(idle.say(kGet));
  CHECK(idle.hear(";") == "18\n;");
  CHECK(silent.hear() == " (gone)");
  CHECK(slow.hear() == " (gone)");
  CHECK(idle.hear() == " (gone)");
  CHECK(front->counts().too_slow == 3);
}

TEST_CASE("slow ones hold no thread, and make room for others") {
  const auto front = front_of([](FrontOptions& o) {
    o.connections_max = 32;
    o.request_ms = 60'000;
  });
  std::vector<Caller> slow;
  for (int i = 0; i < 100; ++i) {
    slow.emplace_back(front->port());
    CHECK(slow.back().say("GET / HTTP/1.1\r\nX-Slow: "));
  }
  Caller caller(front->port());
  CHECK(caller.say(kGet));
  CHECK(caller.hear(";") == "18\n;");
  CHECK(front->counts().connections == 32);
  CHECK(front->counts().made_room == 69);
}

TEST_CASE("who does not take an answer holds no thread, and is let go") {
  const std::string large(8U << 20, 'x');
  const auto front = front_of(
      [](FrontOptions& o) {
        o.take_ms = 500;
        o.waiting_bytes_max = 1U << 20;
      },
      [&](const FrontRequest& request) {
        return FrontAnswer{request.bytes.size() > kGet.size() ? large : "small;", false};
      });
  std::vector<Caller> deaf;
  for (int i = 0; i < 8; ++i) {
    deaf.emplace_back(front->port());
    CHECK(deaf.back().say("GET / HTTP/1.1\r\nX: y\r\n\r\n"));
  }
  (void)deaf.front().hear("x");  // its answer has begun to come, and is not taken further
  // Too much waits for them to be answered at once; their time runs out, and then it is.
  Caller caller(front->port());
  CHECK(caller.say(kGet));
  CHECK(caller.hear(";") == "small;");
  CHECK(front->counts().too_slow >= 1);
}

TEST_CASE("more than there is room for wait for their turn") {
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::atomic<int> begun{0};
  const auto front = front_of([](FrontOptions& o) { o.connections_max = 2; },
                              [&](const FrontRequest& request) {
                                ++begun;
                                open.wait();
                                return echo(request);
                              });
  std::vector<Caller> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back(front->port());
    CHECK(callers.back().say(kGet));
  }
  while (begun < 2) std::this_thread::yield();
  gate.set_value();
  for (Caller& caller : callers) CHECK(caller.hear(";") == "18\n;");
}

TEST_CASE("an end while requests are being answered waits for them") {
  std::atomic<int> begun{0}, done{0};
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  auto front = front_of({}, [&](const FrontRequest&) {
    ++begun;
    open.wait();
    ++done;
    return FrontAnswer{"x;", false};
  });
  std::vector<Caller> callers;
  for (int i = 0; i < 5; ++i) {
    callers.emplace_back(front->port());
    CHECK(callers.back().say(kGet));
  }
  while (begun == 0) std::this_thread::yield();
  std::thread opener([&] { gate.set_value(); });
  front.reset();
  CHECK(begun == done);
  opener.join();
}

}  // namespace
}  // namespace payops::api
