#include "backtest.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/payments_agent/loop.h"
#include "payops/runtime/in_memory.h"
#include "version.h"

namespace payops::app {
namespace {

using payments_agent::CycleReport;

constexpr int64_t kBeforeMs = 15 * 60'000;  // shown around an incident
constexpr int64_t kAfterMs = 5 * 60'000;
constexpr std::size_t kHypothesesKept = 4;
constexpr std::size_t kSeriesTraced = 24;
constexpr const char* kAllPayments = "all payments";

const Reading* success_of(const SeriesStatus& status) {
  for (const Reading& r : status.readings) {
    if (r.signal == Signal::success_rate && status.attempts > 0) return &r;
  }
  return nullptr;
}

// The watched series that shows most of a scope.
Scope shown_series(const Scope& scope) {
  if (scope.issuer != "*") return {.issuer = scope.issuer};
  if (scope.gateway != "*") return {.gateway = scope.gateway};
  return {.method = scope.method};
}

bool overlap(const Scope& a, const Scope& b) {
  const auto meet = [](const std::string& x, const std::string& y) {
    return x == "*" || y == "*" || x == y;
  };
  return meet(a.issuer, b.issuer) && meet(a.method, b.method) && meet(a.gateway, b.gateway);
}

// Collects the story from the cycles as they pass.
class Chronicle {
 public:
  explicit Chronicle(BacktestStory& story) : story_(story) {}

  void cycle(const CycleReport& report) {
    ++story_.result.cycles;
    readings(report);
    incidents(report);
    acts(report);
  }

 private:
  struct Recent {
    Scope scope;
    std::deque<Trace::Point> points;
  };

  void readings(const CycleReport& report) {
    for (const SeriesStatus& status : report.statuses) {
      const Reading* r = success_of(status);
      if (r == nullptr) continue;
      const double usual = r->warming_up ? std::nan("") : r->baseline;
      const std::string name = describe(status.scope);
      if (status.scope == Scope{} || story_.traces.count(name) != 0 ||
          story_.traces.size() < kSeriesTraced) {
        story_.traces[status.scope == Scope{} ? kAllPayments : name].add(report.at_ms, r->value,
                                                                         r->baseline, r->z);
      }
      keep_recent(status.scope, {report.at_ms, r->value, usual, r->z, 1.0});
    }
  }

  void keep_recent(const Scope& scope, const Trace::Point& point) {
    auto it = std::find_if(recent_.begin(), recent_.end(),
                           [&](const Recent& r) { return r.scope == scope; });
    if (it == recent_.end()) {
      constexpr std::size_t kMaxRecent = 1024;
      if (recent_.size() >= kMaxRecent) return;
      recent_.push_back({scope, {}});
      it = recent_.end() - 1;
    }
    it->points.push_back(point);
    while (it->points.front().ts_ms < point.ts_ms - kBeforeMs) it->points.pop_front();
    for (FoundIncident& found : story_.result.incidents) {
      const int64_t end_ms = found.incident.end_ts_ms;
      const bool over = end_ms != 0 && point.ts_ms > end_ms + kAfterMs;
      if (!over && shown_series(found.incident.instrument) == scope) {
        thin_out(found.trace);
        found.trace.push_back(point);
      }
    }
  }

  // Keeps a long incident's trace bounded, at half the resolution.
  static void thin_out(std::vector<Trace::Point>& trace) {
    constexpr std::size_t kMost = 1024;
    if (trace.size() < kMost) return;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < trace.size(); i += 2) trace[kept++] = trace[i];
    trace.resize(kept);
  }

  void incidents(const CycleReport& report) {
    for (const Incident& incident : report.incidents) {
      FoundIncident* known = find(incident.id);
      if (known == nullptr) {
        ++story_.result.incidents_found;
        if (story_.result.incidents.size() >= kMaxIncidents) continue;
        known = &begin(incident, report.at_ms);
      }
      known->incident = incident;
    }
    for (FoundIncident& found : story_.result.incidents) {
      if (found.incident.end_ts_ms == 0) note_hypotheses(found, report);
    }
  }

  FoundIncident* find(const std::string& id) {
    auto& all = story_.result.incidents;
    const auto it = std::find_if(all.begin(), all.end(),
                                 [&](const FoundIncident& f) { return f.incident.id == id; });
    return it == all.end() ? nullptr : &*it;
  }

  FoundIncident& begin(const Incident& incident, int64_t at_ms) {
    FoundIncident& found = story_.result.incidents.emplace_back();
    found.noticed_ts_ms = at_ms;
    const Scope series = shown_series(incident.instrument);
    found.shown = series == Scope{} ? kAllPayments : describe(series);
    for (const Recent& r : recent_) {
      if (r.scope == series) found.trace.assign(r.points.begin(), r.points.end());
    }
    return found;
  }

  static void note_hypotheses(FoundIncident& found, const CycleReport& report) {
    std::vector<Hypothesis> about;
    for (const Hypothesis& h : report.hypotheses) {
      if (h.cause == Cause::none_of_these || overlap(h.scope, found.incident.instrument)) {
        about.push_back(h);
      }
      if (about.size() == kHypothesesKept) break;
    }
    if (about.empty()) return;
    const bool surer =
        found.hypotheses.empty() || about.front().posterior > found.hypotheses.front().posterior;
    if (surer) found.hypotheses = std::move(about);
  }

