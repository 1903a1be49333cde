#include "payops/simulators/world.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <set>

#include "payops/core/json_fields.h"
#include "run.h"

namespace payops::simulators {
namespace {

TEST_CASE("the same seed gives the same bytes, however the time is cut into pieces") {
  Scenario scenario = calm(60);
  scenario.drift.sigma = 0.05;
  const Run once = run(scenario, 5, 120);
  Doings nothing;
  for (const int64_t second : {1, 2, 3, 40, 41, 97}) nothing[second] = [](World&) {};
  CHECK(run(scenario, 5, 120, nothing).text() == once.text());

  World world(scenario, 5, kStartMs);
  std::string text, buffer;
  for (int64_t ms = 0; ms < 120'000; ms += 777) {
    world.advance(kStartMs + std::min<int64_t>(ms + 777, 120'000), [&](const SimulatedAttempt& a) {
      CHECK(a.published_ms >= kStartMs + ms);
      CHECK(a.published_ms < kStartMs + ms + 777);
      text += std::string(to_json(a, buffer)) + "\n";
    });
  }
  CHECK(text == once.text());
  CHECK(run(scenario, 6, 120).text() != once.text());
}

TEST_CASE("attempts come in order of completion, a payment's in order of their number") {
  const Run result = run(calm(), 2, 60);
  std::map<uint64_t, uint32_t> last;
  int64_t previous = 0;
  std::set<std::string> ids;
  for (const Seen& seen : result.attempts) {
    CHECK(seen.ts_ms >= previous);
    CHECK(seen.ts_ms == seen.started_ms + seen.latency_ms);
    CHECK(seen.attempt_no == ++last[seen.payment]);
    CHECK(ids.insert(seen.json.substr(0, 40)).second);
    previous = seen.ts_ms;
  }
}

TEST_CASE("payments = converted + lost + in flight, at every moment and in every scenario") {
  const auto names = scenario_names();
  CHECK(rc::check([&] {
    const auto& name = *rc::gen::elementOf(names);
    const auto seed = *rc::gen::inRange<uint64_t>(0, 1000);
    const auto scenario = load_scenario(name);
    RC_ASSERT(scenario.has_value());
    World world(*scenario, seed, kStartMs, 5.0);
    std::set<uint64_t> seen, finished;
    Books counted;
    for (int64_t now = 0; now < 700'000; now += *rc::gen::inRange<int64_t>(1, 100'000)) {
      world.advance(kStartMs + now, [&](const SimulatedAttempt& a) {
        ++counted.attempts;
        counted.retries += a.attempt_no > 1;
        counted.converted += a.status == AttemptStatus::approved;
        if (a.status == AttemptStatus::approved && !a.fraud)
          counted.converted_minor += a.amount_minor;
        seen.insert(a.payment);
      });
      const Books books = world.books();
      RC_ASSERT(books.payments == books.converted + books.lost + books.in_flight);
      if (name == "data_delay") continue;  // what is published lags behind the books
      RC_ASSERT(books.converted == counted.converted);
      RC_ASSERT(books.converted_minor == counted.converted_minor);
      RC_ASSERT(books.attempts == counted.attempts);
      RC_ASSERT(books.retries == counted.retries);
      RC_ASSERT(seen.size() <= books.payments);
    }
  }));
}

TEST_CASE("money is the margin of what converted less fees for every try") {
  const Scenario scenario = calm();
  const Run result = run(scenario, 3, 60);
  int64_t revenue = 0, fees = 0;
  for (const Seen& seen : result.attempts) {
    for (const GatewaySpec& gateway : scenario.gateways) {
      if (gateway.name != seen.gateway) continue;
      fees += gateway.fee_minor;
      const auto amount = static_cast<double>(seen.amount_minor);
      if (!seen.approved()) continue;
      fees += std::llround(amount * gateway.fee_bps / 10'000);
      revenue += std::llround(amount * scenario.economics.margin_share);
    }
  }
  const Books& books = result.books;
  CHECK(books.revenue_minor == revenue);
  CHECK(books.fees_minor == fees);
  CHECK(books.retries > 0);
  CHECK(books.retry_fees_minor ==
        static_cast<int64_t>(books.retries) * scenario.economics.retry_fee_minor);
  CHECK(books.net_revenue_minor() == revenue - fees - books.retry_fees_minor);
  CHECK(books_without_actions(scenario, 3, kStartMs, kStartMs + 60'000) == books);
}

TEST_CASE("arrivals are Poisson at the given rate and follow the hour of day") {
  Scenario scenario = calm(200);
  scenario.rhythm = {.amplitude = 0.5, .peak_hour = 17.5, .utc_offset_h = 5.5};  // 12:00 UTC
  const auto per_second = [&](int64_t start_ms) {
    World world(scenario, 8, start_ms);
    std::vector<double> counts;
    uint64_t before = 0;
    for (int64_t second = 1; second <= 400; ++second) {
      world.advance(start_ms + second * 1000, [](const SimulatedAttempt&) {});
      counts.push_back(static_cast<double>(world.books().payments - before));
      before = world.books().payments;
    }
    return counts;
  };
  const auto mean = [](const std::vector<double>& x) {
    double sum = 0;
    for (const double value : x) sum += value;
    return sum / static_cast<double>(x.size());
  };
  const auto day = per_second(kStartMs);
  CHECK(mean(day) == doctest::Approx(300).epsilon(0.01));
  CHECK(mean(per_second(kStartMs + 12 * 3'600'000)) == doctest::Approx(100).epsilon(0.02));
  double variance = 0;
  for (const double count : day) variance += (count - mean(day)) * (count - mean(day));
  CHECK(variance / 400 == doctest::Approx(300).epsilon(0.2));
}

TEST_CASE("on a calm day first attempts succeed at the mean of the drift, by shares of traffic") {
  const Scenario scenario = calm();
  const Run result = run(scenario, 4, 300);
  const auto first = [](const Seen& s) { return s.attempt_no == 1; };
  CHECK(share(result, first, [](const Seen& s) { return s.approved(); }) ==
        doctest::Approx(0.95).epsilon(0.005));
  for (const GatewaySpec& gateway : scenario.gateways) {
    CHECK(share(result, first, [&](const Seen& s) { return s.gateway == gateway.name; }) ==
          doctest::Approx(gateway.share).epsilon(0.05));
  }
  for (const IssuerSpec& issuer : scenario.issuers) {
    CHECK(share(result, first, [&](const Seen& s) { return s.issuer == issuer.name; }) ==
          doctest::Approx(issuer.share).epsilon(0.08));
  }
}

TEST_CASE("an event is one JSON object with the documented keys in order and no more") {
  const Run result = run(calm(), 1, 20);
  const std::vector<std::string> keys = {
      "attempt_id",   "payment_id",  "attempt_no", "ts_ms",        "issuer",   "method",
      "gateway",      "merchant_id", "user_id",    "amount_minor", "currency", "status",
      "decline_code", "latency_ms",  "region",     "action_ids",   "arm",      "propensity"};
  std::size_t bytes = 0;
  for (const Seen& seen : result.attempts) {
    const Json event = Json::parse(seen.json);
    std::vector<std::string> found;
    for (const auto& [key, value] : event.items()) found.push_back(key);
    REQUIRE(found == keys);
    CHECK(event["ts_ms"] == seen.ts_ms);
    CHECK(event["issuer"] == seen.issuer);
    CHECK(event["status"] == std::string(name_of(seen.status)));
    CHECK(event["arm"] == "none");
    CHECK(event["decline_code"].get<std::string>().empty() ==
          (seen.approved() || seen.status == AttemptStatus::timeout));
    bytes += seen.json.size();
  }
  CHECK(bytes / result.attempts.size() > 300);
  CHECK(bytes / result.attempts.size() < 400);
}

TEST_CASE("truth tells when faults begin and end, and how every path is now and then") {
  const auto scenario = load_scenario("two_faults");
  REQUIRE(scenario);
  World world(*scenario, 1, kStartMs, 1.0);
  world.advance(kStartMs + 1'800'000, [](const SimulatedAttempt&) {});
  std::vector<std::string> story;
  std::size_t snapshots = 0;
  for (const TruthEvent& event : world.take_truth()) {
    if (event.kind == TruthKind::latent) {
      ++snapshots;
      CHECK(event.paths.size() == 4 * 5 * 3);
      continue;
    }
    story.push_back(std::to_string((event.ts_ms - kStartMs) / 1000) + " " +
                    std::string(name_of(event.kind)) + " " + event.fault + " " +
                    to_string(event.scope));
  }
  CHECK(snapshots == 60);
  CHECK(story == std::vector<std::string>{"300 fault_began gateway_failure *|*|PAYU",
                                          "420 fault_began outage SBI|*|*",
                                          "900 fault_ended gateway_failure *|*|PAYU",
                                          "1020 fault_ended outage SBI|*|*"});
  CHECK(world.take_truth().empty());
}

}  // namespace
}  // namespace payops::simulators
