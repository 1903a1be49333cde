#include "stream.h"

#include <algorithm>
#include <utility>

#include "payops/api/console.h"
#include "payops/core/clock.h"

namespace payops::api {
namespace {

constexpr int kHeartbeatMs = 1000;

}  // namespace

Stream::Stream(const Feed& feed, std::string epoch)
    : feed_(feed), epoch_(std::move(epoch)), known_(feed.newest()), state_(state_of(*known_)) {}

std::string Stream::hello() const {
  return hello_text(epoch_, kHeartbeatMs, static_cast<int>(kStaleAfterMs));
}

std::string Stream::snapshot() {
  const std::lock_guard lock(lock_);
  return snapshot_text(state_, epoch_, seq_, SystemClock().now_ms());
}

std::string Stream::delta() {
  std::shared_ptr<const Knowledge> now = feed_.newest();
  const std::lock_guard lock(lock_);
  if (now == known_) return "";
  const Delta delta = advance(state_, known_.get(), *now);
  known_ = std::move(now);
  if (delta.empty()) return "";
  return delta_text(delta, ++seq_, SystemClock().now_ms());
}

std::string Stream::heartbeat() {
  const auto now = feed_.newest();
  const std::lock_guard lock(lock_);
  return heartbeat_text(seq_, SystemClock().now_ms(),
                        std::max<int64_t>(0, now->pulse.watermark_ms));
}

}  // namespace payops::api
