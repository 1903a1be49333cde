// A console on free ports with a user of every role, and an agent that takes its verdicts.
#pragma once

#include <doctest/doctest.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "payops/api/access.h"
#include "payops/api/console.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/sign.h"
#include "payops/safety/verdict.h"

namespace payops::api {

inline const std::string kPassword = "correct horse";
// One key for all: hashing is slow on purpose, and signing in five times a test slower.
inline const std::string kTokenKey = "0123456789abcdef0123456789abcdef";

// A log with nothing in it but record 1.
class ShortPast final : public Past {
 public:
  Result<std::string> verify() override { return std::string(R"({"ok":true})"); }
  Result<std::string> record(uint64_t seq) override {
    if (seq == 1) return std::string(R"({"seq":1})");
    return fail(ErrorCode::not_found, "there is no such record");
  }
  Result<std::string> records(uint64_t, std::size_t) override { return empty("records"); }
  Result<std::string> incidents(const PastQuery&) override { return empty("incidents"); }
  Result<std::string> interventions(const PastQuery&) override { return empty("interventions"); }
  Result<std::string> screen(int64_t) override {
    return fail(ErrorCode::not_found, "nothing is recorded yet");
  }

 private:
  static std::string empty(const std::string& name) {
    return "{\"" + name + "\":[],\"more\":false}";
  }
};

class Stage final : public VerdictSink {
 public:
  explicit Stage(
      std::function<void(HubOptions&)> adjust = [](HubOptions&) {},
      std::function<void(ConsoleConfig&)> configure = [](ConsoleConfig&) {})
      : feed(simulated()) {
    agent.configure({});
    std::filesystem::create_directories(folder);
    write_users();
    turn();
    adjust_ = std::move(adjust);
    configure_ = std::move(configure);
    start(0, 0);
  }
  ~Stage() override {
    console.reset();
    std::filesystem::remove_all(folder);
  }

  // As a process that ends and begins anew at the same addresses.
  void restart() {
    const int http_port = console->http_port(), ws_port = console->ws_port();
    console.reset();
    start(http_port, ws_port);
  }

  // A step of the agent with the verdicts that came, and its telling the console.
  void turn(std::vector<payments_agent::VerdictInput> verdicts = {}) {
    const std::lock_guard lock(lock_);
    payments_agent::InputHead head;
    head.step = ++step_;
    head.watermark_ms = 1'800'000'000'000 + static_cast<int64_t>(step_) * 1000;
    head.verdicts = std::move(verdicts);
    REQUIRE(agent.step(head, payments_agent::encode_block(head, {})));
    feed.cycle(agent);
    tell_pulse(SystemClock().now_ms());
  }

  void tell_pulse(int64_t wall_ms, int64_t further_ms = 0) {
    Pulse pulse;
    pulse.wall_ms = wall_ms;
    pulse.watermark_ms = 1'800'000'000'000 + static_cast<int64_t>(step_) * 1000 + further_ms;
    pulse.killed = agent.killed();
    pulse.agent_state = pulse.killed ? "killed" : "acting";
    feed.pulse(std::move(pulse), &agent);
  }

  Status send(const Verdict& verdict) override {
    sent.push_back(verdict);
    if (silent) return {};
    payments_agent::VerdictInput input;
    input.verdict = verdict;
    input.received_ts_ms = verdict.ts_ms;
    input.signature_ok = safety::verify_verdict(verdict, {key.public_key_hex}).has_value();
    turn({input});
    return {};
  }

  [[nodiscard]] std::string token(Role role, int64_t at_ms = SystemClock().now_ms()) const {
    return *Tokens(kTokenKey, 900)
                .issue({.user = std::string(name_of(role)), .role = role, .signed_in_ms = at_ms},
                       at_ms);
  }
  [[nodiscard]] httplib::Client client() const {
    httplib::Client c("127.0.0.1", console->http_port());
    c.set_read_timeout(20, 0);
    return c;
  }
  [[nodiscard]] httplib::Headers as(Role role, const std::string& idempotency = "") const {
    httplib::Headers headers{{"Authorization", "Bearer " + token(role)}};
    if (!idempotency.empty()) headers.emplace("Idempotency-Key", idempotency);
    return headers;
  }

  [[nodiscard]] std::string users_file() const { return (folder / "users.json").string(); }

  KeyPair key = make_key_pair();
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("payops-console-" + random_password());
  payments_agent::PaymentsAgent agent;
  Feed feed;
  ShortPast past;
  std::vector<Verdict> sent;
  bool silent = false;             // the agent does not answer
  Simulator* simulator = nullptr;  // from the next start on
  std::unique_ptr<Console> console;

 private:
  // Its time is its own, not the machine's.
  static FeedOptions simulated() {
    FeedOptions options;
    options.deployment.demo = true;
    return options;
  }

  // All with the same password, hashed once.
  void write_users() const {
    const std::string file = users_file();
    REQUIRE(add_user(file, "approver", Role::approver, kPassword));
    const auto users = load_users(file);
    REQUIRE(users);
    Json all = Json::array();
    for (std::size_t i = 0; i < enum_names<Role>.size(); ++i) {
      User user = users->at("approver");
      user.role = static_cast<Role>(i);
      user.name = name_of(user.role);
      all.push_back(to_json(user));
    }
    std::ofstream(file, std::ios::trunc) << dump(Json{{"users", all}});
  }

  void start(int http_port, int ws_port) {
    ConsoleSpec spec;
    spec.config.http_port = http_port;
    spec.config.ws_port = ws_port;
    spec.config.users_file = users_file();
    configure_(spec.config);
    spec.signing_key_hex = key.secret_key_hex;
    spec.token_key = kTokenKey;
    spec.answer_wait_ms = 2000;
    spec.past = &past;
    spec.simulator = simulator;
    spec.adjust_hub = adjust_;
    auto started = Console::start(std::move(spec), feed, *this);
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().message));
    console = std::move(*started);
  }

  std::function<void(HubOptions&)> adjust_;
  std::function<void(ConsoleConfig&)> configure_;
  std::mutex lock_;
  uint64_t step_ = 0;
};

}  // namespace payops::api
