// What the outside hears of an outage, from the real programs on a real Apache Kafka: people by
// `payops notify`, Prometheus by /metrics, a terminal by `payops top`.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "notify/strict_server.h"
#include "payops/api/access.h"
#include "program.h"
#include "support/paths.h"
#include "support/process.h"

namespace payops {
namespace {

using namespace payops::testing;
using notify::StrictServer;

bool await(const std::function<bool()>& condition, int seconds = 60) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    pace(50);
  }
  return true;
}

// The number after `mark` in what a process said.
std::string port_after(const std::string& text, const std::string& mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + mark.size();
  const std::size_t end = text.find_first_not_of("0123456789", begin);
  return end == std::string::npos ? "" : text.substr(begin, end - begin);
}

std::string get(const std::string& url) {
  notify::HttpRequest request;
  request.url = url;
  const auto answer = notify::http(request);
  return answer && answer->status == 200 ? answer->body : "";
}

std::string encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
    out += code;
  }
  return out;
}

std::string alerting_config(const Deployment& deployment, const StrictServer& people) {
  const std::string file = deployment.folder + "/alerting.yaml";
  std::ofstream(file) << "process: {max_input_age_s: 0, kill_file: " << deployment.folder
                      << "/kill}\n"
                      << "console: {http_port: 0, ws_port: 0, users_file: " << deployment.folder
                      << "/users.json}\n"
                      << "streaming: {bootstrap: \"" << deployment.streaming.bootstrap
                      << "\", topic_prefix: " << deployment.prefix << "}\n"
                      << "notify:\n  group_wait_s: 1\n  resolve_hold_s: 3\n"
                      << "  webhooks: {oncall: {url: \"" << people.url("/webhook") << "\"}}\n"
                      << "  slack: {payments: {}}\n"
                      << "  email: {duty: {server: \"smtp://localhost:" << people.port("smtp")
                      << "\", ca_file: " << people.ca_file() << ", user: " << notify::kMailUser
                      << ", from: payops@payops.example, to: [duty@bank.example]}}\n";
  return file;
}

// A real Prometheus that scrapes the agent every second, with the rules that payops comes with.
class Prometheus {
 public:
  Prometheus(const std::string& folder, const std::string& agent_port) {
    std::ofstream(folder + "/prometheus.yml")
        << "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        << "rule_files: [" << source_path("dashboards/prometheus/rules.yml") << "]\n"
        << "scrape_configs:\n  - job_name: payops\n    static_configs: [{targets: [\"127.0.0.1:"
        << agent_port << "\"]}]\n";
    process_.emplace("prometheus", folder,
                     std::vector<std::string>{"/usr/bin/prometheus",
                                              "--config.file=" + folder + "/prometheus.yml",
                                              "--storage.tsdb.path=" + folder + "/prometheus",
                                              "--web.listen-address=127.0.0.1:0"});
    const std::string mark = "msg=\"Listening on\" address=127.0.0.1:";
    REQUIRE_MESSAGE(await([&] { return !port_after(process_->err(), mark).empty(); }),
                    process_->err());
    url_ = "http://127.0.0.1:" + port_after(process_->err(), mark);
  }
  // The result of a query; null when it is refused.
  [[nodiscard]] Json query(const std::string& expression) const {
    const std::string body = get(url_ + "/api/v1/query?query=" + encoded(expression));
    return body.empty() ? Json() : Json::parse(body)["data"]["result"];
  }
  [[nodiscard]] Json ask(const std::string& path) const {
    return Json::parse(get(url_ + path))["data"];
  }

 private:
  std::optional<Process> process_;
  std::string url_;
};

// How often each thing was told to have started and to be over, repeats of a message left out.
std::map<std::string, std::map<std::string, int>> told_of(const Json& messages) {
  std::map<std::string, std::map<std::string, int>> told;
  std::set<std::string> ids;
  for (const Json& message : messages) {
    if (!ids.insert(message["id"].get<std::string>()).second) continue;
    for (const Json& notice : message["body"]["data"]["notices"]) {
      ++told[notice["id"].get<std::string>()][notice["status"].get<std::string>()];
    }
  }
  return told;
}

