// Details of attempts: what is kept of them, and that a change of mix is told from a change of
// rate.
#include "../src/reasoning/details.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>

#include "reasoning/traffic.h"

namespace payops::reasoning {
namespace {

using test::kStart;

struct Payment {
  SeriesKey path;
  DimId region = 0, merchant = 0;
};

// Payments of four issuers through three gateways, to six merchants from three regions.
struct World {
  uint64_t seed = 1;
  std::function<double(const Payment&, int64_t)> fails = [](const Payment&, int64_t) {
    return 0.02;
  };
  // Of the payments that fail.
  std::function<DeclineClass(RandomStream&, int64_t)> fails_as = [](RandomStream&, int64_t) {
    return DeclineClass::gateway;
  };
  std::function<DimId(RandomStream&, int64_t)> merchant = [](RandomStream& draw, int64_t) {
    return static_cast<DimId>(1 + draw.below(6));
  };

  [[nodiscard]] ClosedBucket at(int64_t t) const {
    RandomStream draw = Random(seed).at(static_cast<uint64_t>(t));
    std::map<LeafKey, Cell> cells;
    std::map<DetailKey, DetailCell> details;
    for (uint64_t n = draw.poisson(60.0); n > 0; --n) {
      const Payment p{
          .path = {static_cast<DimId>(1 + draw.below(4)), 1, static_cast<DimId>(1 + draw.below(3))},
          .region = static_cast<DimId>(1 + draw.below(3)),
          .merchant = merchant(draw, t)};
      const bool failed = draw.chance(fails(p, t));
      Cell& cell = cells[{p.path, Arm::none}];
      ++cell.attempts;
      ++cell.first_attempts;
      cell.latency.add(300);
      const DeclineClass as = failed ? fails_as(draw, t) : DeclineClass::gateway;
      const auto at_class = static_cast<std::size_t>(as);
      (failed ? cell.failures[at_class] : cell.approvals) += 1;
      (failed ? cell.first_failures[at_class] : cell.first_approvals) += 1;
      const DetailKey key{.path = p.path, .region = p.region, .merchant = p.merchant, .band = 1};
      DetailCell& detail = details[key];
      detail.key = key;
      ++detail.reached[2];
      detail.failed[2] += failed ? 1 : 0;
      detail.by_class[fault_index(as)] += failed ? 1 : 0;
    }
    ClosedBucket bucket{.second = kStart + t, .cells = {}, .arms = {}};
    for (const auto& [key, cell] : cells) bucket.cells.push_back({key, cell});
    for (const auto& [key, cell] : details) bucket.details.push_back(cell);
    return bucket;
  }
};

Dictionary names() {
  Dictionary dictionary = test::dictionary();
  dictionary.details[0].assign({"other", "north", "south", "west"});
  dictionary.details[1].assign({"other", "m1", "m2", "m3", "m4", "m5", "m6"});
  return dictionary;
}

// The assessment after so many seconds of the world, with a cycle every eight.
Assessment lived(const World& world, int64_t seconds, Reasoner& reasoner, int64_t from = 0) {
  Assessment last;
  for (int64_t t = from; t < seconds; ++t) {
    const bool rose = reasoner.observe(world.at(t));
    if (rose || (t + 1) % 8 == 0) {
      last = reasoner.assess((kStart + t + 1) * 1000, names(), {});
    }
  }
  return last;
}

TEST_CASE("more payments of a merchant that always failed more are nobody's fault") {
  World world;
  world.fails = [](const Payment& p, int64_t) { return p.merchant == 6 ? 0.4 : 0.02; };
  world.merchant = [](RandomStream& draw, int64_t t) {
    const bool campaign = draw.chance(t < 400 ? 0.03 : 0.35);
    return static_cast<DimId>(campaign ? 6 : 1 + draw.below(5));
  };
  Reasoner reasoner{ReasoningConfig{}};
  const Assessment told = lived(world, 480, reasoner);
  REQUIRE_FALSE(told.alarms.empty());
  const Hypothesis& lead = told.hypotheses.front();
  CHECK(lead.cause == Cause::customer_shift);
  CHECK(lead.posterior > 0.8);
  for (const Hypothesis& h : told.hypotheses) {
    const bool blamed = h.cause == Cause::issuer_down || h.cause == Cause::gateway_down ||
                        h.cause == Cause::merchant_change;
    if (blamed) CHECK(h.posterior < 0.1);
  }
}

TEST_CASE("a merchant whose payments begin to fail is the merchant, also after a restart") {
  World world;
  world.fails = [](const Payment& p, int64_t t) {
    return p.merchant == 3 && t >= 400 ? 0.6 : 0.02;
  };
  Reasoner reasoner{ReasoningConfig{}};
  (void)lived(world, 432, reasoner);
  std::string bytes;
  Encoder out(bytes);
  reasoner.encode(out);
  Reasoner again{ReasoningConfig{}};
  Decoder in(bytes);
  again.decode(in);
  REQUIRE(in.at_end());
  const Assessment told = lived(world, 480, reasoner, 432);
  const Assessment same = lived(world, 480, again, 432);
  CHECK(told.hypotheses.front().cause == Cause::merchant_change);
  CHECK(told.hypotheses.front().slice.merchant == "m3");
  CHECK(encode(told) == encode(same));
}

TEST_CASE("the decline class that alone is in excess is named, and none where several are") {
  const auto mixed = [](RandomStream& draw) { return kFaults[draw.below(kFaultClasses)]; };
  struct Case {
    std::function<DeclineClass(RandomStream&, int64_t)> fails_as;
    std::string decline;
  };
  const Case cases[] = {{[&](RandomStream& draw, int64_t t) {
                           const bool usual = t < 400 || draw.chance(0.03);
                           return usual ? mixed(draw) : DeclineClass::network;
                         },
                         "network"},
                        {[&](RandomStream& draw, int64_t) { return mixed(draw); }, "*"}};
  for (const Case& c : cases) {
    World world;
    world.fails_as = c.fails_as;
    world.fails = [](const Payment& p, int64_t t) {
      return p.merchant == 3 && t >= 400 ? 0.6 : 0.02;
    };
    Reasoner reasoner{ReasoningConfig{}};
    const Assessment told = lived(world, 480, reasoner);
    REQUIRE_FALSE(told.hypotheses.empty());
    CHECK(told.hypotheses.front().cause == Cause::merchant_change);
    CHECK(told.hypotheses.front().slice.merchant == "m3");
    CHECK(told.hypotheses.front().slice.decline == c.decline);
    // The alarm is named for it, though it shows at all issuers and gateways.
    REQUIRE(told.alarms.size() == 1);
    CHECK(told.alarms.front().pattern == Pattern::merchant_failure);
    CHECK(told.alarms.front().spread == Spread::localized);
    CHECK(told.alarms.front().slice == told.hypotheses.front().slice);
  }
}

TEST_CASE("a place has a decline class too, which makes it no part of its payments") {
  World world;
  world.fails_as = [](RandomStream&, int64_t t) {
    return t < 400 ? DeclineClass::unknown : DeclineClass::gateway;
  };
  world.fails = [](const Payment& p, int64_t t) {
    return p.path.gateway == 2 && t >= 400 ? 0.5 : 0.02;
  };
  Reasoner reasoner{ReasoningConfig{}};
  const Assessment told = lived(world, 480, reasoner);
  REQUIRE_FALSE(told.hypotheses.empty());
  const Hypothesis& lead = told.hypotheses.front();
  CHECK(lead.cause == Cause::gateway_down);
  CHECK(lead.slice.decline == "gateway");
  CHECK_FALSE(is_part(lead.slice));
  CHECK(describe(lead.scope, lead.slice) == "gateway RAZOR, declined as gateway");
}

TEST_CASE("slices are bounded, and no attempt is lost beyond the bound") {
  DetailStore store(16, 10, 3600.0);
  for (int64_t second = 0; second < 1'000; ++second) {
    std::vector<DetailCell> details;
    for (DimId merchant = 0; merchant < 100; ++merchant) {
      DetailCell& cell = details.emplace_back();
      cell.key = {.path = {1, 1, 1}, .merchant = merchant};
      cell.reached[2] = 1;
    }
    store.add(details, second);
    CHECK(store.slices() <= 16);
  }
  double attempts = 0.0;
  for (const auto& active : store.since(990).slices) attempts += active.now.trials(0);
  CHECK(attempts == 1'000.0);  // ten seconds of a hundred
}

TEST_CASE("what came under a fault is not learnt from") {
  DetailStore store(1'000, 10, 3600.0);
  DetailCell cell;
  cell.key = {.path = {1, 1, 1}, .merchant = 1};
  for (int64_t second = 0; second < 2'000; ++second) {
    const bool fault = second >= 400 && second < 800;
    cell.reached[2] = 20;
    cell.failed[2] = fault ? 20 : 0;
    store.add({cell}, second);
    if (fault) store.freeze(400);
  }
  cell.failed[2] = 1;
  store.add({cell}, 2'000);
  const auto active = store.since(2'000).slices;
  REQUIRE(active.size() == 1);
  CHECK(active[0].rate[2] < 0.002);
}

TEST_CASE("what is kept of a question changes no answer to it") {
  RandomStream random = Random(7).at(1);
  DetailStore store(200, 10, 600.0);
  int64_t from = 0;
  for (int64_t second = 0; second < 3'000; ++second) {
    std::vector<DetailCell> details(1 + random.below(3));
    for (DetailCell& cell : details) {  // of the last names only a few remain
      cell.key = {.path = {static_cast<DimId>(1 + random.below(3)), 1, 1},
                  .region = static_cast<DimId>(random.below(3)),
                  .merchant = static_cast<DimId>(random.below(20) + (second / 1'000) * 15)};
      cell.reached = {static_cast<uint32_t>(random.below(2)), 0, 3};
      cell.failed = {static_cast<uint32_t>(random.below(20)) / 19, 0,
                     static_cast<uint32_t>(random.below(2))};
      cell.by_class[1] = cell.failed[0] + cell.failed[2];
    }
    store.add(details, second);
    if (second % 400 == 200) from = second - 30;
    if (second % 400 >= 200 && second % 400 < 280) store.freeze(from);
    if (second % 400 >= 360 || second % 8 != 0) continue;
    std::string bytes;
    Encoder out(bytes);
    store.encode(out);
    DetailStore fresh(200, 10, 600.0);
    Decoder in(bytes);
    REQUIRE(fresh.decode(in));
    const auto& [known, known_paths] = store.since(from);
    const auto& [anew, anew_paths] = fresh.since(from);
    REQUIRE(known.size() == anew.size());
    for (std::size_t i = 0; i < known.size(); ++i) {
      const bool same = known[i].key == anew[i].key &&
                        known[i].now.reached == anew[i].now.reached &&
                        known[i].now.failed == anew[i].now.failed &&
                        known[i].by_class == anew[i].by_class && known[i].rate == anew[i].rate;
      REQUIRE(same);
    }
    REQUIRE(known_paths.size() == anew_paths.size());
    for (std::size_t i = 0; i < known_paths.size(); ++i) {
      const bool same = known_paths[i].rate == anew_paths[i].rate &&
                        known_paths[i].failures == anew_paths[i].failures &&
                        known_paths[i].class_share == anew_paths[i].class_share;
      REQUIRE(same);
    }
  }
}

}  // namespace
}  // namespace payops::reasoning
