#include <doctest/doctest.h>

#include "observation/events.h"
#include "payops/core/text.h"
#include "payops/core/yaml_fields.h"

namespace payops::observation {
namespace {

const std::string kExamples = testing::source_path("examples/events/");

FieldMapping example() {
  auto mapping = read_yaml_file<FieldMapping>(kExamples + "acquirer_mapping.yaml");
  if (!mapping) throw std::runtime_error(mapping.error().message);
  return *mapping;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

TEST_CASE("an acquirer's nested event with ISO times and major units becomes an attempt") {
  Rig rig({}, example());
  const std::string event = *read_file(kExamples + "acquirer_event.json");
  rig.add(event, kT0 + 10'000);
  rig.finish();
  REQUIRE(rig.buckets.size() == 1);
  CHECK(rig.buckets[0].second == kSecond0 + 5);
  REQUIRE(rig.buckets[0].cells.size() == 1);
  const LeafCell& leaf = rig.buckets[0].cells[0];
  CHECK(to_string(rig.dictionary.scope(leaf.key.path)) == "HDFC|card|RAZORPAY");
  CHECK(leaf.cell.attempts == 1);
  CHECK(leaf.cell.first_attempts == 0);  // the order's second try
  CHECK(leaf.cell.failures[static_cast<std::size_t>(DeclineClass::issuer_technical)] == 1);
  CHECK(leaf.cell.latency.counts[latency_bucket(1'250)] == 1);
}

TEST_CASE("value maps, numbers taken as text and exact major units") {
  const std::string event = *read_file(kExamples + "acquirer_event.json");
  const auto run = [&](const std::string& from, const std::string& to) {
    Rig rig({}, example());
    rig.add(replaced(event, from, to), kT0 + 10'000);
    rig.finish();
    if (!rig.letters.empty()) {
      return std::string(name_of(rig.letters[0].reason)) + ":" + rig.letters[0].field_name;
    }
    const Cell cell = rig.sum();
    return std::to_string(cell.approvals) + " approved, " + std::to_string(cell.timeouts) +
           " timeout, " + std::to_string(cell.approved_amount_minor);
  };
  CHECK(run("\"code\": \"91\"", "\"code\": 0") == "1 approved, 0 timeout, 49990");
  CHECK(run("\"code\": \"91\"", "\"code\": \"00\"") == "1 approved, 0 timeout, 49990");
  CHECK(run("\"code\": \"91\"", "\"code\": \"68\"") == "0 approved, 1 timeout, 0");
  CHECK(run("\"code\": \"91\"", "\"code\": null") == "missing_field:status");
  CHECK(run("499.90", "499.905") == "number_out_of_range:amount_minor");
  CHECK(run("\"499.90\"", "499.90") == "wrong_type:amount_minor");
  CHECK(run("\"499.90\"", "\"five\"") == "wrong_type:amount_minor");
  CHECK(run("1.25", "-0.5") == "number_out_of_range:latency_ms");
  CHECK(run("2026-03-01T17:30", "yesterday 17:30") == "unknown_value:ts_ms");
  CHECK(run("\"id\":", "\"idx\":") == "missing_field:attempt_id");
  CHECK(run("\"response\": {\"code\": \"91\"",
            "\"response\": {\"code\": \"91\", \"code\": \"05\"") == "malformed_json:");
}

TEST_CASE("a mapping that cannot work is refused in a sentence with its line") {
  const auto message = [](const std::string& yaml) {
    const auto read = read_yaml<FieldMapping>(yaml, "m.yaml");
    return read ? std::string("read") : read.error().message;
  };
  CHECK(message("issuer: {path: bank}") == "read");
  CHECK(message("decline_code: {path: \"\"}") == "read");
  CHECK(message("isuer: {path: bank}") ==
        "m.yaml:1: unknown key \"isuer\" (did you mean \"issuer\"?)");
  CHECK(message("ts_ms: {unit: iso}") ==
        "m.yaml:1: \"ts_ms.unit\" cannot be \"iso\"; one of: ms, s, iso8601 (did you "
        "mean \"ms\"?)");
  CHECK(message("issuer: {path: a..b}") ==
        "m.yaml:1: the path \"a..b\" of issuer has an empty key");
  CHECK(message("issuer: {path: \"\"}") ==
        "m.yaml:1: issuer is required: give it a path or a constant");
  CHECK(message("issuer: {path: bank}\nmethod: {path: bank.kind}") ==
        "m.yaml:1: the path \"bank.kind\" of method runs through \"bank\", which is the value of "
        "issuer");
  CHECK(message("status: {values: {\"00\": aproved}}") ==
        "m.yaml:1: status cannot be \"aproved\"; one of: approved, declined, error, timeout (did "
        "you mean \"approved\"?)");
  CHECK(message("arm: {path: action_ids}") ==
        "m.yaml:1: the path \"action_ids\" of action_ids serves another field too");
}

TEST_CASE("one value may serve two fields") {
  FieldMapping mapping;
  mapping.payment_id.path = "attempt_id";
  mapping.gateway.path = "issuer";
  REQUIRE(mapping.validate());
  Rig rig({}, mapping);
  rig.add(Event{}.without("payment_id").without("gateway"));
  rig.finish();
  REQUIRE(rig.total.attempts == 1);
  CHECK(to_string(rig.dictionary.scope(rig.buckets[0].cells[0].key.path)) == "HDFC|card|HDFC");
}

TEST_CASE("a stream that changes its key order, or mixes two, reads the same") {
  Rig steady, mixed;
  for (int i = 0; i < 200; ++i) {
    Event event = Event{}.id(i).at(kT0 + i * 100).text("issuer", i % 3 == 0 ? "SBI" : "AXIS");
    steady.add(event);
    if (i % 2 == 0 || i > 100) event.backwards();
    if (i % 7 == 0) event.set("a_key_much_longer_than_a_prediction", "{\"x\":[1,{\"y\":null}]}");
    mixed.add(event);
  }
  steady.finish();
  mixed.finish();
  CHECK(steady.buckets == mixed.buckets);
  CHECK(mixed.total.attempts == 200);
}

TEST_CASE("observation's configuration is checked") {
  const auto message = [](const std::string& yaml) {
    const auto read = read_yaml<ObservationConfig>(yaml, "o.yaml");
    return read ? std::string("read") : read.error().message;
  };
  CHECK(message("currencies: {INR: {}, USD: {rate_ppm: 83250000}}") == "read");
  CHECK(message("lateness_ms: -1") == "o.yaml:1: lateness_ms must be 0 to 600000");
  CHECK(message("currencies: {usd: {}}") ==
        "o.yaml:1: currency \"usd\" must be three capital letters");
  CHECK(message("currencies: {INR: {rate_ppm: 2}}") ==
        "o.yaml:1: rate_ppm of the reporting currency INR must be 1000000");
  CHECK(message("latenes_ms: 5") ==
        "o.yaml:1: unknown key \"latenes_ms\" (did you mean \"lateness_ms\"?)");
}

}  // namespace
}  // namespace payops::observation
