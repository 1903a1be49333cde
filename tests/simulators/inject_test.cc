// A world that is disturbed while it runs.
#include <doctest/doctest.h>

#include "payops/simulators/world.h"

namespace payops::simulators {
namespace {

constexpr int64_t kStartMs = 1'772'438'400'000;

Scenario calm() { return *load_scenario("healthy_day"); }

// Attempts, and those of them that were approved, on the issuer in so many seconds.
std::pair<int, int> lived(World& world, const std::string& issuer, int seconds) {
  int all = 0, approved = 0;
  world.advance(world.now_ms() + seconds * 1000, [&](const SimulatedAttempt& attempt) {
    std::string json;
    const std::string text(to_json(attempt, json));
    if (text.find("\"issuer\":\"" + issuer + "\"") == std::string::npos) return;
    ++all;
    approved += text.find("\"status\":\"approved\"") != std::string::npos ? 1 : 0;
  });
  return {all, approved};
}

Fault outage(const std::string& issuer) {
  Fault fault;
  fault.kind = FaultKind::outage;
  fault.scope.issuer = issuer;
  fault.severity = 0.9;
  fault.duration_s = 60;
  return fault;
}

TEST_CASE("an injected fault begins at the next second, ends by itself, and is told as truth") {
  World world(calm(), 3, kStartMs);
  const std::string issuer = world.scenario().issuers.front().name;
  const auto [before, before_good] = lived(world, issuer, 60);
  (void)world.take_truth();
  REQUIRE(world.inject(outage(issuer)));
  const auto [during, during_good] = lived(world, issuer, 55);
  CHECK(before_good * 10 > before * 8);
  CHECK(during_good * 10 < during * 4);
  int began = 0, ended = 0;
  (void)lived(world, issuer, 60);
  for (const TruthEvent& event : world.take_truth()) {
    began += event.kind == TruthKind::fault_began ? 1 : 0;
    ended += event.kind == TruthKind::fault_ended ? 1 : 0;
    if (event.kind == TruthKind::fault_began) CHECK(event.ts_ms == kStartMs + 60'000);
  }
  CHECK(began == 1);
  CHECK(ended == 1);
}

TEST_CASE("a world with an injected fault is the world whose scenario had it") {
  World disturbed(calm(), 3, kStartMs);
  disturbed.advance(kStartMs + 60'000, [](const SimulatedAttempt&) {});
  REQUIRE(disturbed.inject(outage(disturbed.scenario().issuers.front().name)));
  World planned(disturbed.scenario(), 3, kStartMs);
  for (World* world : {&disturbed, &planned}) {
    world->advance(kStartMs + 200'000, [](const SimulatedAttempt&) {});
  }
  CHECK(disturbed.latent_bytes() == planned.latent_bytes());
  CHECK(disturbed.books() == planned.books());
}

TEST_CASE("a fault that the world cannot have is refused, and the rate can be changed") {
  World world(calm(), 3, kStartMs);
  CHECK_FALSE(world.inject(outage("NO SUCH BANK")));
  CHECK(world.scenario().faults.size() == calm().faults.size());
  const std::string issuer = world.scenario().issuers.front().name;
  const int before = lived(world, issuer, 60).first;
  world.set_rate_tps(world.scenario().rate_tps * 4);
  CHECK(lived(world, issuer, 60).first > before * 2);
}

}  // namespace
}  // namespace payops::simulators
