#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "decision/world.h"
#include "payops/core/random.h"

namespace payops::decision {
namespace {

// A reroute of one path from a gateway that fails to one that does not.
Stakes reroute() {
  const Outlook bad{.gateway = "PAYU", .conversion = 0.4, .retries = 0.3, .wait_s = 1.0};
  const Outlook good{.gateway = "RAZOR", .conversion = 0.9, .retries = 0.05, .wait_s = 1.0};
  Outlook usual = good;
  usual.gateway = "PAYU";
  Stakes stakes;
  stakes.type = "reroute_traffic";
  stakes.changes = {{.path = {"HDFC", "card", "PAYU"},
                     .payments_per_s = 5.0,
                     .amount_minor = 200'000.0,
                     .nothing = bad,
                     .action = good,
                     .nothing_after = usual,
                     .action_after = good}};
  stakes.duration_s = 600.0;
  stakes.fault_age_s = 60.0;
  stakes.factor = {.mean = 1.0, .sigma = 0.2};
  return stakes;
}

TEST_CASE("the conversion item is payments times change of conversion times margin") {
  const Economics e;
  const Overlap span = overlap(e, 60.0, 600.0);
  const Nrv nrv = value(reroute(), e);
  CHECK(item(nrv, "conversion") ==
        doctest::Approx(5.0 * span.mean_s * 0.5 * 200'000.0 * e.margin_share));
  CHECK(nrv.horizon_s == 600.0);
}

TEST_CASE("every item moves with what it prices and with nothing else") {
  Economics base;
  base.default_gateway.fee_bps = 0.0;  // or converting more would cost more
  const Nrv before = value(reroute(), base);
  const auto moved = [&](const Stakes& stakes, const Economics& e) {
    std::string names;
    const Nrv after = value(stakes, e);
    for (std::size_t i = 0; i < after.items.size(); ++i) {
      const double d = after.items[i].amount_minor - before.items[i].amount_minor;
      if (std::abs(d) > 1e-9) names += (d > 0.0 ? "+" : "-") + after.items[i].name + " ";
    }
    return names;
  };
  Economics e = base;
  e.margin_share *= 2.0;
  CHECK(moved(reroute(), e) == "+conversion ");
  e = base;
  e.gateways["RAZOR"].attempt_fee_minor = 80.0;
  CHECK(moved(reroute(), e) == "-fees -retry_fees ");
  e = base;
  e.gateways["RAZOR"].fee_bps = 20.0;
  CHECK(moved(reroute(), e) == "-fees ");
  e = base;
  e.retry_fee_minor = 500.0;  // fewer retries on the better gateway: more is saved
  CHECK(moved(reroute(), e) == "+retry_fees ");
  e = base;
  e.execution_minor = 5000.0;
  CHECK(moved(reroute(), e) == "-execution ");
  e = base;
  e.friction_minor = 500.0;  // nobody is asked
  CHECK(moved(reroute(), e).empty());

  Stakes s = reroute();
  s.changes[0].asked = 1.0;
  CHECK(moved(s, base) == "-friction ");
  s = reroute();
  s.changes[0].action.wait_s = 4.0;
  CHECK(moved(s, base) == "-latency ");
  s = reroute();
  s.changes[0].action.conversion = 0.95;
  CHECK(moved(s, base) == "+conversion ");
  s = reroute();
  s.changes[0].action.retries = 1.0;
  CHECK(moved(s, base) == "-retry_fees ");
  s = reroute();
  s.factor.mean = 0.5;
  CHECK(moved(s, base) == "-conversion ");
}

TEST_CASE("what an intervention does once the fault is over is counted until it is ended") {
  Economics e;
  Stakes s = reroute();
  s.changes[0].action_after.conversion = 0.5;  // harmful then
  const double loss = value(s, e).total.mean - value(reroute(), e).total.mean;
  CHECK(loss < 0.0);
  e.recovery_notice_s = 300.0;
  CHECK(value(s, e).total.mean - value(reroute(), e).total.mean < loss);
  e.recovery_notice_s = 0.0;
  CHECK(value(s, e).total.mean == doctest::Approx(value(reroute(), e).total.mean));
}

Outlook any_outlook() {
  const auto unit = [] { return *rc::gen::inRange(0, 1001) / 1000.0; };
  return {.gateway = *rc::gen::element<std::string>("PAYU", "RAZOR", "unlisted"),
          .conversion = unit(),
          .conversion_sigma = 0.1 * unit(),
          .first_attempts = unit(),
          .retries = 3.0 * unit(),
          .wait_s = 10.0 * unit()};
}

Stakes any_stakes() {
  const auto unit = [] { return *rc::gen::inRange(0, 1001) / 1000.0; };
  Stakes s;
  s.type = *rc::gen::element<std::string>("suppress_path", "alert_ops", "homemade");
  const int n = *rc::gen::inRange(0, 4);
  for (int i = 0; i < n; ++i) {
    s.changes.push_back({.path = {},
                         .payments_per_s = 50.0 * unit(),
                         .amount_minor = 1e6 * unit(),
                         .nothing = any_outlook(),
                         .action = any_outlook(),
                         .nothing_after = any_outlook(),
                         .action_after = any_outlook(),
                         .asked = unit()});
  }
  s.strength = unit();
  s.holdout = 0.9 * unit();
  s.duration_s = 1.0 + 3600.0 * unit();
  s.fault_age_s = 7200.0 * unit();
  s.factor.mean = 4.0 * unit() - 2.0;
  s.factor.sigma = unit();
  return s;
}

TEST_CASE("the mean is the sum of the items, bit for bit, and the spread is a number") {
  Economics e;
  e.gateways["RAZOR"].fee_bps = 35.0;
  CHECK(rc::check([&] {
    const Nrv nrv = value(any_stakes(), e);
    double sum = 0.0;
    for (const NrvItem& i : nrv.items) sum += i.amount_minor;
    RC_ASSERT(nrv.items.size() == 6u);
    RC_ASSERT(sum == nrv.total.mean);
    RC_ASSERT(std::isfinite(nrv.total.sigma) && nrv.total.sigma >= 0.0);
    RC_ASSERT(nrv.total.low <= nrv.total.mean);
  }));
}

TEST_CASE("the interval widens with every uncertainty, and the mean stays") {
  const Economics e;
  CHECK(rc::check([&] {
    Stakes s = any_stakes();
    s.changes.push_back(reroute().changes[0]);
    s.strength = 0.5;
    s.factor.mean = 0.8;
    const Nrv before = value(s, e);
    Stakes wider = s;
    wider.factor.sigma += 0.1;
    RC_ASSERT(value(wider, e).total.sigma > before.total.sigma);
    RC_ASSERT(value(wider, e).total.mean == before.total.mean);
    wider = s;
    wider.changes.back().action.conversion_sigma += 0.1;
    RC_ASSERT(value(wider, e).total.sigma > before.total.sigma);
    RC_ASSERT(value(wider, e).total.mean == before.total.mean);
    Economics volatile_amounts = e;
    volatile_amounts.amount_cv = 3.0;
    RC_ASSERT(value(s, volatile_amounts).total.sigma > before.total.sigma);
    RC_ASSERT(value(s, volatile_amounts).total.mean == before.total.mean);
  }));
  Economics erratic;
  erratic.fault_sd_s = 4.0 * erratic.fault_mean_s;
  CHECK(overlap(erratic, 0.0, 600.0).sigma_s > overlap(e, 0.0, 600.0).sigma_s);
}

TEST_CASE("strength and holdout scale what is gained and not what it costs to act") {
  Economics e;
  Stakes s = reroute();
  const Nrv full = value(s, e);
  s.strength = 0.5;
  s.holdout = 0.2;
  const Nrv part = value(s, e);
  for (const char* name : {"conversion", "fees", "retry_fees"}) {
    CHECK(item(part, name) == doctest::Approx(0.4 * item(full, name)));
  }
  CHECK(item(part, "execution") == item(full, "execution"));
  CHECK(part.total.sigma / part.total.mean > full.total.sigma / full.total.mean);
}

TEST_CASE("the overlap of a fault with a lease agrees with simulated faults") {
  const Economics e;
  const Random random(7);
  const double variance = std::log1p(std::pow(e.fault_sd_s / e.fault_mean_s, 2));
  for (const double age : {0.0, 60.0, 3600.0}) {
    const double lease = 600.0;
    double sum = 0.0, squares = 0.0, after = 0.0, n = 0.0;
    for (uint64_t i = 0; n < 20'000.0; ++i) {
      const double z = random.at(i, static_cast<uint64_t>(age)).normal();
      const double length =
          std::exp(std::log(e.fault_mean_s) - variance / 2.0 + std::sqrt(variance) * z);
      if (length <= age) continue;
      const double left = length - age, both = std::min(lease, left);
      n += 1.0;
      sum += both;
      squares += both * both;
      after += std::min(lease, left + e.recovery_notice_s) - both;
    }
    const Overlap span = overlap(e, age, lease);
    CHECK(span.mean_s == doctest::Approx(sum / n).epsilon(0.01));
    CHECK(span.sigma_s ==
          doctest::Approx(std::sqrt(squares / n - std::pow(sum / n, 2))).epsilon(0.03));
    CHECK(span.after_s == doctest::Approx(after / n).epsilon(0.05));
  }
  CHECK(overlap(e, 3600.0, 600.0).mean_s > overlap(e, 60.0, 600.0).mean_s * 0.9);
  CHECK(overlap(e, 1e9, 600.0).mean_s == doctest::Approx(600.0).epsilon(0.01));
}

TEST_CASE("what the intervention taken over from would have done anyway is not counted") {
  const Economics e;
  const Random random(13);
  const double variance = std::log1p(std::pow(e.fault_sd_s / e.fault_mean_s, 2));
  const double age = 450.0, lease = 600.0, left = 150.0;
  for (const double share : {0.0, 0.4, 1.0}) {
    double sum = 0.0, squares = 0.0, after = 0.0, n = 0.0;
    for (uint64_t i = 0; n < 20'000.0; ++i) {
      const double z = random.at(i).normal();
      const double lasts =
          std::exp(std::log(e.fault_mean_s) - variance / 2.0 + std::sqrt(variance) * z) - age;
      if (lasts <= 0.0) continue;
      const double gained = std::min(lease, lasts) - share * std::min(left, lasts);
      const double ended = lasts + e.recovery_notice_s;
      n += 1.0;
      sum += gained;
      squares += gained * gained;
      after += std::min(lease, ended) - share * std::min(left, ended) - gained;
    }
    const Overlap span = overlap(e, age, lease, left, share);
    CHECK(span.mean_s == doctest::Approx(sum / n).epsilon(0.01));
    CHECK(span.sigma_s ==
          doctest::Approx(std::sqrt(squares / n - std::pow(sum / n, 2))).epsilon(0.03));
    CHECK(span.after_s == doctest::Approx(after / n).epsilon(0.05));
  }
}

TEST_CASE("predicted intervals hold their share of simulated outcomes") {
  Economics e;
  e.amount_cv = 1.0;    // exponential amounts below
  e.value_error = 0.0;  // the model is the world
  const double kept_share = e.margin_share - e.default_gateway.fee_bps * 1e-4;
  Stakes s = reroute();
  s.strength = 0.25;
  s.factor.sigma = 0.2;
  s.changes[0].nothing.retries = s.changes[0].action.retries = 0.0;
  const Nrv nrv = value(s, e);
  const double variance = std::log1p(std::pow(e.fault_sd_s / e.fault_mean_s, 2));
  const Random random(11);
  int inside = 0;
  double mean = 0.0;
  constexpr int kRuns = 2000;
  for (uint64_t run = 0; run < kRuns; ++run) {
    RandomStream r = random.at(run);
    double length = 0.0;
    while (length <= s.fault_age_s) {
      length =
          std::exp(std::log(e.fault_mean_s) - variance / 2.0 + std::sqrt(variance) * r.normal());
    }
    const double lasts = std::min(s.duration_s, length - s.fault_age_s);
    const double p = std::clamp(0.4 + 0.5 * (1.0 + s.factor.sigma * r.normal()), 0.0, 1.0);
    double gained = -e.execution_minor;
    for (uint64_t n = r.poisson(5.0 * 0.25 * lasts); n > 0; --n) {
      const double margin = 200'000.0 * r.exponential() * kept_share;
      const double fate = r.uniform();  // the same customer in either world
      gained += margin * (static_cast<double>(fate < p) - static_cast<double>(fate < 0.4));
    }
    mean += gained / kRuns;
    inside += gained >= nrv.total.low && gained <= nrv.total.high;
  }
  CHECK(mean == doctest::Approx(nrv.total.mean).epsilon(0.05));
  CHECK(inside >= kRuns * 85 / 100);
  CHECK(inside <= kRuns * 95 / 100);
}

TEST_CASE("retries are reckoned from attempts per payment and back") {
  CHECK(rc::check([] {
    PathStats p;
    p.success_rate = *rc::gen::inRange(0, 95) / 100.0;
    const double retry = *rc::gen::inRange(0, 95) / 100.0;
    p.attempts_per_payment = 1.0 / (1.0 - (1.0 - p.success_rate) * retry);
    RC_ASSERT(std::abs(retry_propensity(p) - retry) < 1e-9);
    const Outlook o = outlook(p, p.success_rate, 0.01, retry);
    RC_ASSERT(std::abs(1.0 + o.retries - p.attempts_per_payment) < 0.05 * p.attempts_per_payment);
    RC_ASSERT(o.conversion >= p.success_rate - 1e-12 && o.conversion <= 1.0);
    const Outlook once = outlook(p, p.success_rate, 0.01, retry, 1);
    RC_ASSERT(once.retries == 0.0);
    RC_ASSERT(once.conversion == p.success_rate);
    RC_ASSERT(outlook(p, p.success_rate, 0.01, retry, 2).conversion <= o.conversion + 1e-12);
  }));
}

}  // namespace
}  // namespace payops::decision
