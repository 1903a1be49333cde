#include <doctest/doctest.h>

#include "reasoning/traffic.h"

namespace payops::reasoning::test {
namespace {

const CellReading& cell_at(const std::vector<CellReading>& cells, const Scope& scope) {
  for (const CellReading& cell : cells) {
    if (cell.scope == scope) return cell;
  }
  FAIL("no cell ", to_string(scope));
  return cells.front();
}

TEST_CASE("a pair that breaks shows in its cell, and its neighbours stay well") {
  Run run;
  run.traffic.rate = 60.0;
  run.traffic.faults = {{Kind::issuer_fails, {1, 1, kAny}, 900, 1000, 0.5}};
  run.until(960);
  const auto cells = run.reasoner.cells(run.names, 4000);
  const CellReading& broken = cell_at(cells, {"HDFC", "card", "*"});
  CHECK(broken.degraded);
  CHECK(broken.signal == Signal::success_rate);
  CHECK(broken.z > 5.0);
  CHECK(broken.success < broken.success_baseline - 0.2);
  CHECK(broken.declines[static_cast<std::size_t>(DeclineClass::issuer_technical)] > 20);
  CHECK(cell_at(cells, {"ICICI", "card", "*"}).z < 4.0);
  CHECK(cell_at(cells, {"HDFC", "card", "PAYU"}).z > 3.0);
}

TEST_CASE("cells of single dimensions say what statuses say, and pairs add up from paths") {
  Run run;
  run.until(600);
  const auto cells = run.reasoner.cells(run.names, 4000);
  for (const SeriesStatus& status : run.last.statuses) {
    const CellReading& cell = cell_at(cells, status.scope);
    CHECK(cell.attempts == status.attempts);
    CHECK(cell.degraded == status.degraded);
    CHECK(cell.success == status.readings[0].value);
  }
  uint64_t in_paths = 0;
  for (const char* gateway : {"PAYU", "RAZOR", "STRIPE"}) {
    in_paths += cell_at(cells, {"HDFC", "card", gateway}).attempts;
  }
  CHECK(cell_at(cells, {"HDFC", "card", "*"}).attempts == in_paths);
}

TEST_CASE("looking at cells changes nothing, and there are never more than asked for") {
  Run run;
  run.until(300);
  std::string before, after;
  Encoder first(before), second(after);
  run.reasoner.encode(first);
  CHECK(run.reasoner.cells(run.names, 20).size() == 20);
  CHECK(run.reasoner.cells(run.names, 3).size() == 3);
  run.reasoner.encode(second);
  CHECK(before == after);
  CHECK(Reasoner(ReasoningConfig{}).cells(run.names, 10).empty());
}

}  // namespace
}  // namespace payops::reasoning::test
