#include "payops/reasoning/reasoner.h"

#include <algorithm>

#include "payops/core/check.h"
#include "state.h"

namespace payops::reasoning {
namespace {

// Silence of everything is judged only after this long: a bucket may be on its way.
constexpr int64_t kSilenceGraceS = 2;

}  // namespace

Status ReasoningConfig::validate() const {
  const auto refuse = [](const char* what) { return Status(fail(ErrorCode::config, what)); };
  const auto slots = static_cast<int64_t>(kSlots);
  if (display_window_s < slots || display_window_s > 3600 || display_window_s % slots != 0) {
    return refuse("display_window_s must be a multiple of 6 between 6 and 3600");
  }
  if (short_window_s < 1 || short_window_s > display_window_s) {
    return refuse("short_window_s must lie between 1 and display_window_s");
  }
  if (!(anomaly_threshold > 0.0)) return refuse("anomaly_threshold must be above 0");
  if (!(half_life_s >= 60.0) || !(volume_half_life_s >= 60.0)) {
    return refuse("half_life_s and volume_half_life_s must be at least 60");
  }
  if (!(false_alarms_per_week > 0.0)) return refuse("false_alarms_per_week must be above 0");
  if (!(outage_success > 0.0 && outage_success < 1.0)) {
    return refuse("outage_success must lie between 0 and 1");
  }
  if (!(belief_memory >= 0.0 && belief_memory < 1.0)) {
    return refuse("belief_memory must lie in [0, 1)");
  }
  if (clear_after_s < 1 || freeze_max_s < clear_after_s) {
    return refuse("clear_after_s must be at least 1 and freeze_max_s no shorter");
  }
  if (max_detail_slices < 16 || max_detail_slices > 1'000'000) {
    return refuse("max_detail_slices must lie between 16 and 1000000");
  }
  if (max_series < 8 || max_series > 10'000'000) {
    return refuse("max_series must lie between 8 and 10000000");
  }
  return {};
}

Reasoner::Reasoner(const ReasoningConfig& config) : state_(std::make_unique<State>(config)) {
  PAYOPS_CHECK(config.validate().has_value());
}
Reasoner::~Reasoner() = default;
Reasoner::Reasoner(Reasoner&&) noexcept = default;
Reasoner& Reasoner::operator=(Reasoner&&) noexcept = default;

void Reasoner::set_topology(const Topology& topology) { state_->topology = topology; }

void Reasoner::set_calendar(const Calendar& calendar) {
  state_->foreknown = Foreknowledge(calendar);
}

bool Reasoner::observe(const ClosedBucket& bucket) { return state_->observe(bucket); }

Assessment Reasoner::assess(int64_t ts_ms, const Dictionary& dictionary,
                            const std::vector<OwnAction>& actions) {
  State& s = *state_;
  const int64_t second = ts_ms / 1000;
  const int64_t judged = std::max(s.last_second + 1, second - kSilenceGraceS);
  s.now = std::max(s.now, judged);
  // An action's mark stays on the windows for as long as they remember.
  s.actions.clear();
  for (const OwnAction& a : actions) {
    if (a.since_ts_ms <= ts_ms && ts_ms < a.until_ts_ms + s.config.display_window_s * 1000) {
      s.actions.push_back(a);
    }
  }
  s.note_own_actions();
  if (!s.store.all.empty()) s.judge_silence(s.now);
  s.cycle_rows.clear();
  s.tend_alarms();

  Assessment out;
  out.ts_ms = ts_ms;
  out.hypotheses = s.hypotheses(dictionary);
  for (LiveAlarm& alarm : s.alarms) s.classify(alarm);
  for (LiveAlarm& alarm : s.alarms) {
    if (alarm.secondary) continue;
    out.alarms.push_back(s.told(alarm, dictionary));
    if (!alarm.announced) out.rose.push_back(out.alarms.back());
    alarm.announced = true;
  }
  for (const LiveAlarm& alarm : s.gone) out.ended.push_back(s.told(alarm, dictionary));
  s.gone.clear();
  s.cycle_rows.clear();
  out.statuses = s.statuses(dictionary);
  out.paths = s.paths(dictionary);
  return out;
}

std::vector<CellReading> Reasoner::cells(const Dictionary& dictionary,
                                         std::size_t cells_max) const {
  return state_->cells(dictionary, cells_max);
}

void Reasoner::encode(Encoder& out) const { state_->encode(out); }
void Reasoner::decode(Decoder& in) { state_->decode(in); }
void Reasoner::digest_touched(StateDigest& digest) { state_->digest_touched(digest); }
CauseCounts& Reasoner::causes() { return state_->causes; }
const CauseCounts& Reasoner::causes() const { return state_->causes; }
std::size_t Reasoner::series() const { return state_->store.all.size(); }
uint64_t Reasoner::series_refused() const { return state_->store.refused; }

void Reasoner::State::encode(Encoder& out) const {
  store.encode(out);
  details.encode(out);
  out.put(alarms);
  out.put(gone);
  out.put(actions);
  out.put(beliefs);
  out.put(causes);
  out.put(week);
  out.put(rhythms);
  out.put(own_share);
  out.put(touched);
  out.put(last_second);
  out.put(now);
}

void Reasoner::State::decode(Decoder& in) {
  store.decode(in);
  const bool detailed = details.decode(in);
  in.get(alarms);
  in.get(gone);
  in.get(actions);
  in.get(beliefs);
  in.get(causes);
  in.get(week);
  in.get(rhythms);
  in.get(own_share);
  in.get(touched);
  in.get(last_second);
  in.get(now);
  flows.clear();
  flowing.clear();
  flowing_series.clear();
  crossings.clear();
  cycle_rows.clear();
  if (in.ok() && detailed && consistent()) return;
  Topology kept = std::move(topology);
  Foreknowledge known = std::move(foreknown);
  *this = State(config);
  topology = std::move(kept);
  foreknown = std::move(known);
}

// Whether every index read back points at something.
bool Reasoner::State::consistent() const {
  if (touched.size() > store.all.size() || rhythms.size() > store.watched.size()) return false;
  if (store.watched_series.size() != store.watched.size()) return false;
  for (const Series& s : store.all) {
    if (s.depth != s.key.depth()) return false;
    if (s.depth != 2 && s.window >= store.windows.size()) return false;
    if (s.depth == 3 && s.detail >= store.leaves.size()) return false;
    if (s.depth <= 1 && s.detail >= store.watched.size()) return false;
  }
  for (const Leaf& leaf : store.leaves) {
    if (leaf.self >= store.all.size()) return false;
    for (const uint32_t s : leaf.series) {
      if (s >= store.all.size()) return false;
    }
  }
  return std::all_of(store.watched_series.begin(), store.watched_series.end(),
                     [&](uint32_t s) { return s < store.all.size(); });
}

void Reasoner::State::digest_touched(StateDigest& digest) {
  for (uint32_t i = 0; i < touched.size(); ++i) {
    if (touched[i] == 0) continue;
    touched[i] = 0;
    const Series& series = store.all[i];
    digest.add(raw_bytes(series));
    if (series.window != kNone) digest.add(raw_bytes(store.window(series)));
    if (series.depth == 3) digest.add(raw_bytes(store.leaves[series.detail]));
    if (series.depth <= 1) digest.add(raw_bytes(store.watched[series.detail]));
    if (series.depth <= 1 && series.detail < rhythms.size()) {
      const auto counting = rhythms[series.detail].counting();
      digest.add({reinterpret_cast<const char*>(counting.data()), sizeof counting});
    }
  }
  details.digest(digest);
  std::string rest;
  Encoder out(rest);
  out.put(alarms);
  out.put(gone);
  out.put(actions);
  out.put(beliefs);
  out.put(causes);
  out.put(last_second);
  out.put(now);
  digest.add(rest);
}

}  // namespace payops::reasoning
