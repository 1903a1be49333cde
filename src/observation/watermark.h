// How far event time has come, over partitions that run at different paces and clocks that may be
// wrong. The rules are in payops/observation/observer.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "payops/observation/observer.h"

namespace payops::observation {

// How far one slot's times are trusted.
struct TimeMark {
  std::optional<int64_t> high_ms{};  // none before a time was trusted
  std::vector<int64_t> doubts_ms{};  // in a row beyond trust, fewer than kJumpMessages
};

class Watermark {
 public:
  Watermark(int64_t lateness_ms, int64_t idle_ms) : lateness_ms_(lateness_ms), idle_ms_(idle_ms) {}

  // `replaying`: what the slot says first was known, and weighed, before a restart; until
  // replayed() nothing moves.
  void assign(int32_t slot, const TimeMark& mark, bool replaying);
  // REQUIRES: assigned.
  [[nodiscard]] TimeMark mark(int32_t slot) const;
  void unassign(int32_t slot);
  void replayed(int32_t slot);

  // A message came, of whatever use.
  void heard(int32_t slot, int64_t now_ms) {
    Slot& s = slots_[static_cast<std::size_t>(slot)];
    s.heard = true;
    s.at_end = false;
    s.heard_ms = now_ms;
    heard_ms_ = now_ms;
    silent_ = false;
    if (now_ms > now_ms_) now_ms_ = now_ms;
  }
  // An attempt of the slot completed at ts_ms. REQUIRES: heard() for its message.
  void trust(int32_t slot, int64_t ts_ms) {
    Slot& s = slots_[static_cast<std::size_t>(slot)];
    if (ts_ms <= s.high_ms) {
      s.doubted = 0;
      return;
    }
    weigh(s, ts_ms);
  }
  void at_end(int32_t slot, int64_t now_ms);
  void tick(int64_t now_ms);

  // Moves it at least to `ms`, whatever the slots say.
  void force(int64_t ms);
  // Moves it as far as the slots allow.
  void advance();
  // kNoWatermark while nothing is known.
  [[nodiscard]] int64_t ms() const { return ms_; }

  static constexpr int64_t kJumpMs = 5'000;
  static constexpr std::size_t kJumpMessages = 8;

 private:
  struct Slot {
    bool assigned = false;
    bool heard = false;
    bool at_end = false;
    bool replaying = false;
    uint32_t doubted = 0;  // attempts in a row beyond trust
    int64_t high_ms = kNoWatermark;
    int64_t heard_ms = 0;
    std::array<int64_t, kJumpMessages> doubts{};
  };

  void weigh(Slot& slot, int64_t ts_ms);
  [[nodiscard]] bool idle(const Slot& slot) const;
  [[nodiscard]] bool holds_silence_back() const;
  [[nodiscard]] int64_t earliest_doubt() const;

  int64_t lateness_ms_;
  int64_t idle_ms_;
  std::vector<Slot> slots_;
  int64_t ms_ = kNoWatermark;
  int64_t now_ms_ = kNoWatermark;    // the latest handed in
  int64_t heard_ms_ = kNoWatermark;  // of the last message of any slot
  bool ends_known_ = false;          // some slot has reported its end
  bool silent_ = false;
  int64_t silence_from_ms_ = 0;   // the watermark when silence began ...
  int64_t silence_since_ms_ = 0;  // ... and the clock
};

}  // namespace payops::observation
