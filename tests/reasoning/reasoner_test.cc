#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

using test::Fault;
using test::Kind;
using test::kStart;
using test::Run;
using test::Traffic;

const SeriesKey kHdfc{1, kAny, kAny}, kRazor{kAny, kAny, 2};

TEST_CASE("hours of healthy traffic with a daily rhythm raise no alarm") {
  Run run;
  run.traffic.seed = 11;
  run.traffic.rhythm = [](int64_t t) {
    return 1.0 + 0.6 * std::sin(2.0 * 3.14159265358979 * static_cast<double>(t) / 86'400.0);
  };
  run.until(14'400);  // the budget is one alarm a week: 0.02 here
  CHECK(run.rose.empty());
}

TEST_CASE("with a hundredfold budget false alarms stay within it") {
  Run run;
  run.traffic.seed = 12;
  ReasoningConfig config;
  config.false_alarms_per_week = 100.0;
  run.reasoner = Reasoner(config);
  run.until(14'400);
  CHECK(run.rose.size() <=
        7);  // 2.4 are budgeted; a Poisson count of that mean exceeds 7 once in 250
}

TEST_CASE("a window is tested before it is learnt, so that z has no ceiling") {
  Run run;
  run.traffic.faults = {{Kind::issuer_fails, kHdfc, 1200, 1260, 1.0}};
  run.until(1256);
  CHECK(run.z({.issuer = "HDFC"}, Signal::success_rate) > 20.0);
  CHECK(run.status({.issuer = "HDFC"}).degraded);
  CHECK(run.status({.issuer = "HDFC"}).alarming);
}

TEST_CASE("z of healthy series has about mean zero and unit spread") {
  Run run;
  run.traffic.seed = 5;
  run.until(1800);
  std::array<double, 4> sum{}, squares{};
  double n = 0.0;
  run.each = [&](const Assessment& a) {
    if (run.t % 64 != 0) return;
    for (const SeriesStatus& s : a.statuses) {
      for (std::size_t i = 0; i < 4; ++i) {
        sum[i] += s.readings[i].z;
        squares[i] += s.readings[i].z * s.readings[i].z;
      }
      ++n;
    }
  };
  run.until(9000);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(name_of(static_cast<Signal>(i)));
    CHECK(std::abs(sum[i] / n) < 0.35);
    CHECK(squares[i] / n < 1.6);
    CHECK(squares[i] / n > 0.4);
  }
}

TEST_CASE("a thin series says that it is warming up, and a path needs 500 attempts") {
  Run run;
  run.until(60);
  for (const Reading& r : run.status({.issuer = "SBI"}).readings) CHECK(r.warming_up);
  for (const PathStats& p : run.last.paths) CHECK(p.warming_up);
  run.until(1500);
  for (const Reading& r : run.status({.issuer = "HDFC"}).readings) CHECK_FALSE(r.warming_up);
  for (const PathStats& p : run.last.paths) CHECK(p.warming_up == (p.attempts < 500));
}

TEST_CASE("statuses come global first, then issuers, methods and gateways by name") {
  Run run;
  run.until(40);
  std::vector<std::string> scopes;
  for (const SeriesStatus& s : run.last.statuses) scopes.push_back(to_string(s.scope));
  CHECK(scopes == std::vector<std::string>{"*|*|*", "AXIS|*|*", "HDFC|*|*", "ICICI|*|*", "SBI|*|*",
                                           "*|bnpl|*", "*|card|*", "*|netbanking|*", "*|upi|*",
                                           "*|wallet|*", "*|*|PAYU", "*|*|RAZOR", "*|*|STRIPE"});
}

TEST_CASE("a path's figures are those of its traffic") {
  Run run;
  run.traffic.rate = 100.0;
  run.until(1800);
  const auto path = std::find_if(run.last.paths.begin(), run.last.paths.end(), [](const auto& p) {
    return p.path == Scope{"HDFC", "card", "PAYU"};
  });
  REQUIRE(path != run.last.paths.end());
  CHECK(path->payments_per_s == doctest::Approx(100.0 * 0.3 * 0.4 * 0.4).epsilon(0.15));
  CHECK(path->baseline_success == doctest::Approx(0.95 * 0.97 * 0.99).epsilon(0.02));
  CHECK(std::abs(path->success_rate - 0.912) < 4.0 * path->success_sigma);
  CHECK(path->amount_minor_mean == doctest::Approx(50'000.0));
  CHECK(path->attempts_per_payment == doctest::Approx(1.045).epsilon(0.03));
  CHECK(path->latency_p95_ms == doctest::Approx(350.0 * std::exp(0.45 * 1.645)).epsilon(0.15));
}

TEST_CASE("an outage that our own suppression follows is not read as another one") {
  // 90 % of the payments through RAZOR are moved to STRIPE by us, treated by hash.
  const auto moved = [](bool told) {
    Run run;
    run.traffic.rate = 60.0;
    run.traffic.faults = {{Kind::rerouted, kRazor, 2400, 3000, 0.9}};
    run.until(2400);
    if (told) {
      run.actions = {{kRazor, "reroute_traffic", (kStart + 2400) * 1000, (kStart + 3000) * 1000}};
      run.cycle();
    }
    run.until(3200);
    return run.rose;
  };
  CHECK_FALSE(moved(false).empty());
  CHECK(moved(true).empty());
}

TEST_CASE("a path kept off by us still shows its success without bias") {
  Run run;
  run.traffic.rate = 60.0;
  run.traffic.faults = {{Kind::rerouted, kRazor, 2400, 3000, 0.9}};
  run.until(2400);
  run.actions = {{kRazor, "suppress_path", (kStart + 2400) * 1000, (kStart + 3000) * 1000}};
  run.until(2700);
  CHECK(std::abs(run.z({.gateway = "RAZOR"}, Signal::success_rate)) < 3.5);
  CHECK(run.z({.gateway = "RAZOR"}, Signal::volume) < 3.0);
}

TEST_CASE("under an action of ours on retries, retries raise no alarm and teach nothing") {
  Run run;
  run.traffic.rate = 60.0;
  run.traffic.faults = {{Kind::retries, {}, 1500, 1800, 0.98}};
  run.until(1490);
  run.actions = {{{}, "adjust_retry", (kStart + 1490) * 1000, (kStart + 1900) * 1000}};
  run.cycle();
  run.until(1800);
  CHECK(run.rose.empty());
  const auto baseline = [&] {
    for (const Reading& r : run.status({}).readings) {
      if (r.signal == Signal::retry_rate) return r.baseline;
    }
    return 0.0;
  };
  CHECK(baseline() == doctest::Approx(0.043).epsilon(0.15));
}

void check_posteriors(const Assessment& a) {
  RC_ASSERT(a.alarms.empty() == a.hypotheses.empty());
  if (a.hypotheses.empty()) return;
  double sum = 0.0, prior = 0.0, none = 0.0;
  double before = 1.0;
  for (const Hypothesis& h : a.hypotheses) {
    sum += h.posterior;
    prior += h.prior;
    if (h.cause == Cause::none_of_these) none += h.posterior;
    RC_ASSERT(h.posterior <= before);
    before = h.posterior;
  }
  RC_ASSERT(std::abs(sum - 1.0) < 1e-9);
  RC_ASSERT(std::abs(prior - 1.0) < 1e-9);
  RC_ASSERT(none > 0.0);
  RC_ASSERT(a.hypotheses.front().why_not.empty());
  for (const Hypothesis& h : a.hypotheses) RC_ASSERT(!h.evidence_for.empty());
}

std::vector<Fault> any_faults() {
  std::vector<Fault> faults;
  const auto id = [](DimId most) {
    return *rc::gen::element<DimId>(DimId{kAny}, DimId{1}, DimId{2}, DimId{most});
  };
  for (int i = 0; i < *rc::gen::inRange(1, 4); ++i) {
    const auto kind = static_cast<Kind>(*rc::gen::inRange(0, static_cast<int>(Kind::rush)));
    const double size = kind == Kind::slow ? 4.0 : *rc::gen::element(0.2, 0.5, 0.95);
    const int64_t from = 110 + *rc::gen::inRange(0, 30);
    faults.push_back({kind, {id(4), id(5), id(3)}, from, from + 60, size});
  }
  return faults;
}

TEST_CASE("whatever is wrong, posteriors sum to one with none of these among them") {
  CHECK(rc::check([] {
    Run run;
    run.traffic.seed = *rc::gen::inRange<uint64_t>(0, 1000);
    run.traffic.faults = any_faults();
    run.each = check_posteriors;
    run.until(210);
  }));
}

std::string bytes_of(const Reasoner& reasoner) {
  std::string bytes;
  Encoder out(bytes);
  reasoner.encode(out);
  return bytes;
}

TEST_CASE("a reasoner read back from its bytes goes on exactly as the other") {
  CHECK(rc::check([] {
    Run run;
    run.traffic.seed = *rc::gen::inRange<uint64_t>(0, 1000);
    run.traffic.faults = any_faults();
    if (*rc::gen::arbitrary<bool>()) {
      run.actions = {{kRazor, "suppress_path", kStart * 1000, (kStart + 150) * 1000}};
    }
    run.until(*rc::gen::inRange<int64_t>(1, 190));
    const std::string bytes = bytes_of(run.reasoner);
    Reasoner twin{ReasoningConfig{}};
    Decoder in(bytes);
    twin.decode(in);
    RC_ASSERT(in.at_end());
    RC_ASSERT(bytes_of(twin) == bytes);
    for (int i = 0; i < 40; ++i) {
      const ClosedBucket bucket = run.traffic.at(run.t++);
      RC_ASSERT(run.reasoner.observe(bucket) == twin.observe(bucket));
      if (i % 5 != 0) continue;
      const int64_t ts_ms = (kStart + run.t) * 1000;
      RC_ASSERT(encode(run.reasoner.assess(ts_ms, run.names, run.actions)) ==
                encode(twin.assess(ts_ms, run.names, run.actions)));
      StateDigest a, b;
      run.reasoner.digest_touched(a);
      twin.digest_touched(b);
      RC_ASSERT(a.hex() == b.hex());
    }
    RC_ASSERT(bytes_of(run.reasoner) == bytes_of(twin));
  }));
}

TEST_CASE("bytes cut short give an empty reasoner and not a broken one") {
  Run run;
  run.until(30);
  const std::string bytes = bytes_of(run.reasoner);
  for (std::size_t n = 0; n < bytes.size(); n += 97) {
    Reasoner twin{ReasoningConfig{}};
    Decoder in(std::string_view(bytes).substr(0, n));
    twin.decode(in);
    CHECK_FALSE(in.ok());
    CHECK(twin.series() == 0);
  }
}

TEST_CASE("the digest tells two states apart and takes only what changed") {
  Run a, b;
  b.traffic.seed = 2;
  a.until(20);
  b.until(20);
  StateDigest da, db, again, empty;
  a.reasoner.digest_touched(da);
  b.reasoner.digest_touched(db);
  CHECK(da.hex() != db.hex());
  a.reasoner.digest_touched(again);
  CHECK(again.hex() != da.hex());
}

TEST_CASE("series beyond the limit are refused and the others go on") {
  ReasoningConfig config;
  config.max_series = 60;
  Run run;
  run.reasoner = Reasoner(config);
  run.until(120);
  CHECK(run.reasoner.series() <= 60);
  CHECK(run.reasoner.series_refused() > 0);
  CHECK_FALSE(run.last.paths.empty());
}

TEST_CASE("a second that is not later than the last is ignored") {
  Run run;
  run.until(30);
  const std::string before = bytes_of(run.reasoner);
  Traffic other;
  CHECK_FALSE(run.reasoner.observe(other.at(29)));
  CHECK(bytes_of(run.reasoner) == before);
}

TEST_CASE("settings out of range are refused by name") {
  ReasoningConfig config;
  CHECK(config.validate().has_value());
  config.display_window_s = 61;
  REQUIRE_FALSE(config.validate().has_value());
  CHECK(config.validate().error().message.find("display_window_s") != std::string::npos);
  config = {};
  config.false_alarms_per_week = 0.0;
  CHECK_FALSE(config.validate().has_value());
}

}  // namespace
}  // namespace payops::reasoning
