#include "payops/api/feed.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "projection.h"
#include "series_history.h"

namespace payops::api {
namespace {

constexpr int64_t kCellsEveryMs = 100;
constexpr int64_t kPulseEveryMs = 50;
constexpr int64_t kNotesEveryMs = 1000;
constexpr int64_t kQuotaMs = 60'000;          // of the quotas by the minute
constexpr std::size_t kNotesMax = 16;         // that one step records; more are counted,
constexpr std::ptrdiff_t kNotesOfOneMax = 4;  // of one person's so many,
constexpr std::size_t kNotesAtAllMax = 64;    // reasons included
constexpr int kMinuteNotesMax = 64;           // that a minute's steps record, without reasons,
constexpr int kMinuteNotesOfOneMax = 12;      // and of one person's
constexpr std::size_t kAnswersMax = 256;

// The series' key: each name as the agent's cells know it; nothing for a name that is not there.
std::optional<SeriesKey> key_of(const Knowledge& known, const Scope& scope) {
  if (known.cells == nullptr) return std::nullopt;
  SeriesKey key;
  bool issuer = scope.issuer == "*", method = scope.method == "*", gateway = scope.gateway == "*";
  for (const CellView& cell : known.cells->cells) {
    const reasoning::CellReading& r = cell.reading;
    const auto take = [](bool& found, DimId& id, const std::string& wanted, const std::string& name,
                         DimId there) {
      if (found || wanted != name) return;
      found = true;
      id = there;
    };
    take(issuer, key.issuer, scope.issuer, r.scope.issuer, r.key.issuer);
    take(method, key.method, scope.method, r.scope.method, r.key.method);
    take(gateway, key.gateway, scope.gateway, r.scope.gateway, r.key.gateway);
  }
  return issuer && method && gateway ? std::optional(key) : std::nullopt;
}

}  // namespace

struct Feed::Impl {
  // The agent's thread alone.
  Projection projection;
  Meters meters;
  bool second_closed = false;
  bool changed = false;
  int64_t cells_wall_ms = 0;
  int64_t pulse_wall_ms = 0;
  int64_t notes_wall_ms = 0;

  // Both sides; each lock is held for moments only.
  mutable std::mutex newest_lock;
  std::shared_ptr<const Knowledge> newest;
  std::mutex notes_lock;
  std::vector<payments_agent::VerdictInput> notes;
  uint64_t notes_dropped = 0;
  int64_t dropped_told_ms = 0;
  int64_t minute = 0;                       // since 1970, that these are of
  std::map<std::string, int> minute_notes;  // by person
  int minute_notes_all = 0;
  mutable std::mutex answers_lock;
  mutable std::condition_variable answered;
  std::deque<payments_agent::VerdictResult> answers;
  uint64_t answers_seen = 0;
  mutable std::mutex history_lock;
  SeriesHistory history;

