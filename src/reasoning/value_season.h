// What comes back in a metric: by the time of day, of day and week, or after any number of rows
// between 4 and 512. All are learnt, and the one that makes the past easiest to foretell is used,
// or none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace payops::reasoning {

class Season {
 public:
  // `step_s`: usual seconds between rows. Once, before all else.
  void begin(double step_s);

  // For the row that is learnt next: what is expected on top of the level, 0 while nothing comes
  // back; and how far values stray from that at this phase, over how far they do on the whole.
  [[nodiscard]] double at(int64_t ts_ms) const;
  [[nodiscard]] double spread(int64_t ts_ms) const;
  [[nodiscard]] bool useful() const { return use_ != Use::none; }

  // One more row, its level taken off. What is beyond `limit` is learnt as no more than that.
  void learn(int64_t ts_ms, double above_level, double limit);

 private:
  enum class Use { none, day, week, cycle };
  struct Slot {
    float mean = 0.0F;
    float spread = 0.0F;
    float seen = 0.0F;
    void learn(double x, double rate, double limit);
  };
  [[nodiscard]] std::size_t day_slot(int64_t ts_ms) const;
  [[nodiscard]] double daily(int64_t ts_ms) const;
  [[nodiscard]] double weekly(int64_t ts_ms) const;
  [[nodiscard]] double cyclic() const;
  void choose();
  void look_for_cycle();
  void begin_cycle(std::size_t length, const std::vector<float>& past, float mean);

  std::vector<Slot> day_, week_, cycle_;
  std::vector<float> past_;  // what was learnt last
  double slot_ms_ = 0.0;
  double rows_per_day_ = 0.0;
  std::size_t rows_ = 0;
  std::size_t cycle_rows_ = 0;  // since the cycle was found
  double error_none_ = 0.0, error_day_ = 0.0, error_week_ = 0.0, error_cycle_ = 0.0;
  double spread_ = 0.0;
  Use use_ = Use::none;
};

}  // namespace payops::reasoning
