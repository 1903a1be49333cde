#include "payops/decision/situation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace payops::decision {
namespace {

constexpr std::size_t kPeaksMax = 4096;
constexpr uint64_t kPeakAttempts = 1000;  // a peak of fewer may be chance: within 3 % of them
constexpr double kDayMs = 86'400'000.0;

// Equality, asked for millions of pairs: names of a kind begin alike and differ at their ends.
bool same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && (a.empty() || a.back() == b.back()) && a == b;
}

bool any_or(const std::string& outer, const std::string& inner) {
  return (outer.size() == 1 && outer[0] == '*') || same(outer, inner);
}

struct Traffic {
  double payments_per_s = 0.0;
  uint64_t attempts = 0;
};

std::map<std::string, Traffic> traffic_by_gateway(const Assessment& assessment) {
  std::map<std::string, Traffic> traffic;
  for (const PathStats& p : assessment.paths) {
    Traffic& there = traffic[p.path.gateway];
    there.payments_per_s += p.payments_per_s;
    there.attempts += p.attempts;
  }
  return traffic;
}

double amount_per_s(const PathStats& p) { return p.payments_per_s * p.amount_minor_mean; }

}  // namespace

void observe(TrafficPeaks& peaks, const Assessment& assessment) {
  const auto days =
      static_cast<double>(std::max<int64_t>(0, assessment.ts_ms - peaks.updated_ts_ms)) / kDayMs;
  const double kept = peaks.updated_ts_ms == 0 ? 1.0 : std::exp2(-days);
  for (auto& [gateway, peak] : peaks.payments_per_s) peak *= kept;
  for (auto& [gateway, load] : peaks.gave_way_per_s) load /= kept;
  for (const auto& [gateway, traffic] : traffic_by_gateway(assessment)) {
    if (traffic.attempts < kPeakAttempts) continue;
    const double now = traffic.payments_per_s;
    const auto it = peaks.payments_per_s.find(gateway);
    if (it != peaks.payments_per_s.end()) {
      it->second = std::max(it->second, now);
    } else if (peaks.payments_per_s.size() < kPeaksMax) {
      peaks.payments_per_s.emplace(gateway, now);
    }
  }
  peaks.updated_ts_ms = std::max(peaks.updated_ts_ms, assessment.ts_ms);
}

void remember_overload(TrafficPeaks& peaks, const Assessment& assessment,
                       const std::string& gateway) {
  const double load = load_per_s(assessment, gateway);
  if (load <= 0.0) return;
  const auto it = peaks.gave_way_per_s.find(gateway);
  if (it != peaks.gave_way_per_s.end()) {
    it->second = std::min(it->second, load);
  } else if (peaks.gave_way_per_s.size() < kPeaksMax) {
    peaks.gave_way_per_s.emplace(gateway, load);
  }
}

namespace {

const SeriesStatus* status_of(const Assessment& assessment, std::string_view gateway) {
  for (const SeriesStatus& s : assessment.statuses) {
    if (s.scope.gateway == gateway && s.scope.issuer == "*" && s.scope.method == "*") return &s;
  }
  return nullptr;
}

const Reading* reading_of(const SeriesStatus& status, Signal signal) {
  for (const Reading& r : status.readings) {
    if (r.signal == signal) return &r;
  }
  return nullptr;
}

}  // namespace

double load_per_s(const Assessment& assessment, std::string_view gateway) {
  const SeriesStatus* status = status_of(assessment, gateway);
  if (status == nullptr) return 0.0;
  const Reading* first = reading_of(*status, Signal::volume);
  const Reading* retries = reading_of(*status, Signal::retry_rate);
  if (first == nullptr) return 0.0;
  const double again = retries == nullptr ? 0.0 : std::clamp(retries->value, 0.0, 0.9);
  return first->value / (1.0 - again);
}

namespace {

// Is there an alarm of the path's issuer or method, whatever the gateway? Then what fails there is
// no doing of the gateway's.
bool fails_elsewhere_too(const Assessment& assessment, const Scope& path) {
  return std::any_of(assessment.alarms.begin(), assessment.alarms.end(), [&](const Alarm& alarm) {
    const bool named = alarm.scope.issuer != "*" || alarm.scope.method != "*";
    return named && alarm.scope.gateway != path.gateway && covers(alarm.scope, path);
  });
}

}  // namespace

