#include "details.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

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

}  // namespace

// What is usual at one stage: a path's rate, moved as region, merchant and band each move it
// (odds multiply), and the slice's own past against that.
class DetailStore::Usual {
 public:
  Usual(std::size_t stage, const std::vector<SliceRecord>& slices,
        const std::vector<uint32_t>& path_of, std::size_t paths,
        const std::vector<StageCounts<double>>& past)
      : stage_(stage), paths_(paths) {
    Sum all;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      Sum& path = paths_[path_of[i]];
      const double n = past[i].trials(stage);
      path.trials += n;
      path.failed += past[i].failed[stage];
      all.trials += n;
      all.failed += past[i].failed[stage];
    }
    const bool authorising = stage + 1 == kStages;
    overall_ = rate_of(all, authorising ? kPriorRate : kPriorStage, kLean);
    for (Sum& path : paths_) path.expected = bounded(rate_of(path, overall_, kLean));
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const double n = past[i].trials(stage);
      if (n <= 0.0) continue;
      const double expected = n * paths_[path_of[i]].expected;
      const KeyFields& key = slices[i].key;
      for (Sum* sum :
           {&at(regions_, key.region), &at(merchants_, key.merchant), &at(bands_, key.band)}) {
        sum->trials += n;
        sum->failed += past[i].failed[stage];
        sum->expected += expected;
      }
    }
  }
  // Makes room for paths that nothing is known of yet.
  void grow(std::size_t paths) {
    paths_.resize(
        paths, {.trials = 0.0, .failed = 0.0, .expected = bounded(rate_of({}, overall_, kLean))});
  }
  [[nodiscard]] double rate(const KeyFields& key, uint32_t path,
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
  double overall_ = 0.0;
  std::vector<Sum> paths_;  // `expected` is the rate
  std::vector<Sum> regions_, merchants_, bands_;
};

// What since() is made of, kept from cycle to cycle of an alarm. The counts are whole numbers, so
// it makes no difference when they are added up; what is usual is worked out anew whenever the past
// that it rests on changes. None of it is state: it is the same if it is lost.
struct DetailStore::Memory {
  bool kept = false;
  bool asked = false;  // since the newest sub-window began
  int64_t from = 0;
  std::vector<Counts> now;                // by slice, of the sub-windows from `from`
  bool learnt = false;                    // what follows holds
  std::vector<StageCounts<double>> past;  // by slice
  std::vector<Classes> class_share;       // by path
  Classes class_of_all{};
  std::array<std::unique_ptr<Usual>, kStages> usual;  // where it was asked for
  std::array<std::vector<double>, kStages> rates;     // by slice
  Since since;
};

DetailStore::DetailStore(DetailStore&&) noexcept = default;
DetailStore& DetailStore::operator=(DetailStore&&) noexcept = default;
DetailStore::~DetailStore() = default;

std::size_t DetailStore::Hash::operator()(const DetailKey& key) const {
  const uint64_t rest =
      uint64_t{key.region} << 32 | uint64_t{key.merchant} << 8 | uint64_t{key.band};
  return static_cast<std::size_t>(mix64(key.path.packed(), rest));
}

DetailStore::DetailStore(std::size_t slices_max, int64_t slot_s, double half_life_s)
    : slices_max_(slices_max),
      slot_s_(slot_s),
      keep_(static_cast<float>(std::exp2(-static_cast<double>(slot_s) / half_life_s))),
      memory_(std::make_unique<Memory>()) {}

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
  if (memory_->kept) memory_->now.emplace_back();
  return made;
}

void DetailStore::add(const std::vector<DetailCell>& details, int64_t second) {
  if (details.empty()) return;
  advance(second / slot_s_);
  Slot& slot = slots_.back();
  const bool counted = memory_->kept && slot.number >= memory_->from;
  if (!counted) memory_->learnt = false;
  for (const DetailCell& cell : details) {
    const uint32_t slice = slice_of(cell.key);
    if (place_[slice] == 0) {
      slot.entries.push_back({.slice = slice, .counts = {}});
      place_[slice] = static_cast<uint32_t>(slot.entries.size());
    }
    slot.entries[place_[slice] - 1].counts.add(cell);
    if (counted) memory_->now[slice].add(cell);
  }
}

void DetailStore::advance(int64_t number) {
  if (!slots_.empty() && slots_.back().number >= number) return;
  Memory& memory = *memory_;
  if (!std::exchange(memory.asked, false)) memory.kept = false;  // nobody asks any more
  bool gone = false;
  while (!slots_.empty() && slots_.front().number <= number - static_cast<int64_t>(kSlots)) {
    const Slot& oldest = slots_.front();
    if (!oldest.frozen) absorb(oldest);
    if (memory.kept && oldest.number >= memory.from) {
      for (const Entry& entry : oldest.entries) memory.now[entry.slice].take(entry.counts);
    }
    slots_.pop_front();
    gone = true;
  }
  if (gone) forget_idle();
  slots_.push_back({.number = number, .frozen = false, .entries = {}});
  std::fill(place_.begin(), place_.end(), 0);
}

void DetailStore::freeze(int64_t from_second) {
  for (Slot& slot : slots_) {
    if (slot.frozen || (slot.number + 1) * slot_s_ <= from_second) continue;
    slot.frozen = true;
    if (slot.number < memory_->from) memory_->learnt = false;
  }
}

