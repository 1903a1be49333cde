#include "payops/reasoning/slice_scan.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "payops/core/random.h"

namespace payops::reasoning {
namespace {

using Values = std::vector<int32_t>;
constexpr int32_t kAll = kAnyValue;

// Payments by chance: `sizes` values a dimension, every combination a leaf.
struct Traffic {
  std::vector<uint32_t> sizes{8, 4, 5};  // issuer, method, gateway
  std::size_t periods = 10;
  double volume = 120.0;
  uint64_t seed = 1;
  std::function<double(const Values&)> rate = [](const Values&) { return 0.05; };
  std::function<double(const Values&)> share_failing = [](const Values&) { return 0.0; };  // now
  std::function<double(const Values&)> volume_now = [](const Values&) { return 1.0; };     // factor
};

double draw_binomial(RandomStream& draw, double n, double p) {
  double k = 0.0;
  for (double i = 0.0; i < n; i += 1.0) k += draw.chance(p) ? 1.0 : 0.0;
  return k;
}

SliceCounts counts_of(const Traffic& traffic) {
  SliceCounts counts;
  counts.dimensions = traffic.sizes.size();
  counts.periods = traffic.periods;
  Values leaf(traffic.sizes.size(), 0);
  RandomStream draw = Random(traffic.seed).at(1);
  for (bool more = true; more;) {
    for (const int32_t v : leaf) counts.values.push_back(static_cast<uint32_t>(v));
    const double p = traffic.rate(leaf);
    for (std::size_t j = 0; j < traffic.periods; ++j) {
      const auto n = static_cast<double>(draw.poisson(traffic.volume));
      counts.past_attempts.push_back(n);
      counts.past_failures.push_back(draw_binomial(draw, n, p));
    }
    const double failing = traffic.share_failing(leaf);
    const double mean = traffic.volume * traffic.volume_now(leaf);
    const auto n = 1.0 + static_cast<double>(draw.poisson(mean));
    counts.attempts.push_back(n);
    counts.failures.push_back(draw_binomial(draw, n, p + failing * (1.0 - p)));
    more = false;
    for (std::size_t d = 0; d < leaf.size() && !more; ++d) {
      more = static_cast<uint32_t>(++leaf[d]) < traffic.sizes[d];
      if (!more) leaf[d] = 0;
    }
  }
  return counts;
}

std::vector<Values> causes_of(const SliceCounts& counts) {
  std::vector<Values> causes;
  for (const SliceFinding& cause : scan_slices(counts, {}).causes) causes.push_back(cause.values);
  std::sort(causes.begin(), causes.end());
  return causes;
}

TEST_CASE("a gateway that is down over all issuers is one cause") {
  Traffic traffic;
  traffic.share_failing = [](const Values& v) { return v[2] == 3 ? 0.5 : 0.0; };
  const SliceScan scan = scan_slices(counts_of(traffic), {});
  REQUIRE(scan.causes.size() == 1);
  const SliceFinding& cause = scan.causes.front();
  CHECK(cause.values == Values{kAll, kAll, 3});
  CHECK(cause.depth() == 1);
  CHECK(cause.leaves == 32);
  CHECK(cause.probability > 0.9);
  // Half of what would have succeeded: 0.5 × 0.95 of some 3,850 attempts.
  CHECK(cause.excess == doctest::Approx(0.475 * cause.attempts).epsilon(0.06));
  CHECK(cause.failures - cause.expected == doctest::Approx(cause.excess));
}

TEST_CASE("one merchant's bug never blames the issuers that its customers use") {
  Traffic traffic;
  traffic.sizes = {6, 4, 25};  // issuer, gateway, merchant
  traffic.volume = 20.0;
  traffic.share_failing = [](const Values& v) { return v[2] == 17 ? 0.7 : 0.0; };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{kAll, kAll, 17}});
}

