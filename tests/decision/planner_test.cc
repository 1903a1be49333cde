#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "decision/world.h"
#include "payops/core/codec.h"

namespace payops::decision {
namespace {

std::set<std::string> targets(const std::vector<Option>& options) {
  std::set<std::string> to;
  for (const Option& o : options) {
    if (o.type == "reroute_traffic") to.insert(o.params.at("to_gateway"));
  }
  return to;
}

TEST_CASE("without a hypothesis only doing nothing is left, worth exactly nothing") {
  const World world;
  const auto options = world.plan();
  REQUIRE(options.size() == 1);
  CHECK(options[0].type == "no_action");
  CHECK(options[0].nrv.total.mean == 0.0);
  CHECK(options[0].nrv.total.sigma == 0.0);
  CHECK(options[0].nrv.items.empty());
}

TEST_CASE("a failing gateway's payments are worth rerouting") {
  World world;
  world.break_gateway("PAYU");
  const auto options = world.plan();
  const Option* best = find_type(options, "reroute_traffic");
  REQUIRE(best);
  CHECK(best->scope == Scope{"*", "*", "PAYU"});
  CHECK(targets(options) == std::set<std::string>{"RAZOR", "STRIPE"});
  CHECK(best->nrv.total.low > 0.0);
  CHECK(best->effect.mean > 0.3);
  CHECK(best->effect.mean == doctest::Approx(0.9 * best->model_effect));  // by the belief in it
  CHECK(best->cause == Cause::gateway_down);
  CHECK(best->confidence == 0.9);
  CHECK(choose(options, false).option.nrv.total.low > 0.0);
  CHECK_FALSE(choose(options, false).forced);
  // Anything a custom or learnt effect says of it counts.
  world.effects[{"reroute_traffic", Cause::gateway_down, "*"}] = {.mean = -0.2, .sigma = 0.1};
  CHECK(find_type(world.plan(), "reroute_traffic")->nrv.total.mean < 0.0);
}

TEST_CASE("an issuer that fails at one gateway is rerouted to one where it does not") {
  World world;
  world.set_success({"HDFC", "*", "PAYU"}, 0.3);
  world.suspect(Cause::issuer_down, {"HDFC", "*", "PAYU"});
  const auto options = world.plan();
  const Option* best = find_type(options, "reroute_traffic");
  REQUIRE(best);
  CHECK(best->scope == Scope{"HDFC", "*", "PAYU"});
  CHECK(find_type(options, "suppress_path") == nullptr);
}

TEST_CASE("an issuer that is out everywhere is not rerouted but kept off, with fewer retries") {
  World world;
  world.economics.switch_acceptance = 0.7;
  world.economics.switch_acceptance_sd = 0.1;
  world.break_issuer("HDFC");
  for (PathStats& p : world.assessment.paths) {
    if (p.path.issuer == "HDFC") p.attempts_per_payment = 2.2;
  }
  const auto options = world.plan();
  const Option* suppress = find_type(options, "suppress_path");
  REQUIRE(suppress);
  CHECK(suppress->scope == Scope{"HDFC", "*", "*"});
  CHECK(suppress->risk == RiskClass::medium);
  CHECK(suppress->nrv.total.low > 0.0);
  CHECK(item(suppress->nrv, "friction") < 0.0);
  const Option* fewer = find_type(options, "reduce_retry_attempts");
  REQUIRE(fewer);
  CHECK(item(fewer->nrv, "retry_fees") > 0.0);
  CHECK(item(fewer->nrv, "conversion") < 0.0);              // a few retries would have gone through
  CHECK(find_type(options, "reroute_traffic") == nullptr);  // nowhere is better
}

TEST_CASE("keeping everybody from a method is of high risk") {
  World world;
  world.set_success({"*", "upi", "*"}, 0.02);
  world.suspect(Cause::method_wide, {"*", "upi", "*"});
  const auto options = world.plan();
  const Option* suppress = find_type(options, "suppress_path");
  REQUIRE(suppress);
  CHECK(suppress->scope == Scope{"*", "upi", "*"});
  CHECK(suppress->risk == RiskClass::high);
}

TEST_CASE("customers who mind being asked, or do not agree, make suppression worth less") {
  World world;
  world.break_issuer("HDFC");
  world.economics.ramp = {{.strength = 0.25, .holdout = 0.2}};
  const double before = find_type(world.plan(), "suppress_path")->nrv.total.mean;
  world.economics.friction_minor = 400.0;
  const double with_friction = find_type(world.plan(), "suppress_path")->nrv.total.mean;
  CHECK(with_friction < before);
  world.economics.switch_acceptance = 0.2;
  CHECK(find_type(world.plan(), "suppress_path")->nrv.total.mean < with_friction);
}

TEST_CASE("a retry storm is answered with fewer and later retries that relieve it") {
  World world;
  world.set_success({"HDFC", "upi", "*"}, 0.25);
  for (PathStats& p : world.assessment.paths) {
    if (p.path.issuer == "HDFC" && p.path.method == "upi") p.attempts_per_payment = 1.6;
  }
  world.suspect(Cause::retry_storm, {"HDFC", "upi", "*"});
  const auto options = world.plan();
  const Option* later = find_type(options, "adjust_retry");
  REQUIRE(later);
  CHECK(later->nrv.total.mean > 0.0);
  CHECK(later->params.count("delay_ms") == 1);
  CHECK(later->risk == RiskClass::low);
  REQUIRE(find_type(options, "reduce_retry_attempts"));
  CHECK(find_type(options, "reroute_traffic") == nullptr);
}

TEST_CASE("a shift of customers' own making is told to people and nothing else") {
  World world;
  world.set_success({"*", "card", "*"}, 0.85);
  world.suspect(Cause::customer_shift, {"*", "card", "*"});
  for (const Option& o : world.plan()) CHECK((o.type == "alert_ops" || o.type == "no_action"));
}

TEST_CASE("people are told of what costs enough, after what can be done at once") {
  World world({"HDFC", "SBI"}, {"card", "upi"}, {"PAYU", "RAZOR", "STRIPE"}, 40.0);
  world.break_gateway("PAYU");
  const auto options = world.plan();
  const Option* alert = find_type(options, "alert_ops");
  REQUIRE(alert);
  CHECK(alert->params.at("severity") == "high");
  CHECK(alert->blast_radius == 0.0);
  CHECK(alert->nrv.total.low > 0.0);
  CHECK(alert->nrv.total.low < find_type(options, "reroute_traffic")->nrv.total.low);
  for (PathStats& p : world.assessment.paths) p.payments_per_s = 0.01;
  CHECK(find_type(world.plan(), "alert_ops")->nrv.total.low < 0.0);
}

TEST_CASE("methods, currencies, amounts and mandates bound where payments may go") {
  World world;
  world.break_gateway("PAYU");
  world.economics.ramp = {{.strength = 0.25, .holdout = 0.2}};
  world.economics.method_gateways["upi"] = {"PAYU", "STRIPE"};
  for (const Option& o : world.plan()) {
    if (o.type == "reroute_traffic" && o.params.at("to_gateway") == "RAZOR") {
      CHECK(o.scope.method == "card");
    }
  }
  world.economics.gateways["RAZOR"].currencies = {"USD"};
  CHECK(targets(world.plan()) == std::set<std::string>{"STRIPE"});
  const double all = item(find_type(world.plan(), "reroute_traffic")->nrv, "conversion");
  world.economics.gateways["STRIPE"].portable_share = 0.5;
  const double half = item(find_type(world.plan(), "reroute_traffic")->nrv, "conversion");
  CHECK(half == doctest::Approx(0.5 * all));
  world.economics.gateways["STRIPE"].amount_max_minor = 100'000.0;
  CHECK(item(find_type(world.plan(), "reroute_traffic")->nrv, "conversion") < half);
  world.economics.gateways["STRIPE"].portable_share = 0.0;
  CHECK(targets(world.plan()).empty());
}

TEST_CASE("nothing is moved to a path that shares the suspect's upstream or is itself alarming") {
  World world;
  world.break_gateway("PAYU");
  world.economics.upstreams = {{"PAYU", {"dc-mumbai", "switch-1"}}, {"RAZOR", {"switch-1"}}};
  CHECK(targets(world.plan()) == std::set<std::string>{"STRIPE"});
  world.assessment.alarms.push_back({.id = "alm-2", .scope = {"*", "*", "STRIPE"}});
  CHECK(targets(world.plan()).empty());
}

TEST_CASE("traffic is moved only on the evidence of 500 attempts at both ends") {
  World world;
  world.break_gateway("PAYU");
  for (PathStats& p : world.assessment.paths) {
    if (p.path.gateway == "STRIPE") p.attempts = 100;
    if (p.path.gateway == "RAZOR") p.warming_up = p.attempts < 500;
  }
  CHECK(targets(world.plan()) == std::set<std::string>{"RAZOR"});
  world.economics.warming_max = 0.25;
  for (PathStats& p : world.assessment.paths) p.warming_up = p.path.gateway == "RAZOR";
  CHECK(targets(world.plan()).empty());
  world.economics.warming_max = 1.0;
  for (PathStats& p : world.assessment.paths) {
    if (p.path.gateway == "PAYU") p.attempts = 100;
  }
  CHECK(targets(world.plan()).empty());
  CHECK(find_type(world.plan(), "alert_ops") != nullptr);
}

TEST_CASE("what names beyond the limit share is nobody's to act on") {
  World world({"HDFC", "other"}, {"card", "upi"}, {"PAYU", "RAZOR", "other"});
  world.break_issuer("other");
  for (const Option& option : world.plan()) {
    CHECK((option.type == "alert_ops" || option.type == "no_action"));
  }
  World gateway({"HDFC", "SBI"}, {"card", "upi"}, {"PAYU", "RAZOR", "other"});
  gateway.break_gateway("PAYU");
  CHECK(targets(gateway.plan()) == std::set<std::string>{"RAZOR"});
}

TEST_CASE("a scope is thin by what its paths have seen together, a path by itself") {
  Economics e;
  World world;
  for (PathStats& p : world.assessment.paths) {
    p.attempts = 130;
    p.warming_up = true;
  }
  CHECK_FALSE(thin(paths_in(PathIndex(world.assessment), {"*", "*", "PAYU"}), e));
  CHECK(thin(paths_in(PathIndex(world.assessment), {"HDFC", "*", "PAYU"}), e));
  world.path({"HDFC", "card", "PAYU"}).attempts = 9000;
  CHECK(thin(paths_in(PathIndex(world.assessment), {"HDFC", "card", "PAYU"}), e));
  world.path({"HDFC", "card", "PAYU"}).warming_up = false;
  CHECK_FALSE(thin(paths_in(PathIndex(world.assessment), {"HDFC", "card", "PAYU"}), e));
  CHECK(thin({}, e));
}

TEST_CASE("a renewal is worth what it adds, and a step up what running outcomes bear out") {
  World world;
  world.break_gateway("PAYU");
  world.economics.gateways["RAZOR"].max_payments_per_s = 1000.0;
  const auto to_razor = [&]() -> std::optional<Option> {
    for (const Option& o : world.plan()) {
      if (o.type == "reroute_traffic" && o.params.at("to_gateway") == "RAZOR") return o;
    }
    return std::nullopt;
  };
  const auto first = to_razor();
  REQUIRE(first);
  Intervention& running = world.act(*first);
  running.outcome.result = OutcomeResult::improved;
  running.action.issued_ts_ms = kNow - 570'000;
  running.action.expires_ts_ms = kNow + 30'000;
  const auto renewal = to_razor();
  REQUIRE(renewal);
  CHECK(renewal->strength == first->strength);
  CHECK(renewal->nrv.total.mean < first->nrv.total.mean);
  // Half of what was predicted is seen on many payments: the rest of its life is worth less.
  running.outcome.treated_payments = running.outcome.holdout_payments = 2000;
  running.outcome.effect = {.mean = 0.5 * running.option.model_effect, .sigma = 0.01};
  const auto sobered = to_razor();
  REQUIRE(sobered);
  CHECK(sobered->nrv.total.mean < 0.8 * renewal->nrv.total.mean);
  CHECK(sobered->effect.mean == doctest::Approx(0.45 * running.option.model_effect).epsilon(0.05));
}

TEST_CASE("where the target lacks a path, only the part that it has is moved") {
  World world;
  world.break_gateway("PAYU");
  std::erase_if(world.assessment.paths, [](const PathStats& p) {
    return p.path.gateway != "PAYU" && p.path.issuer == "SBI" && p.path.method == "upi";
  });
  std::set<Scope> scopes;
  for (const Option& o : world.plan()) {
    if (o.type == "reroute_traffic") scopes.insert(o.scope);
  }
  CHECK(scopes == std::set<Scope>{{"*", "card", "PAYU"}, {"HDFC", "upi", "PAYU"}});
}

TEST_CASE("a reroute stays within the target's headroom") {
  CHECK(rc::check([] {
    World world;
    world.break_gateway("PAYU");
    world.economics.headroom_multiple = 1.0 + *rc::gen::inRange(0, 100) / 100.0;
    world.economics.gateways["STRIPE"].max_payments_per_s = 16.0 + *rc::gen::inRange(0, 20);
    world.economics.ramp_first_max = 1.0;
    world.peaks.payments_per_s["RAZOR"] = 10.0 + *rc::gen::inRange(0, 20);
    for (const Option& o : world.plan()) {
      if (o.type != "reroute_traffic") continue;
      const std::string& to = o.params.at("to_gateway");
      double moved = 0.0;
      for (const PathStats* p : paths_in(PathIndex(world.assessment), o.scope))
        moved += p->payments_per_s;
      const double room = headroom_per_s(world.situation(), to);
      RC_ASSERT(moved * o.strength <= room + 1e-9);
      const double capacity = to == "STRIPE"
                                  ? world.economics.gateways["STRIPE"].max_payments_per_s
                                  : world.economics.headroom_multiple *
                                        std::max(16.0, world.peaks.payments_per_s["RAZOR"]);
      RC_ASSERT(16.0 + moved * o.strength <= capacity + 1e-9);
    }
  }));
}

TEST_CASE("what is already on its way to a gateway takes its headroom") {
  World world;
  world.break_gateway("PAYU");
  const Option reroute = *find_type(world.plan(), "reroute_traffic");
  const std::string to = reroute.params.at("to_gateway");
  const double before = headroom_per_s(world.situation(), to);
  world.act(reroute, 0.0);
  CHECK(headroom_per_s(world.situation(), to) < before);
}

TEST_CASE("peaks remember the busiest hour and forget it in days") {
  World world;
  TrafficPeaks peaks;
  observe(peaks, world.assessment);
  CHECK(peaks.payments_per_s["PAYU"] == doctest::Approx(16.0));
  world.set_success({}, 0.9);
  for (PathStats& p : world.assessment.paths) p.payments_per_s = 1.0;
  world.assessment.ts_ms += 86'400'000;
  observe(peaks, world.assessment);
  CHECK(peaks.payments_per_s["PAYU"] == doctest::Approx(8.0));
  CHECK(same_fields(*decode<TrafficPeaks>(encode(peaks)), peaks));
}

TEST_CASE("strength grows step by step, and only after an improvement") {
  World world;
  world.break_gateway("PAYU");
  const auto reroute_of = [&](const std::string& to) -> const Option* {
    static std::vector<Option> options;
    options = world.plan();
    for (const Option& o : options) {
      if (o.type == "reroute_traffic" && o.params.at("to_gateway") == to) return &o;
    }
    return nullptr;
  };
  world.economics.gateways["RAZOR"].max_payments_per_s = 1000.0;
  const Option first = *reroute_of("RAZOR");
  CHECK(first.strength == 1.0);  // as much as limits allow: what it does is seen already
  const std::size_t active = 0;
  Option small = first;
  small.strength = 0.25;  // the gate allowed no more
  world.act(small);
  CHECK(reroute_of("RAZOR") == nullptr);  // judged first
  world.ledger[active].outcome.result = OutcomeResult::improved;
  const Option* second = reroute_of("RAZOR");
  REQUIRE(second);
  CHECK(second->strength > small.strength);
  CHECK(second->option_id == first.option_id);
  Intervention& full = world.ledger[active];
  full.action.strength = 1.0;
  full.action.holdout = 0.05;
  CHECK(reroute_of("RAZOR") == nullptr);  // nothing to add yet
  full.action.expires_ts_ms = kNow + 10'000;
  REQUIRE(reroute_of("RAZOR"));  // renewed before it runs out
  CHECK(reroute_of("RAZOR")->strength == 1.0);
  full.state = InterventionState::ended;
  full.changed_ts_ms = kNow - 1000;
  REQUIRE(reroute_of("RAZOR"));
  CHECK(reroute_of("RAZOR")->strength == 1.0);  // it helped at this strength a moment ago
  full.outcome.result = OutcomeResult::worse;
  CHECK(reroute_of("RAZOR")->strength == world.economics.ramp.front().strength);
}

TEST_CASE("what a limit keeps small is not issued again and again") {
  World world;
  world.break_gateway("PAYU");
  world.economics.gateways["RAZOR"].max_payments_per_s = 1000.0;
  Option option = *find_type(world.plan(), "reroute_traffic");
  option.params = {{"to_gateway", "RAZOR"}};
  option.strength = 0.9;  // the gate allowed no more
  option.holdout = 0.05;
  const auto offered = [&] {
    for (const Option& o : world.plan()) {
      if (o.type == "reroute_traffic" && o.params.at("to_gateway") == "RAZOR") return true;
    }
    return false;
  };
  world.act(option).outcome.result = OutcomeResult::improved;
  CHECK_FALSE(offered());
  world.ledger[0].action.strength = 0.5;
  CHECK(offered());
  world.ledger[0].state = InterventionState::ended;
  option.strength = 0.5;  // tried, and cut down again
  world.act(option).outcome.result = OutcomeResult::improved;
  CHECK_FALSE(offered());
}

TEST_CASE("the first step is the one that is surely worth most, no more than a trial of a guess") {
  World measured;
  measured.break_gateway("PAYU", 0.1);
  measured.economics.gateways["RAZOR"].max_payments_per_s = 1000.0;
  CHECK(find_type(measured.plan(), "reroute_traffic")->strength == 1.0);
  World supposed;  // what customers do who are asked to pay another way
  supposed.economics.switch_acceptance = 0.7;
  supposed.economics.switch_acceptance_sd = 0.1;
  supposed.break_issuer("HDFC");
  CHECK(find_type(supposed.plan(), "suppress_path")->strength == 0.25);
  World hopeless;  // where no step is surely worth anything it is the smallest
  hopeless.break_issuer("HDFC", 0.4);
  const auto options = hopeless.plan();
  const Option* unsure = find_type(options, "suppress_path");
  REQUIRE(unsure);
  CHECK(unsure->nrv.total.low < 0.0);
  CHECK(unsure->strength == 0.05);
}

TEST_CASE("another cause that is certain too does not make this one less so") {
  World one;
  one.break_gateway("PAYU");
  World two = one;
  two.assessment.hypotheses.front().posterior = 0.45;  // shared with an alarm elsewhere
  const Option* unsure = nullptr;
  const auto shared = two.plan();
  unsure = find_type(shared, "reroute_traffic");
  REQUIRE(unsure);
  CHECK(unsure->nrv.total.low < 0.0);
  two.assessment.hypotheses.front().certainty = 0.9;
  const auto alone = one.plan(), both = two.plan();
  CHECK(find_type(both, "reroute_traffic")->nrv.total.mean ==
        find_type(alone, "reroute_traffic")->nrv.total.mean);
}

TEST_CASE("what is in force or waits for a person is not proposed again, nor any part of it") {
  World world;
  world.break_gateway("PAYU");
  world.act(*find_type(world.plan(), "reroute_traffic"));
  world.ledger[0].state = InterventionState::proposed;
  world.suspect(Cause::gateway_down, {"HDFC", "*", "PAYU"}, 0.3);
  CHECK(targets(world.plan()).empty());
  world.ledger[0].state = InterventionState::rejected;
  CHECK_FALSE(targets(world.plan()).empty());
  world.act(*find_type(world.plan(), "alert_ops"));
  for (const Option& o : world.plan()) {
    if (o.type == "alert_ops") CHECK(o.scope != world.ledger[1].action.scope);
  }
}

TEST_CASE("traffic is not sent in a circle") {
  World world;
  world.break_gateway("PAYU");
  Option away;
  away.type = "reroute_traffic";
  away.scope = {"*", "card", "RAZOR"};
  away.params = {{"to_gateway", "STRIPE"}};
  away.strength = 0.25;
  away.duration_s = 600.0;
  world.act(away);
  for (const Option& o : world.plan()) {
    if (o.type == "reroute_traffic" && o.params.at("to_gateway") == "RAZOR") {
      CHECK(o.scope.method == "upi");
    }
  }
}

TEST_CASE("ids are a function of type, scope and params") {
  World world;
  world.break_gateway("PAYU");
  const auto once = world.plan(), again = world.plan();
  REQUIRE(once.size() == again.size());
  std::set<std::string> ids;
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(encode(once[i]) == encode(again[i]));
    CHECK(once[i].option_id == option_id(once[i].type, once[i].scope, once[i].params));
    CHECK(once[i].option_id.size() == 20);
    ids.insert(once[i].option_id);
  }
  CHECK(ids.size() == once.size());
  const Scope scope{"HDFC", "card", "*"};
  CHECK(option_id("a", scope, {}) != option_id("b", scope, {}));
  CHECK(option_id("a", scope, {}) != option_id("a", {}, {}));
  CHECK(option_id("a", scope, {{"x", "1"}}) != option_id("a", scope, {{"x", "2"}}));
}

TEST_CASE("every option of any world keeps its bounds") {
  CHECK(rc::check([] {
    World world;
    world.economics.upstreams = {{"PAYU", {"dc-1"}}, {"RAZOR", {"dc-1"}}};
    for (PathStats& p : world.assessment.paths) {
      p.success_rate = *rc::gen::inRange(0, 100) / 100.0;
      p.attempts = *rc::gen::element<uint64_t>(0, 499, 500, 9000);
      p.warming_up = *rc::gen::weightedElement<bool>({{3, false}, {1, true}});
      p.payments_per_s = *rc::gen::inRange(0, 100) / 10.0;
      p.attempts_per_payment = 1.0 + *rc::gen::inRange(0, 30) / 10.0;
    }
    const auto name = [](std::vector<std::string> names) { return *rc::gen::elementOf(names); };
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
      world.suspect(
          static_cast<Cause>(*rc::gen::inRange(0, 12)),
          {name({"*", "HDFC", "SBI"}), name({"*", "card", "upi"}), name({"*", "PAYU", "RAZOR"})},
          0.3);
    }
    const auto options = world.plan();
    RC_ASSERT(find_type(options, "no_action") != nullptr);
    for (const Option& o : options) {
      double sum = 0.0;
      for (const NrvItem& i : o.nrv.items) sum += i.amount_minor;
      RC_ASSERT(sum == o.nrv.total.mean);
      RC_ASSERT(o.blast_radius >= 0.0 && o.blast_radius <= 1.0);
      if (o.type == "no_action") continue;
      // A reroute's both sides are measured on live traffic: it need not begin small.
      const bool measured = o.type == "alert_ops" || o.type == "reroute_traffic";
      const double most = measured ? 1.0 : world.economics.ramp_first_max;
      RC_ASSERT(o.strength > 0.0 && o.strength <= most + 1e-9);
      if (o.type != "alert_ops") RC_ASSERT(o.evidence_attempts >= 500u);
      if (o.type == "reroute_traffic") {
        const std::string& to = o.params.at("to_gateway");
        RC_ASSERT(o.scope.gateway != "*");
        RC_ASSERT(!world.economics.share_upstream(o.scope.gateway, to));
      }
    }
  }));
}

TEST_CASE("economics that make no sense are refused by name") {
  const auto why = [](auto&& change) {
    Economics e;
    change(e);
    const Status s = e.validate();
    return s ? std::string() : s.error().message;
  };
  CHECK(why([](Economics&) {}).empty());
  CHECK(why([](Economics& e) { e.margin_share = 2.0; }).find("margin_share") != std::string::npos);
  CHECK(why([](Economics& e) { e.ramp.clear(); }).find("ramp") != std::string::npos);
  CHECK(why([](Economics& e) {
          e.ramp = {{0.5, 0.1}, {0.2, 0.1}};
        }).find("rise") != std::string::npos);
  CHECK(why([](Economics& e) { e.gateways["X"].portable_share = -1.0; }).find("gateways.X") !=
        std::string::npos);
  CHECK(why([](Economics& e) { e.fault_mean_s = std::nan(""); }).find("fault") !=
        std::string::npos);
}

}  // namespace
}  // namespace payops::decision
