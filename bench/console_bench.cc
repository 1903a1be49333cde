// The console with many watchers: how late what is sent arrives, and what the agent's thread pays
// for them. Everything is one process: an agent fed with made-up seconds in real time, the
// console's server, and a thread that reads all the sockets.
//
//   bench_console [CLIENTS 1000] [SECONDS 15] [ISSUERS 20]
#include <httplib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <vector>

#include "payops/api/access.h"
#include "payops/api/console.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/core/sign.h"

namespace {

using namespace payops;
using Millis = std::chrono::milliseconds;

constexpr int kMethods = 5;
constexpr int kGateways = 3;
constexpr int64_t kCycleS = 8;
constexpr int kPulseMs = 50;

int64_t thread_cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

template <class T>
T quantile(std::vector<T> values, double q) {
  if (values.empty()) return T{};
  const auto at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

// The agent's side, in real time: a second of payments a second, a cycle every eight.
class BusyAgent {
 public:
  BusyAgent(api::Feed& feed, int issuers) : feed_(feed), issuers_(issuers) {
    agent_.configure({});
    second_ = SystemClock().now_ms() / 1000;
    payments_agent::InputHead head;
    for (int i = 0; i < issuers; ++i) head.names.added[0].push_back("BANK" + std::to_string(i));
    for (int m = 0; m < kMethods; ++m) head.names.added[1].push_back("method" + std::to_string(m));
    for (int g = 0; g < kGateways; ++g) head.names.added[2].push_back("GW" + std::to_string(g));
    step(std::move(head));
  }

  // CPU microseconds of the agent's thread for each second, and for each of them that ended with a
  // cycle.
  struct Cost {
    std::vector<int64_t> second_us, cycle_us;
  };
  Cost run(int seconds) {
    Cost cost;
    auto next = std::chrono::steady_clock::now();
    for (int s = 0; s < seconds; ++s) {
      const bool cycle = second_ % kCycleS == 0;
      const ClosedBucket bucket = payments();
      const int64_t made_us = thread_cpu_us();
      (void)agent_.observe(bucket);
      feed_.second(bucket);
      if (cycle) step({});
      pulse();
      (cycle ? cost.cycle_us : cost.second_us).push_back(thread_cpu_us() - made_us);
      for (int p = 0; p < 1000 / kPulseMs; ++p) {
        next += Millis(kPulseMs);
        std::this_thread::sleep_until(next);
        pulse();
      }
    }
    return cost;
  }

 private:
  ClosedBucket payments() {
    ClosedBucket bucket;
    bucket.second = second_++;
    RandomStream draw = random_.at(1, static_cast<uint64_t>(bucket.second), 0);
    for (int i = 0; i < issuers_; ++i) {
      for (int m = 0; m < kMethods; ++m) {
        for (int g = 0; g < kGateways; ++g) {
          LeafCell leaf;
          leaf.key.path = {static_cast<DimId>(i), static_cast<DimId>(m), static_cast<DimId>(g)};
          leaf.cell.attempts = leaf.cell.first_attempts = static_cast<uint32_t>(draw.below(4));
          for (uint32_t n = 0; n < leaf.cell.attempts; ++n) {
            const bool good = draw.below(100) < 95;
            leaf.cell.approvals += good;
            leaf.cell.first_approvals += good;
            leaf.cell.latency.add(static_cast<uint32_t>(200 + draw.below(900)));
          }
          if (leaf.cell.attempts > 0) bucket.cells.push_back(leaf);
        }
      }
    }
    return bucket;
  }
  void step(payments_agent::InputHead head) {
    head.step = ++steps_;
    head.watermark_ms = second_ * 1000;
    if (!agent_.step(head, payments_agent::encode_block(head, {}))) std::abort();
    feed_.cycle(agent_);
  }
  void pulse() {
    api::Pulse p;
    p.wall_ms = SystemClock().now_ms();
    p.watermark_ms = second_ * 1000;
    p.agent_state = "acting";
    feed_.pulse(std::move(p), &agent_);
  }

  api::Feed& feed_;
  int issuers_;
  payments_agent::PaymentsAgent agent_;
  Random random_{7};
  int64_t second_ = 0;
  uint64_t steps_ = 0;
};

// A socket that reads frames and notes how old they are when they are whole.
struct Client {
  int fd = -1;
  std::string buffer;

  // What a whole message of the server says of its time; 0 without one.
  static int64_t server_ms(std::string_view message) {
    constexpr std::string_view kName = "\"server_ms\":";
    const std::size_t at = message.substr(0, 200).find(kName);
    int64_t ms = 0;
    if (at == std::string_view::npos) return 0;
    std::from_chars(message.data() + at + kName.size(), message.data() + message.size(), ms);
    return ms;
  }
  void take(std::vector<int32_t>& ages_ms, uint64_t& bytes) {
    std::size_t at = 0;
    for (;;) {
      if (buffer.size() - at < 2) break;
      std::size_t head = 2;
      uint64_t size = static_cast<unsigned char>(buffer[at + 1]);
      const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (buffer.size() - at < head + more) break;
      if (more > 0) size = 0;
      for (std::size_t i = 0; i < more; ++i) {
        size = size << 8 | static_cast<unsigned char>(buffer[at + 2 + i]);
      }
      head += more;
      if (buffer.size() - at < head + size) break;
      const std::string_view message(buffer.data() + at + head, size);
      const int64_t sent_ms = server_ms(message);
      if (sent_ms > 0 && message.find("\"delta\"") < 20) {
        ages_ms.push_back(static_cast<int32_t>(SystemClock().now_ms() - sent_ms));
      }
      at += head + size;
    }
    bytes += at;
    buffer.erase(0, at);
  }
};

int connect_client(api::Console& console, const std::string& ticket) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(console.ws_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  const std::string hello =
      "GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: " +
      console.address() + "\r\nSec-WebSocket-Protocol: payops.v1, ticket." + ticket + "\r\n\r\n";
  if (send(fd, hello.data(), hello.size(), 0) != static_cast<ssize_t>(hello.size())) return -1;
  std::string answer;
  for (char c = 0; answer.find("\r\n\r\n") == std::string::npos;) {
    if (recv(fd, &c, 1, 0) != 1) return -1;
    answer += c;
  }
  return answer.find(" 101 ") == std::string::npos ? -1 : fd;
}

// All the sockets, read by one thread.
class Watchers {
 public:
  explicit Watchers(std::vector<Client> clients) : clients_(std::move(clients)) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_[i].fd, &event);
    }
    thread_ = std::thread([this] { read_all(); });
  }
  ~Watchers() {
    stop();
    for (const Client& client : clients_) close(client.fd);
    close(epoll_);
  }
  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::vector<int32_t> ages_ms;
  uint64_t bytes = 0;
  uint64_t lost = 0;

 private:
  void read_all() {
    std::vector<char> chunk(1 << 18);
    std::vector<epoll_event> events(256);
    while (!over_) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int e = 0; e < count; ++e) {
        Client& client = clients_[events[static_cast<std::size_t>(e)].data.u64];
        const ssize_t got = recv(client.fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
        if (got > 0) {
          client.buffer.append(chunk.data(), static_cast<std::size_t>(got));
          client.take(ages_ms, bytes);
        } else if (got == 0) {
          ++lost;
          epoll_ctl(epoll_, EPOLL_CTL_DEL, client.fd, nullptr);
        }
      }
    }
  }
  std::vector<Client> clients_;
  int epoll_ = -1;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

