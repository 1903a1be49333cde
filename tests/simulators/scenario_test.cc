#include "payops/simulators/scenario.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "payops/core/yaml_fields.h"
#include "payops/model/attempt.h"
#include "payops/simulators/continuous_stream.h"
#include "run.h"

namespace payops::simulators {
namespace {

struct CodeMeaning {
  DeclineClass cause = DeclineClass::unknown;
  Hardness hardness = Hardness::soft;
  std::string meaning;
  static constexpr auto fields() {
    return std::make_tuple(field("class", &CodeMeaning::cause),
                           field("hardness", &CodeMeaning::hardness),
                           field("meaning", &CodeMeaning::meaning));
  }
};

struct CodeTable {
  std::map<std::string, CodeMeaning> iso8583, upi, network, gateway;
  static constexpr auto fields() {
    return std::make_tuple(field("iso8583", &CodeTable::iso8583), field("upi", &CodeTable::upi),
                           field("network", &CodeTable::network),
                           field("gateway", &CodeTable::gateway));
  }
};

// Names of a struct's keys, and of those below it.
template <class T>
void key_names(std::set<std::string>& names) {
  T value{};
  for_each_field(value, [&]<class Member>(std::string_view name, Member&) {
    names.emplace(name);
    if constexpr (Reflected<Member>) key_names<Member>(names);
  });
}

std::string error_of(const std::string& yaml) {
  const auto read = parse_scenario(yaml, "s.yaml");
  return read ? "read" : read.error().message;
}

TEST_CASE("every scenario in the folder loads, is named as its file, and leaves time to warm up") {
  const auto names = scenario_names();
  for (const char* name :
       {"continuous_drift", "healthy_day", "issuer_outage", "slow_ramp", "flapping",
        "gateway_failure", "retry_storm", "latency_spike", "method_fatigue",
        "insufficient_funds_shift", "traffic_mix_shift", "fraud_burst", "two_faults", "demo"}) {
    CHECK_MESSAGE(std::find(names.begin(), names.end(), name) != names.end(), name);
  }
  std::set<FaultKind> kinds;
  for (const std::string& name : names) {
    const auto scenario = load_scenario(name);
    REQUIRE_MESSAGE(scenario.has_value(), scenario.error().message);
    CHECK(scenario->name == name);
    CHECK(scenario->description.size() > 40);
    CHECK(scenario->rate_tps >= 20);
    for (const Fault& fault : scenario->faults) {
      kinds.insert(fault.kind);
      CHECK(fault.start_s >= 120);
      CHECK(fault.start_s + fault.duration_s < scenario->duration_s);
    }
  }
  CHECK(kinds.size() == enum_names<FaultKind>.size());
}

TEST_CASE("a scenario is found by name or path, and a misspelt one is told its neighbour") {
  CHECK(load_scenario("simulators/scenarios/flapping.yaml").value().name == "flapping");
  const auto wrong = load_scenario("issuer_outtage");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::not_found);
  CHECK(wrong.error().message.starts_with(
      "no scenario \"issuer_outtage\" (did you mean \"issuer_outage\"?); one of: "));
  CHECK(load_scenario("/nowhere/x.yaml").error().code == ErrorCode::not_found);
}

TEST_CASE("a scenario that cannot be is refused in a sentence with line and key") {
  CHECK(error_of("name: x\nrate_tp: 3\n") ==
        "s.yaml:2: unknown key \"rate_tp\" (did you mean \"rate_tps\"?)");
  CHECK(error_of("faults:\n  - {kind: outtage}\n").find("s.yaml:2: \"faults[].kind\"") == 0);
  CHECK(error_of("faults:\n  - {kind: outage, severity: 1.5}\n") ==
        "s.yaml:2: in \"faults[]\": \"severity\" must be from 0.000 to 1.000, not 1.500");
  CHECK(error_of("faults:\n  - {kind: outage, scope: {issuer: HDFCC}}\n") ==
        "s.yaml:1: \"faults[0].scope.issuer\" cannot be \"HDFCC\"; one of: *, HDFC, ICICI, AXIS, "
        "SBI (did you mean \"HDFC\"?)");
  CHECK(error_of("drift: {theta: 0}\n").find("\"theta\" must be from") != std::string::npos);
  CHECK(error_of("drift: {sigma: .nan}\n").find("\"sigma\" must be from") != std::string::npos);
  CHECK(error_of("issuers: []\n").find("\"issuers\" must have 1 to 200 entries") !=
        std::string::npos);
  CHECK(error_of("gateways: [{name: A}, {name: A}]\n").find("names \"A\" twice") !=
        std::string::npos);
  CHECK(error_of("methods: [{name: 'a\"b'}]\n").find("without quotes") != std::string::npos);
  CHECK(error_of("rate_tps: -1\n").find("\"rate_tps\" must be from") != std::string::npos);
}

TEST_CASE("the guide to scenarios names every key and every kind of fault") {
  std::set<std::string> names;
  key_names<Scenario>(names);
  key_names<IssuerSpec>(names);
  key_names<MethodSpec>(names);
  key_names<GatewaySpec>(names);
  key_names<PathSpec>(names);
  key_names<Fault>(names);
  key_names<ContinuousStream>(names);
  for (const std::string_view kind : enum_names<FaultKind>) names.emplace(kind);
  const auto guide = read_file("docs/scenarios.md");
  REQUIRE(guide);
  for (const std::string& name : names) {
    CHECK_MESSAGE(guide->find("`" + name + "`") != std::string::npos, name);
  }
}

TEST_CASE("decline codes mean to the code table what caused the failure in the world") {
  const auto table = read_yaml_file<CodeTable>("config/decline_codes.yaml");
  REQUIRE_MESSAGE(table.has_value(), table.error().message);
  Scenario scenario = calm();
  scenario.drift.mean_success = 0.5;
  scenario.faults = {{.kind = FaultKind::gateway_failure,
                      .start_s = 0,
                      .duration_s = 60,
                      .scope = {"*", "*", "PAYU"},
                      .severity = 0.5}};
  std::set<std::string> met;
  World world(scenario, 1, kStartMs);
  world.advance(kStartMs + 60'000, [&](const SimulatedAttempt& a) {
    if (a.decline_code.empty()) return;
    const std::string code(a.decline_code);
    if (!met.insert(code + std::string(name_of(a.cause))).second) return;
    for (const auto* section : {&table->iso8583, &table->upi, &table->network, &table->gateway}) {
      const auto it = section->find(code);
      if (it == section->end()) continue;
      CHECK_MESSAGE(it->second.cause == a.cause, code);
      return;
    }
    FAIL_CHECK("not in the table: " << code);
  });
  CHECK(met.size() > 15);
}

