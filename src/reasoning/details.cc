#include "details.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "payops/core/random.h"

namespace payops::reasoning {
namespace {

constexpr float kIdle = 0.25F;  // attempts; slices of which less is left may be forgotten
// What is believed of a rate before anything is seen of it, and how many attempts' worth a slice
// leans on its path, a path on all.
constexpr double kPriorRate = 0.02;
constexpr double kPriorStage = 0.002;  // at a stage before authorisation
constexpr double kLean = 40.0;
constexpr double kDoubt = 3.0;  // failures' worth of belief that a name makes no difference

// Sums over the past: by path, and by the names beside it what its paths make expected.
struct Sum {
  double trials = 0.0, failed = 0.0, expected = 0.0;
};

double rate_of(const Sum& sum, double toward, double strength) {
  return (sum.failed + toward * strength) / (sum.trials + strength);
}

double bounded(double rate) { return std::clamp(rate, 0.0005, 0.97); }

// By how much a name moves the odds.
double factor_of(const std::vector<Sum>& sums, std::size_t i) {
  if (i >= sums.size()) return 1.0;
  const double n = sums[i].trials + 2.0 * kDoubt;
  const double k = sums[i].failed + kDoubt, e = sums[i].expected + kDoubt;
  return k / (n - k) * (n - e) / e;
}

Sum& at(std::vector<Sum>& sums, std::size_t i) {
  if (i >= sums.size()) sums.resize(i + 1);
  return sums[i];
}

// What is usual at one stage: a path's rate, moved as region, merchant and band each move it
// (odds multiply), and the slice's own past against that.
class Usual {
 public:
  Usual(std::size_t stage, const std::vector<DetailKey>& keys, const std::vector<uint32_t>& path_of,
        std::size_t paths, const std::vector<StageCounts<double>>& past)
      : stage_(stage), paths_(paths) {
    Sum all;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Sum& path = paths_[path_of[i]];
      const double n = past[i].trials(stage);
      path.trials += n;
      path.failed += past[i].failed[stage];
      all.trials += n;
      all.failed += past[i].failed[stage];
    }
    const bool authorising = stage + 1 == kStages;
    const double overall = rate_of(all, authorising ? kPriorRate : kPriorStage, kLean);
    for (Sum& path : paths_) path.expected = bounded(rate_of(path, overall, kLean));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const double n = past[i].trials(stage);
      if (n <= 0.0) continue;
      const double expected = n * paths_[path_of[i]].expected;
      for (Sum* sum : {&at(regions_, keys[i].region), &at(merchants_, keys[i].merchant),
                       &at(bands_, keys[i].band)}) {
        sum->trials += n;
        sum->failed += past[i].failed[stage];
        sum->expected += expected;
      }
    }
  }
  [[nodiscard]] double rate(const DetailKey& key, uint32_t path,
                            const StageCounts<double>& past) const {
    const double p = path_rate(path);
    const double odds = p / (1.0 - p) * factor_of(regions_, key.region) *
                        factor_of(merchants_, key.merchant) * factor_of(bands_, key.band);
    const double usual = odds / (1.0 + odds);
    return bounded((past.failed[stage_] + usual * kLean) / (past.trials(stage_) + kLean));
  }
  [[nodiscard]] double path_rate(uint32_t path) const { return paths_[path].expected; }
  [[nodiscard]] double failures(uint32_t path) const { return paths_[path].failed; }

 private:
  std::size_t stage_;
  std::vector<Sum> paths_;  // `expected` is the rate
  std::vector<Sum> regions_, merchants_, bands_;
};

}  // namespace

std::size_t DetailStore::Hash::operator()(const DetailKey& key) const {
  const uint64_t rest =
      uint64_t{key.region} << 32 | uint64_t{key.merchant} << 8 | uint64_t{key.band};
  return static_cast<std::size_t>(mix64(key.path.packed(), rest));
}

DetailStore::DetailStore(std::size_t slices_max, int64_t slot_s, double half_life_s)
    : slices_max_(slices_max),
      slot_s_(slot_s),
      keep_(static_cast<float>(std::exp2(-static_cast<double>(slot_s) / half_life_s))) {}

DetailKey DetailStore::key_of(const KeyFields& f) {
  return {.path = f.path,
          .region = f.region,
          .merchant = f.merchant,
          .band = static_cast<uint8_t>(f.band)};
}