void check_prometheus(const Prometheus& prometheus, const std::string& metrics) {
  FILE* promtool = popen("promtool check metrics >&2", "w");
  REQUIRE(promtool != nullptr);
  std::fwrite(metrics.data(), 1, metrics.size(), promtool);
  CHECK(pclose(promtool) == 0);

  CHECK(prometheus.query("min_over_time(up{job=\"payops\"}[2m])")[0]["value"][1] == "1");
  CHECK_FALSE(prometheus
                  .query("min_over_time(payops_success_ratio{issuer=\"HDFC\",method=\"*\","
                         "gateway=\"*\"}[2m]) < 0.6")
                  .empty());
  CHECK_FALSE(prometheus.query("max_over_time(payops_patterns[2m]) > 0").empty());
  CHECK_FALSE(prometheus.query("payops:attempts:rate1m > 0").empty());
  const Json rules = prometheus.ask("/api/v1/rules");
  CHECK(rules["groups"].size() == 3);
  for (const Json& group : rules["groups"]) {
    for (const Json& rule : group["rules"]) {
      CHECK_MESSAGE(rule["health"] == "ok", rule["name"].get<std::string>());
    }
  }
  const auto text = read_file(source_path("dashboards/grafana/payops.json"));
  REQUIRE(text);
  const Json dashboard = Json::parse(*text);
  int panels = 0, filled = 0;
  for (const Json& panel : dashboard["panels"]) {
    if (!panel.contains("targets")) continue;
    ++panels;
    bool any = false;
    for (const Json& target : panel["targets"]) {
      std::string expression = target["expr"].get<std::string>();
      for (std::size_t at; (at = expression.find("$instance")) != std::string::npos;) {
        expression.replace(at, 9, ".*");
      }
      const Json result = prometheus.query(expression);
      CHECK_MESSAGE(result.is_array(), expression);
      any = any || (result.is_array() && !result.empty());
    }
    filled += any ? 1 : 0;
    if (!any) MESSAGE("nothing in panel ", panel["title"].get<std::string>());
  }
  CHECK(panels > 20);
  CHECK(filled >= panels - 4);  // dead letters, say, are rightly none
}

TEST_CASE("an outage reaches people once, though who speaks is killed, and Prometheus sees it") {
  const TemporaryFolder folder;
  const Deployment deployment(folder.path(), "alerts.");
  const StrictServer people;
  const std::string config = alerting_config(deployment, people);
  REQUIRE(api::add_user(folder.path() + "/users.json", "asha", api::Role::viewer, "correct horse"));
  const std::map<std::string, std::string> secrets{
      {"PAYOPS_WEBHOOK_SECRET", notify::kSecret},
      {"PAYOPS_SLACK_URL", people.url("/services/T0/B0/secret")},
      {"PAYOPS_SMTP_PASSWORD", notify::kMailPassword}};
  const std::vector<std::string> speak{payops_program(), "notify",  "--config",
                                       config,           "--state", folder.path() + "/said"};
  std::optional<Process> speaker(std::in_place, "notify", folder.path(), speak, secrets);
  REQUIRE_MESSAGE(
      await([&] { return speaker->err().find("telling of incidents") != std::string::npos; }),
      speaker->err());

  std::vector<std::string> argv = deployment.agent({"--verbose"});
  argv[3] = config;
  Process agent("agent", folder.path(), argv);
  const std::string mark = "console: http://localhost:";
  REQUIRE_MESSAGE(await([&] { return !port_after(agent.err(), mark).empty(); }), agent.err());
  const std::string port = port_after(agent.err(), mark);
  const std::string console = "http://127.0.0.1:" + port;
  const Prometheus prometheus(folder.path(), port);
  Process world("world", folder.path(),
                deployment.simulate({"--scenario", "issuer_outage", "--speed", "40", "--duration",
                                     "1100", "--seed", "7"}));
  const auto heard = [&] { return people.ask("/log")["accepted"]["webhook"]; };
  REQUIRE_MESSAGE(await([&] { return !heard().empty(); }, 90), speaker->err());
  speaker->signal(SIGKILL);
  REQUIRE(speaker->wait(10));
  speaker.emplace("notify2", folder.path(), speak, secrets);

  CHECK(get(console + "/healthz") == "ok\n");
  CHECK(get(console + "/readyz").find("\"ready\":true") != std::string::npos);
  Process top("top", folder.path(),
              {payops_program(), "top", "--address", console, "--user", "asha", "--once"},
              {{"PAYOPS_PASSWORD", "correct horse"}});
  REQUIRE(top.wait(30));
  CHECK_MESSAGE(top.exit_status() == 0, top.err());
  CHECK(top.out().find("issuer HDFC") != std::string::npos);
  CHECK(top.out().find("! ") != std::string::npos);

  REQUIRE(world.wait(120));
  const auto over = [&] {
    for (const auto& [thing, statuses] : told_of(heard())) {
      if (statuses.count("resolved") == 0) return false;
    }
    return true;
  };
  CHECK(await(over));
  check_prometheus(prometheus, get(console + "/metrics"));
  speaker->signal(SIGTERM);
  CHECK(speaker->wait(30));
  CHECK_MESSAGE(speaker->exit_status() == 0, speaker->err());
  agent.signal(SIGINT);
  CHECK(agent.wait(60));

  const Json log = people.ask("/log");
  CHECK(log["refused"].empty());
  CHECK_FALSE(log["accepted"]["slack"].empty());
  CHECK_FALSE(log["accepted"]["mail"].empty());
  for (const auto& [thing, statuses] : told_of(log["accepted"]["webhook"])) {
    CHECK(statuses.at("started") == 1);
    CHECK(statuses.at("resolved") == 1);
  }
  CHECK(log["accepted"]["mail"][0]["text"].get<std::string>().find("HDFC") != std::string::npos);
}

}  // namespace
}  // namespace payops
