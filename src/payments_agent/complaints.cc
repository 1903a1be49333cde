#include "payops/payments_agent/complaints.h"

#include <algorithm>
#include <cmath>

#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/core/text.h"

namespace payops::payments_agent {
namespace {

constexpr std::size_t kSeriesMax = 1'000;  // names beyond are not watched
constexpr std::size_t kIdsMax = 1'024;
constexpr std::size_t kRecentMax = 256;
constexpr std::size_t kOthersMax = 32;
constexpr std::size_t kReadingsMax = 20;
constexpr std::size_t kNameBytesMax = 64;
constexpr double kPriorMinutes = 120.0;      // how much the configured rate counts for
constexpr int64_t kNewNormalMs = 3'600'000;  // what lasts so long is usual
constexpr double kNarrowShare = 0.8;         // of complaints that name the same method
constexpr int64_t kLatestMs = 253'402'300'799'999;
constexpr double kMinuteMs = 60'000.0;
constexpr double kMinutesOfWeek = 7.0 * 24.0 * 60.0;
constexpr std::string_view kIssuer = "issuer|";
constexpr std::string_view kMethod = "method|";
// Complaints are hearsay: at most so much of their log likelihood ratio counts.
constexpr double kEvidenceMax = 3.0;

bool of_issuer(const std::string& key) { return key.starts_with(kIssuer); }

std::string name_in(const std::string& key) { return key.substr(kIssuer.size()); }

bool alike(const std::string& a, const std::string& b) { return a == "*" || b == "*" || a == b; }
bool meets(const Scope& a, const Scope& b) {
  return alike(a.issuer, b.issuer) && alike(a.method, b.method) && alike(a.gateway, b.gateway);
}

std::string told_of(const Alarm& alarm) {
  return fixed(alarm.observed, 1) + " complaints an hour about " + describe(alarm.scope) +
         " where " + fixed(alarm.expected, 1) + " are usual";
}

// What the payments themselves say of the scope.
enum class Stream : uint8_t { absent, healthy, degraded };
Stream stream_at(const Assessment& assessment, const Scope& scope) {
  bool seen = false;
  for (const SeriesStatus& status : assessment.statuses) {
    const bool about = (scope.issuer != "*" && status.scope == Scope{.issuer = scope.issuer}) ||
                       (scope.method != "*" && status.scope == Scope{.method = scope.method});
    if (!about || status.attempts == 0) continue;
    if (status.degraded || status.alarming) return Stream::degraded;
    seen = true;
  }
  return seen ? Stream::healthy : Stream::absent;
}

std::string_view stream_in_words(Stream stream) {
  switch (stream) {
    case Stream::absent:
      return "no payments are seen there that could show it";
    case Stream::healthy:
      return "the payments seen there do not show it";
    case Stream::degraded:
      return "the payments seen there are worse than usual";
  }
  return "";
}

Hypothesis explanation(Cause cause, const Scope& scope, double prior, double log_likelihood) {
  Hypothesis h;
  h.cause = cause;
  h.scope = scope;
  h.prior = prior;
  h.log_likelihood = log_likelihood;
  h.posterior = prior * std::exp(log_likelihood);
  h.id = "hyp-" + hex64(mix64(hash64("complaints|" + std::string(name_of(cause)) + "|" +
                                     scope.issuer + "|" + scope.method)));
  return h;
}

// Why so many complain: the bank or method is failing, what is seen of payments is not all there
// is, or it is chance. How the payments look moves the first two apart.
std::vector<Hypothesis> explain(const Alarm& alarm, Stream stream) {
  const double heard = std::min(alarm.statistic, kEvidenceMax);
  const bool issuer = alarm.scope.issuer != "*";
  const double failing = stream == Stream::degraded ? 1.0 : stream == Stream::healthy ? -2.0 : 0.0;
  const double unseen = stream == Stream::degraded ? -2.0 : 0.0;
  std::vector<Hypothesis> all{explanation(issuer ? Cause::issuer_down : Cause::method_wide,
                                          alarm.scope, 0.5, heard + failing),
                              explanation(Cause::data_problem, alarm.scope, 0.1, heard + unseen),
                              explanation(Cause::none_of_these, Scope{}, 0.4, 0.0)};
  double sum = 0.0;
  for (const Hypothesis& h : all) sum += h.posterior;
  for (Hypothesis& h : all) h.certainty = h.posterior /= sum;
  std::stable_sort(all.begin(), all.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return a.posterior > b.posterior;
  });
  for (Hypothesis& h : all) {
    if (h.cause == Cause::none_of_these) {
      h.evidence_against.push_back(told_of(alarm));
      continue;
    }
    h.evidence_for.push_back(told_of(alarm));
    const bool against =
        h.cause == Cause::data_problem ? stream == Stream::degraded : stream == Stream::healthy;
    (against ? h.evidence_against : h.evidence_for).emplace_back(stream_in_words(stream));
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    all[i].why_not = all[i].cause == Cause::none_of_these
                         ? "chance seldom brings so many complaints"
                         : std::string(stream_in_words(stream));
  }
  return all;
}

}  // namespace

