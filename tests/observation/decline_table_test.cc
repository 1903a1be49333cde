#include <doctest/doctest.h>

#include "observation/events.h"
#include "payops/core/yaml_fields.h"

namespace payops::observation {
namespace {

TEST_CASE("the table knows who is behind a code and whether trying again can help") {
  const DeclineTable table = declines();
  const auto says = [&](std::string_view code) {
    const auto meaning = table.find(code);
    return meaning ? std::string(name_of(meaning->decline_class)) + " " +
                         std::string(name_of(meaning->hardness))
                   : std::string("unknown");
  };
  CHECK(says("51") == "customer retry_after");
  CHECK(says("54") == "customer hard");
  CHECK(says("55") == "customer soft");
  CHECK(says("05") == "issuer_policy soft");
  CHECK(says("57") == "issuer_policy hard");
  CHECK(says("91") == "issuer_technical retry_after");
  CHECK(says("96") == "issuer_technical retry_after");
  CHECK(says("Z9") == "customer retry_after");
  CHECK(says("ZM") == "customer soft");
  CHECK(says("U30") == "issuer_technical soft");
  CHECK(says("U28") == "issuer_technical retry_after");
  CHECK(says("Y1") == "gateway retry_after");  // the merchant's bank, not the customer's
  CHECK(says("GATEWAY_ERROR") == "gateway retry_after");
  CHECK(says("NETWORK_ERROR") == "network retry_after");
  CHECK(says("") == "unknown");
  CHECK(says("510") == "unknown");
  CHECK(says("z9") == "unknown");
  CHECK_FALSE(DeclineTable().find("51"));
}

TEST_CASE("codes that card schemes forbid to retry are hard") {
  const DeclineTable table = declines();
  for (const char* code : {"04", "07", "14", "41", "43", "46", "54", "R0", "R1", "R3"}) {
    CAPTURE(code);
    REQUIRE(table.find(code));
    CHECK(table.find(code)->hardness == Hardness::hard);
  }
}

TEST_CASE("a code in two sections is refused") {
  const auto codes = read_yaml<DeclineCodes>(
      "iso8583:\n  \"05\": {class: issuer_policy}\nupi:\n  \"05\": {class: customer}\n", "d.yaml");
  REQUIRE_FALSE(codes);
  CHECK(codes.error().message == "d.yaml:1: the code \"05\" stands in both iso8583 and upi");
}

TEST_CASE("unknown codes count as unknown failures, by name up to a bound") {
  ObservationConfig config;
  config.max_unknown_codes = 2;
  Rig rig(config);
  const char* codes[] = {"\"Q7\"", "\"Q7\"", "\"Q8\"", "\"Q9\"", "\"4111111111111111\"",
                         "null",   "\"51\""};
  int64_t n = 0;
  for (const char* code : codes) {
    rig.observer.add(
        {0, n, Event{}.id(n).text("status", "declined").set("decline_code", code).json()},
        kT0 + 60'000);
    ++n;
  }
  rig.finish();
  CHECK(rig.total.unknown_codes ==
        std::map<std::string, int64_t>{{"Q7", 2}, {"Q8", 1}, {"other", 3}});
  CHECK(rig.sum().failures[static_cast<std::size_t>(DeclineClass::unknown)] == 6);
  CHECK(rig.sum().failures[static_cast<std::size_t>(DeclineClass::customer)] == 1);
}

TEST_CASE("a card number given as a code is not kept as a name") {
  Rig rig;
  rig.add(Event{}.text("status", "declined").text("decline_code", "4111111111111111"));
  rig.add(Event{}.id(2).text("status", "error").set("decline_code", "null"));
  rig.finish();
  CHECK(rig.total.unknown_codes ==
        std::map<std::string, int64_t>{{"************1111", 1}, {"(none)", 1}});
}

TEST_CASE("named unknown codes stay bounded when counts are added up") {
  IngestCounts sum;
  for (int i = 0; i < 3'000; ++i) {
    IngestCounts one;
    one.unknown_codes["code " + std::to_string(i)] = 1;
    sum += one;
  }
  CHECK(sum.unknown_codes.size() <= kMaxNamedCodes + 1);
  CHECK(sum.unknown_codes.at("other") == 3'000 - static_cast<int64_t>(kMaxNamedCodes));
}

}  // namespace
}  // namespace payops::observation
