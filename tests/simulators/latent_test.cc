#include "payops/simulators/latent.h"

#include <doctest/doctest.h>

#include <cmath>

#include "payops/core/random.h"
#include "payops/simulators/world.h"
#include "run.h"

namespace payops::simulators {
namespace {

struct Moments {
  double n = 0, sum = 0, squares = 0;
  void add(double x) {
    ++n;
    sum += x;
    squares += x * x;
  }
  [[nodiscard]] double mean() const { return sum / n; }
  [[nodiscard]] double variance() const { return squares / n - mean() * mean(); }
};

TEST_CASE("the drift has the stationary moments and the memory that theory gives it") {
  const double theta = 0.1, sigma = 0.05, mean = 0.95;
  const OrnsteinUhlenbeck process(mean, theta, sigma, 1.0);
  CHECK(process.stationary_sigma() == doctest::Approx(0.1118).epsilon(0.001));
  RandomStream draw = Random(11).at(1);
  Moments level;
  double product = 0, x = mean, lagged = 0;
  const int steps = 1'000'000, burn_in = 200;
  for (int i = 0; i < steps; ++i) {
    const double previous = x;
    x = process.next(x, draw.normal());
    if (i < burn_in) continue;
    level.add(x);
    product += (x - mean) * (previous - mean);
    ++lagged;
  }
  CHECK(level.mean() == doctest::Approx(mean).epsilon(0.003));
  CHECK(level.variance() == doctest::Approx(sigma * sigma / (2 * theta)).epsilon(0.03));
  CHECK(product / lagged / level.variance() == doctest::Approx(std::exp(-theta)).epsilon(0.01));
}

TEST_CASE("the discretisation is exact: the law after a minute does not depend on the step") {
  const double theta = 2.0, sigma = 0.3, from = 0.2, mean = 0.7, horizon = 1.0;
  const double expected_mean = mean + (from - mean) * std::exp(-theta * horizon);
  const double expected_variance =
      sigma * sigma * (1 - std::exp(-2 * theta * horizon)) / (2 * theta);
  for (const int steps : {1, 2, 60}) {
    const OrnsteinUhlenbeck process(mean, theta, sigma, horizon / steps);
    Moments after;
    for (uint64_t chain = 0; chain < 40'000; ++chain) {
      RandomStream draw = Random(5).at(chain, static_cast<uint64_t>(steps));
      double x = from;
      for (int i = 0; i < steps; ++i) x = process.next(x, draw.normal());
      after.add(x);
    }
    CHECK(after.mean() == doctest::Approx(expected_mean).epsilon(0.01));
    CHECK(after.variance() == doctest::Approx(expected_variance).epsilon(0.04));
  }
}

TEST_CASE("every path of a scenario follows its own drift, overrides included") {
  Scenario scenario;
  scenario.drift = {.theta = 0.2, .sigma = 0.01, .mean_success = 0.9, .time_unit_s = 1.0};
  scenario.paths = {{.scope = {"SBI", "upi", "*"}, .sigma = 0.02, .mean_success = 0.8}};
  Latent latent(scenario, 3);
  std::vector<Moments> moments(latent.size());
  for (int64_t second = 1; second <= 20'000; ++second) {
    latent.step(second);
    for (std::size_t i = 0; i < latent.size(); ++i) moments[i].add(latent[i].success);
  }
  for (std::size_t i = 0; i < latent.size(); ++i) {
    const Scope path = latent.scope(i);
    const bool special = path.issuer == "SBI" && path.method == "upi";
    const double sigma = (special ? 0.02 : 0.01) / std::sqrt(2 * 0.2);
    CHECK(moments[i].mean() == doctest::Approx(special ? 0.8 : 0.9).epsilon(0.004));
    CHECK(std::sqrt(moments[i].variance()) == doctest::Approx(sigma).epsilon(0.12));
  }
}

TEST_CASE("a fault bears on the paths in its scope while it lasts, and on nothing else") {
  Scenario scenario = calm();
  const Scenario healthy = scenario;
  scenario.faults = {{.kind = FaultKind::outage,
                      .start_s = 20,
                      .duration_s = 10,
                      .scope = {"HDFC", "*", "PAYU"},
                      .severity = 0.9}};
  Latent broken(scenario, 9), whole(healthy, 9);
  for (int64_t second = 0; second < 60; ++second) {
    broken.step(second);
    whole.step(second);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const Scope path = whole.scope(i);
      const bool hit =
          path.issuer == "HDFC" && path.gateway == "PAYU" && second >= 20 && second < 30;
      CHECK(broken[i].success_now() ==
            doctest::Approx(whole[i].success_now() * (hit ? 0.1 : 1.0)).epsilon(1e-12));
      CHECK(broken[i].latency_ms == whole[i].latency_ms);
      CHECK(broken[i].retry == whole[i].retry);
    }
  }
}

TEST_CASE("ramps rise steadily to their severity, flapping comes and goes") {
  Scenario scenario = calm();
  scenario.faults = {{.kind = FaultKind::slow_ramp,
                      .start_s = 10,
                      .duration_s = 60,
                      .scope = {"AXIS", "*", "*"},
                      .severity = 0.5,
                      .ramp_s = 40},
                     {.kind = FaultKind::flapping,
                      .start_s = 10,
                      .duration_s = 60,
                      .scope = {"SBI", "*", "*"},
                      .severity = 0.7,
                      .period_s = 20}};
  Latent latent(scenario, 1);
  double previous = 0;
  for (int64_t second = 1; second < 80; ++second) {
    latent.step(second);
    const bool on = second >= 10 && second < 70;
    CHECK(latent.level(0) >= (on ? previous : 0.0));
    if (second >= 49 && on) CHECK(latent.level(0) == doctest::Approx(0.5));
    if (!on) CHECK(latent.level(0) == 0.0);
    previous = latent.level(0);
    CHECK(latent.level(1) == (on && (second - 10) % 20 < 10 ? 0.7 : 0.0));
  }
}

TEST_CASE("the latent state is byte-identical with and without interventions") {
  auto scenario = load_scenario("two_faults");
  REQUIRE(scenario);
  scenario->drift.sigma = 0.05;
  World alone(*scenario, 21, kStartMs), acted(*scenario, 21, kStartMs);
  const auto ignore = [](const SimulatedAttempt&) {};
  std::string first = alone.latent_bytes();
  bool moved = false;
  for (int64_t second = 30; second <= 1200; second += 30) {
    if (second == 330) {
      acted.apply(action(action_type::kSuppressPath, {"SBI", "*", "*"}, 330, 900));
      acted.apply(action(action_type::kRerouteTraffic, {"*", "*", "PAYU"}, 330, 900,
                         {{"to_gateway", "BILLDESK"}}));
      acted.apply(action(action_type::kReduceRetryAttempts, {"*", "*", "*"}, 330, 900,
                         {{"max_attempts", "1"}}));
    }
    alone.advance(kStartMs + second * 1000, ignore);
    acted.advance(kStartMs + second * 1000, ignore);
    REQUIRE(alone.latent_bytes() == acted.latent_bytes());
    moved = moved || alone.latent_bytes() != first;
  }
  CHECK(moved);
  CHECK_FALSE(alone.books() == acted.books());
  World other(*scenario, 22, kStartMs);
  other.advance(kStartMs + 1'200'000, ignore);
  CHECK(other.latent_bytes() != alone.latent_bytes());
}

}  // namespace
}  // namespace payops::simulators
