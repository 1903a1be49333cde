#include <doctest/doctest.h>
#include <chrono>
#include <cstdio>
#include "payops/simulators/world.h"
namespace payops::simulators {
TEST_CASE("smoke") {
  auto s = load_scenario("issuer_outage");
  REQUIRE_MESSAGE(s.has_value(), s.error().message);
  World w(*s, 1, 1772366400000, 3000.0);
  std::string buf; size_t n = 0, bytes = 0;
  auto t0 = std::chrono::steady_clock::now();
  w.advance(1772366400000 + 600000, [&](const SimulatedAttempt& a) { auto j = to_json(a, buf); bytes += j.size(); if (n++ % 400000 == 0) printf("%.*s\n", int(j.size()), j.data()); });
  double dt = std::chrono::duration<double>(std::chrono::steady_clock::now() - t0).count();
  auto b = w.books();
  printf("%zu attempts %.2f s %.0f/s avg %zu conv %llu lost %llu infl %llu\n", n, dt, double(n) / dt, bytes / n, (unsigned long long)b.converted, (unsigned long long)b.lost, (unsigned long long)b.in_flight);
}
}
