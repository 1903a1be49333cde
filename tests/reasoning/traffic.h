// Synthetic traffic for tests of reasoning: four issuers, five methods, three gateways, payments by
// a Poisson process, failures by class, retries a few seconds later, and faults on a schedule.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "payops/core/random.h"
#include "payops/model/cell.h"
#include "payops/reasoning/reasoner.h"

namespace payops::reasoning::test {

enum class Kind {
  issuer_fails,    // technical failures with issuer codes; size = share of attempts taken
  gateway_fails,   // the same with gateway codes
  anything_fails,  // the same with mixed codes
  slow,            // latencies times `size`
  retries,         // probability `size` that a failure is retried, retries fail half the time
  customer,        // size = share of attempts declined for want of funds
  policy,          // … by policy (05)
  fraud,           // … for suspected fraud
  drop,            // size = share of payments that never arrive
  rush,            // payments of the scope come `size` times as often
  rerouted         // size = share of the scope's payments sent to gateway 3 instead, as `treated`
};
struct Fault {
  Kind kind;
  SeriesKey scope;
  int64_t from;  // seconds after start
  int64_t to;
  double size;
};

inline constexpr int64_t kStart = 1'769'900'400;  // an hour's beginning, seconds

struct Traffic {
  uint64_t seed = 1;
  double rate = 20.0;
  double technical = 0.05;
  double customer = 0.03;
  double retry = 0.5;
  std::vector<Fault> faults;
  std::function<double(int64_t)> rhythm = [](int64_t) { return 1.0; };

  // The bucket of second kStart + t. Ask for t in ascending order: retries are carried over.
  ClosedBucket at(int64_t t) {
    cells_.clear();
    RandomStream draw = Random(seed).at(static_cast<uint64_t>(t));
    const double all = rate * rhythm(t);
    double most = 1.0;
    for (const Fault& f : faults) {
      if (f.kind == Kind::rush && live(f, t)) most = std::max(most, f.size);
    }
    // Thinned: candidates at the highest rate, kept with the path's own.
    const uint64_t n = draw.poisson(all * most);
    for (uint64_t i = 0; i < n; ++i) {
      static constexpr DimId kIssuers[] = {1, 1, 1, 2, 2, 2, 3, 3, 4, 4};
      static constexpr DimId kMethods[] = {1, 1, 1, 1, 2, 2, 2, 3, 4, 5};
      static constexpr DimId kGateways[] = {1, 1, 2, 2, 3};
      SeriesKey path{kIssuers[draw.below(10)], kMethods[draw.below(10)], kGateways[draw.below(5)]};
      double keep = 1.0 / most;
      Arm arm = Arm::none;
      for (const Fault& f : faults) {
        if (!hits(f, path, t)) continue;
        if (f.kind == Kind::rush) keep *= f.size;
        if (f.kind == Kind::drop) keep *= 1.0 - f.size;
        if (f.kind == Kind::rerouted && draw.chance(f.size)) {
          path.gateway = 3;
          arm = Arm::treated;
        }
      }
      if (draw.chance(keep)) attempt(path, arm, 1, t, draw);
    }
    for (const auto& [path, number] : pending_[t]) attempt(path, Arm::none, number, t, draw);
    pending_.erase(t);
    ClosedBucket bucket{.second = kStart + t, .cells = {}, .arms = {}};
    for (const auto& [key, cell] : cells_) bucket.cells.push_back({key, cell});
    return bucket;
  }

 private:
  static bool live(const Fault& f, int64_t t) { return t >= f.from && t < f.to; }
  static bool hits(const Fault& f, const SeriesKey& path, int64_t t) {
    return live(f, t) && f.scope.covers(path);
  }

