#include "payops/evaluation/policy_summary.h"

#include <algorithm>
#include <map>
#include <set>

#include "bootstrap.h"
#include "payops/core/check.h"
#include "payops/core/random.h"

namespace payops::evaluation {
namespace {

constexpr double kWeekS = 7.0 * 86'400.0;

// Money of one policy by seed: the clusters.
struct BySeed {
  std::vector<double> gain, oracle, agent;
  std::vector<double> runs;
};

Interval interval(std::vector<double> draws, double mean) {
  std::sort(draws.begin(), draws.end());
  const auto at = [&](double q) {
    const auto i = static_cast<std::size_t>(q * static_cast<double>(draws.size() - 1) + 0.5);
    return draws[i];
  };
  return {mean, at(0.025), at(0.975)};
}

double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

// Draws as many seeds as there are, with replacement, and hands the sums to `use`. The same draws
// for every statistic, so that comparisons are of the same resampled seeds.
template <class Use>
void resample(const BySeed& data, Use&& use) {
  const Random random(kBootstrapSeed);
  const std::size_t seeds = data.gain.size();
  for (uint64_t draw = 0; draw < kBootstrapDraws; ++draw) {
    RandomStream stream = random.at(draw);
    double gain = 0.0, oracle = 0.0, agent = 0.0, runs = 0.0;
    for (std::size_t i = 0; i < seeds; ++i) {
      const auto s = static_cast<std::size_t>(stream.below(seeds));
      gain += data.gain[s];
      oracle += data.oracle[s];
      agent += data.agent[s];
      runs += data.runs[s];
    }
    use(gain, oracle, agent, runs);
  }
}

void add_intervals(const BySeed& data, bool with_oracle, bool with_agent, FamilyPolicy& result) {
  const auto sum = [](const std::vector<double>& values) {
    double total = 0.0;
    for (const double value : values) total += value;
    return total;
  };
  const double runs = sum(data.runs), gain = sum(data.gain), oracle = sum(data.oracle),
               agent = sum(data.agent);
  std::vector<double> gains, shares, leads;
  resample(data, [&](double g, double o, double a, double n) {
    gains.push_back(g / n);
    shares.push_back(ratio(g, o));
    leads.push_back((a - g) / n);
  });
  result.gain_minor = interval(std::move(gains), gain / runs);
  if (with_oracle && oracle > 0.0) result.share = interval(std::move(shares), gain / oracle);
  if (with_agent) result.lead_minor = interval(std::move(leads), (agent - gain) / runs);
}

using Key = std::pair<std::string, uint64_t>;  // scenario, seed

struct Table {
  std::vector<std::string> policies;
  std::vector<std::string> families;
  std::vector<uint64_t> seeds;
  std::map<Key, std::map<std::string, const PolicyRun*>> runs;
  std::map<std::string, FamilyLength> lengths;
};

Table table_of(const std::vector<PolicyRun>& runs, const std::vector<FamilyLength>& lengths) {
  Table table;
  std::set<uint64_t> seeds;
  const auto note = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const PolicyRun& run : runs) {
    note(table.policies, run.policy);
    note(table.families, run.scenario);
    seeds.insert(run.seed);
    table.runs[{run.scenario, run.seed}][run.policy] = &run;
  }
  table.seeds.assign(seeds.begin(), seeds.end());
  for (const FamilyLength& length : lengths) table.lengths[length.scenario] = length;
  return table;
}

// `family` "*" is all of them.
FamilyPolicy sum_up(const Table& table, const std::string& family, const std::string& policy) {
  FamilyPolicy result;
  result.family = family;
  result.policy = policy;
  BySeed data;
  bool with_oracle = false, with_agent = false;
  double weeks = 0.0, excess = 0.0, delay = 0.0;
  uint64_t faulty = 0, noticed = 0, actions = 0, false_actions = 0;
  for (const uint64_t seed : table.seeds) {
    double gain = 0.0, oracle = 0.0, agent = 0.0, count = 0.0;
    for (const std::string& scenario : table.families) {
      if (family != "*" && family != scenario) continue;
      const auto found = table.runs.find({scenario, seed});
      if (found == table.runs.end()) continue;
      const auto money = [&](const std::string& of, bool& known) {
        const auto run = found->second.find(of);
        known = known || run != found->second.end();
        return run == found->second.end() ? 0.0
                                          : static_cast<double>(run->second->net_revenue_minor);
      };
      bool known = false;
      const double nothing = money("nothing", known);
      PAYOPS_CHECK(known);
      const PolicyRun& run = *found->second.at(policy);
      gain += money(policy, known) - nothing;
      oracle += money("oracle", with_oracle) - nothing;
      agent += money("agent", with_agent) - nothing;
      count += 1.0;
      const FamilyLength& length = table.lengths.at(scenario);
      weeks += length.duration_s / kWeekS;
      excess += static_cast<double>(run.excess_failures);
      actions += run.actions;
      false_actions += run.false_actions;
      faulty += length.has_fault ? 1 : 0;
      if (run.detection_delay_ms) {
        ++noticed;
        delay += static_cast<double>(*run.detection_delay_ms);
      }
    }
    if (count <= 0.0) continue;
    data.gain.push_back(gain);
    data.oracle.push_back(oracle);
    data.agent.push_back(agent);
    data.runs.push_back(count);
    result.runs += static_cast<uint64_t>(count);
  }
  add_intervals(data, with_oracle, with_agent, result);
  result.excess_failures = excess / static_cast<double>(result.runs);
  if (faulty > 0) result.detected = static_cast<double>(noticed) / static_cast<double>(faulty);
  if (noticed > 0) result.detection_delay_ms = delay / static_cast<double>(noticed);
  result.actions_per_week = ratio(static_cast<double>(actions), weeks);
  result.false_actions_per_week = ratio(static_cast<double>(false_actions), weeks);
  return result;
}

}  // namespace

PolicySummary summarise(const std::vector<PolicyRun>& runs,
                        const std::vector<FamilyLength>& lengths) {
  const Table table = table_of(runs, lengths);
  PolicySummary summary;
  summary.scenarios = table.families.size();
  summary.seeds = table.seeds.size();
  summary.draws = kBootstrapDraws;
  for (const std::string& policy : table.policies) {
    summary.total.push_back(sum_up(table, "*", policy));
  }
  for (const std::string& family : table.families) {
    for (const std::string& policy : table.policies) {
      summary.families.push_back(sum_up(table, family, policy));
    }
  }
  return summary;
}

}  // namespace payops::evaluation
