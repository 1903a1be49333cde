#include "../../src/api/metrics.h"

#include <regex>
#include <set>

#include "payops/core/text.h"
#include "stage.h"
#include "support/paths.h"

namespace payops::api {
namespace {

// Something of everything that is measured.
Knowledge everything() {
  Knowledge known;
  auto deployment = std::make_shared<Deployment>();
  deployment->build = "1.2 \"quoted\"\\";
  deployment->currency = "INR";
  known.deployment = deployment;
  known.pulse.wall_ms = 1'000;
  known.pulse.watermark_ms = 5'000;
  known.pulse.agent_state = "acting";
  known.pulse.input_lag = 17;
  known.pulse.load.messages = 100;
  known.pulse.load.ingest_ns = 5'000;
  known.pulse.load.steps = 3;
  known.pulse.load.steps_ns = 9'000'000;
  auto cells = std::make_shared<CellsView>();
  CellView cell;
  cell.reading.scope = {.issuer = "HDFC\n\"bank\"\\", .method = "*", .gateway = "*"};
  cell.reading.success = 0.5;
  cell.reading.declines[1] = 4;
  cells->cells.push_back(cell);
  known.cells = cells;
  auto cycle = std::make_shared<CycleView>();
  auto meters = std::make_shared<Meters>();
  meters->ingest.attempts = 41;
  meters->ingest.dead_letters["malformed_json"] = 2;
  meters->cycles[3] = 5;
  meters->cycles.back() = 1;
  meters->cycles_s = 3.5;
  meters->outcomes[{"reroute_traffic", "worse"}] = 1;
  cycle->meters = meters;
  cycle->timings = {{"observe", 1000}};
  IncidentView incident;
  incident.incident.pattern = "issuer_outage";
  incident.incident.severity = Severity::high;
  cycle->incidents = {incident, incident};
  InterventionView intervention;
  intervention.intervention.action.type = "reroute_traffic";
  intervention.intervention.state = InterventionState::active;
  intervention.intervention.outcome.treated_payments = 9;
  cycle->interventions = {intervention};
  cycle->report.options.emplace_back();
  cycle->report.considered.emplace_back();
  cycle->report.action_id = "act-1";
  known.cycle = cycle;
  return known;
}

std::string page_of(const Knowledge& known) { return Metrics().text(known, {}, {}, 2'500); }

// promtool's opinion of the page; 0 when it has none.
int checked(const std::string& page) {
  FILE* promtool = popen("promtool check metrics >&2", "w");
  REQUIRE(promtool != nullptr);
  std::fwrite(page.data(), 1, page.size(), promtool);
  return pclose(promtool);
}

TEST_CASE("promtool finds nothing wrong with the metrics, of everything and of nothing") {
  CHECK(checked(page_of(everything())) == 0);
  Knowledge nothing;
  nothing.deployment = std::make_shared<Deployment>();
  CHECK(checked(page_of(nothing)) == 0);
}

TEST_CASE("metrics say what is known") {
  const std::string page = page_of(everything());
  const auto has = [&](const std::string& line) {
    CHECK_MESSAGE(page.find("\n" + line + "\n") != std::string::npos, line);
  };
  has("payops_agent_state{state=\"acting\"} 1");
  has("payops_agent_state{state=\"killed\"} 0");
  has("payops_heard_of_agent_seconds 1.5");
  has("payops_input_lag_messages 17");
  has(R"(payops_success_ratio{issuer="HDFC\n\"bank\"\\",method="*",gateway="*"} 0.5)");
  has("payops_dead_letters_total{reason=\"malformed_json\"} 2");
  has("payops_dead_letters_total{reason=\"too_large\"} 0");
  has("payops_cycle_seconds_bucket{le=\"0.005\"} 5");
  has("payops_cycle_seconds_bucket{le=\"2.5\"} 5");
  has("payops_cycle_seconds_bucket{le=\"+Inf\"} 6");
  has("payops_cycle_seconds_sum 3.5");
  has("payops_incidents_open 2");
  has("payops_patterns{pattern=\"issuer_outage\",severity=\"high\"} 2");
  has("payops_interventions{type=\"reroute_traffic\",state=\"active\"} 1");
  has("payops_intervention_payments{type=\"reroute_traffic\",arm=\"treated\"} 9");
  has("payops_outcomes_total{type=\"reroute_traffic\",result=\"worse\"} 1");
  CHECK(page.find("\nprocess_cpu_seconds_total ") != std::string::npos);
  CHECK(page.find("\nprocess_resident_memory_bytes ") != std::string::npos);
}

TEST_CASE("rules, their tests, dashboard and documentation name only metrics that there are") {
  const std::string page = page_of(everything());
  std::set<std::string> known;
  const std::regex type_line("# TYPE ([a-z0-9_]+) ");
  for (std::sregex_iterator it(page.begin(), page.end(), type_line), end; it != end; ++it) {
    known.insert((*it)[1]);
  }
  CHECK(known.size() > 40);
  const std::regex name("\\b(payops|process)_[a-z0-9_]+");
  const std::regex suffix("_(bucket|sum|count)$");
  for (const char* file :
       {"dashboards/prometheus/rules.yml", "dashboards/prometheus/rules_test.yml",
        "dashboards/grafana/payops.json"}) {
    const auto text = read_file(testing::source_path(file));
    REQUIRE(text);
    for (std::sregex_iterator it(text->begin(), text->end(), name), end; it != end; ++it) {
      const std::string metric = std::regex_replace(it->str(), suffix, "");
      CHECK_MESSAGE(known.count(metric) == 1, file, " names ", metric);
    }
  }
  const auto docs = read_file(testing::source_path("docs/alerts.md"));
  REQUIRE(docs);
  for (const std::string& metric : known) {
    const bool told =
        docs->find("`" + metric) != std::string::npos || metric == "payops_build_info" ||
        metric.find("_baseline") != std::string::npos || metric.find("payops_console_") == 0;
    CHECK_MESSAGE(told, metric, " is not in docs/alerts.md");
  }
}

}  // namespace
}  // namespace payops::api