  void attempt(const SeriesKey& path, Arm arm, uint32_t number, int64_t t, RandomStream& draw) {
    double fails = technical, funds = customer, policy_share = 0.01, fraud_share = 0.002;
    double slower = 1.0, again = retry, retry_fails = 0.0;
    DeclineClass cls = mixed(draw);
    for (const Fault& f : faults) {
      if (!hits(f, path, t)) continue;
      const bool takes = f.kind <= Kind::anything_fails;
      if (takes) {
        fails = fails + (1.0 - fails) * f.size;
        if (f.kind == Kind::issuer_fails && draw.chance(0.8)) cls = DeclineClass::issuer_technical;
        if (f.kind == Kind::gateway_fails && draw.chance(0.8)) cls = DeclineClass::gateway;
      }
      if (f.kind == Kind::slow) slower = f.size;
      if (f.kind == Kind::retries) {
        again = f.size;
        retry_fails = 0.5;
      }
      if (f.kind == Kind::customer) funds = f.size;
      if (f.kind == Kind::policy) policy_share = f.size;
      if (f.kind == Kind::fraud) fraud_share = f.size;
    }
    if (number > 1) fails = std::max(fails, retry_fails);
    const auto count = [](uint32_t& c) { ++c; };
    Cell& cell = cells_[{path, arm}];
    count(cell.attempts);
    const double u = draw.uniform();
    const bool first = number == 1;
    if (first) {
      count(cell.first_attempts);
      cell.amount_minor += 50'000;
    }
    bool failed = true;
    if (u < fails) {
    } else if (u < fails + (1.0 - fails) * funds) {
      cls = DeclineClass::customer;
    } else if (u < fails + (1.0 - fails) * (funds + policy_share)) {
      cls = DeclineClass::issuer_policy;
    } else if (u < fails + (1.0 - fails) * (funds + policy_share + fraud_share)) {
      cls = DeclineClass::fraud;
    } else {
      failed = false;
    }
    if (failed) {
      count(cell.failures[static_cast<std::size_t>(cls)]);
      if (first) count(cell.first_failures[static_cast<std::size_t>(cls)]);
      if (draw.chance(again) && number < 6) {
        pending_[t + 1 + static_cast<int64_t>(draw.below(4))].push_back({path, number + 1});
      }
    } else {
      count(cell.approvals);
      if (first) count(cell.first_approvals);
      cell.approved_amount_minor += 50'000;
    }
    const double ms = 350.0 * slower * std::exp(0.45 * draw.normal());
    cell.latency.add(static_cast<uint32_t>(ms));
  }

  static DeclineClass mixed(RandomStream& draw) {
    const double u = draw.uniform();
    return u < 0.5   ? DeclineClass::issuer_technical
           : u < 0.7 ? DeclineClass::gateway
           : u < 0.8 ? DeclineClass::network
                     : DeclineClass::unknown;
  }

  std::map<LeafKey, Cell> cells_;
  std::map<int64_t, std::vector<std::pair<SeriesKey, uint32_t>>> pending_;
};

inline Dictionary dictionary() {
  Dictionary d;
  d.of(Dimension::issuer).assign({"other", "HDFC", "ICICI", "AXIS", "SBI"});
  d.of(Dimension::method).assign({"other", "card", "upi", "wallet", "bnpl", "netbanking"});
  d.of(Dimension::gateway).assign({"other", "PAYU", "RAZOR", "STRIPE"});
  return d;
}

// A run of traffic through a reasoner, with cycles every 8 s and at once on a new alarm.
struct Run {
  Traffic traffic;
  Reasoner reasoner{ReasoningConfig{}};
  Dictionary names = dictionary();
  std::vector<OwnAction> actions;
  std::vector<Alarm> rose;
  std::vector<Alarm> ended;
  Assessment last;
  int64_t t = 0;
  std::function<void(const Assessment&)> each = [](const Assessment&) {};

  void cycle() {
    last = reasoner.assess((kStart + t) * 1000, names, actions);
    rose.insert(rose.end(), last.rose.begin(), last.rose.end());
    ended.insert(ended.end(), last.ended.begin(), last.ended.end());
    each(last);
  }
  void until(int64_t end) {
    while (t < end) {
      const ClosedBucket bucket = traffic.at(t);
      const bool news = !bucket.cells.empty() && reasoner.observe(bucket);
      ++t;
      if (news || t % 8 == 0) cycle();
    }
  }
  // The status line of a scope.
  [[nodiscard]] SeriesStatus status(const Scope& scope) const {
    for (const SeriesStatus& s : last.statuses) {
      if (s.scope == scope) return s;
    }
    return {};
  }
  [[nodiscard]] double z(const Scope& scope, Signal signal) const {
    for (const Reading& r : status(scope).readings) {
      if (r.signal == signal) return r.z;
    }
    return 0.0;
  }
};

}  // namespace payops::reasoning::test
