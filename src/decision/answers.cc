#include "answers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "payops/core/text.h"
#include "payops/model/relevance.h"

namespace payops::decision {

double overload_chance(double used) {
  constexpr double kMore = 1.25, kSpread = 0.25;
  if (used <= 0.0) return 0.0;
  return 0.5 * std::erfc(std::log(kMore / used) / (kSpread * std::numbers::sqrt2));
}

Trouble trouble_at(const Assessment& assessment, const Scope& scope) {
  Trouble trouble = Trouble::none;
  for (const Alarm& alarm : assessment.alarms) {
    if (alarm.ended_ts_ms != 0 || !overlaps(alarm.scope, scope)) continue;
    if (alarm.recovered_ts_ms == 0) return Trouble::lasts;
    trouble = Trouble::over;
  }
  return trouble;
}

std::vector<const Hypothesis*> hypotheses_of(const Situation& situation,
                                             std::initializer_list<Cause> causes) {
  std::vector<const Hypothesis*> found;
  for (const Hypothesis& h : situation.assessment.hypotheses) {
    const bool asked = std::find(causes.begin(), causes.end(), h.cause) != causes.end();
    if (!asked || belief(h) < situation.economics.posterior_min) continue;
    // Where only the alarm's clearing is waited for, nothing is left to do.
    if (trouble_at(situation.assessment, h.scope) != Trouble::over) found.push_back(&h);
  }
  return found;
}

Health health_of(const Paths& paths) {
  double weight = 0.0, now = 0.0, baseline = 0.0;
  for (const PathStats* p : paths) {
    weight += p->payments_per_s;
    now += p->payments_per_s * p->success_rate;
    baseline += p->payments_per_s * p->baseline_success;
  }
  return weight > 0.0 ? Health{now / weight, baseline / weight} : Health{};
}

void refine(const Scope& scope, const Paths& paths, const Accept& accept) {
  if (paths.empty() || accept(scope, paths)) return;
  const bool by_method = scope.method == "*";
  if (!by_method && scope.issuer != "*") return;
  std::map<std::string, Paths> parts;
  for (const PathStats* p : paths) parts[by_method ? p->path.method : p->path.issuer].push_back(p);
  for (const auto& [name, part] : parts) {
    Scope narrower = scope;
    (by_method ? narrower.method : narrower.issuer) = name;
    refine(narrower, part, accept);
  }
}

std::string percent(double share) { return fixed(100.0 * share, share > 0.995 ? 1 : 0) + " %"; }

std::vector<std::unique_ptr<InterventionType>> built_in_types() {
  std::vector<std::unique_ptr<InterventionType>> types;
  types.push_back(alert_ops_type());
  types.push_back(adjust_retry_type());
  types.push_back(reduce_retry_attempts_type());
  types.push_back(suppress_path_type());
  types.push_back(reroute_traffic_type());
  return types;
}

}  // namespace payops::decision
