#include "payops/payments_agent/loop.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "payops/core/digest.h"
#include "payops/core/json_fields.h"

namespace payops::payments_agent {

Loop::Loop(PaymentsAgent& agent, observation::Observer& observer, Stepper& stepper,
           LoopOptions options)
    : agent_(agent),
      observer_(observer),
      stepper_(stepper),
      options_(std::move(options)),
      config_json_(dump(to_json(options_.config))),
      config_hash_(sha256_hex(config_json_)) {
  agent_.configure(options_.config);
  if (const int64_t closed_to_ms = agent_.closed_to_ms(); closed_to_ms > 0) {
    next_cycle_ms_ = (closed_to_ms / interval_ms() + 1) * interval_ms();
  }
}

int64_t Loop::interval_ms() const {
  return std::max<int64_t>(1000, std::llround(options_.config.cycle_interval_s) * 1000);
}

void Loop::add_verdict(VerdictInput verdict) { verdicts_.push_back(std::move(verdict)); }

void Loop::hear(std::vector<Complaint> complaints) {
  complaints_.insert(complaints_.end(), std::make_move_iterator(complaints.begin()),
                     std::make_move_iterator(complaints.end()));
}

// Complaints go with the next cycle. Where payments give none they have steps of their own, and one
// a minute while they alarm, to notice when it is over.
bool Loop::complaints_wait(const Health& health) const {
  constexpr int64_t kAlarmingEveryMs = 60'000;
  if (complaints_.size() >= kComplaintsAStep) return true;
  if (next_cycle_ms_ != 0) return false;
  return !complaints_.empty() ||
         (agent_.complaints_alarm() && health.clock_ms - cut_at_ms_ >= kAlarmingEveryMs);
}

int64_t Loop::closed_to_ms() const {
  // What the observer has found empty is closed too: late is late after a restart as well.
  const int64_t committed = agent_.closed_to_ms();
  const int64_t second = observer_.closed_to();
  return second > 0 ? std::max(committed, (second + 1) * 1000) : committed;
}

int64_t Loop::bound_second() const {
  if (next_cycle_ms_ == 0) return std::numeric_limits<int64_t>::max();
  const bool silent_backlog =
      buckets_.empty() && observer_.watermark_ms() - next_cycle_ms_ > options_.gap_max_ms;
  return (next_cycle_ms_ + (silent_backlog ? options_.gap_max_ms : 0)) / 1000;
}

Result<bool> Loop::close_cycle(const Health& health) {
  ClosedBucket bucket;
  while (observer_.next_closed(bucket, bound_second())) {
    const int64_t ends_ms = (bucket.second + 1) * 1000;
    if (bucket.second * 1000 >= next_cycle_ms_) {
      next_cycle_ms_ = (bucket.second * 1000 / interval_ms() + 1) * interval_ms();
    }
    const bool alarm = agent_.observe(bucket);
    options_.on_second(bucket);
    buckets_.push_back(std::move(bucket));
    if (alarm && ends_ms < next_cycle_ms_) {
      if (Status s = cut(Trigger::alarm, ends_ms, health); !s)
        return tl::make_unexpected(s.error());
    }
  }
  if (next_cycle_ms_ == 0) return false;
  if (bound_second() * 1000 > next_cycle_ms_) {  // nothing in a long silence: no cycles for it
    next_cycle_ms_ += options_.gap_max_ms / interval_ms() * interval_ms();
    return false;
  }
  return observer_.watermark_ms() >= next_cycle_ms_;
}

Status Loop::pump(const Health& health) {
  if (stepper_.pending()) {
    if (Status status = stepper_.retry(); !status) return status;
  }
  for (int64_t before = -1; before != next_cycle_ms_;) {
    before = next_cycle_ms_;
    const auto complete = close_cycle(health);
    if (!complete) return tl::make_unexpected(complete.error());
    if (*complete) {
      if (Status status = cut(Trigger::scheduled, next_cycle_ms_, health); !status) return status;
    }
  }
  if (!verdicts_.empty() || observer_.dead_letters_pending() >= options_.dead_letters_max ||
      complaints_wait(health)) {
    return cut(Trigger::backlog, closed_to_ms(), health);
  }
  return {};
}

Status Loop::stop(const Health& health) {
  if (Status status = pump(health); !status) return status;
  // What waits goes out with a step of its own, so that the last one only settles what was sent:
  // nothing is left to be repeated at the next start.
  const bool waiting = !buckets_.empty() || observer_.dead_letters_pending() > 0;
  if (waiting) {
    if (Status status = cut(Trigger::backlog, closed_to_ms(), health); !status) return status;
  }
  return cut(Trigger::stopping, closed_to_ms(), health);
}

Status Loop::cut(Trigger trigger, int64_t at_ms, const Health& health) {
  InputHead head;
  head.step = stepper_.step() + 1;
  head.trigger = trigger;
  head.watermark_ms = at_ms;
  head.build = options_.build;
  head.config_hash = config_hash_;
  if (!config_recorded_) head.config = config_json_;
  head.names = observer_.take_new_names();
  head.counts = observer_.take_counts();
  head.dead_letters = observer_.take_dead_letters();
  if (!head.dead_letters.empty()) head.source = options_.source;
  head.verdicts = std::exchange(verdicts_, {});
  head.health = health;
  head.results = stepper_.results();
  head.complaints = std::exchange(complaints_, {});
  cut_at_ms_ = health.clock_ms;
  options_.on_input(head);
  std::string block = encode_block(head, std::exchange(buckets_, {}));
  auto output = agent_.step(head, block);
  if (!output) return tl::make_unexpected(output.error());
  config_recorded_ = true;
  if (trigger == Trigger::scheduled) next_cycle_ms_ = at_ms + interval_ms();
  Status status = stepper_.take(std::move(block), std::move(*output), options_.cursors());
  options_.on_cycle(agent_.report());
  return status;
}

}  // namespace payops::payments_agent