  explicit Impl(FeedOptions o)
      : projection(std::move(o.deployment), o.cells_max, o.keep_s), history(o.series_max) {
    newest = std::make_shared<Knowledge>(projection.known());
  }
  void count_cycle(const payments_agent::CycleReport& report,
                   const std::vector<graph::NodeTiming>& timings);
  void take_answers(const std::vector<payments_agent::VerdictResult>& results);
};

Feed::Feed(FeedOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Feed::~Feed() = default;

void Feed::second(const ClosedBucket& bucket) {
  impl_->projection.second(bucket);
  impl_->second_closed = true;
  const std::lock_guard lock(impl_->history_lock);
  impl_->history.add(bucket);
}

void Feed::earlier(const ClosedBucket& bucket) {
  impl_->projection.second(bucket);
  const std::lock_guard lock(impl_->history_lock);
  impl_->history.add(bucket);
}

void Feed::input(const payments_agent::InputHead& head) { impl_->meters.ingest += head.counts; }

void Feed::Impl::count_cycle(const payments_agent::CycleReport& report,
                             const std::vector<graph::NodeTiming>& timings) {
  int64_t ns = 0;
  for (const graph::NodeTiming& node : timings) ns += node.duration_ns;
  const double seconds = static_cast<double>(ns) * 1e-9;
  const auto bound = std::lower_bound(kCycleBoundsS.begin(), kCycleBoundsS.end(), seconds);
  ++meters.cycles[static_cast<std::size_t>(bound - kCycleBoundsS.begin())];
  meters.cycles_s += seconds;
  for (const safety::Judgement& judged : report.considered) {
    ++meters.gate[std::string(name_of(judged.verdict.outcome))];
  }
  for (const Intervention& judged : report.outcomes) {
    ++meters.outcomes[{judged.action.type, std::string(name_of(judged.outcome.result))}];
  }
}

void Feed::cycle(const payments_agent::PaymentsAgent& agent) {
  impl_->count_cycle(agent.report(), agent.timings());
  impl_->projection.cycle(agent, std::make_shared<Meters>(impl_->meters));
  impl_->take_answers(agent.report().verdicts);
  impl_->changed = true;
}

void Feed::Impl::take_answers(const std::vector<payments_agent::VerdictResult>& results) {
  if (results.empty()) return;
  {
    const std::lock_guard lock(answers_lock);
    for (const payments_agent::VerdictResult& result : results) {
      answers.push_back(result);
      ++answers_seen;
      if (answers.size() > kAnswersMax) answers.pop_front();
    }
  }
  answered.notify_all();
}

void Feed::pulse(Pulse pulse, const payments_agent::PaymentsAgent* agent) {
  Impl& s = *impl_;
  if (agent != nullptr && s.second_closed && pulse.wall_ms - s.cells_wall_ms >= kCellsEveryMs) {
    s.second_closed = false;
    s.cells_wall_ms = pulse.wall_ms;
    s.projection.read_cells(*agent, pulse.watermark_ms);
    s.changed = true;
    const std::lock_guard lock(s.history_lock);
    s.history.usual(*s.projection.known().cells);
  }
  if (!s.changed && pulse.wall_ms - s.pulse_wall_ms < kPulseEveryMs) return;
  s.changed = false;
  s.pulse_wall_ms = pulse.wall_ms;
  const Pulse& before = s.projection.known().pulse;
  const bool moved = pulse.watermark_ms != before.watermark_ms;
  pulse.moved_wall_ms = moved ? pulse.wall_ms : before.moved_wall_ms;
  s.projection.pulse(std::move(pulse));
  std::shared_ptr<const Knowledge> next = std::make_shared<Knowledge>(s.projection.known());
  const std::lock_guard lock(s.newest_lock);
  s.newest.swap(next);  // the old one is let go of after the lock
}

std::shared_ptr<const Knowledge> Feed::newest() const {
  const std::lock_guard lock(impl_->newest_lock);
  return impl_->newest;
}

SeriesValues Feed::series(const Scope& scope, int64_t from_ms, int64_t to_ms) const {
  const auto known = newest();
  const std::optional<SeriesKey> key = key_of(*known, scope);
  if (!key) return {};
  const std::lock_guard lock(impl_->history_lock);
  return impl_->history.of(*key, from_ms, to_ms);
}

void Feed::note(payments_agent::VerdictInput note, NoteKind kind) {
  const std::lock_guard lock(impl_->notes_lock);
  const auto& notes = impl_->notes;
  const auto theirs = std::count_if(notes.begin(), notes.end(), [&](const auto& other) {
    return other.verdict.by == note.verdict.by;
  });
  if (const int64_t minute = note.received_ts_ms / kQuotaMs; minute != impl_->minute) {
    impl_->minute = minute;
    impl_->minute_notes.clear();
    impl_->minute_notes_all = 0;
  }
  const auto before = impl_->minute_notes.find(note.verdict.by);
  const bool one_of_many =
      notes.size() >= kNotesMax || theirs >= kNotesOfOneMax ||
      impl_->minute_notes_all >= kMinuteNotesMax ||
      (before != impl_->minute_notes.end() && before->second >= kMinuteNotesOfOneMax);
  // A reason belongs to a command that is carried out; those are few.
  if (notes.size() >= kNotesAtAllMax || (one_of_many && kind != NoteKind::reason)) {
    ++impl_->notes_dropped;
    return;
  }
  if (kind != NoteKind::reason) {
    ++impl_->minute_notes[note.verdict.by];
    ++impl_->minute_notes_all;
  }
  impl_->notes.push_back(std::move(note));
}

std::vector<payments_agent::VerdictInput> Feed::take_notes(int64_t now_ms) {
  if (now_ms - impl_->notes_wall_ms < kNotesEveryMs) return {};
  const std::lock_guard lock(impl_->notes_lock);
  const bool rest_is_due = impl_->notes_dropped > 0 && now_ms - impl_->dropped_told_ms >= kQuotaMs;
  if (impl_->notes.empty() && !rest_is_due) return {};
  impl_->notes_wall_ms = now_ms;
  std::vector<payments_agent::VerdictInput> taken = std::exchange(impl_->notes, {});
  if (rest_is_due) {
    const uint64_t more = std::exchange(impl_->notes_dropped, 0);
    impl_->dropped_told_ms = now_ms;
    payments_agent::VerdictInput rest;
    rest.problem = std::string(payments_agent::kNotedByConsole) + std::to_string(more) +
                   " refusals and sign-ins more, not written down one by one";
    rest.received_ts_ms = now_ms;
    taken.push_back(std::move(rest));
  }
  return taken;
}

uint64_t Feed::answers_seen() const {
  const std::lock_guard lock(impl_->answers_lock);
  return impl_->answers_seen;
}

std::optional<payments_agent::VerdictResult> Feed::await_answer(const Verdict& verdict,
                                                                uint64_t since,
                                                                int64_t wait_ms) const {
  std::optional<payments_agent::VerdictResult> found;
  std::unique_lock lock(impl_->answers_lock);
  impl_->answered.wait_for(lock, std::chrono::milliseconds(wait_ms), [&] {
    const uint64_t oldest = impl_->answers_seen - impl_->answers.size();
    for (std::size_t i = 0; i < impl_->answers.size(); ++i) {
      const payments_agent::VerdictResult& r = impl_->answers[i];
      if (oldest + i >= since && r.proposal_id == verdict.proposal_id &&
          r.verdict == verdict.verdict && r.by == verdict.by && r.ts_ms == verdict.ts_ms) {
        found = r;
        return true;
      }
    }
    return false;
  });
  return found;
}

}  // namespace payops::api
