#include "watermark.h"

#include <algorithm>

namespace payops::observation {

void Watermark::assign(int32_t slot, const TimeMark& mark, bool replaying) {
  const auto at = static_cast<std::size_t>(slot);
  if (at >= slots_.size()) slots_.resize(at + 1);
  slots_[at] = Slot{};
  slots_[at].assigned = true;
  slots_[at].replaying = replaying;
  slots_[at].high_ms = mark.high_ms.value_or(kNoWatermark);
  const std::size_t doubted = std::min(mark.doubts_ms.size(), kJumpMessages - 1);
  std::copy_n(mark.doubts_ms.begin(), doubted, slots_[at].doubts.begin());
  slots_[at].doubted = static_cast<uint32_t>(doubted);
}

TimeMark Watermark::mark(int32_t slot) const {
  const Slot& s = slots_[static_cast<std::size_t>(slot)];
  TimeMark mark;
  if (s.high_ms != kNoWatermark) mark.high_ms = s.high_ms;
  mark.doubts_ms.assign(s.doubts.begin(), s.doubts.begin() + s.doubted);
  return mark;
}

void Watermark::unassign(int32_t slot) {
  const auto at = static_cast<std::size_t>(slot);
  if (at < slots_.size()) slots_[at] = Slot{};
}

void Watermark::replayed(int32_t slot) { slots_[static_cast<std::size_t>(slot)].replaying = false; }

// The time is beyond the slot's high mark: near enough to be true, or one of a run that is.
void Watermark::weigh(Slot& slot, int64_t ts_ms) {
  const auto trusted = [this](int64_t ms) { return std::min(ms, now_ms_); };
  // Whole seconds only, so that a restart, which knows the closed seconds, weighs alike.
  const int64_t known_ms = ms_ == kNoWatermark ? ms_ : ms_ / 1'000 * 1'000 + lateness_ms_;
  const int64_t base_ms = std::max(slot.high_ms, known_ms);
  if (base_ms != kNoWatermark && ts_ms <= base_ms + kJumpMs) {
    slot.high_ms = std::max(slot.high_ms, trusted(ts_ms));
    slot.doubted = 0;
    return;
  }
  slot.doubts[slot.doubted++] = ts_ms;
  if (slot.doubted < kJumpMessages) return;
  std::sort(slot.doubts.begin(), slot.doubts.end());
  slot.high_ms = std::max(slot.high_ms, trusted(slot.doubts[0]));
  for (const int64_t ms : slot.doubts) {
    if (ms <= slot.high_ms + kJumpMs) slot.high_ms = std::max(slot.high_ms, trusted(ms));
  }
  slot.doubted = 0;
}

void Watermark::at_end(int32_t slot, int64_t now_ms) {
  Slot& s = slots_[static_cast<std::size_t>(slot)];
  s.replaying = false;
  if (!s.at_end && !s.heard) s.heard_ms = now_ms;
  s.at_end = true;
  ends_known_ = true;
  now_ms_ = std::max(now_ms_, now_ms);
}

bool Watermark::idle(const Slot& slot) const {
  return slot.at_end && now_ms_ - slot.heard_ms >= idle_ms_;
}

void Watermark::advance() {
  int64_t lowest = kNoWatermark;
  bool any = false;
  for (const Slot& slot : slots_) {
    if (!slot.assigned) continue;
    if (slot.replaying) return;
    if (idle(slot)) continue;
    if (slot.high_ms == kNoWatermark) return;
    lowest = any ? std::min(lowest, slot.high_ms) : slot.high_ms;
    any = true;
  }
  if (any) ms_ = std::max(ms_, lowest - lateness_ms_);
}

bool Watermark::holds_silence_back() const {
  return std::any_of(slots_.begin(), slots_.end(), [this](const Slot& slot) {
    if (!slot.assigned || slot.at_end) return false;
    return slot.replaying || !slot.heard || ends_known_;
  });
}

// The lowest time among attempts not yet trusted, for a stream too short to be.
int64_t Watermark::earliest_doubt() const {
  int64_t lowest = kNoWatermark;
  for (const Slot& slot : slots_) {
    for (uint32_t i = 0; i < slot.doubted; ++i) {
      lowest = lowest == kNoWatermark ? slot.doubts[i] : std::min(lowest, slot.doubts[i]);
    }
  }
  return lowest;
}

void Watermark::tick(int64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  if (heard_ms_ == kNoWatermark) heard_ms_ = now_ms_;
  advance();
  if (now_ms_ - heard_ms_ < idle_ms_ || holds_silence_back()) {
    silent_ = false;
    return;
  }
  if (!silent_) {
    if (ms_ == kNoWatermark && earliest_doubt() != kNoWatermark) {
      ms_ = std::min(earliest_doubt(), now_ms_) - lateness_ms_;
    }
    if (ms_ == kNoWatermark) return;
    silent_ = true;
    silence_from_ms_ = ms_;
    silence_since_ms_ = heard_ms_ + idle_ms_;
  }
  const int64_t paced = silence_from_ms_ + (now_ms_ - silence_since_ms_);
  ms_ = std::max(ms_, std::min(paced, now_ms_ - lateness_ms_));
}

void Watermark::force(int64_t ms) { ms_ = std::max(ms_, ms); }

}  // namespace payops::observation
