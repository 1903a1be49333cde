// Runs of worlds kept in memory, so that two of them can be compared attempt by attempt.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "payops/simulators/world.h"

namespace payops::simulators {

inline constexpr int64_t kStartMs = 1'772'366'400'000;  // 2026-03-01T12:00:00Z

// What outlives the sink.
struct Seen {
  std::string json;
  uint64_t payment = 0;
  uint32_t attempt_no = 0;
  int64_t started_ms = 0, ts_ms = 0, published_ms = 0;
  std::string issuer, method, gateway, user_id;
  AttemptStatus status = AttemptStatus::approved;
  DeclineClass cause = DeclineClass::unknown;
  uint32_t latency_ms = 0;
  int64_t amount_minor = 0;
  Arm arm = Arm::none;
  double propensity = 1.0;
  std::vector<std::string> action_ids;
  bool fraud = false;

  [[nodiscard]] bool approved() const { return status == AttemptStatus::approved; }
  [[nodiscard]] double second() const {
    return static_cast<double>(started_ms - kStartMs) / 1000.0;
  }
  [[nodiscard]] bool in(const Scope& scope) const {
    return (scope.issuer == "*" || scope.issuer == issuer) &&
           (scope.method == "*" || scope.method == method) &&
           (scope.gateway == "*" || scope.gateway == gateway);
  }
};

struct Run {
  std::vector<Seen> attempts;  // in order of publication
  Books books;
  // Attempts of a payment in order.
  [[nodiscard]] std::map<uint64_t, std::vector<const Seen*>> payments() const {
    std::map<uint64_t, std::vector<const Seen*>> grouped;
    for (const Seen& seen : attempts) grouped[seen.payment].push_back(&seen);
    return grouped;
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const Seen& seen : attempts) all += seen.json + "\n";
    return all;
  }
};

inline Seen keep(const SimulatedAttempt& a) {
  std::string buffer;
  Seen seen{.json = std::string(to_json(a, buffer)),
            .payment = a.payment,
            .attempt_no = a.attempt_no,
            .started_ms = a.started_ms,
            .ts_ms = a.ts_ms,
            .published_ms = a.published_ms,
            .issuer = std::string(a.issuer),
            .method = std::string(a.method),
            .gateway = std::string(a.gateway),
            .user_id = std::string(a.user_id),
            .status = a.status,
            .cause = a.cause,
            .latency_ms = a.latency_ms,
            .amount_minor = a.amount_minor,
            .arm = a.arm,
            .propensity = a.propensity,
            .action_ids = {},
            .fraud = a.fraud};
  for (uint32_t i = 0; i < a.action_count; ++i) seen.action_ids.emplace_back(a.action_ids[i]);
  return seen;
}

// What is done to the world at a second after its start.
using Doings = std::map<int64_t, std::function<void(World&)>>;

inline Run run(const Scenario& scenario, uint64_t seed, int64_t seconds,
               const Doings& doings = {}) {
  World world(scenario, seed, kStartMs);
  Run result;
  const auto sink = [&](const SimulatedAttempt& a) { result.attempts.push_back(keep(a)); };
  for (const auto& [second, act] : doings) {
    world.advance(kStartMs + second * 1000, sink);
    act(world);
  }
  world.advance(kStartMs + seconds * 1000, sink);
  result.books = world.books();
  return result;
}

// A world without faults and with little drift, busy enough for counting.
inline Scenario calm(double rate_tps = 150.0) {
  Scenario scenario;
  scenario.rate_tps = rate_tps;
  scenario.drift.sigma = 0.002;
  scenario.truth_every_s = 0;
  return scenario;
}

inline Action action(std::string_view type, const Scope& scope, int64_t from_s, int64_t to_s,
                     std::map<std::string, std::string> params = {}) {
  return {.action_id = "act-00000000000000aa",
          .decision_id = "dec-00000000000000aa",
          .type = std::string(type),
          .scope = scope,
          .params = std::move(params),
          .strength = 1.0,
          .holdout = 0.2,
          .issued_ts_ms = kStartMs + from_s * 1000,
          .expires_ts_ms = kStartMs + to_s * 1000,
          .forced = false,
          .inverse_of = {},
          .epoch = 1,
          .revision = 1};
}

// Share of the attempts chosen by `of` for which `is` holds; REQUIRES at least 100 of them.
template <class Of, class Is>
double share(const Run& result, Of&& of, Is&& is) {
  double all = 0, good = 0;
  for (const Seen& seen : result.attempts) {
    if (!of(seen)) continue;
    ++all;
    if (is(seen)) ++good;
  }
  REQUIRE(all >= 100);
  return good / all;
}

}  // namespace payops::simulators