class NoVerdicts final : public api::VerdictSink {
 public:
  Status send(const Verdict&) override { return {}; }
};

void tell(const char* when, const BusyAgent::Cost& cost) {
  std::printf(
      "agent's thread, CPU a second without a cycle: median %lld us, worst %lld; with a cycle: "
      "median %lld us, worst %lld (%s)\n",
      static_cast<long long>(quantile(cost.second_us, 0.5)),
      static_cast<long long>(quantile(cost.second_us, 1.0)),
      static_cast<long long>(quantile(cost.cycle_us, 0.5)),
      static_cast<long long>(quantile(cost.cycle_us, 1.0)), when);
}

int bench(int count, int seconds, int issuers) {
  rlimit files{8192, 8192};
  setrlimit(RLIMIT_NOFILE, &files);
  const auto folder =
      std::filesystem::temp_directory_path() / ("payops-bench-" + api::random_password());
  std::filesystem::create_directories(folder);
  api::Feed feed{api::FeedOptions{}};
  NoVerdicts verdicts;
  const std::string token_key(32, 'k');
  api::ConsoleSpec spec;
  spec.config.http_port = spec.config.ws_port = 0;
  spec.config.clients_max = count + 10;
  spec.config.users_file = (folder / "users.json").string();
  spec.signing_key_hex = make_key_pair().secret_key_hex;
  spec.token_key = token_key;
  auto console = api::Console::start(std::move(spec), feed, verdicts);
  if (!console) {
    std::fprintf(stderr, "%s\n", console.error().message.c_str());
    return 3;
  }
  BusyAgent agent(feed, issuers);
  tell("no client", agent.run(seconds));

  const std::string token =
      *api::Tokens(token_key, 900).issue({"bench", api::Role::viewer}, SystemClock().now_ms());
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    httplib::Client http("127.0.0.1", (*console)->http_port());
    const auto answer =
        http.Post("/api/ticket", httplib::Headers{{"Authorization", "Bearer " + token}});
    const std::string ticket = answer ? Json::parse(answer->body)["ticket"] : "";
    clients.push_back({.fd = connect_client(**console, ticket), .buffer = ""});
    if (clients.back().fd < 0) {
      std::fprintf(stderr, "client %d was not let in\n", i);
      return 3;
    }
  }
  Watchers watchers(std::move(clients));
  const BusyAgent::Cost cost = agent.run(seconds);
  watchers.stop();
  tell((std::to_string(count) + " clients").c_str(), cost);
  const api::HubCounts hub = (*console)->hub();
  std::printf(
      "delivery of %zu deltas to %llu clients: median %d ms, p99 %d ms, worst %d ms; %.1f MB "
      "a second; lagged %llu, closed %llu, lost %llu\n",
      watchers.ages_ms.size(), static_cast<unsigned long long>(hub.clients),
      quantile(watchers.ages_ms, 0.5), quantile(watchers.ages_ms, 0.99),
      quantile(watchers.ages_ms, 1.0), static_cast<double>(watchers.bytes) / 1e6 / seconds,
      static_cast<unsigned long long>(hub.lagged), static_cast<unsigned long long>(hub.closed_slow),
      static_cast<unsigned long long>(watchers.lost));
  console->reset();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int at, int without) {
    return argc > at ? std::max(1, std::atoi(argv[at])) : without;
  };
  return bench(number(1, 1000), number(2, 15), number(3, 20));
}