bool overloads_target(const Assessment& assessment, const Action& reroute, int64_t since_ms,
                      double effect) {
  constexpr double kSurely = 3.0;
  const auto to = reroute.params.find("to_gateway");
  if (to == reroute.params.end()) return false;
  for (const Alarm& alarm : assessment.alarms) {
    const bool before = alarm.started_ts_ms < since_ms;
    if (before && alarm.scope.gateway == to->second) return false;  // it was ill already
  }
  double own = 0.0, theirs = 0.0, weight = 0.0, drop = 0.0, variance = 0.0;
  for (const PathStats& p : assessment.paths) {
    const double w = p.payments_per_s;
    if (covers(reroute.scope, p.path)) own += w;
    if (p.path.gateway != to->second) continue;
    theirs += w;
    if (fails_elsewhere_too(assessment, p.path)) continue;
    weight += w;
    drop += w * (p.baseline_success - p.success_rate);
    // What is usual there is known from so many attempts, which may be few.
    const double usual = p.baseline_success * (1.0 - p.baseline_success) /
                         static_cast<double>(std::max<uint64_t>(1, p.attempts));
    variance += w * w * (p.success_sigma * p.success_sigma + usual);
  }
  if (weight <= 0.0 || drop < kSurely * std::sqrt(variance)) return false;
  const double lost = theirs * drop / weight;
  return lost > own * treated_share(reroute) * std::max(0.0, effect);
}

double treated_share(const Action& action) { return action.strength * (1.0 - action.holdout); }

bool covers(const Scope& outer, const Scope& inner) {
  return any_or(outer.issuer, inner.issuer) && any_or(outer.method, inner.method) &&
         any_or(outer.gateway, inner.gateway);
}

bool overlaps(const Scope& a, const Scope& b) {
  const auto meet = [](const std::string& x, const std::string& y) {
    return any_or(x, y) || any_or(y, x);
  };
  return meet(a.issuer, b.issuer) && meet(a.method, b.method) && meet(a.gateway, b.gateway);
}

Paths paths_in(const PathIndex& index, const Scope& scope) {
  Paths paths;
  for (const PathStats* p : index.of_issuer(scope.issuer)) {
    if (covers(scope, p->path)) paths.push_back(p);
  }
  return paths;
}

uint64_t attempts_of(const Paths& paths) {
  uint64_t attempts = 0;
  for (const PathStats* p : paths) attempts += p->attempts;
  return attempts;
}

bool thin(const Paths& paths, const Economics& economics) {
  if (static_cast<double>(attempts_of(paths)) < economics.attempts_min) return true;
  double all = 0.0, warming = 0.0;
  for (const PathStats* p : paths) {
    all += p->payments_per_s;
    if (p->warming_up) warming += p->payments_per_s;
  }
  if (paths.size() == 1 && paths.front()->warming_up) return true;
  return all <= 0.0 || warming > economics.warming_max * all;
}

PathIndex::PathIndex(const Assessment& assessment)
    : first_(assessment.paths.data()), present_(assessment.paths.size()) {
  all_.reserve(assessment.paths.size());
  for (const PathStats& p : assessment.paths) {
    all_.push_back(&p);
    by_issuer_[p.path.issuer].push_back(&p);
  }
}

const Paths& PathIndex::of_issuer(const std::string& issuer) const {
  static const Paths none;
  if (issuer == "*") return all_;
  const auto it = by_issuer_.find(issuer);
  return it == by_issuer_.end() ? none : it->second;
}

const PathStats* PathIndex::find(const Scope& path) const {
  const Paths& there = of_issuer(path.issuer);
  const auto it = std::find_if(there.begin(), there.end(), [&](const PathStats* p) {
    return same(p->path.gateway, path.gateway) && same(p->path.method, path.method);
  });
  return it == there.end() ? nullptr : *it;
}

const Outlook& PathIndex::present(const PathStats& path) const {
  std::optional<Outlook>& known = present_[static_cast<std::size_t>(&path - first_)];
  if (!known) {
    known = outlook(path, path.success_rate, path.success_sigma, retry_propensity(path));
  }
  return *known;
}

