#include "../../src/app/backtest.h"

#include <doctest/doctest.h>

#include <fstream>

#include "../../src/app/chart.h"
#include "memory/folder.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/simulators/world.h"

namespace payops::app {
namespace {

constexpr int64_t kStartMs = 1'772'438'400'000;

// Half an hour of a world without an agent, in a file.
struct Recorded {
  explicit Recorded(const std::string& scenario, bool csv = false) {
    auto loaded = simulators::load_scenario(scenario);
    REQUIRE(loaded);
    simulators::World world(*loaded, 3, kStartMs);
    std::ofstream file(path(csv), std::ios::binary);
    if (csv) file << "id,pay,time,bank,kind,psp,rupees,result,code,ms,shop,step,place\n";
    std::string buffer;
    world.advance(kStartMs + 1'800'000, [&](const simulators::SimulatedAttempt& a) {
      const std::string json(simulators::to_json(a, buffer));
      ++attempts;
      if (!csv) {
        file << json << "\n";
        return;
      }
      const Json j = Json::parse(json);
      const auto text = [&](const char* key) { return j[key].get<std::string>(); };
      const int64_t minor = j["amount_minor"].get<int64_t>();
      file << text("attempt_id") << "," << text("payment_id") << ","
           << iso_time(j["ts_ms"].get<int64_t>()) << "," << text("issuer") << "," << text("method")
           << "," << text("gateway") << "," << minor / 100 << "." << (minor % 100 < 10 ? "0" : "")
           << minor % 100 << "," << text("status") << "," << text("decline_code") << ","
           << j["latency_ms"].get<int64_t>() << "," << j.value("merchant_id", "") << ","
           << j.value("stage", "") << "," << j.value("region", "") << "\n";
    });
  }
  [[nodiscard]] std::string path(bool csv) const {
    return folder / (csv ? "history.csv" : "history.jsonl");
  }
  memory::Folder folder;
  int64_t attempts = 0;
};

BacktestStory story_of(const std::string& path, const AppConfig& config) {
  auto history = open_history_file(path, config.mapping);
  REQUIRE_MESSAGE(history, history.error().message);
  auto story = run_backtest({.config = config}, **history);
  REQUIRE_MESSAGE(story, story.error().message);
  return std::move(*story);
}

AppConfig of_csv() {
  AppConfig config;
  observation::FieldMapping& m = config.mapping;
  m.attempt_id.path = "id";
  m.payment_id.path = "pay";
  m.ts_ms = {.path = "time", .unit = observation::TimeUnit::iso8601};
  m.issuer.path = "bank";
  m.method.path = "kind";
  m.gateway.path = "psp";
  m.amount_minor = {.path = "rupees", .unit = observation::AmountUnit::major};
  m.currency = {.constant = "INR"};
  m.status.path = "result";
  m.decline_code.path = "code";
  m.latency_ms.path = "ms";
  m.merchant_id.path = "shop";
  m.stage.path = "step";
  m.region.path = "place";
  return config;
}

TEST_CASE("a gateway's failure in a history is found, explained, and would have been answered") {
  const Recorded recorded("gateway_failure");
  const BacktestStory story = story_of(recorded.path(false), {});
  const BacktestResult& r = story.result;
  CHECK(r.counts.attempts == recorded.attempts);
  REQUIRE(r.incidents.size() == 1);
  const FoundIncident& found = r.incidents.front();
  CHECK(found.incident.pattern == "gateway_failure");
  CHECK(found.incident.end_ts_ms > found.incident.begin_ts_ms);
  REQUIRE_FALSE(found.hypotheses.empty());
  CHECK(found.hypotheses.front().cause == Cause::gateway_down);
  CHECK(found.hypotheses.front().scope.gateway == found.incident.instrument.gateway);
  REQUIRE_FALSE(r.acts.empty());
  CHECK(found.acts.size() == r.acts.size());
  CHECK(r.acts.front().ts_ms >= found.noticed_ts_ms);
  CHECK(r.expected_minor > 0.0);

  const std::string page = backtest_page(story, "history.jsonl");
  CHECK(page.find("gateway failure: gateway " + found.incident.instrument.gateway) !=
        std::string::npos);
  CHECK(page.find("<svg") != std::string::npos);
  CHECK(page.find("src=") == std::string::npos);  // nothing is fetched
  CHECK(page.find("href=") == std::string::npos);
}

TEST_CASE("a quiet day has no incident and nothing to do") {
  const Recorded recorded("healthy_day");
  const BacktestResult r = story_of(recorded.path(false), {}).result;
  CHECK(r.incidents.empty());
  CHECK(r.acts.empty());
  CHECK(r.expected_minor == 0.0);
}

TEST_CASE("a table of the same attempts tells the same story") {
  for (const char* scenario : {"gateway_failure", "merchant_bug"}) {
    CAPTURE(scenario);
    const Recorded lines(scenario);
    const Recorded table(scenario, true);
    const BacktestResult a = story_of(lines.path(false), {}).result;
    const BacktestResult b = story_of(table.path(true), of_csv()).result;
    CHECK(b.counts.attempts == a.counts.attempts);
    CHECK(b.acts.size() == a.acts.size());
    REQUIRE(b.incidents.size() == a.incidents.size());
    REQUIRE_FALSE(a.incidents.empty());
    const Incident &by_line = a.incidents.front().incident, &by_row = b.incidents.front().incident;
    CHECK(by_row.begin_ts_ms == by_line.begin_ts_ms);
    CHECK(by_row.cause == by_line.cause);
    CHECK(by_row.instrument == by_line.instrument);
    CHECK(by_row.slice == by_line.slice);
  }
}

TEST_CASE("a history that cannot be read says why") {
  const memory::Folder folder;
  const AppConfig config;
  memory::put_bytes(folder / "odd.jsonl", "{\"a\":1}\nnot json\n");
  auto odd = open_history_file(folder / "odd.jsonl", config.mapping);
  REQUIRE(odd);
  const auto story = run_backtest({.config = config}, **odd);
  REQUIRE_FALSE(story);
  CHECK(story.error().message.find("1 messages: malformed_json") != std::string::npos);
  CHECK(story.error().message.find("1 messages: missing_field") != std::string::npos);

  memory::put_bytes(folder / "short.csv", "id,pay\n1,2\n");
  const auto table = open_history_file(folder / "short.csv", of_csv().mapping);
  REQUIRE_FALSE(table);
  CHECK(table.error().message.find("no column \"bank\"") != std::string::npos);
  CHECK(table.error().message.find("mapping.issuer") != std::string::npos);
  CHECK_FALSE(open_history_file(folder / "none.jsonl", config.mapping));
}

TEST_CASE("a trace stays within its bound and keeps its mean") {
  Trace trace(64);
  for (int i = 0; i < 10'000; ++i) trace.add(i, i % 2, 0.5, 0.0);
  CHECK(trace.points().size() <= 64);
  double sum = 0.0, readings = 0.0;
  for (const Trace::Point& p : trace.points()) {
    sum += p.value * p.readings;
    readings += p.readings;
  }
  CHECK(readings == 10'000.0);
  CHECK(sum / readings == doctest::Approx(0.5));
}

TEST_CASE("a chart escapes what it is told and leaves out what it cannot draw") {
  Chart chart;
  chart.title = "<b>&\"";
  chart.y_scale = Scale::log10;
  chart.series.push_back({.name = "a", .x = {1, 2, 3, 4}, .y = {1, -1, std::nan(""), 100}});
  const std::string svg = to_svg(chart);
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("&lt;b&gt;&amp;&quot;") != std::string::npos);
}

}  // namespace
}  // namespace payops::app
