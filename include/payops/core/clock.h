// Time is handed in. Domain code sees only this port; milliseconds since the Unix epoch, UTC.
#pragma once

#include <cstdint>

namespace payops {

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual int64_t now_ms() const = 0;
};

// The machine's wall clock.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ms() const override;
};

// Virtual time: moves only when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_ms = 0) : now_ms_(now_ms) {}
  [[nodiscard]] int64_t now_ms() const override { return now_ms_; }
  void set(int64_t now_ms) { now_ms_ = now_ms; }

 private:
  int64_t now_ms_;
};

}  // namespace payops