uint32_t DetailStore::path_id(const SeriesKey& path) {
  const auto next = static_cast<uint32_t>(path_ids_.size());
  return path_ids_.try_emplace(path.packed(), next).first->second;
}

uint32_t DetailStore::slice_of(const DetailKey& key) {
  const auto it = index_.find(key);
  if (it != index_.end()) return it->second;
  const DetailKey other{.path = {kOther, kOther, kOther}};
  if (slices_.size() + 1 >= slices_max_ && key != other) return slice_of(other);
  const auto made = static_cast<uint32_t>(slices_.size());
  slices_.push_back(
      {.key = {key.path, key.region, key.merchant, key.band}, .past = {}, .by_class = {}});
  place_.push_back(0);
  path_of_.push_back(path_id(key.path));
  index_.emplace(key, made);
  return made;
}

void DetailStore::add(const std::vector<DetailCell>& details, int64_t second) {
  if (details.empty()) return;
  advance(second / slot_s_);
  Slot& slot = slots_.back();
  for (const DetailCell& cell : details) {
    const uint32_t slice = slice_of(cell.key);
    if (place_[slice] == 0) {
      slot.entries.push_back({.slice = slice, .counts = {}, .by_class = {}});
      place_[slice] = static_cast<uint32_t>(slot.entries.size());
    }
    Entry& entry = slot.entries[place_[slice] - 1];
    StageCounts<uint32_t>& counts = entry.counts;
    for (std::size_t s = 0; s < kStages; ++s) {
      counts.reached[s] += cell.reached[s];
      counts.failed[s] += cell.failed[s];
    }
    for (std::size_t c = 0; c < kFaultClasses; ++c) entry.by_class[c] += cell.by_class[c];
  }
}

void DetailStore::advance(int64_t number) {
  if (!slots_.empty() && slots_.back().number >= number) return;
  bool gone = false;
  while (!slots_.empty() && slots_.front().number <= number - static_cast<int64_t>(kSlots)) {
    if (!slots_.front().frozen) absorb(slots_.front());
    slots_.pop_front();
    gone = true;
  }
  if (gone) forget_idle();
  slots_.push_back({.number = number, .frozen = false, .entries = {}});
  std::fill(place_.begin(), place_.end(), 0);
}

void DetailStore::freeze(int64_t from_second) {
  for (Slot& slot : slots_) {
    if ((slot.number + 1) * slot_s_ > from_second) slot.frozen = true;
  }
}

void DetailStore::absorb(const Slot& slot) {
  for (SliceRecord& slice : slices_) {
    for (float& count : slice.past.reached) count *= keep_;
    for (float& count : slice.past.failed) count *= keep_;
    for (float& count : slice.by_class) count *= keep_;
  }
  for (const Entry& entry : slot.entries) {
    SliceRecord& slice = slices_[entry.slice];
    slice.past.add(entry.counts);
    for (std::size_t c = 0; c < kFaultClasses; ++c) {
      slice.by_class[c] += static_cast<float>(entry.by_class[c]);
    }
  }
}

// Makes room once the table is three quarters full: of slices that nothing is left of.
void DetailStore::forget_idle() {
  if (4 * slices_.size() < 3 * slices_max_) return;
  std::vector<uint8_t> kept(slices_.size(), 0);
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    kept[i] = slices_[i].past.trials(0) >= kIdle ? 1 : 0;
  }
  for (const Slot& slot : slots_) {
    for (const Entry& entry : slot.entries) kept[entry.slice] = 1;
  }
  std::vector<uint32_t> now_at(slices_.size(), 0);
  uint32_t next = 0;
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    if (kept[i] == 0) continue;
    now_at[i] = next;
    slices_[next++] = slices_[i];
  }
  slices_.resize(next);
  for (Slot& slot : slots_) {
    for (Entry& entry : slot.entries) entry.slice = now_at[entry.slice];
  }
  reindex();
}

void DetailStore::reindex() {
  index_.clear();
  path_ids_.clear();
  path_of_.clear();
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    index_.emplace(key_of(slices_[i].key), static_cast<uint32_t>(i));
    path_of_.push_back(path_id(slices_[i].key.path));
  }
  place_.assign(slices_.size(), 0);
  if (slots_.empty()) return;
  const std::vector<Entry>& entries = slots_.back().entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    place_[entries[i].slice] = static_cast<uint32_t>(i + 1);
  }
}

