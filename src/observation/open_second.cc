#include "open_second.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace payops::observation {
namespace {

void count_into(Cell& cell, const Counted& a) {
  const bool approved = a.status == AttemptStatus::approved;
  const auto cause = static_cast<std::size_t>(a.decline_class);
  ++cell.attempts;
  cell.latency.add(a.latency_ms);
  if (a.status == AttemptStatus::timeout) ++cell.timeouts;
  if (approved) {
    ++cell.approvals;
    cell.approved_amount_minor += a.amount_minor;
  } else {
    ++cell.failures[cause];
  }
  if (!a.first) return;
  ++cell.first_attempts;
  cell.amount_minor += a.amount_minor;
  if (approved) {
    ++cell.first_approvals;
  } else {
    ++cell.first_failures[cause];
  }
}

}  // namespace

void OpenSecond::reset(int64_t second, std::size_t expected_attempts) {
  second_ = second;
  seen_.reset(expected_attempts);
  cells_.clear();
  std::fill(index_.begin(), index_.end(), Slot{});
  arms_.clear();
  first_offsets_.clear();
}

inline OpenSecond::Slot& OpenSecond::slot_of(uint64_t packed) {
  const std::size_t mask = index_.size() - 1;
  std::size_t at = place_of(packed);
  while (index_[at].packed != packed && index_[at].packed != 0) at = (at + 1) & mask;
  return index_[at];
}

inline Cell* OpenSecond::find(const LeafKey& key) {
  const Slot& slot = slot_of(pack(key));
  return slot.packed == 0 ? nullptr : &cells_[slot.cell].cell;
}

// Where the key's cell probably is; nothing where it is not yet.
void OpenSecond::fetch_cell(const Counted& attempt) const {
  const Slot& slot = index_[place_of(pack(attempt.key))];
  if (slot.cell >= cells_.size()) return;
  const Cell& cell = cells_[slot.cell].cell;
  prefetch(&cell.attempts);
  prefetch(&cell.amount_minor);
  prefetch(&cell.latency.counts[latency_bucket(attempt.latency_ms)]);
}

void OpenSecond::grow_index() {
  index_.assign(2 * index_.size(), {});
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const uint64_t packed = pack(cells_[i].key);
    slot_of(packed) = {packed, i};
  }
}

// A new cell. REQUIRES: the key has none.
Cell& OpenSecond::make(const LeafKey& key) {
  if (2 * (cells_.size() + 1) > index_.size()) grow_index();
  const uint64_t packed = pack(key);
  slot_of(packed) = {packed, cells_.size()};
  cells_.push_back({key, {}});
  return cells_.back().cell;
}

bool OpenSecond::count(const Counted& attempt, std::size_t max_cells) {
  Cell* place = find(attempt.key);
  bool kept = true;
  if (place == nullptr && cells_.size() < max_cells) {
    place = &make(attempt.key);
  } else if (place == nullptr) {
    const LeafKey other{{kOther, kOther, kOther}, attempt.key.arm};
    place = find(other);
    if (place == nullptr) place = &make(other);
    kept = false;
  }
  count_into(*place, attempt);
  return kept;
}

bool OpenSecond::count_arm(const Counted& attempt, uint64_t action, double propensity) {
  auto it = std::find_if(arms_.begin(), arms_.end(), [&](const ArmCell& arm) {
    return arm.action == action && arm.arm == attempt.key.arm;
  });
  if (it == arms_.end()) {
    if (arms_.size() >= kMaxArms) return false;
    arms_.push_back({.action = action, .arm = attempt.key.arm});
    it = arms_.end() - 1;
  }
  const bool approved = attempt.status == AttemptStatus::approved;
  ++it->attempts;
  if (approved) {
    ++it->conversions;
    it->converted_amount_minor += attempt.amount_minor;
  }
  if (attempt.first) {
    ++it->payments;
    it->first_approvals += approved ? 1 : 0;
    it->amount_minor += attempt.amount_minor;
    it->propensity_ppm_sum += static_cast<uint64_t>(std::llround(propensity * 1e6));
  }
  return true;
}

void OpenSecond::move_to(ClosedBucket& out) {
  out.second = second_;
  std::sort(cells_.begin(), cells_.end(),
            [](const LeafCell& a, const LeafCell& b) { return a.key < b.key; });
  std::sort(arms_.begin(), arms_.end(), [](const ArmCell& a, const ArmCell& b) {
    return std::tie(a.action, a.arm) < std::tie(b.action, b.arm);
  });
  out.cells.swap(cells_);
  out.arms.swap(arms_);
  cells_.clear();
  arms_.clear();
}

}  // namespace payops::observation
