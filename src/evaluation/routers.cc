#include "routers.h"

#include <algorithm>
#include <cmath>

namespace payops::evaluation {
namespace {

constexpr double kHedge = 0.05;  // share of the traffic that stays where it would have gone

struct PathKey {
  std::string_view issuer, method, gateway;  // empty: any
  auto operator<=>(const PathKey&) const = default;
  [[nodiscard]] Scope scope() const {
    const auto name = [](std::string_view v) {
      return v.empty() ? std::string("*") : std::string(v);
    };
    return {name(issuer), name(method), name(gateway)};
  }
};

// The last so many outcomes.
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}
  // The outcome that falls out, if one does.
  std::optional<bool> add(bool success) {
    outcomes_.push_back(success);
    successes_ += success ? 1 : 0;
    if (outcomes_.size() <= most_) return std::nullopt;
    const bool oldest = outcomes_.front();
    outcomes_.pop_front();
    successes_ -= oldest ? 1 : 0;
    return oldest;
  }
  [[nodiscard]] bool full() const { return outcomes_.size() >= most_; }
  [[nodiscard]] std::size_t size() const { return outcomes_.size(); }
  [[nodiscard]] double rate() const {
    return outcomes_.empty()
               ? 1.0
               : static_cast<double>(successes_) / static_cast<double>(outcomes_.size());
  }

 private:
  std::size_t most_;
  std::deque<bool> outcomes_;
  int64_t successes_ = 0;
};

// Gives actions their ids and revisions.
class Issuer {
 public:
  explicit Issuer(std::string prefix) : prefix_(std::move(prefix)) {}
  [[nodiscard]] Action start(std::string_view type, const Scope& scope, const std::string& to,
                             int64_t now_ms, int64_t lease_ms) {
    Action action;
    action.type = std::string(type);
    action.scope = scope;
    if (!to.empty()) action.params = {{"to_gateway", to}};
    action.action_id = prefix_ + std::to_string(++revision_);
    action.strength = 1.0 - kHedge;
    action.issued_ts_ms = now_ms;
    action.expires_ts_ms = now_ms + lease_ms;
    action.revision = revision_;
    return action;
  }
  [[nodiscard]] Action stop(const Action& started, int64_t now_ms) {
    Action inverse = started;
    inverse.action_id = prefix_ + std::to_string(++revision_);
    inverse.inverse_of = started.action_id;
    inverse.issued_ts_ms = now_ms;
    inverse.revision = revision_;
    return inverse;
  }

 private:
  std::string prefix_;
  uint64_t revision_ = 0;
};

class ZscoreRule final : public Router {
 public:
  explicit ZscoreRule(const simulators::Scenario& scenario) {
    for (const auto& gateway : scenario.gateways) gateways_.push_back(gateway.name);
  }

  void observe(const simulators::SimulatedAttempt& a) override {
    if (a.attempt_no != 1) return;
    const bool approved = a.status == AttemptStatus::approved;
    series_[{a.issuer, {}, {}}].add(approved);
    series_[{{}, {}, a.gateway}].add(approved);
    series_[{a.issuer, a.method, a.gateway}].add(approved);
  }

  std::vector<Action> decide(int64_t now_ms) override {
    std::vector<Action> changes;
    for (auto& [key, series] : series_) {
      if (now_ms < series.until_ms || !series.in_trouble()) continue;
      const bool issuer_only = key.gateway.empty();
      const std::string to = issuer_only ? "" : best_other(key);
      if (!issuer_only && to.empty()) continue;
      series.until_ms = now_ms + kLeaseMs;
      changes.push_back(
          issuer_.start(issuer_only ? action_type::kSuppressPath : action_type::kRerouteTraffic,
                        key.scope(), to, now_ms, kLeaseMs));
    }
    return changes;
  }
  bool alarms() const override { return true; }

 private:
  static constexpr int64_t kLeaseMs = 300'000;
  static constexpr std::size_t kWindow = 50;
  static constexpr double kMemory = 2000.0;  // attempts in the long-run rate
  static constexpr double kLearnt = 200.0;   // before it is believed
  static constexpr double kZ = 2.0;