Result<Complaint> parse_complaint(std::string_view payload) {
  const Json object = Json::parse(payload, nullptr, false);
  if (object.is_discarded()) return fail(ErrorCode::corrupt, "not JSON in UTF-8");
  auto complaint = from_json<Complaint>(object);
  if (!complaint) return complaint;
  if (Status sane = complaint->validate(); !sane) return tl::make_unexpected(sane.error());
  return complaint;
}

Status Complaint::validate() const {
  const auto name = [](const std::string& text) {
    return !text.empty() && text.size() <= kNameBytesMax && text.find('|') == std::string::npos;
  };
  if (!name(signal_id)) return fail(ErrorCode::corrupt, "a complaint without a \"signal_id\"");
  if (ts_ms <= 0 || ts_ms > kLatestMs) {
    return fail(ErrorCode::corrupt, "a complaint whose \"ts_ms\" is no time");
  }
  if (!name(issuer) || !name(method)) {
    return fail(ErrorCode::corrupt, "a complaint whose issuer or method is no name");
  }
  return {};
}

Status ComplaintConfig::validate() const {
  const auto within = [](double v, double low, double high) { return v >= low && v <= high; };
  if (!within(usual_per_hour, 0.001, 1e6) || !within(times_usual, 1.5, 100.0) ||
      !within(false_alarms_per_week, 1e-6, 100.0) || !within(memory_h, 1.0, 24.0 * 60.0) ||
      !within(quiet_min, 1.0, 24.0 * 60.0)) {
    return fail(ErrorCode::config,
                "\"usual_per_hour\" must be from 0.001, \"times_usual\" from 1.5 to 100, "
                "\"false_alarms_per_week\" up to 100, \"memory_h\" from 1 to 1440, \"quiet_min\" "
                "from 1 to 1440");
  }
  return {};
}

// One standard deviation above the mean of what was learnt: a rate taken too low alarms by itself.
double Complaints::usual_per_min(const Series& series) const {
  const double events = series.events + config_.usual_per_hour / 60.0 * kPriorMinutes;
  return (events + std::sqrt(events)) / (series.minutes + kPriorMinutes);
}

// What came since the statistic left 0 is learnt from, a burst as no more than the rise looked for.
void Complaints::learn(Series& s) const {
  const double most = usual_per_min(s) * config_.times_usual * s.pending_minutes;
  s.events += s.bounded ? std::min(s.pending_events, most) : s.pending_events;
  s.minutes += s.pending_minutes;
  s.pending_events = s.pending_minutes = 0.0;
  s.bounded = false;
}

// A false alarm begins with a complaint and has a chance of at most exp(-h) (Wald 1947), so that
// the budget over all series sets h.
double Complaints::threshold(const Series& series) const {
  const double a_week = kMinutesOfWeek * usual_per_min(series) *
                        static_cast<double>(std::max<std::size_t>(1, series_.size()));
  const double least = 2.0 * std::log(config_.times_usual);  // two alone are never an alarm
  return std::max(least, std::log(a_week / config_.false_alarms_per_week));
}

bool Complaints::fresh(const std::string& id) {
  const uint64_t hash = hash64(id);
  if (std::find(ids_.begin(), ids_.end(), hash) != ids_.end()) return false;
  if (ids_.size() < kIdsMax) {
    ids_.push_back(hash);
  } else {
    ids_[next_id_++ % kIdsMax] = hash;
  }
  return true;
}

