#include "payops/payments_agent/complaints.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "closed_loop.h"
#include "payops/core/codec.h"
#include "payops/core/random.h"

namespace payops::payments_agent {
namespace {

constexpr int64_t kBeganMs = 1'772'443'800'000;
constexpr int64_t kMinute = 60'000;

Complaint complaint(int number, int64_t ts_ms, std::string issuer = "HDFC",
                    std::string method = "upi") {
  return {.signal_id = "sig-" + std::to_string(number),
          .ts_ms = ts_ms,
          .issuer = std::move(issuer),
          .method = std::move(method)};
}

std::vector<Complaint> a_burst(int count, int64_t from_ms, int first = 0) {
  std::vector<Complaint> all;
  for (int i = 0; i < count; ++i) all.push_back(complaint(first + i, from_ms + i * 20'000));
  return all;
}

double sum_of(const std::vector<Hypothesis>& hypotheses) {
  return std::accumulate(hypotheses.begin(), hypotheses.end(), 0.0,
                         [](double sum, const Hypothesis& h) { return sum + h.posterior; });
}

TEST_CASE("many complaints about one bank's UPI alarm there, with explanations that compete") {
  Complaints complaints;
  complaints.hear(a_burst(10, kBeganMs), kBeganMs + 4 * kMinute, 0);
  const Assessment told = complaints.added_to({});
  REQUIRE(told.alarms.size() == 1);
  const Alarm& alarm = told.alarms.front();
  CHECK(alarm.scope == Scope{.issuer = "HDFC", .method = "upi"});
  CHECK(alarm.pattern == Pattern::complaints);
  CHECK(alarm.started_ts_ms == kBeganMs);
  CHECK(alarm.statistic >= alarm.threshold);
  CHECK(alarm.cause == Cause::issuer_down);
  CHECK(alarm.certainty > 0.5);
  CHECK(told.rose.size() == 1);
  REQUIRE(!told.hypotheses.empty());
  CHECK(told.hypotheses.front().cause == Cause::issuer_down);
  CHECK(sum_of(told.hypotheses) == doctest::Approx(1.0));
  CHECK(told.hypotheses.back().posterior > 0.0);
  complaints.hear({}, kBeganMs + 5 * kMinute, 0);
  CHECK(complaints.added_to({}).rose.empty());
  CHECK(complaints.added_to({}).alarms.front().id == alarm.id);
}

TEST_CASE("two complaints, and the same one told ten times, are no alarm") {
  Complaints complaints;
  complaints.hear(a_burst(2, kBeganMs), kBeganMs + kMinute, 0);
  for (int i = 0; i < 10; ++i) {
    complaints.hear({complaint(0, kBeganMs + i)}, kBeganMs + 2 * kMinute + i, 0);
  }
  CHECK(!complaints.alarming());
}

TEST_CASE("complaints that name many banks and one method alarm at the method") {
  Complaints complaints;
  std::vector<Complaint> heard;
  for (int i = 0; i < 24; ++i) {
    heard.push_back(complaint(i, kBeganMs + i * 10'000, "BANK" + std::to_string(i % 8), "upi"));
  }
  complaints.hear(heard, kBeganMs + 5 * kMinute, 0);
  const Assessment told = complaints.added_to({});
  REQUIRE(told.alarms.size() == 1);
  CHECK(told.alarms.front().scope == Scope{.method = "upi"});
  CHECK(told.hypotheses.front().cause == Cause::method_wide);
}

TEST_CASE("an alarm ends with its complaints, and is told in the payments' time") {
  Complaints complaints;
  constexpr int64_t kEventMs = 5'000'000;
  complaints.hear(a_burst(10, kBeganMs), kBeganMs + 4 * kMinute, kEventMs);
  CHECK(complaints.added_to({}).alarms.front().started_ts_ms == kEventMs - 4 * kMinute);
  complaints.hear({}, kBeganMs + 30 * kMinute, kEventMs + 26 * kMinute);
  const Assessment told = complaints.added_to({});
  CHECK(told.alarms.empty());
  REQUIRE(told.ended.size() == 1);
  CHECK(told.ended.front().ended_ts_ms == kEventMs + 26 * kMinute);
  CHECK(told.hypotheses.empty());
}

TEST_CASE("where payments alarm, complaints are evidence and no alarm of their own") {
  Complaints complaints;
  complaints.hear(a_burst(10, kBeganMs), kBeganMs + 4 * kMinute, 0);
  Assessment payments;
  payments.alarms.push_back({.id = "alm-1", .scope = {.issuer = "HDFC"}});
  payments.hypotheses.resize(2);
  payments.hypotheses[0].cause = Cause::issuer_down;
  payments.hypotheses[0].scope.issuer = "HDFC";
  const Assessment told = complaints.added_to(payments);
  CHECK(told.alarms.size() == 1);
  CHECK(told.hypotheses[0].evidence_for.size() == 1);
  CHECK(told.hypotheses[1].evidence_for.empty());
  CHECK(complaints.added_to({}).alarms.empty());  // and is not told after theirs has ended
}

TEST_CASE("payments that look well make it likelier that not all of them are seen") {
  Complaints complaints;
  complaints.hear(a_burst(10, kBeganMs), kBeganMs + 4 * kMinute, 0);
  const auto likely = [&](bool degraded) {
    Assessment payments;
    payments.statuses.push_back(
        {.scope = {.issuer = "HDFC"}, .attempts = 500, .degraded = degraded, .readings = {}});
    for (const Hypothesis& h : complaints.added_to(payments).hypotheses) {
      if (h.cause == Cause::data_problem) return h.posterior;
    }
    return -1.0;
  };
  CHECK(likely(false) > 3.0 * likely(true));
}

TEST_CASE("at the usual rate false alarms keep to their budget") {
  // Ten banks, each complained of twice an hour, for 20 weeks: at most a few alarms.
  ComplaintConfig config;
  config.false_alarms_per_week = 0.5;
  Complaints complaints;
  complaints.configure(config);
  RandomStream random = Random(7).at(1);
  int alarms = 0, number = 0;
  double next_min = 0.0;
  constexpr double kMinutes = 20.0 * 7.0 * 24.0 * 60.0;
  for (int64_t minute = 0; minute < static_cast<int64_t>(kMinutes); minute += 10) {
    std::vector<Complaint> heard;
    while (next_min < static_cast<double>(minute + 10)) {
      const int64_t ts_ms = kBeganMs + std::llround(next_min * 60'000.0);
      heard.push_back(complaint(number++, ts_ms, "BANK" + std::to_string(random.below(10)), "*"));
      next_min += random.exponential() * 60.0 / 20.0;
    }
    complaints.hear(std::move(heard), kBeganMs + (minute + 10) * kMinute, 0);
    alarms += static_cast<int>(complaints.added_to({}).rose.size());
  }
  CHECK(alarms <= 20);  // 10 are allowed for on average
}

TEST_CASE("what was heard in pieces and restored between them is what was heard at once") {
  rc::check([] {
    const auto gaps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 300));
    Complaints whole, pieces;
    int64_t ts_ms = kBeganMs;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      ts_ms += gaps[i] * 1000;
      const Complaint one = complaint(static_cast<int>(i), ts_ms, i % 3 == 0 ? "SBI" : "HDFC");
      whole.hear({one}, ts_ms, ts_ms);
      pieces.hear({one}, ts_ms, ts_ms);
      auto restored = decode<Complaints>(encode(pieces));
      RC_ASSERT(restored.has_value());
      pieces = *restored;
    }
    RC_ASSERT(encode(whole) == encode(pieces));
  });
}

TEST_CASE("what is no complaint is refused in a sentence") {
  for (const char* text : {"", "[]", "{}", R"({"signal_id":"s","ts_ms":0})",
                           R"({"signal_id":"s","ts_ms":5,"issuer":"a|b"})",
                           R"({"signal_id":"s","ts_ms":5,"issuer":7})"}) {
    const auto parsed = parse_complaint(text);
    REQUIRE_MESSAGE(!parsed.has_value(), text);
    CHECK(!parsed.error().message.empty());
  }
  CHECK(parse_complaint(R"({"signal_id":"s","ts_ms":5,"issuer":"HDFC","more":1})").has_value());
}

TEST_CASE("complaints are recorded behind the counts, and a block without them is as ever") {
  InputHead head;
  const std::string before = encode_block(head, {});
  head.complaints = a_burst(3, kBeganMs);
  const std::string block = encode_block(head, {});
  CHECK(block.starts_with(before));
  REQUIRE(decode_block(before).has_value());
  CHECK(decode_block(before)->head.complaints.empty());
  REQUIRE(decode_block(block).has_value());
  CHECK(decode_block(block)->head.complaints.size() == 3);
  CHECK(encode(decode_block(block)->head.complaints) == encode(head.complaints));
  CHECK(!decode_block(block.substr(0, block.size() - 1)).has_value());
  head.complaints.front().ts_ms = 0;
  head.step = 1;
  const Dictionary no_names;
  CHECK(!check_input({head, {}}, no_names, 0).has_value());
}

TEST_CASE("complaints alone, without payments, raise a hypothesis and no action on traffic") {
  ClosedLoop world("healthy_day");
  world.complain(a_burst(10, kBeganMs), kBeganMs + 4 * kMinute);
  const CycleReport& report = world.report();
  REQUIRE(report.alarms.size() == 1);
  CHECK(report.alarms.front().scope == Scope{.issuer = "HDFC", .method = "upi"});
  REQUIRE(!report.hypotheses.empty());
  CHECK(report.hypotheses.front().cause == Cause::issuer_down);
  CHECK(report.options.size() <= 1);
  CHECK(report.action_id.empty());
  CHECK(report.at_ms == kBeganMs + 4 * kMinute);
  REQUIRE(report.incidents.size() == 1);
  CHECK(report.incidents.front().pattern == "complaints");
  REQUIRE(!report.complaints.empty());
  CHECK(report.complaints.front().alarming);
  world.restart();  // recomputed from the recorded input, digest by digest
  world.complain({}, kBeganMs + 30 * kMinute);
  CHECK(world.report().alarms.empty());
  REQUIRE(world.report().incidents.size() == 1);
  CHECK(world.report().incidents.front().status == IncidentStatus::resolved);
}

}  // namespace
}  // namespace payops::payments_agent