TEST_CASE("causes at the same time are told apart") {
  Traffic traffic;
  traffic.share_failing = [](const Values& v) {
    return v[0] == 2 ? 0.3 : v[1] == 1 && v[2] == 4 ? 0.6 : 0.0;
  };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{kAll, 1, 4}, {2, kAll, kAll}});
}

TEST_CASE("a shared upstream comes before its two gateways") {
  Traffic traffic;
  traffic.sizes = {6, 4, 5};
  traffic.share_failing = [](const Values& v) { return v[2] == 0 || v[2] == 3 ? 0.25 : 0.0; };
  SliceCounts counts = counts_of(traffic);
  // Without the upstream in the table, the gateways are all that can be said.
  CHECK(causes_of(counts) == std::vector<Values>{{kAll, kAll, 0}, {kAll, kAll, 3}});
  SliceCounts with = counts;
  with.dimensions = 4;
  with.values.clear();
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    for (std::size_t d = 0; d < 3; ++d) with.values.push_back(counts.values[i * 3 + d]);
    with.values.push_back(counts.values[i * 3 + 2] % 3);  // gateways 0 and 3; 1 and 4; 2
  }
  CHECK(causes_of(with) == std::vector<Values>{{kAll, kAll, kAll, 0}});
}

TEST_CASE("a fault of one gateway is not laid to its upstream") {
  Traffic traffic;
  traffic.sizes = {6, 4, 6};
  traffic.share_failing = [](const Values& v) { return v[2] == 3 ? 0.3 : 0.0; };
  SliceCounts counts = counts_of(traffic);
  SliceCounts with = counts;
  with.dimensions = 4;
  with.values.clear();
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    for (std::size_t d = 0; d < 3; ++d) with.values.push_back(counts.values[i * 3 + d]);
    with.values.push_back(counts.values[i * 3 + 2] % 3);
  }
  CHECK(causes_of(with) == std::vector<Values>{{kAll, kAll, 3, kAll}});
}

TEST_CASE("a shift of mix alone is no cause") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Traffic traffic;
    traffic.seed = seed;
    traffic.rate = [](const Values& v) { return 0.02 + 0.04 * v[0]; };  // issuers differ
    // The worst issuers' share grows fourfold: more failures in all, and none that is unexpected.
    traffic.volume_now = [](const Values& v) { return v[0] >= 6 ? 4.0 : 1.0; };
    const SliceScan scan = scan_slices(counts_of(traffic), {});
    CHECK_MESSAGE(scan.causes.empty(), "seed " << seed);
    CHECK(scan.failures == doctest::Approx(scan.expected).epsilon(0.05));
  }
}

TEST_CASE("a rate shift is found under a shift of mix") {
  Traffic traffic;
  traffic.rate = [](const Values& v) { return 0.02 + 0.03 * v[0]; };
  traffic.volume_now = [](const Values& v) { return v[0] >= 6 ? 4.0 : 1.0; };
  traffic.share_failing = [](const Values& v) { return v[0] == 1 && v[1] == 2 ? 0.3 : 0.0; };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{1, 2, kAll}});
}

TEST_CASE("a benign day has no cause, with a history and without") {
  std::size_t asserted = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Traffic traffic;
    traffic.seed = seed;
    traffic.periods = seed % 2 == 0 ? 8 : 0;
    asserted += scan_slices(counts_of(traffic), {}).causes.size();
  }
  CHECK(asserted == 0);
}

// A ripple: a metric far above its forecast by one factor over a whole slice, fractions and all.
TEST_CASE("the ripple of one factor over forecasts of all sizes is one cause") {
  Traffic traffic;
  traffic.sizes = {6, 7, 5, 4};
  traffic.periods = 1;
  SliceCounts counts = counts_of(traffic);
  RandomStream draw = Random(7).at(2);
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    const double forecast = std::exp(5.0 * draw.uniform());
    const bool hit = counts.values[i * 4] == 2 && counts.values[i * 4 + 2] == 1;
    counts.attempts[i] = counts.past_attempts[i] = 5000.0;
    counts.past_failures[i] = forecast;
    counts.failures[i] = forecast * (hit ? 1.6 : 1.0) * (1.0 + 0.05 * draw.normal());
  }
  CHECK(causes_of(counts) == std::vector<Values>{{2, kAll, 1, kAll}});
}

