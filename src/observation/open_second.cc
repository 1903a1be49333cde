#include "open_second.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

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
  details_.clear();
  std::fill(detail_index_.begin(), detail_index_.end(), DetailSlot{0});
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
  const DetailSlot detail = detail_index_[place_of(detail_key(attempt))];
  prefetch(details_.data() + (detail != 0 ? detail - 1 : details_.size()));
}

// Its own or the free one.
inline OpenSecond::DetailSlot& OpenSecond::slot_of(const DetailKey& key) {
  const std::size_t mask = detail_index_.size() - 1;
  std::size_t at = place_of(key);
  while (detail_index_[at] != 0 && details_[detail_index_[at] - 1].key != key) at = (at + 1) & mask;
  return detail_index_[at];
}

// A new cell. REQUIRES: the key has none, and `slot` is where it belongs.
DetailCell& OpenSecond::make_detail(const DetailKey& key, DetailSlot* slot) {
  if (2 * (details_.size() + 1) > detail_index_.size()) {
    detail_index_.assign(2 * detail_index_.size(), 0);
    for (uint32_t i = 0; i < details_.size(); ++i) slot_of(details_[i].key) = i + 1;
    slot = &slot_of(key);
  }
  DetailCell& made = details_.emplace_back();
  *slot = static_cast<DetailSlot>(details_.size());
  made.key = key;
  return made;
}

bool OpenSecond::count_detail(const Counted& attempt, std::size_t max_cells) {
  DetailKey key = detail_key(attempt);
  DetailSlot* slot = &slot_of(key);
  const bool kept = *slot != 0 || details_.size() < max_cells;
  if (!kept) {
    key = {.path = {kOther, kOther, kOther}};
    slot = &slot_of(key);
  }
  DetailCell& cell = *slot != 0 ? details_[*slot - 1] : make_detail(key, slot);
  const auto stage = static_cast<std::size_t>(attempt.stage);
  ++cell.reached[stage];
  if (attempt.status != AttemptStatus::approved && is_fault(attempt.decline_class)) {
    ++cell.failed[stage];
    ++cell.by_class[fault_index(attempt.decline_class)];
  }
  return kept;
}

// By key, a byte of it at a time from the lowest: the cells of a second differ in few bytes, and
// most of them count one attempt, so that comparing would cost more than counting did.
void OpenSecond::sort_details() {
  order_.clear();
  for (uint32_t i = 0; i < details_.size(); ++i) {
    const DetailKey& key = details_[i].key;
    order_.push_back({key.path.packed(),
                      uint32_t{key.region} << 24 | uint32_t{key.merchant} << 8 | key.band, i});
  }
  order_spare_.resize(order_.size());
  constexpr std::size_t kRestBytes = 4;
  constexpr std::size_t kKeyBytes = 10;  // and six of the path
  for (std::size_t byte = 0; byte < kKeyBytes; ++byte) {
    const auto digit = [byte](const DetailOrder& o) {
      return byte < kRestBytes ? o.rest >> (8 * byte) & 0xFF
                               : o.path >> (8 * (byte - kRestBytes)) & 0xFF;
    };
    std::array<uint32_t, 257> from{};
    for (const DetailOrder& o : order_) ++from[digit(o) + 1];
    if (std::find(from.begin(), from.end(), order_.size()) != from.end()) continue;  // all alike
    for (std::size_t d = 1; d < from.size(); ++d) from[d] += from[d - 1];
    for (const DetailOrder& o : order_) order_spare_[from[digit(o)]++] = o;
    order_.swap(order_spare_);
  }
  sorted_.clear();
  for (const DetailOrder& o : order_) sorted_.push_back(details_[o.cell]);
  details_.swap(sorted_);
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
  if (!details_.empty()) sort_details();
  out.details.swap(details_);
  details_.clear();
  cells_.clear();
  arms_.clear();
}

}  // namespace payops::observation