  struct Series {
    Recent window{kWindow};
    double learnt = 0.0;
    double usual = 0.0;
    int64_t until_ms = 0;
    void add(bool success) {
      const std::optional<bool> past = window.add(success);
      if (!past) return;
      learnt = std::min(learnt + 1.0, kMemory);
      usual += ((*past ? 1.0 : 0.0) - usual) / learnt;
    }
    [[nodiscard]] bool in_trouble() const {
      if (learnt < kLearnt || !window.full()) return false;
      const double sigma = std::sqrt(std::max(usual * (1.0 - usual), 1e-4) / double{kWindow});
      return (usual - window.rate()) / sigma >= kZ;
    }
  };

  [[nodiscard]] std::string best_other(const PathKey& key) const {
    std::string best;
    double best_rate = -1.0;
    for (const std::string& gateway : gateways_) {
      if (gateway == key.gateway) continue;
      const auto it = series_.find({key.issuer, key.method, gateway});
      if (it == series_.end() || it->second.window.rate() <= best_rate) continue;
      best_rate = it->second.window.rate();
      best = gateway;
    }
    return best;
  }

  std::vector<std::string> gateways_;
  std::map<PathKey, Series> series_;
  Issuer issuer_{"zscore-"};
};

class SuccessRateRouter final : public Router {
 public:
  explicit SuccessRateRouter(const simulators::Scenario& scenario) {
    for (const auto& issuer : scenario.issuers) {
      for (const auto& method : scenario.methods) {
        Choice& choice = choices_.emplace_back();
        choice.issuer = issuer.name;
        choice.method = method.name;
        for (const auto& gateway : scenario.gateways)
          choice.gateways.emplace_back().name = gateway.name;
      }
    }
  }

  void observe(const simulators::SimulatedAttempt& a) override {
    for (Choice& choice : choices_) {
      if (choice.issuer != a.issuer || choice.method != a.method) continue;
      for (Scored& scored : choice.gateways) {
        if (scored.name == a.gateway) scored.add(a.status == AttemptStatus::approved);
      }
    }
  }

  std::vector<Action> decide(int64_t now_ms) override {
    std::vector<Action> changes;
    if (now_ms % kEveryMs != 0) return changes;
    for (Choice& choice : choices_) {
      Scored* best = &choice.gateways.front();
      for (Scored& scored : choice.gateways) {
        if (scored.score() > best->score()) best = &scored;
      }
      const bool known = std::all_of(choice.gateways.begin(), choice.gateways.end(),
                                     [](const Scored& s) { return s.outcomes.size() >= kLeast; });
      if (!known || best->name == choice.chosen) continue;
      choice.chosen = best->name;
      for (Scored& scored : choice.gateways) {
        const Scope scope{choice.issuer, choice.method, scored.name};
        if (scored.name != choice.chosen) {
          scored.action =
              issuer_.start(action_type::kRerouteTraffic, scope, choice.chosen, now_ms, kForEverMs);
          changes.push_back(scored.action);
        } else if (!scored.action.action_id.empty()) {
          changes.push_back(issuer_.stop(scored.action, now_ms));
          scored.action = {};
        }
      }
    }
    return changes;
  }
  bool alarms() const override { return false; }

 private:
  static constexpr std::size_t kWindow = 125;
  static constexpr std::size_t kLeast = 20;  // outcomes before a score counts
  static constexpr double kElimination = 0.95;
  static constexpr int64_t kEveryMs = 5000;  // between two publications of its table
  static constexpr int64_t kForEverMs = 30LL * 86'400'000;

  struct Scored {
    std::string name;
    Recent outcomes{kWindow};
    double elimination = 1.0;
    Action action;  // that takes its traffic elsewhere
    void add(bool success) {
      (void)outcomes.add(success);
      elimination =
          success ? std::min(1.0, elimination / kElimination) : elimination * kElimination;
    }
    [[nodiscard]] double score() const { return outcomes.rate() * elimination; }
  };
  struct Choice {
    std::string issuer, method, chosen;
    std::vector<Scored> gateways;
  };

  std::vector<Choice> choices_;
  Issuer issuer_{"router-"};
};

}  // namespace

std::unique_ptr<Router> zscore_rule(const simulators::Scenario& scenario) {
  return std::make_unique<ZscoreRule>(scenario);
}

std::unique_ptr<Router> success_rate_router(const simulators::Scenario& scenario) {
  return std::make_unique<SuccessRateRouter>(scenario);
}

}  // namespace payops::evaluation