Complaints::Series* Complaints::series_of(const std::string& key) {
  const auto it = series_.find(key);
  if (it != series_.end()) return &it->second;
  return series_.size() < kSeriesMax ? &series_[key] : nullptr;
}

// Time without a complaint: the statistic falls by what the rise would have brought.
void Complaints::advance(Series& s, double minutes, int64_t to_ms) {
  const double keep = std::exp(-minutes / (config_.memory_h * 60.0));
  s.events *= keep;
  s.minutes *= keep;
  s.pending_minutes += minutes;
  s.statistic -= usual_per_min(s) * (config_.times_usual - 1.0) * minutes;
  const int64_t recent_from = to_ms - std::llround(config_.quiet_min * kMinuteMs);
  std::erase_if(s.recent_ms, [&](int64_t ms) { return ms < recent_from; });
  if (s.statistic > 0.0 || s.alarming) return;
  s.statistic = 0.0;
  learn(s);
  s.since_ms = 0;
  s.with.clear();
}

void Complaints::note(const std::string& key, const std::string& other, int64_t ts_ms) {
  Series* s = series_of(key);
  if (s == nullptr) return;
  if (s->statistic <= 0.0 && !s->alarming) s->since_ms = ts_ms;
  s->pending_events += 1.0;
  s->statistic += std::log(config_.times_usual);
  if (s->with.size() < kOthersMax || s->with.count(other) != 0) ++s->with[other];
  if (s->recent_ms.size() < kRecentMax) s->recent_ms.push_back(ts_ms);
  if (!s->alarming && s->statistic >= threshold(*s)) raise(key, *s, ts_ms);
}