bool in_force(const Intervention& intervention, int64_t ts_ms) {
  switch (intervention.state) {
    case InterventionState::proposed:
    case InterventionState::approved:
      return true;
    case InterventionState::active:
      return intervention.action.expires_ts_ms > ts_ms;
    default:
      return false;
  }
}

double judged_after_s(const JudgingPace& pace, double effect, double conversion,
                      double treated_per_s, double holdout_per_s) {
  const double none = std::numeric_limits<double>::infinity();
  if (treated_per_s <= 0.0 || holdout_per_s <= 0.0 || effect == 0.0) return none;
  const double tau2 = pace.mixture_sd * pace.mixture_sd;
  const double needed = -std::log(pace.alpha);
  const double p = std::clamp(conversion, 0.02, 0.98);
  const double per_s = p * (1.0 - p) * (1.0 / treated_per_s + 1.0 / holdout_per_s);
  const auto found = [&](double t_s) {
    const double v = per_s / t_s;
    return 0.5 * std::log(v / (v + tau2)) + effect * effect * tau2 / (2.0 * v * (v + tau2)) >=
           needed;
  };
  double low = pace.payments_min / std::min(treated_per_s, holdout_per_s);
  if (found(low)) return pace.stabilise_s + low;
  double high = low;
  do {
    low = high;
    high *= 2.0;
    if (high > 1e7) return none;
  } while (!found(high));
  for (int i = 0; i < 12; ++i) {
    const double middle = 0.5 * (low + high);
    (found(middle) ? high : low) = middle;
  }
  return pace.stabilise_s + high;
}

double live_value_per_s(const Assessment& assessment, const Scope& scope) {
  double total = 0.0;
  for (const PathStats& p : assessment.paths) {
    if (covers(scope, p.path)) total += amount_per_s(p);
  }
  return total;
}

const Intervention* in_force_on(const Situation& s, std::string_view type, const Scope& scope) {
  const Intervention* found = nullptr;
  for (const Intervention& i : s.interventions) {
    if (i.action.type == type && i.action.scope == scope && i.action.inverse_of.empty() &&
        i.state == InterventionState::active && in_force(i, s.ts_ms)) {
      found = &i;
    }
  }
  return found;
}

double strength_in_force(const Situation& s, std::string_view type, const Scope& scope) {
  const Intervention* i = in_force_on(s, type, scope);
  return i == nullptr ? 0.0 : i->action.strength;
}

double headroom_per_s(const Situation& s, std::string_view gateway) {
  double now = 0.0, underway = 0.0;
  for (const PathStats& p : s.assessment.paths) {
    if (p.path.gateway == gateway) now += p.payments_per_s;
  }
  for (const Intervention& i : s.interventions) {
    if (!in_force(i, s.ts_ms) || i.action.type != action_type::kRerouteTraffic) continue;
    const auto to = i.action.params.find("to_gateway");
    if (to == i.action.params.end() || to->second != gateway) continue;
    double flow = 0.0;
    for (const PathStats* p : paths_in(s.paths, i.action.scope)) flow += p->payments_per_s;
    underway += flow * treated_share(i.action);
  }
  double capacity = s.economics.terms(gateway).max_payments_per_s;
  if (capacity <= 0.0) {
    double peak = now;
    if (s.peaks != nullptr) {
      const auto it = s.peaks->payments_per_s.find(std::string(gateway));
      if (it != s.peaks->payments_per_s.end()) peak = std::max(peak, it->second);
    }
    capacity = s.economics.headroom_multiple * peak;
  }
  if (s.peaks != nullptr) {
    const auto it = s.peaks->gave_way_per_s.find(std::string(gateway));
    if (it != s.peaks->gave_way_per_s.end()) capacity = std::min(capacity, 0.9 * it->second);
  }
  // What was sent there a while ago is among what it carries, what is on its way is not.
  return std::max(0.0, capacity - std::max(now + underway, load_per_s(s.assessment, gateway)));
}

double fault_age_s(const Situation& s, const Scope& scope) {
  double age = 0.0;
  for (const Alarm& alarm : s.assessment.alarms) {
    if (alarm.ended_ts_ms != 0 || !overlaps(alarm.scope, scope)) continue;
    age = std::max(age, static_cast<double>(s.ts_ms - alarm.started_ts_ms) / 1000.0);
  }
  return age;
}