void DetailStore::absorb(const Slot& slot) {
  memory_->learnt = false;
  for (SliceRecord& slice : slices_) {
    for (float& count : slice.past.reached) count *= keep_;
    for (float& count : slice.past.failed) count *= keep_;
    for (float& count : slice.by_class) count *= keep_;
  }
  for (const Entry& entry : slot.entries) {
    SliceRecord& slice = slices_[entry.slice];
    slice.past.add(entry.counts);
    for (std::size_t c = 0; c < kFaultClasses; ++c) {
      slice.by_class[c] += static_cast<float>(entry.counts.by_class[c]);
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
  if (std::find(kept.begin(), kept.end(), 0) == kept.end()) return;
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
  memory_->kept = false;
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

const DetailStore::Since& DetailStore::since(int64_t from_second) const {
  const int64_t from = from_second / slot_s_;
  Memory& memory = *memory_;
  memory.asked = true;
  if (!memory.kept || memory.from != from) {
    memory.kept = true;
    memory.learnt = false;
    memory.from = from;
    memory.now.assign(slices_.size(), {});
    for (const Slot& slot : slots_) {
      if (slot.number < from) continue;
      for (const Entry& entry : slot.entries) memory.now[entry.slice].add(entry.counts);
    }
  }
  if (!memory.learnt) learn_usual();
  meet_new();
  std::array<bool, kStages> lost{};
  for (const Counts& counts : memory.now) {
    for (std::size_t s = 0; s < kStages; ++s) lost[s] = lost[s] || counts.failed[s] > 0;
  }
  for (std::size_t s = 0; s < kStages; ++s) {
    if (lost[s]) tell_usual(s);  // elsewhere there can be no excess
  }
  std::vector<PathUsual>& usual_of = memory.since.paths;
  usual_of.assign(paths(), {});
  for (uint32_t path = 0; path < usual_of.size(); ++path) {
    usual_of[path].class_share = memory.class_share[path];
    for (std::size_t s = 0; s < kStages; ++s) {
      if (!lost[s]) continue;
      usual_of[path].rate[s] = memory.usual[s]->path_rate(path);
      usual_of[path].failures[s] = memory.usual[s]->failures(path);
    }
  }
  std::vector<Active>& active = memory.since.slices;
  active.clear();
  for (std::size_t i = 0; i < memory.now.size(); ++i) {
    const Counts& counts = memory.now[i];
    if (counts.trials(0) == 0) continue;
    Active& a = active.emplace_back();
    a.key = key_of(slices_[i].key);
    a.path = path_of_[i];
    a.slice = static_cast<uint32_t>(i);
    a.now.add(counts);
    std::copy(counts.by_class.begin(), counts.by_class.end(), a.by_class.begin());
    for (std::size_t s = 0; s < kStages; ++s) {
      if (lost[s]) a.rate[s] = memory.rates[s][i];
    }
  }
  return memory.since;
}

// What came before the sub-windows that are asked for: the past of the slices, and of which classes
// the failures of their paths were, leaning on those of all.
void DetailStore::learn_usual() const {
  Memory& memory = *memory_;
  memory.past.assign(slices_.size(), {});
  memory.class_share.assign(paths(), {});
  const auto add = [](Classes& to, const auto& of) {
    for (std::size_t c = 0; c < kFaultClasses; ++c) to[c] += of[c];
  };
  for (std::size_t i = 0; i < slices_.size(); ++i) {
    memory.past[i].add(slices_[i].past);
    add(memory.class_share[path_of_[i]], slices_[i].by_class);
  }
  for (const Slot& slot : slots_) {
    if (slot.number >= memory.from || slot.frozen) continue;
    for (const Entry& entry : slot.entries) {
      memory.past[entry.slice].add(entry.counts);
      add(memory.class_share[path_of_[entry.slice]], entry.counts.by_class);
    }
  }
  Classes& all = memory.class_of_all;
  all.fill(kDoubt / static_cast<double>(kFaultClasses));
  for (const Classes& path : memory.class_share) add(all, path);
  const double of_all = std::accumulate(all.begin(), all.end(), 0.0);
  for (double& c : all) c = kLean * c / of_all;
  for (Classes& path : memory.class_share) {
    const double of_path = std::accumulate(path.begin(), path.end(), 0.0);
    for (std::size_t c = 0; c < kFaultClasses; ++c)
      path[c] = (path[c] + all[c]) / (of_path + kLean);
  }
  for (std::size_t s = 0; s < kStages; ++s) {
    memory.usual[s].reset();
    memory.rates[s].clear();
  }
  memory.learnt = true;
}

// Slices and paths met since then have no past.
void DetailStore::meet_new() const {
  Memory& memory = *memory_;
  memory.past.resize(slices_.size());
  Classes none = memory.class_of_all;
  for (double& c : none) c = (0.0 + c) / (0.0 + kLean);
  memory.class_share.resize(paths(), none);
}

void DetailStore::tell_usual(std::size_t stage) const {
  Memory& memory = *memory_;
  auto& usual = memory.usual[stage];
  if (usual == nullptr) {
    usual = std::make_unique<Usual>(stage, slices_, path_of_, paths(), memory.past);
  }
  usual->grow(paths());
  std::vector<double>& rates = memory.rates[stage];
  for (std::size_t i = rates.size(); i < slices_.size(); ++i) {
    rates.push_back(usual->rate(slices_[i].key, path_of_[i], memory.past[i]));
  }
}

bool DetailStore::knows(double attempts) const {
  double left = attempts;
  for (const SliceRecord& slice : slices_) {
    if (left <= 0.0) return true;
    left -= static_cast<double>(slice.past.trials(0));
  }
  for (const Slot& slot : slots_) {
    if (slot.frozen) continue;
    for (const Entry& entry : slot.entries) left -= entry.counts.trials(0);
    if (left <= 0.0) return true;
  }
  return left <= 0.0;
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