TEST_CASE("children that fail alike are their parent; one child that fails is itself") {
  Traffic traffic;
  traffic.share_failing = [](const Values& v) { return v[0] == 5 ? 0.2 : 0.0; };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{5, kAll, kAll}});
  traffic.share_failing = [](const Values& v) { return v[0] == 5 && v[2] == 1 ? 0.5 : 0.0; };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{5, kAll, 1}});
}

TEST_CASE("of slices that cover the same attempts the simplest is named") {
  Traffic traffic;
  traffic.share_failing = [](const Values& v) { return v[0] == 5 ? 0.4 : 0.0; };
  SliceCounts all = counts_of(traffic);
  SliceCounts some;
  some.dimensions = all.dimensions;
  some.periods = all.periods;
  for (std::size_t i = 0; i < all.leaves(); ++i) {
    if (all.values[i * 3] == 5 && all.values[i * 3 + 1] != 2) continue;  // issuer 5 has one method
    some.values.insert(some.values.end(), all.values.begin() + static_cast<std::ptrdiff_t>(i * 3),
                       all.values.begin() + static_cast<std::ptrdiff_t>(i * 3 + 3));
    some.attempts.push_back(all.attempts[i]);
    some.failures.push_back(all.failures[i]);
    for (std::size_t j = 0; j < all.periods; ++j) {
      some.past_attempts.push_back(all.past_attempts[i * all.periods + j]);
      some.past_failures.push_back(all.past_failures[i * all.periods + j]);
    }
  }
  CHECK(causes_of(some) == std::vector<Values>{{5, kAll, kAll}});
}

TEST_CASE("everything failing alike is everything") {
  Traffic traffic;
  traffic.share_failing = [](const Values&) { return 0.4; };
  CHECK(causes_of(counts_of(traffic)) == std::vector<Values>{{kAll, kAll, kAll}});
}

TEST_CASE("one of two gateways is named in a table of four rows") {
  const SliceCounts counts{.dimensions = 2,
                           .values = {0, 0, 0, 1, 1, 0, 1, 1},  // issuer, gateway
                           .attempts = {100, 100, 100, 100},
                           .failures = {50, 5, 48, 6},
                           .periods = 0,
                           .past_attempts = {},
                           .past_failures = {}};
  const SliceScan scan = scan_slices(counts, {});
  REQUIRE(scan.causes.size() == 1);
  CHECK(scan.causes[0].values == Values{kAll, 0});
  CHECK(scan.causes[0].expected == doctest::Approx(11.0).epsilon(0.01));  // as the other's rate
}

TEST_CASE("noise that a slice always had is no cause today") {
  Traffic traffic;
  SliceCounts counts = counts_of(traffic);
  // Gateway 2 swings as a whole, period by period, and now by no more than before.
  const auto swing = [&](std::size_t i, double factor, double& failures, double attempts) {
    if (counts.values[i * 3 + 2] == 2) failures = std::min(attempts, std::round(failures * factor));
  };
  for (std::size_t j = 0; j < counts.periods; ++j) {
    const double factor = j % 2 == 0 ? 1.9 : 0.3;
    for (std::size_t i = 0; i < counts.leaves(); ++i) {
      swing(i, factor, counts.past_failures[i * counts.periods + j],
            counts.past_attempts[i * counts.periods + j]);
    }
  }
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    swing(i, 1.8, counts.failures[i], counts.attempts[i]);
  }
  CHECK(causes_of(counts).empty());
}