Outlook other_way(const PathIndex& index, const Scope& scope) {
  const auto mean_over = [&index](const Paths& paths, auto&& belongs) {
    Outlook mean;
    mean.first_attempts = 0.0;
    double weight = 0.0, variance = 0.0;
    for (const PathStats* p : paths) {
      if (!belongs(p->path) || p->payments_per_s <= 0.0) continue;
      const Outlook& o = index.present(*p);
      const double w = p->payments_per_s;
      weight += w;
      mean.conversion += w * o.conversion;
      mean.retries += w * o.retries;
      mean.wait_s += w * o.wait_s;
      variance += w * w * o.conversion_sigma * o.conversion_sigma;
    }
    if (weight <= 0.0) return mean;
    mean.conversion /= weight;
    mean.retries /= weight;
    mean.wait_s /= weight;
    mean.conversion_sigma = std::sqrt(variance) / weight;
    mean.first_attempts = 1.0;
    return mean;
  };
  if (scope.issuer != "*" && scope.method != "*") {
    const Outlook same_issuer = mean_over(index.of_issuer(scope.issuer), [&](const Scope& path) {
      return !same(path.method, scope.method);
    });
    if (same_issuer.first_attempts > 0.0) return same_issuer;
  }
  return mean_over(index.of_issuer("*"), [&](const Scope& path) { return !covers(scope, path); });
}

Outlook fare(const Economics& economics, const Outlook& on_path, const Outlook& other) {
  Outlook o = on_path;
  const double alone = economics.switch_alone * other.conversion;
  o.conversion = on_path.conversion + (1.0 - on_path.conversion) * alone;
  o.conversion_sigma = (1.0 - alone) * on_path.conversion_sigma;
  return o;
}

std::vector<RampStep> ramp_steps(const Situation& s, std::string_view type, const Scope& scope,
                                 bool measured) {
  const Economics& e = s.economics;
  const Intervention* current = nullptr;  // of this key, in force
  const Intervention* before = nullptr;   // what it took over from
  const Intervention* last = nullptr;     // of this key, judged
  for (const Intervention& i : s.interventions) {
    if (i.action.type != type || !i.action.inverse_of.empty()) continue;
    if (in_force(i, s.ts_ms)) {
      if (i.action.scope == scope) {
        current = &i;
        before = last;
      } else if (covers(i.action.scope, scope)) {
        return {};
      }
    } else if (i.action.scope == scope &&
               (i.state == InterventionState::active || i.state == InterventionState::ended ||
                i.state == InterventionState::rolled_back)) {
      last = &i;
    }
  }
  const auto above = [&](double strength) {
    std::vector<RampStep> next;
    for (const RampStep& step : e.ramp) {
      if (next.empty() && step.strength > strength + 1e-9) next.push_back(step);
    }
    return next;
  };
  if (current != nullptr) {
    const Action& a = current->action;
    const bool running = current->state == InterventionState::active;
    const auto lease = static_cast<double>(a.expires_ts_ms - a.issued_ts_ms);
    const auto left = static_cast<double>(a.expires_ts_ms - s.ts_ms);
    const bool due = left <= e.renew_share * lease;
    if (!running || current->outcome.result != OutcomeResult::improved) return {};
    // A limit may have kept it below its step. One that has grown no more than a fifth, or is
    // within a fifth of the next step, has arrived.
    const bool arrived = before != nullptr && before->outcome.result == OutcomeResult::improved &&
                         a.strength > 0.99 * before->action.strength &&
                         a.strength < 1.2 * before->action.strength;
    std::vector<RampStep> next;
    if (!arrived) next = above(1.2 * a.strength);
    if (next.empty() && due) next.push_back({a.strength, a.holdout});
    return next;
  }
  if (last != nullptr &&
      static_cast<double>(s.ts_ms - last->changed_ts_ms) / 1000.0 <= e.ramp_memory_s) {
    if (last->outcome.result == OutcomeResult::improved) {
      return {{last->action.strength, last->action.holdout}};
    }
    if (last->outcome.result == OutcomeResult::worse) return {e.ramp.front()};
  }
  std::vector<RampStep> first;
  for (const RampStep& step : e.ramp) {
    if (measured || step.strength <= e.ramp_first_max + 1e-9) first.push_back(step);
  }
  return first;
}

}  // namespace payops::decision
