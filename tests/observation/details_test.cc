#include <doctest/doctest.h>

#include <set>

#include "observation/events.h"

namespace payops::observation {
namespace {

// All detail cells of all buckets.
std::vector<DetailCell> details(const Rig& rig) {
  std::vector<DetailCell> all;
  for (const ClosedBucket& bucket : rig.buckets) {
    all.insert(all.end(), bucket.details.begin(), bucket.details.end());
  }
  return all;
}

std::string name(const Rig& rig, Detail detail, DimId id) {
  return rig.dictionary.of(detail).name(id);
}

TEST_CASE("a first attempt is counted by region, merchant, amount and stage") {
  Rig rig;
  rig.add(Event{}.id(1).text("region", "west").text("merchant_id", "m-7"));
  rig.add(Event{}
              .id(2)
              .text("region", "west")
              .text("merchant_id", "m-7")
              .text("status", "error")
              .text("decline_code", "ACS_UNAVAILABLE")
              .text("stage", "authenticated"));
  rig.add(Event{}.id(3).text("region", "west").text("merchant_id", "m-7").set("attempt_no", "2"));
  rig.finish();
  const auto all = details(rig);
  REQUIRE(all.size() == 1);
  CHECK(name(rig, Detail::region, all[0].key.region) == "west");
  CHECK(name(rig, Detail::merchant, all[0].key.merchant) == "m-7");
  CHECK(all[0].key.band == 1);  // 499.90 INR: from 100 to below 1000
  CHECK(all[0].reached == std::array<uint32_t, 3>{0, 1, 1});
  CHECK(all[0].failed == std::array<uint32_t, 3>{0, 1, 0});
  std::array<uint32_t, kFaultClasses> classes{};
  classes[fault_index(DeclineClass::authentication)] = 1;
  CHECK(all[0].by_class == classes);
}

TEST_CASE("amounts fall into four bands, each ten times the one before") {
  Rig rig;
  int64_t id = 0;
  for (const char* amount :
       {"0", "9999", "10000", "99999", "100000", "999999", "1000000", "999999999999"}) {
    rig.add(Event{}.id(++id).set("amount_minor", amount));
  }
  rig.finish();
  const auto all = details(rig);
  REQUIRE(all.size() == 4);
  for (std::size_t band = 0; band < 4; ++band) {
    CHECK(all[band].key.band == band);
    CHECK(all[band].reached[2] == 2);
  }
}

TEST_CASE("what an event does not say is \"other\", and numbers are names") {
  Rig rig;
  rig.add(Event{}.id(1).without("region").without("merchant_id"));
  rig.add(Event{}.id(2).set("region", "null").set("merchant_id", "4711"));
  rig.finish();
  const auto all = details(rig);
  REQUIRE(all.size() == 2);
  CHECK(all[0].key.region == kOther);
  CHECK(all[0].key.merchant == kOther);
  CHECK(name(rig, Detail::merchant, all[1].key.merchant) == "4711");
  CHECK(rig.total.detail_names_to_other == 0);
}

TEST_CASE("a stage that is none is a dead letter") {
  Rig rig;
  rig.add(Event{}.text("stage", "captured"));
  CHECK(rig.total.dead_letters.at("unknown_value") == 1);
  REQUIRE(rig.letters.size() == 1);
  CHECK(rig.letters[0].field_name == "stage");
}

TEST_CASE("invented merchants fill \"other\" and no memory") {
  ObservationConfig config;
  config.max_merchants = 4;
  config.max_regions = 2;
  config.max_detail_keys = 10;
  Rig rig(config);
  for (int64_t i = 0; i < 2'000; ++i) {
    rig.add(Event{}
                .id(i)
                .text("merchant_id", "evil-" + std::to_string(i))
                .text("region", "r-" + std::to_string(i))
                .set("amount_minor", std::to_string(i)));
  }
  rig.finish();
  CHECK(rig.dictionary.of(Detail::merchant).size() == 5);
  CHECK(rig.dictionary.of(Detail::region).size() == 3);
  const auto all = details(rig);
  CHECK(all.size() <= 11);
  uint32_t attempts = 0;
  for (const DetailCell& cell : all) attempts += cell.reached[2];
  CHECK(attempts == 2'000);
  CHECK(rig.total.detail_names_to_other == 1'998);
  CHECK(rig.total.dead_letters_total() == 0);
}

TEST_CASE("keys beyond a second's bound are counted in the one of all \"other\"") {
  ObservationConfig config;
  config.max_detail_keys = 3;
  Rig rig(config);
  for (int64_t i = 0; i < 8; ++i) {
    rig.add(Event{}.id(i).text("merchant_id", "m-" + std::to_string(i % 6)));
  }
  rig.finish();
  const auto all = details(rig);
  REQUIRE(all.size() == 4);
  CHECK(all[0].key == DetailKey{.path = {kOther, kOther, kOther}});
  CHECK(all[0].reached[2] == 3);  // m-3, m-4, m-5
  CHECK(rig.total.details_to_other == 3);
}

TEST_CASE("details come sorted, whatever the order of the messages") {
  Rig rig;
  int64_t id = 0;
  for (int64_t i = 0; i < 400; ++i) {
    const int64_t n = i * 7919 % 401;
    rig.add(Event{}
                .id(++id)
                .text("merchant_id", "m-" + std::to_string(n % 90))
                .text("region", "r-" + std::to_string(n % 7))
                .text("issuer", "I-" + std::to_string(n % 5))
                .set("amount_minor", std::to_string(n * 40'000)));
  }
  rig.finish();
  for (const ClosedBucket& bucket : rig.buckets) {
    CHECK(std::is_sorted(bucket.details.begin(), bucket.details.end(),
                         [](const DetailCell& a, const DetailCell& b) { return a.key < b.key; }));
    std::set<DetailKey> keys;
    for (const DetailCell& cell : bucket.details) keys.insert(cell.key);
    CHECK(keys.size() == bucket.details.size());
  }
}

}  // namespace
}  // namespace payops::observation