// The leaves in the order given, the values of every dimension numbered backwards or as they are.
SliceCounts arranged(const SliceCounts& counts, const std::vector<std::size_t>& order,
                     const std::vector<uint32_t>& backwards) {
  SliceCounts out;
  out.dimensions = counts.dimensions;
  out.periods = counts.periods;
  for (const std::size_t leaf : order) {
    for (std::size_t d = 0; d < counts.dimensions; ++d) {
      const uint32_t value = counts.values[leaf * counts.dimensions + d];
      out.values.push_back(backwards.empty() ? value : backwards[d] - 1 - value);
    }
    out.attempts.push_back(counts.attempts[leaf]);
    out.failures.push_back(counts.failures[leaf]);
    for (std::size_t j = 0; j < counts.periods; ++j) {
      out.past_attempts.push_back(counts.past_attempts[leaf * counts.periods + j]);
      out.past_failures.push_back(counts.past_failures[leaf * counts.periods + j]);
    }
  }
  return out;
}

void check_same(const std::vector<SliceFinding>& a, const std::vector<SliceFinding>& b) {
  RC_ASSERT(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    RC_ASSERT(a[i].values == b[i].values);
    RC_ASSERT(a[i].score == b[i].score);
    RC_ASSERT(a[i].excess == b[i].excess);
    RC_ASSERT(a[i].probability == b[i].probability);
  }
}

// A clear cause and a doubtful one.
Traffic two_causes() {
  Traffic traffic;
  traffic.sizes = {4, 3, 4};
  traffic.volume = 40.0;
  traffic.periods = *rc::gen::element(std::size_t{0}, std::size_t{4});
  traffic.seed = *rc::gen::inRange<uint64_t>(1, 1000);
  const auto place = *rc::gen::inRange(0, 4);
  const auto faint = *rc::gen::inRange(0, 4);
  traffic.share_failing = [=](const Values& v) {
    return v[2] == place ? 0.5 : v[0] == faint && v[1] == 1 ? 0.08 : 0.0;
  };
  return traffic;
}

TEST_CASE("the order of leaves changes nothing: causes, excess and probability are the same") {
  CHECK(rc::check([] {
    SliceCounts counts = counts_of(two_causes());
    if (*rc::gen::arbitrary<bool>()) {  // fractions do not add up the same in another order
      for (double& k : counts.failures) k *= 0.9;
      for (double& k : counts.past_failures) k *= 0.7;
    }
    std::vector<std::size_t> order(counts.leaves());
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomStream draw = Random(*rc::gen::arbitrary<uint64_t>()).at(3);
    for (std::size_t i = order.size(); i-- > 1;) {
      std::swap(order[i], order[static_cast<std::size_t>(draw.below(i + 1))]);
    }
    const SliceScan one = scan_slices(counts, {});
    const SliceScan other = scan_slices(arranged(counts, order, {}), {});
    check_same(one.causes, other.causes);
    check_same(one.candidates, other.candidates);
  }));
}

TEST_CASE("the numbering of values does not change the leading cause") {
  CHECK(rc::check([] {
    Traffic traffic = two_causes();
    traffic.periods = 4;
    const SliceCounts counts = counts_of(traffic);
    std::vector<std::size_t> order(counts.leaves());
    std::iota(order.rbegin(), order.rend(), std::size_t{0});
    const SliceScan one = scan_slices(counts, {});
    const SliceScan other = scan_slices(arranged(counts, order, traffic.sizes), {});
    RC_ASSERT(!one.causes.empty());
    RC_ASSERT(!other.causes.empty());
    for (std::size_t d = 0; d < 3; ++d) {
      const int32_t value = one.causes[0].values[d];
      const auto last = static_cast<int32_t>(traffic.sizes[d]) - 1;
      RC_ASSERT(other.causes[0].values[d] == (value == kAll ? kAll : last - value));
    }
  }));
}

}  // namespace
}  // namespace payops::reasoning
