#include "payops/api/rewind.h"

#include <limits>
#include <utility>

#include "payops/payments_agent/step_input.h"
#include "projection.h"

namespace payops::api {

struct Rewind::Keyframe {
  std::string agent;
  Projection projection;
};

Rewind::Rewind(RewindOptions options)
    : options_(std::move(options)),
      projection_(
          std::make_unique<Projection>(options_.deployment, options_.cells_max, options_.keep_s)) {}
Rewind::~Rewind() = default;

const Knowledge& Rewind::known() const { return projection_->known(); }

// To the nearest state kept at or before `steps`, if that is nearer than where it stands.
Status Rewind::begin_at(std::size_t steps) {
  auto after = kept_.upper_bound(steps);
  const std::size_t nearest = after == kept_.begin() ? 0 : std::prev(after)->first;
  if (at_ <= steps && at_ >= nearest) return {};
  if (nearest == 0) {
    if (Status reset = agent_.restore(""); !reset) return reset;
    *projection_ = Projection(options_.deployment, options_.cells_max, options_.keep_s);
  } else {
    const Keyframe& frame = *std::prev(after)->second;
    if (Status restored = agent_.restore(frame.agent); !restored) return restored;
    *projection_ = frame.projection;
  }
  at_ = nearest;
  return {};
}

void Rewind::keep() {
  if (at_ % options_.keyframe_every != 0 || kept_.count(at_) > 0) return;
  kept_[at_] = std::make_unique<Keyframe>(Keyframe{agent_.snapshot(), *projection_});
  if (kept_.size() <= options_.keyframes_max) return;
  options_.keyframe_every *= 2;
  std::erase_if(kept_, [&](const auto& k) { return k.first % options_.keyframe_every != 0; });
}

Status Rewind::take(const Step& step) {
  const auto input = payments_agent::decode_block(step.block);
  if (!input) return tl::make_unexpected(input.error());
  const payments_agent::InputHead& head = input->head;
  // The configuration is recorded where a process begins: its console began anew as well.
  if (!head.config.empty()) {
    Deployment deployment = options_.deployment;
    deployment.build = head.build;
    projection_->begin_anew(std::move(deployment));
  }
  const auto output = agent_.apply(step.block);
  if (!output) return tl::make_unexpected(output.error());
  if (output->digest != step.digest) {
    return fail(ErrorCode::corrupt,
                "step " + std::to_string(head.step) +
                    " leads elsewhere than it did then: this program is not the one that recorded "
                    "it (build " +
                    head.build + "), or the input was altered");
  }
  for (const ClosedBucket& bucket : input->buckets) projection_->second(bucket);
  projection_->cycle(agent_);
  projection_->read_cells(agent_, head.watermark_ms);
  Pulse pulse;
  pulse.wall_ms = pulse.watermark_ms = step_ms(head);
  pulse.killed = agent_.killed() || head.health.killed;
  const std::string& trouble = head.health.observe_only;
  pulse.agent_state = pulse.killed ? "killed" : trouble.empty() ? "acting" : "observe_only";
  pulse.why = pulse.killed ? "the kill switch is on" : trouble;
  projection_->pulse(std::move(pulse));
  ++at_;
  return {};
}

Result<bool> Rewind::go(std::size_t steps, const Read& read,
                        const std::function<bool()>& time_is_up) {
  if (broken_ && steps > broken_->steps) return tl::make_unexpected(broken_->error);
  if (Status begun = begin_at(steps); !begun) return tl::make_unexpected(begun.error());
  while (at_ < steps) {
    if (time_is_up()) return false;
    const auto step = read(at_);
    if (!step) return tl::make_unexpected(step.error());
    if (Status taken = take(*step); !taken) {
      broken_ = Broken{at_, taken.error()};
      at_ = std::numeric_limits<std::size_t>::max();  // what it is now is no state at all
      return tl::make_unexpected(taken.error());
    }
    keep();
  }
  return true;
}

}  // namespace payops::api
