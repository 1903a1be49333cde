#include "payops/api/feed.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "chronicle.h"
#include "sparks.h"

namespace payops::api {
namespace {

constexpr int64_t kCellsEveryMs = 100;
constexpr int64_t kPulseEveryMs = 50;
constexpr int64_t kNotesEveryMs = 1000;
constexpr std::size_t kNotesMax = 16;  // that one step records; more are counted
constexpr std::size_t kAnswersMax = 256;
constexpr std::size_t kSparkSeriesMax = 20'000;

}  // namespace

struct Feed::Impl {
  // The agent's thread alone.
  FeedOptions options;
  Chronicle chronicle;
  Sparks sparks{kSparkSeriesMax};
  Meters meters;
  std::vector<std::string> nodes = payments_agent::PaymentsAgent::shape().nodes;
  Knowledge known;
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
  mutable std::mutex answers_lock;
  mutable std::condition_variable answered;
  std::deque<payments_agent::VerdictResult> answers;
  uint64_t answers_seen = 0;

  explicit Impl(FeedOptions o) : options(std::move(o)), chronicle(options.keep_s) {
    known.deployment = std::make_shared<Deployment>(options.deployment);
    known.pulse.why = "starting";
    newest = std::make_shared<Knowledge>(known);
  }
  void read_cells(const payments_agent::PaymentsAgent& agent, int64_t at_ms);
  void count_cycle(const payments_agent::CycleReport& report,
                   const std::vector<graph::NodeTiming>& timings);
  void take_answers(const std::vector<payments_agent::VerdictResult>& results);
};

Feed::Feed(FeedOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Feed::~Feed() = default;

void Feed::second(const ClosedBucket& bucket) {
  impl_->sparks.add(bucket);
  impl_->second_closed = true;
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
  auto view = std::make_shared<CycleView>(
      impl_->chronicle.cycle(agent.report(), agent.open_incidents(), agent.ledger().all()));
  view->timings = agent.timings();
  view->nodes = impl_->nodes;
  impl_->count_cycle(agent.report(), agent.timings());
  view->meters = std::make_shared<Meters>(impl_->meters);
  impl_->take_answers(view->report.verdicts);
  impl_->known.cycle = std::move(view);
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

void Feed::Impl::read_cells(const payments_agent::PaymentsAgent& agent, int64_t at_ms) {
  auto view = std::make_shared<CellsView>();
  view->at_ms = at_ms;
  for (reasoning::CellReading& reading : agent.cells(options.cells_max)) {
    const Spark spark = sparks.of(reading.key);
    view->cells.push_back({std::move(reading), spark});
  }
  known.cells = std::move(view);
  changed = true;
}

void Feed::pulse(Pulse pulse, const payments_agent::PaymentsAgent* agent) {
  Impl& s = *impl_;
  if (agent != nullptr && s.second_closed && pulse.wall_ms - s.cells_wall_ms >= kCellsEveryMs) {
    s.second_closed = false;
    s.cells_wall_ms = pulse.wall_ms;
    s.read_cells(*agent, pulse.watermark_ms);
  }
  if (!s.changed && pulse.wall_ms - s.pulse_wall_ms < kPulseEveryMs) return;
  s.changed = false;
  s.pulse_wall_ms = pulse.wall_ms;
  s.known.pulse = std::move(pulse);
  std::shared_ptr<const Knowledge> next = std::make_shared<Knowledge>(s.known);
  const std::lock_guard lock(s.newest_lock);
  s.newest.swap(next);  // the old one is let go of after the lock
}

std::shared_ptr<const Knowledge> Feed::newest() const {
  const std::lock_guard lock(impl_->newest_lock);
  return impl_->newest;
}

void Feed::note(payments_agent::VerdictInput refusal) {
  const std::lock_guard lock(impl_->notes_lock);
  if (impl_->notes.size() >= kNotesMax) {
    ++impl_->notes_dropped;
    return;
  }
  impl_->notes.push_back(std::move(refusal));
}

std::vector<payments_agent::VerdictInput> Feed::take_notes(int64_t now_ms) {
  if (now_ms - impl_->notes_wall_ms < kNotesEveryMs) return {};
  const std::lock_guard lock(impl_->notes_lock);
  if (impl_->notes.empty()) return {};
  impl_->notes_wall_ms = now_ms;
  std::vector<payments_agent::VerdictInput> taken = std::exchange(impl_->notes, {});
  if (const uint64_t more = std::exchange(impl_->notes_dropped, 0); more > 0) {
    payments_agent::VerdictInput rest;
    rest.problem = "the console refused " + std::to_string(more) + " more";
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
          r.verdict == verdict.verdict && r.by == verdict.by) {
        found = r;
        return true;
      }
    }
    return false;
  });
  return found;
}

}  // namespace payops::api
