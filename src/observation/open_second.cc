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
  std::fill(index_.begin(), index_.end(), 0u);
  arms_.clear();
  first_offsets_.clear();
}

inline std::size_t OpenSecond::place_of(const LeafKey& key) const {
  const uint64_t packed = key.path.packed() << 2 | static_cast<uint64_t>(key.arm);
  return static_cast<std::size_t>((packed * 0x9E3779B97F4A7C15u) >> 32) & (index_.size() - 1);
}

inline Cell* OpenSecond::find(const LeafKey& key) {
  for (std::size_t at = place_of(key); index_[at] != 0; at = (at + 1) & (index_.size() - 1)) {
    LeafCell& leaf = cells_[index_[at] - 1];
    if (leaf.key == key) return &leaf.cell;
  }
  return nullptr;
}

void OpenSecond::grow_index() {
  index_.assign(2 * index_.size(), 0);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    std::size_t at = place_of(cells_[i].key);
    while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
    index_[at] = static_cast<uint32_t>(i + 1);
  }
}

// A new cell. REQUIRES: the key has none.
Cell& OpenSecond::cell(const LeafKey& key) {
  if (2 * (cells_.size() + 1) > index_.size()) grow_index();
  std::size_t at = place_of(key);
  while (index_[at] != 0) at = (at + 1) & (index_.size() - 1);
  cells_.push_back({key, {}});
  index_[at] = static_cast<uint32_t>(cells_.size());
  return cells_.back().cell;
}

bool OpenSecond::count(const Counted& attempt, std::size_t max_cells) {
  Cell* place = find(attempt.key);
  bool kept = true;
  if (place == nullptr && cells_.size() < max_cells) {
    place = &cell(attempt.key);
  } else if (place == nullptr) {
    const LeafKey other{{kOther, kOther, kOther}, attempt.key.arm};
    place = find(other);
    if (place == nullptr) place = &cell(other);
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
