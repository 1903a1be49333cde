#include "../../src/app/world_control.h"

#include <doctest/doctest.h>

#include "payops/core/json_fields.h"

namespace payops::app {
namespace {

TEST_CASE("what is commanded is taken up at the world's next turn, and truth is told") {
  const simulators::Scenario scenario = *simulators::load_scenario("healthy_day");
  simulators::World world(scenario, 1, 1'772'438'400'000);
  WorldControl control(scenario, 4.0);
  const std::string issuer = scenario.issuers.front().name;
  REQUIRE(control.command(R"({"fault":{"kind":"outage","scope":{"issuer":")" + issuer +
                          R"("},"severity":0.9,"duration_s":60}})"));
  REQUIRE(control.command(R"({"speed":8})"));
  REQUIRE(control.command(R"({"rate_tps":90})"));
  double speed = 4.0;
  control.turn(world, speed);
  CHECK(speed == 8.0);
  CHECK(control.rate_changed());
  CHECK(control.lived().faults.size() == scenario.faults.size() + 1);
  world.advance(world.now_ms() + 20'000, [](const simulators::SimulatedAttempt&) {});
  control.truth(world.take_truth());
  Json state = Json::parse(control.state());
  CHECK(state["rate_tps"] == 90.0);
  CHECK(state["speed"] == 8.0);
  REQUIRE(state["faults"].size() == 1);
  CHECK(state["faults"][0]["scope"]["issuer"] == issuer);
  world.advance(world.now_ms() + 60'000, [](const simulators::SimulatedAttempt&) {});
  control.truth(world.take_truth());
  state = Json::parse(control.state());
  CHECK(state["faults"].empty());
  CHECK(state["over"].size() == 1);
  CHECK_FALSE(state["paths"].empty());
}

TEST_CASE("what is none of these, or cannot be, is refused and changes nothing") {
  WorldControl control(*simulators::load_scenario("healthy_day"), 4.0);
  for (const char* odd :
       {"", "[]", "{}", R"({"speed":0})", R"({"speed":1e9})", R"({"rate_tps":"many"})",
        R"({"speed":2,"rate_tps":2})", R"({"colour":1})", R"({"fault":{"kind":"plague"}})",
        R"({"fault":{"scope":{"issuer":"NO SUCH BANK"}}})", R"({"fault":{"severity":7}})"}) {
    CAPTURE(odd);
    CHECK_FALSE(control.command(odd));
  }
  int taken = 0;
  while (control.command(R"({"speed":2})")) ++taken;
  CHECK(taken == 32);  // bounded
}

}  // namespace
}  // namespace payops::app
