#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <memory>

#include "decision/world.h"
#include "payops/core/codec.h"

namespace payops::decision {
namespace {

// Proposes what it is told to.
class Scripted final : public InterventionType {
 public:
  explicit Scripted(std::vector<Option> options, std::string name = "scripted")
      : options_(std::move(options)), name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  RiskClass risk() const override { return RiskClass::low; }
  void propose(const Situation&, std::vector<Option>& options) const override {
    options.insert(options.end(), options_.begin(), options_.end());
  }

 private:
  std::vector<Option> options_;
  std::string name_;
};

Option worth(double mean, double sigma, double blast, const std::string& method) {
  Option o;
  o.scope.method = method;
  o.strength = 0.5;
  o.duration_s = 60.0;
  o.blast_radius = blast;
  o.nrv.items = {{"conversion", mean}};
  const Estimate normal{.mean = mean, .sigma = sigma};
  o.nrv.total = {.mean = mean, .sigma = sigma, .low = normal.low(), .high = normal.high()};
  return o;
}

std::vector<std::string> order(std::vector<Option> scripted) {
  Planner planner;
  REQUIRE(planner.add(std::make_unique<Scripted>(std::move(scripted))));
  const World world;
  std::vector<std::string> names;
  for (const Option& o : planner.plan(world.situation())) {
    names.push_back(o.type == "no_action" ? "nothing" : o.scope.method);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST_CASE("options are ranked by their lower bound, near-equals by blast radius") {
  CHECK(order({worth(1000, 500, 0.1, "unsure"), worth(600, 100, 0.1, "sure")}) ==
        Names{"sure", "unsure", "nothing"});
  CHECK(order({worth(-10, 1, 0.0, "loss"), worth(10, 1, 0.9, "gain")}) ==
        Names{"gain", "nothing", "loss"});
  CHECK(order({worth(1000, 0, 0.5, "large"), worth(980, 0, 0.1, "small")}) ==
        Names{"small", "large", "nothing"});
  CHECK(order({worth(1000, 0, 0.5, "large"), worth(900, 0, 0.1, "small")}) ==
        Names{"large", "small", "nothing"});
}

TEST_CASE("wrong proposals of a type are left out") {
  const double nan = std::nan("");
  Option unsummed = worth(5, 1, 0.1, "unsummed");
  unsummed.nrv.total.mean = 500.0;
  Option weightless = worth(5, 1, 0.1, "weightless");
  weightless.strength = 0.0;
  CHECK(order({worth(nan, 1, 0.1, "nan"), worth(5, -1, 0.1, "negative"), unsummed, weightless}) ==
        Names{"nothing"});
}

TEST_CASE("a type's name must be its own") {
  Planner planner;
  const auto add = [&](std::string name) {
    return planner.add(std::make_unique<Scripted>(std::vector<Option>{}, std::move(name)))
        .has_value();
  };
  CHECK(add("throttle"));
  CHECK_FALSE(add("throttle"));
  CHECK_FALSE(add("no_action"));
  CHECK_FALSE(add(""));
  CHECK_FALSE(add("a|b"));
  CHECK_FALSE(planner.add(nullptr).has_value());
}

TEST_CASE("a plan is bounded and never loses doing nothing") {
  std::vector<Option> many;
  for (int i = 0; i < 300; ++i) many.push_back(worth(100 + i, 1, 0.1, "m" + std::to_string(i)));
  const Names names = order(many);
  CHECK(names.size() == 64);
  CHECK(names.back() == "nothing");
  World world;
  world.break_gateway("PAYU");
  CHECK(find_type(world.plan({.disabled = {"reroute_traffic"}}), "reroute_traffic") == nullptr);
}

TEST_CASE("of a plan the first that is surely worth something is chosen") {
  const auto plan_of = [](std::vector<Option> scripted) {
    Planner planner;
    CHECK(planner.add(std::make_unique<Scripted>(std::move(scripted))));
    const World world;
    return planner.plan(world.situation());
  };
  const auto good = plan_of({worth(100, 1, 0.1, "good"), worth(50, 1, 0.1, "less")});
  CHECK(choose(good, false).option.scope.method == "good");
  CHECK(choose(good, true).option.scope.method == "good");
  CHECK_FALSE(choose(good, true).forced);
  const auto poor = plan_of({worth(-5, 1, 0.1, "poor"), worth(-9, 1, 0.1, "poorer")});
  CHECK(choose(poor, false).option.type == "no_action");
  CHECK(choose(poor, true).option.scope.method == "poor");  // risk low: may be forced
  CHECK(choose(poor, true).forced);
}

TEST_CASE("a forced choice moves no traffic, and is a heartbeat when there is nothing else") {
  CHECK(rc::check([] {
    World world;
    world.break_gateway("PAYU", *rc::gen::inRange(0, 95) / 100.0);
    world.economics.margin_share = *rc::gen::element(0.0, 0.0001, 0.02);
    const Choice choice = choose(world.plan(), true);
    RC_ASSERT(choice.option.type != "no_action");
    if (choice.forced) RC_ASSERT(choice.option.risk <= RiskClass::low);
    if (!choice.forced) RC_ASSERT(choice.option.nrv.total.low > 0.0);
  }));
  const Choice idle = choose(World().plan(), true);
  CHECK(idle.forced);
  CHECK(idle.option.type == "alert_ops");
  CHECK(idle.option.params.at("severity") == "info");
  CHECK(idle.option.nrv.total.mean == 0.0);
}

TEST_CASE("of six scheduled cycles without an action the sixth must act") {
  MinimumActionFrequency rule;
  std::string forced;
  for (int cycle = 1; cycle <= 13; ++cycle) {
    const bool must = must_act(rule, true);
    forced += must ? 'X' : '.';
    rule = after_cycle(rule, true, must ? "alert_ops" : "no_action");
  }
  CHECK(forced == ".....X.....X.");
}

TEST_CASE("only scheduled cycles count, only actions reset, and zero turns the rule off") {
  MinimumActionFrequency rule;
  for (int i = 0; i < 5; ++i) rule = after_cycle(rule, true, "no_action");
  for (int i = 0; i < 9; ++i) rule = after_cycle(rule, false, "no_action");
  CHECK_FALSE(must_act(rule, false));
  CHECK(must_act(rule, true));
  rule = after_cycle(rule, true, "no_action");  // it was refused: still due
  CHECK(must_act(rule, true));
  CHECK_FALSE(must_act(after_cycle(rule, false, "reroute_traffic"), true));
  CHECK(same_fields(*decode<MinimumActionFrequency>(encode(rule)), rule));
  MinimumActionFrequency off{.cycles = 0};
  for (int i = 0; i < 50; ++i) off = after_cycle(off, true, "");
  CHECK_FALSE(must_act(off, true));
  CHECK(must_act(MinimumActionFrequency{.cycles = 1}, true));
}

}  // namespace
}  // namespace payops::decision