std::vector<DetailStore::Active> DetailStore::since(int64_t from_second) const {
  const int64_t from = from_second / slot_s_;
  auto& [now, past, keys] = scratch_;
  now.assign(slices_.size(), {});
  past.assign(slices_.size(), {});
  keys.clear();
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    keys.push_back(key_of(slices_[i].key));
    past[i].add(slices_[i].past);
  }
  for (const Slot& slot : slots_) {
    if (slot.number < from && slot.frozen) continue;
    auto& sums = slot.number >= from ? now : past;
    for (const Entry& entry : slot.entries) sums[entry.slice].add(entry.counts);
  }
  std::vector<Active> active;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (now[i].trials(0) <= 0.0) continue;
    active.push_back(
        {.key = keys[i], .path = path_of_[i], .slice = static_cast<uint32_t>(i), .now = now[i]});
  }
  for (std::size_t stage = 0; stage < kStages; ++stage) {
    const bool lost = std::any_of(active.begin(), active.end(),
                                  [&](const Active& a) { return a.now.failed[stage] > 0.0; });
    if (!lost) continue;  // there can be no excess
    const Usual usual(stage, keys, path_of_, paths(), past);
    std::size_t next = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (now[i].trials(0) <= 0.0) continue;
      Active& a = active[next++];
      a.rate[stage] = usual.rate(a.key, a.path, past[i]);
      a.path_rate[stage] = usual.path_rate(a.path);
      a.failures[stage] = usual.failures(a.path);
    }
  }
  tell_classes(from, active);
  return active;
}

// The classes of the slices' failures since a sub-window, and what is usual of their paths: what
// their failures were of before, leaning on those of all.
void DetailStore::tell_classes(int64_t from, std::vector<Active>& active) const {
  using Classes = std::array<double, kFaultClasses>;
  const auto add = [](Classes& to, const auto& of) {
    for (std::size_t c = 0; c < kFaultClasses; ++c) to[c] += of[c];
  };
  const auto sum_of = [](const Classes& of) { return std::accumulate(of.begin(), of.end(), 0.0); };
  std::vector<Classes> paths(path_ids_.size(), Classes{});
  std::vector<Classes> now(slices_.size(), Classes{});
  for (std::size_t i = 0; i < slices_.size(); ++i) add(paths[path_of_[i]], slices_[i].by_class);
  for (const Slot& slot : slots_) {
    if (slot.number < from && slot.frozen) continue;
    for (const Entry& entry : slot.entries) {
      add(slot.number >= from ? now[entry.slice] : paths[path_of_[entry.slice]], entry.by_class);
    }
  }
  Classes all;
  all.fill(kDoubt / static_cast<double>(kFaultClasses));
  for (const Classes& path : paths) add(all, path);
  const double of_all = sum_of(all);
  for (Classes& path : paths) {
    const double of_path = sum_of(path);
    for (std::size_t c = 0; c < kFaultClasses; ++c) {
      path[c] = (path[c] + kLean * all[c] / of_all) / (of_path + kLean);
    }
  }
  for (Active& a : active) {
    a.class_share = paths[a.path];
    a.by_class = now[a.slice];
  }
}

double DetailStore::learnt() const {
  double sum = 0.0;
  for (const SliceRecord& slice : slices_) sum += static_cast<double>(slice.past.trials(0));
  for (const Slot& slot : slots_) {
    if (slot.frozen) continue;
    for (const Entry& entry : slot.entries) sum += entry.counts.trials(0);
  }
  return sum;
}

void DetailStore::encode(Encoder& out) const {
  out.put(slices_);
  out.varint(slots_.size());
  for (const Slot& slot : slots_) out.put(slot);
}

bool DetailStore::decode(Decoder& in) {
  in.get(slices_);
  slots_.clear();
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) in.get(slots_.emplace_back());
  const bool good = in.ok() && std::all_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
                      return std::all_of(slot.entries.begin(), slot.entries.end(),
                                         [&](const Entry& e) { return e.slice < slices_.size(); });
                    });
  if (!good) {
    slices_.clear();
    slots_.clear();
  }
  reindex();
  return good;
}

// Of the newest sub-window only: what the older ones became was in the digests before.
void DetailStore::digest(StateDigest& digest) const {
  std::string bytes;
  Encoder out(bytes);
  out.varint(slices_.size());
  if (!slots_.empty()) out.put(slots_.back());
  digest.add(bytes);
}

}  // namespace payops::reasoning
