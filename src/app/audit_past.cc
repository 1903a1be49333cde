#include "audit_past.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "payops/api/console_state.h"
#include "payops/api/history.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/memory/audit_verify.h"
#include "payops/memory/log_index.h"

namespace payops::app {
namespace {

constexpr int kScreensAtOnce = 4;         // moments of the past looked at, or waited for
constexpr int64_t kScreenWaitMs = 1'500;  // then the answer is how far it is

Json summary_of(const std::string& text) {
  const auto line = parse_line(text);
  if (!line) return {{"error", line.error().message}};
  return {{"seq", line->seq},
          {"ts_ms", line->ts_ms},
          {"kind", line->kind},
          {"hash", line->hash},
          {"bytes", text.size()}};
}

}  // namespace

struct AuditPast::Impl {
  std::string directory;
  std::mutex verifying;
  // The log as far as it has been read. Short questions share this lock.
  std::mutex reading;
  memory::LogIndex index;
  api::History history;
  std::atomic<int> waiting = 0;  // who looks at the past, and who waits for their turn
  // Held while a state of the past is computed; takes `reading` for moments.
  std::mutex rewinding;
  api::Rewind rewind;

  Impl(std::string d, api::RewindOptions options)
      : directory(std::move(d)), index(directory), rewind(std::move(options)) {}

  // REQUIRES: `reading` is held.
  Status read_on() {
    return index.refresh([this](const AuditLine& line) { history.take(line); });
  }
};

AuditPast::AuditPast(std::string directory, api::RewindOptions options)
    : impl_(std::make_unique<Impl>(std::move(directory), std::move(options))) {}
AuditPast::~AuditPast() = default;

Result<std::string> AuditPast::verify() {
  const std::unique_lock lock(impl_->verifying, std::try_to_lock);
  if (!lock.owns_lock()) {
    return fail_retryable(ErrorCode::refused, "the log is being verified for somebody else");
  }
  const auto report = memory::audit_verify(impl_->directory);
  if (!report) return tl::make_unexpected(report.error());
  return dump(to_json(*report));
}

Result<std::string> AuditPast::record(uint64_t seq) {
  const std::lock_guard lock(impl_->reading);
  if (Status read = impl_->read_on(); !read) return tl::make_unexpected(read.error());
  return impl_->index.line(seq);
}

Result<std::string> AuditPast::records(uint64_t before_seq, std::size_t limit) {
  const std::lock_guard lock(impl_->reading);
  if (Status read = impl_->read_on(); !read) return tl::make_unexpected(read.error());
  const memory::LogIndex& index = impl_->index;
  Json list = Json::array();
  const uint64_t end =
      before_seq == 0 ? index.last_seq() + 1 : std::min(before_seq, index.last_seq() + 1);
  for (uint64_t seq = end; seq-- > index.first_seq() && seq > 0 && list.size() < limit;) {
    const auto text = index.line(seq);
    if (!text) return tl::make_unexpected(text.error());
    list.push_back(summary_of(*text));
  }
  return dump(Json{{"records", std::move(list)},
                   {"first_seq", index.first_seq()},
                   {"last_seq", index.last_seq()}});
}

Result<std::string> AuditPast::incidents(const api::PastQuery& query) {
  const std::lock_guard lock(impl_->reading);
  if (Status read = impl_->read_on(); !read) return tl::make_unexpected(read.error());
  return impl_->history.incidents(query);
}

Result<std::string> AuditPast::interventions(const api::PastQuery& query) {
  const std::lock_guard lock(impl_->reading);
  if (Status read = impl_->read_on(); !read) return tl::make_unexpected(read.error());
  return impl_->history.interventions(query);
}

Result<std::string> AuditPast::screen(int64_t at_ms) {
  Impl& s = *impl_;
  // Few wait for their turn: each holds one of the server's threads meanwhile.
  const struct Waiting {
    std::atomic<int>& count;
    int place;
    explicit Waiting(std::atomic<int>& c) : count(c), place(++c) {}
    ~Waiting() { --count; }
  } waiting(s.waiting);
  if (waiting.place > kScreensAtOnce) {
    return fail_retryable(ErrorCode::refused,
                          "others are looking at the past; try again in a moment");
  }
  const std::lock_guard rewinding(s.rewinding);
  std::size_t steps = 0;  // to be done
  int64_t from_ms = 0, to_ms = 0, before_ms = 0, after_ms = 0;
  {
    const std::lock_guard lock(s.reading);
    if (Status read = s.read_on(); !read) return tl::make_unexpected(read.error());
    const memory::LogIndex& index = s.index;
    if (index.steps() == 0) return fail(ErrorCode::not_found, "nothing is recorded yet");
    if (index.first_step() != 1) {
      return fail(ErrorCode::not_found, "the log begins at step " +
                                            std::to_string(index.first_step()) +
                                            "; what was shown can be computed from step 1 only");
    }
    from_ms = index.ts_ms(0);
    to_ms = index.ts_ms(index.steps() - 1);
    std::size_t low = 0;  // how many steps were over by then
    for (std::size_t high = index.steps(); low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (at_ms == 0 || index.ts_ms(middle) <= at_ms) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    steps = std::max<std::size_t>(1, low);
    before_ms = steps >= 2 ? index.ts_ms(steps - 2) : 0;
    after_ms = steps < index.steps() ? index.ts_ms(steps) : 0;
  }
  const int64_t until_ms = SystemClock().now_ms() + kScreenWaitMs;
  const auto there = s.rewind.go(
      steps,
      [&](std::size_t i) -> Result<api::Rewind::Step> {
        const std::lock_guard lock(s.reading);
        auto step = s.index.step(i);
        if (!step) return tl::make_unexpected(step.error());
        return api::Rewind::Step{std::move(step->block), std::move(step->digest)};
      },
      [&] { return SystemClock().now_ms() > until_ms; });
  if (!there) return tl::make_unexpected(there.error());
  Json place{{"done", *there},
             {"from_ms", from_ms},
             {"to_ms", to_ms},
             {"before_ms", before_ms},
             {"after_ms", after_ms},
             {"steps", steps},
             {"steps_done", s.rewind.at()}};
  if (!*there) return dump(place);
  const api::Knowledge& known = s.rewind.known();
  place["at_ms"] = known.pulse.watermark_ms;
  std::string text = dump(place);
  text.pop_back();
  return text + ",\"state\":" + api::state_text(api::state_of(known)) + "}";
}

}  // namespace payops::app
