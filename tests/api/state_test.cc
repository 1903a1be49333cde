#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <memory>

#include "payops/api/console_state.h"
#include "payops/core/json_fields.h"

namespace payops::api {
namespace {

int pick(int below) { return *rc::gen::inRange(0, below); }

std::shared_ptr<const CellsView> any_cells() {
  auto view = std::make_shared<CellsView>();
  const int count = pick(8);
  for (int i = 0; i < count; ++i) {
    CellView cell;
    cell.reading.scope = {.issuer = "I" + std::to_string(pick(5)), .method = "card"};
    cell.reading.attempts = static_cast<uint64_t>(pick(3));
    cell.reading.success = pick(100) / 100.0;
    cell.spark.fill(-1);
    view->cells.push_back(std::move(cell));
  }
  return view;
}

std::shared_ptr<const CycleView> any_cycle() {
  auto view = std::make_shared<CycleView>();
  view->report.step = static_cast<uint64_t>(pick(1000));
  view->nodes = {"observe", "reason"};
  view->timings = {{"observe", pick(5000)}};
  for (int i = pick(4); i > 0; --i) {
    IncidentView incident;
    incident.incident.id = "inc-" + std::to_string(pick(4));
    incident.saved_minor = pick(10);
    view->incidents.push_back(std::move(incident));
  }
  for (int i = pick(4); i > 0; --i) {
    InterventionView intervention;
    intervention.intervention.action.action_id = "act-" + std::to_string(pick(4));
    intervention.intervention.state = static_cast<InterventionState>(pick(8));
    view->interventions.push_back(std::move(intervention));
  }
  return view;
}

Knowledge next(const Knowledge& before) {
  Knowledge now = before;
  now.pulse.wall_ms += pick(500);
  now.pulse.watermark_ms += pick(3000);
  if (pick(2) == 0) now.cells = any_cells();
  if (pick(3) == 0) now.cycle = any_cycle();
  return now;
}

Knowledge nothing() {
  Knowledge known;
  known.deployment = std::make_shared<Deployment>();
  return known;
}

// What a client makes of messages.
void follow(const Json& message, Json& state) {
  for (const auto& [section, values] : message["set"].items()) {
    for (const auto& [key, value] : values.items()) state[section][key] = value;
  }
  for (const auto& [section, keys] : message["remove"].items()) {
    for (const auto& key : keys) state[section].erase(key.get<std::string>());
  }
}

TEST_CASE("a snapshot and the deltas after it are the newest snapshot") {
  CHECK(rc::check([] {
    Knowledge before = nothing();
    ConsoleState state = state_of(before);
    ConsoleState by_apply = state;
    Json client = Json::parse(snapshot_text(state, "0", 1, 0))["state"];
    for (int turn = 0; turn < 8; ++turn) {
      const Knowledge now = next(before);
      RC_ASSERT(state == state_of(before));
      const Delta changed = diff(state, state_of(now));
      apply(changed, by_apply);
      const Delta delta = advance(state, &before, now);
      RC_ASSERT(delta.set == changed.set);
      RC_ASSERT(delta.remove == changed.remove);
      RC_ASSERT(state == by_apply);
      follow(Json::parse(delta_text(delta, 2, 0)), client);
      before = now;
    }
    // Keys of an object have no order for a client.
    const auto sorted = [](const std::string& text) { return nlohmann::json::parse(text); };
    RC_ASSERT(sorted(dump(client)) == sorted(state_text(state)));
  }));
}

TEST_CASE("what does not change is not sent") {
  Knowledge known = nothing();
  auto cells = std::make_shared<CellsView>();
  cells->cells.emplace_back();
  known.cells = cells;
  ConsoleState state = state_of(known);
  CHECK(advance(state, &known, known).empty());
  known.cells = std::make_shared<CellsView>(*cells);  // read again, the same
  CHECK(advance(state, &known, known).empty());
}

TEST_CASE("a name cannot break out of the text it stands in") {
  Knowledge known = nothing();
  auto cells = std::make_shared<CellsView>();
  CellView cell;
  cell.reading.scope.issuer = "</script>\"\\\n\xff";
  cells->cells.push_back(cell);
  known.cells = cells;
  const Json parsed = Json::parse(state_text(state_of(known)));
  REQUIRE(parsed["cells"].size() == 1);
  CHECK(parsed["cells"].begin()->at("issuer") == "</script>\"\\\n\xEF\xBF\xBD");
}

TEST_CASE("the state has the five sections that the protocol names") {
  const Json parsed = Json::parse(state_text(state_of(nothing())));
  for (const std::string_view section : kSections) CHECK(parsed.contains(std::string(section)));
  CHECK(parsed["header"]["now"]["agent_state"] == "standby");
}

}  // namespace
}  // namespace payops::api