  void acts(const CycleReport& report) {
    if (report.action_id.empty() || report.considered.empty()) return;
    const safety::Judgement& taken = report.considered.back();
    const Option& o = taken.option;
    if (safety::is_advisory(o.type)) return;
    const Predicted& value = o.nrv.total;
    WouldAct act{.ts_ms = report.at_ms,
                 .decision_id = report.decision_id,
                 .type = o.type,
                 .scope = o.scope,
                 .params = o.params,
                 .strength = o.strength,
                 .cause = o.cause,
                 .confidence = o.confidence,
                 .expected_minor = value.mean,
                 .low_minor = value.low,
                 .high_minor = value.high,
                 .blast_radius = o.blast_radius,
                 .failure_probability = taken.pre_mortem.failure_probability,
                 .needs_approval = asks_person(taken),
                 .why = o.reason};
    story_.result.expected_minor += value.mean;
    variance_ += value.sigma * value.sigma;
    story_.result.expected_sigma = std::sqrt(variance_);
    for (FoundIncident& found : story_.result.incidents) {
      const bool lasts = found.incident.end_ts_ms == 0 || found.incident.end_ts_ms > report.at_ms;
      if (lasts && overlap(found.incident.instrument, o.scope)) {
        found.acts.push_back(act);
        break;
      }
    }
    if (story_.result.acts.size() < kMaxActs) story_.result.acts.push_back(std::move(act));
  }

  static bool asks_person(const safety::Judgement& taken) {
    return std::any_of(
        taken.verdict.reasons.begin(), taken.verdict.reasons.end(),
        [](const std::string& reason) { return reason.find("person") != std::string::npos; });
  }

  BacktestStory& story_;
  std::deque<Recent> recent_;
  double variance_ = 0.0;
};

// What is wrong with a history nothing could be read of.
Error nothing_read(const observation::IngestCounts& counts) {
  std::string why = "the history holds no attempt that could be read";
  for (const auto& [reason, count] : counts.dead_letters) {
    why += "; " + std::to_string(count) + " messages: " + reason;
  }
  return {.code = ErrorCode::usage,
          .retryable = false,
          .message = why + " (see `mapping` in docs/configuration.md)"};
}

}  // namespace

void Trace::add(int64_t ts_ms, double value, double usual, double z) {
  if (!points_.empty() && points_.back().readings < per_point_) {
    Point& p = points_.back();
    const double n = p.readings + 1.0;
    p.value += (value - p.value) / n;
    p.usual += (usual - p.usual) / n;
    p.z = std::max(p.z, z);
    p.readings = n;
    return;
  }
  if (points_.size() >= most_) {
    for (std::size_t i = 0; i + 1 < points_.size(); i += 2) {
      const Point& a = points_[i];
      const Point& b = points_[i + 1];
      const double n = a.readings + b.readings;
      points_[i / 2] = {a.ts_ms, (a.value * a.readings + b.value * b.readings) / n,
                        (a.usual * a.readings + b.usual * b.readings) / n, std::max(a.z, b.z), n};
    }
    points_.resize(points_.size() / 2);
    per_point_ *= 2.0;
  }
  points_.push_back({ts_ms, value, usual, z, 1.0});
}

Result<BacktestStory> run_backtest(const BacktestSpec& spec, History& history) {
  auto declines = load_decline_table(spec.config);
  if (!declines) return tl::make_unexpected(declines.error());
  if (Status valid = history.mapping().validate(); !valid) {
    return tl::make_unexpected(valid.error());
  }
  payments_agent::AgentConfig config = spec.config.agent;
  config.limits.mode = Mode::shadow;

  BacktestStory story;
  story.result.currency = config.economics.reporting_currency;
  story.config_hash = sha256_hex(dump(to_json(config)));
  Chronicle chronicle(story);
  payments_agent::PaymentsAgent agent;
  Dictionary dictionary;
  observation::Observer observer(spec.config.observation, *declines, history.mapping(), dictionary);
  for (int32_t slot = 0; slot < history.slots(); ++slot) observer.assign(slot, {});
  InMemoryStore store;
  InMemoryFiles files(false);
  CollectingOutbox outbox([](const OutboxEntry&) {});
  Stepper stepper(agent, store, files, outbox, {}, {});
  if (Status status = stepper.recover(); !status) return tl::make_unexpected(status.error());
  BacktestResult& result = story.result;
  payments_agent::Loop loop(agent, observer, stepper,
                            {.build = kVersion,
                             .config = config,
                             .on_input = [&](const auto& head) { result.counts += head.counts; },
                             .on_cycle =
                                 [&](const CycleReport& report) {
                                   if (result.from_ms == 0) result.from_ms = report.at_ms;
                                   result.to_ms = std::max(result.to_ms, report.at_ms);
                                   chronicle.cycle(report);
                                 }});
  const payments_agent::Health health{.observe_only = "", .epoch = 1};
  const int64_t now_ms = SystemClock().now_ms();
  const auto take = [&](int32_t slot, int64_t offset, std::string_view message) {
    observer.add({slot, offset, message}, now_ms);
  };
  const auto at_end = [&](int32_t slot) { observer.at_end(slot, now_ms); };
  for (bool more = true; more;) {
    if (spec.stop()) return fail(ErrorCode::refused, "stopped; no report was written");
    auto next = history.next(take, at_end);
    if (!next) return tl::make_unexpected(next.error());
    more = *next;
    if (Status status = loop.pump(health); !status) return tl::make_unexpected(status.error());
    spec.on_progress(history.done_share(), agent.closed_to_ms());
  }
  observer.finish();
  if (Status status = loop.stop(health); !status) return tl::make_unexpected(status.error());
  if (result.counts.attempts == 0) return tl::make_unexpected(nothing_read(result.counts));
  for (const FoundIncident& found : result.incidents)
    result.lost_minor += found.incident.lost_minor;
  return story;
}

}  // namespace payops::app