void Complaints::raise(const std::string& key, Series& s, int64_t ts_ms) {
  int64_t all = 0;
  for (const auto& [other, count] : s.with) all += count;
  const auto most =
      std::max_element(s.with.begin(), s.with.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool one = most != s.with.end() && most->first != "*" &&
                   static_cast<double>(most->second) >= kNarrowShare * static_cast<double>(all);
  s.alarming = true;
  s.raised_ms = ts_ms;
  s.taken_over = false;
  Alarm& alarm = s.alarm = Alarm{};
  (of_issuer(key) ? alarm.scope.issuer : alarm.scope.method) = name_in(key);
  if (of_issuer(key) && one) alarm.scope.method = most->first;
  // A method that is complained of because of one issuer is that issuer's trouble.
  const auto issuer =
      one && !of_issuer(key) ? series_.find(std::string(kIssuer) + most->first) : series_.end();
  s.symptom = issuer != series_.end() && issuer->second.alarming;
  alarm.id = "alm-" + hex64(mix64(hash64("complaints|" + key), static_cast<uint64_t>(s.since_ms)));
  alarm.signal = Signal::complaints;
  alarm.pattern = Pattern::complaints;
  alarm.spread = Spread::localized;
  alarm.started_ts_ms = s.since_ms;
  alarm.raised_ts_ms = ts_ms;
  alarm.statistic = s.statistic;
  alarm.threshold = threshold(s);
  alarm.false_alarms_per_week =
      config_.false_alarms_per_week / static_cast<double>(std::max<std::size_t>(1, series_.size()));
  alarm.expected = usual_per_min(s) * 60.0;
  alarm.evidence_attempts = static_cast<uint64_t>(all);
  const double hours =
      std::max(static_cast<double>(ts_ms - s.since_ms) / (60.0 * kMinuteMs), 1.0 / 60.0);
  alarm.observed = static_cast<double>(all) / hours;
  if (!s.symptom) rose_.push_back(alarm);
}

// Alarms whose complaints have ceased, or that are the new usual, end; fresh ones get their place
// in the payments' time.
void Complaints::settle(int64_t clock_ms, int64_t event_ms) {
  const auto in_payments_time = [&](int64_t ms) {
    return event_ms > 0 ? event_ms - (clock_ms - ms) : ms;
  };
  for (Alarm& alarm : rose_) {
    alarm.started_ts_ms = in_payments_time(alarm.started_ts_ms);
    alarm.raised_ts_ms = in_payments_time(alarm.raised_ts_ms);
    for (auto& [key, s] : series_) {
      if (s.alarm.id == alarm.id) s.alarm = alarm;
    }
  }
  for (auto& [key, s] : series_) {
    if (!s.alarming) continue;
    const double usual = usual_per_min(s) * config_.quiet_min;
    const bool quiet =
        static_cast<double>(s.recent_ms.size()) <= usual * (1.0 + config_.times_usual) / 2.0;
    const bool usual_now = clock_ms - s.raised_ms >= kNewNormalMs;
    if (!quiet && !usual_now) continue;
    s.bounded = !usual_now;
    s.alarming = false;
    s.statistic = 0.0;
    s.alarm.ended_ts_ms = in_payments_time(clock_ms);
    if (!s.symptom) ended_.push_back(s.alarm);
    advance(s, 0.0, clock_ms);
  }
}

void Complaints::hear(std::vector<Complaint> heard, int64_t clock_ms, int64_t event_ms) {
  rose_.clear();
  ended_.clear();
  if (clock_ms <= 0) return;
  std::stable_sort(heard.begin(), heard.end(),
                   [](const Complaint& a, const Complaint& b) { return a.ts_ms < b.ts_ms; });
  const auto to = [&](int64_t ms) {
    if (heard_to_ms_ > 0 && ms > heard_to_ms_) {
      const double minutes = static_cast<double>(ms - heard_to_ms_) / kMinuteMs;
      for (auto& [key, s] : series_) advance(s, minutes, ms);
    }
    heard_to_ms_ = std::max(heard_to_ms_, ms);
  };
  for (const Complaint& c : heard) {
    if (!fresh(c.signal_id)) continue;
    to(std::min(c.ts_ms, clock_ms));
    if (c.issuer != "*") note(std::string(kIssuer) + c.issuer, c.method, heard_to_ms_);
    if (c.method != "*") note(std::string(kMethod) + c.method, c.issuer, heard_to_ms_);
  }
  to(clock_ms);
  settle(clock_ms, event_ms);
}

bool Complaints::alarming() const {
  return std::any_of(series_.begin(), series_.end(),
                     [](const auto& s) { return s.second.alarming; });
}

Assessment Complaints::added_to(Assessment assessment) {
  const auto payments_alarms = static_cast<std::ptrdiff_t>(assessment.alarms.size());
  const auto known = [&](const Alarm& alarm) {
    return std::any_of(assessment.alarms.begin(), assessment.alarms.begin() + payments_alarms,
                       [&](const Alarm& seen) { return meets(seen.scope, alarm.scope); });
  };
  for (auto& [key, s] : series_) {
    if (!s.alarming || s.symptom) continue;
    if (known(s.alarm)) {  // one trouble, seen twice
      s.taken_over = true;
      for (Hypothesis& h : assessment.hypotheses) {
        if (h.cause == Cause::none_of_these || !meets(h.scope, s.alarm.scope)) continue;
        h.evidence_for.push_back(told_of(s.alarm));
      }
      continue;
    }
    if (s.taken_over) continue;
    std::vector<Hypothesis> explanations = explain(s.alarm, stream_at(assessment, s.alarm.scope));
    s.alarm.cause = explanations.front().cause;
    s.alarm.certainty = explanations.front().certainty;
    if (assessment.hypotheses.empty()) assessment.hypotheses = std::move(explanations);
    assessment.alarms.push_back(s.alarm);
  }
  for (const Alarm& alarm : rose_) {
    if (!known(alarm)) assessment.rose.push_back(alarm);
  }
  assessment.ended.insert(assessment.ended.end(), ended_.begin(), ended_.end());
  return assessment;
}

std::vector<ComplaintReading> Complaints::readings() const {
  std::vector<ComplaintReading> all;
  for (const auto& [key, s] : series_) {
    if (all.size() >= kReadingsMax || (s.recent_ms.empty() && !s.alarming)) continue;
    ComplaintReading r;
    (of_issuer(key) ? r.issuer : r.method) = name_in(key);
    r.heard = static_cast<int64_t>(s.recent_ms.size());
    r.usual_per_hour = usual_per_min(s) * 60.0;
    r.statistic = s.statistic;
    r.threshold = threshold(s);
    r.alarming = s.alarming;
    all.push_back(std::move(r));
  }
  return all;
}

}  // namespace payops::payments_agent