TEST_CASE("config/continuous_stream.yaml sets the demo's world") {
  const auto stream = load_continuous_stream("config/continuous_stream.yaml");
  REQUIRE_MESSAGE(stream.has_value(), stream.error().message);
  CHECK(stream->drift.theta == 0.1);
  CHECK(stream->drift.sigma == 0.05);
  CHECK(stream->drift.mean_success == 0.95);
  CHECK(stream->agent.cycle_interval == 8);
  CHECK(stream->agent.anomaly_threshold == 2.0);
  CHECK(stream->agent.min_action_frequency_cycles == 6);
  CHECK(stream->logging.format == LogFormat::text);
  CHECK(stream->issuers == std::vector<std::string>{"HDFC", "ICICI", "AXIS", "SBI"});
  CHECK(stream->methods == std::vector<std::string>{"card", "upi", "wallet", "bnpl", "netbanking"});
  CHECK(stream->rate_tps >= 20);

  const auto demo = load_scenario(stream->scenario);
  REQUIRE(demo);
  auto changed = *stream;
  changed.gateways = {"PAYU", "STRIPE"};
  changed.drift.sigma = 0.01;
  const auto world = world_of(changed, *demo);
  REQUIRE(world);
  CHECK(world->drift.sigma == 0.01);
  CHECK(world->rate_tps == stream->rate_tps);
  CHECK(world->gateways[0].share == demo->gateways[1].share);
  CHECK(world->gateways[1].share == doctest::Approx(1.0 / 3));
  changed.issuers = {"SBI"};
  CHECK_FALSE(world_of(changed, *demo));  // the outage's HDFC is gone
}

}  // namespace
}  // namespace payops::simulators
