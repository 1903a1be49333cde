#include "slice_scan_lattice.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "payops/core/random.h"

namespace payops::reasoning::slice_scan {
namespace {

// Prior of a cause's depth, from 1; issuers, gateways and merchants break as wholes most often.
constexpr std::array<double, 5> kDepthPrior{0.4, 0.3, 0.18, 0.08, 0.04};

constexpr double kEverything = 0.05;  // that all leaves fail alike; only a history can show it

double choose(std::size_t n, std::size_t k) {
  double ways = 1.0;
  for (std::size_t i = 0; i < k; ++i) {
    ways = ways * static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return ways;
}

// Numbers keys in order of appearance. Small key spaces take a table, others a hash map of linear
// probing.
class Numbering {
 public:
  void reset(uint64_t key_space, std::size_t keys_max) {
    direct_ = key_space <= (uint64_t{1} << 22);
    const std::size_t size =
        direct_ ? static_cast<std::size_t>(key_space) : std::bit_ceil(2 * keys_max + 2);
    number_.assign(size, kNone);
    if (!direct_) key_.resize(size);
    mask_ = size - 1;
    count_ = 0;
  }
  uint32_t operator()(uint64_t key) {
    std::size_t at = static_cast<std::size_t>(key);
    if (!direct_) {
      at = static_cast<std::size_t>(mix64(key)) & mask_;
      while (number_[at] != kNone && key_[at] != key) at = (at + 1) & mask_;
      key_[at] = key;
    }
    if (number_[at] == kNone) number_[at] = count_++;
    return number_[at];
  }
  [[nodiscard]] uint32_t count() const { return count_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> number_;
  std::vector<uint64_t> key_;
  std::size_t mask_ = 0;
  uint32_t count_ = 0;
  bool direct_ = true;
};

// One combination of dimensions: its slices, and the leaves that may matter below it.
struct Cuboid {
  std::vector<uint32_t> leaves;
  std::vector<uint32_t> slice_of;  // by position in `leaves`
  uint32_t slices = 1;
};

}  // namespace

// Depth-first over combinations of dimensions in rising order. A slice whose leaves' evidence,
// taken apart and each at its best, cannot pay for a slice below it, is not gone into.
struct Lattice::Search {
  const Lattice& lattice;
  const std::vector<Evidence>& evidence;
  std::vector<float> highest;  // by leaf: its evidence at its best effect, 0 at least
  std::size_t limit;
  double floor;
  std::vector<Slice> found;
  Numbering number;

  void keep(const Slice& slice) {
    found.push_back(slice);
    if (found.size() >= 8 * limit + 64) trim();
  }
  void keep_everything();
  void trim();
  void descend(const Cuboid& above, uint32_t dimensions, std::size_t from, std::size_t depth);
  Cuboid divide(const Cuboid& above, uint32_t dimensions, std::size_t d, std::size_t depth);
};

void Lattice::Search::keep_everything() {
  Evidence sum{};
  Slice slice;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    for (std::size_t j = 0; j < kEffects; ++j) sum[j] += evidence[i][j];
    slice.cover += lattice.marks_[i];
    ++slice.leaves;
  }
  slice.score = lattice.log_prior(0) - std::log(static_cast<double>(kEffects)) +
                static_cast<double>(*std::max_element(sum.begin(), sum.end()));
  if (slice.score > floor) keep(slice);
}

void Lattice::Search::trim() {
  std::sort(found.begin(), found.end(), [](const Slice& a, const Slice& b) {
    return a.score != b.score             ? a.score > b.score
           : a.dimensions != b.dimensions ? a.dimensions < b.dimensions
                                          : a.leaf < b.leaf;
  });
  std::unordered_map<uint64_t, std::size_t> by_cover;
  std::vector<Slice> kept;
  for (const Slice& slice : found) {  // equal covers: the highest prior comes first
    if (kept.size() == limit) break;
    if (by_cover.emplace(slice.cover, kept.size()).second) kept.push_back(slice);
  }
  if (kept.size() == limit) floor = std::max(floor, kept.back().score);
  found = std::move(kept);
}

Cuboid Lattice::Search::divide(const Cuboid& above, uint32_t dimensions, std::size_t d,
                               std::size_t depth) {
  const std::size_t width = lattice.counts_.dimensions;
  const uint64_t cardinality = lattice.cardinality_[d];
  std::vector<uint32_t> slice_of(above.leaves.size());
  number.reset(above.slices * cardinality, above.leaves.size());
  for (std::size_t x = 0; x < above.leaves.size(); ++x) {
    const uint32_t value = lattice.counts_.values[above.leaves[x] * width + d];
    slice_of[x] = number(above.slice_of[x] * cardinality + value);
  }
  const uint32_t slices = number.count();
  std::vector<Evidence> sums(slices, Evidence{});
  std::vector<float> bound(slices, 0.0F);
  std::vector<Slice> slice(slices);
  for (std::size_t x = 0; x < above.leaves.size(); ++x) {
    const uint32_t leaf = above.leaves[x];
    const uint32_t s = slice_of[x];
    const Evidence& own = evidence[leaf];
    Evidence& sum = sums[s];
    for (std::size_t j = 0; j < kEffects; ++j) sum[j] += own[j];
    bound[s] += highest[leaf];
    slice[s].leaf = leaf;
    slice[s].cover += lattice.marks_[leaf];
    ++slice[s].leaves;
  }
  const double prior = lattice.log_prior(dimensions) - std::log(static_cast<double>(kEffects));
  for (uint32_t s = 0; s < slices; ++s) {
    slice[s].dimensions = dimensions;
    slice[s].score = prior + static_cast<double>(*std::max_element(sums[s].begin(), sums[s].end()));
    if (slice[s].score > floor) keep(slice[s]);
  }
  Cuboid below;
  below.slices = slices;
  if (depth >= lattice.depth_max_) return below;
  for (std::size_t x = 0; x < above.leaves.size(); ++x) {
    const uint32_t s = slice_of[x];
    // A deeper slice costs no less than this one; a single leaf's deeper slices are the same.
    if (slice[s].leaves < 2 || prior + static_cast<double>(bound[s]) <= floor) continue;
    below.leaves.push_back(above.leaves[x]);
    below.slice_of.push_back(s);
  }
  return below;
}

void Lattice::Search::descend(const Cuboid& above, uint32_t dimensions, std::size_t from,
                              std::size_t depth) {
  for (std::size_t d = from; d < lattice.counts_.dimensions; ++d) {
    const uint32_t fixed = dimensions | (1U << d);
    const Cuboid below = divide(above, fixed, d, depth);
    if (!below.leaves.empty()) descend(below, fixed, d + 1, depth + 1);
  }
}

Lattice::Lattice(const SliceCounts& counts, const SliceScanOptions& options) : counts_(counts) {
  cardinality_.assign(counts.dimensions, 1);
  marks_.resize(counts.leaves());
  for (std::size_t i = 0; i < counts.leaves(); ++i) {
    marks_[i] = mix64(i + 1);
    for (std::size_t d = 0; d < counts.dimensions; ++d) {
      const uint64_t value = counts.values[i * counts.dimensions + d];
      cardinality_[d] = std::max(cardinality_[d], value + 1);
    }
  }
  double visits = 0.0;
  for (std::size_t depth = 1; depth <= std::min(counts.dimensions, options.depth_max); ++depth) {
    visits += choose(counts.dimensions, depth) * static_cast<double>(counts.leaves());
    if (depth > 1 && visits > options.visits_max) break;
    depth_max_ = depth;
  }
}

double Lattice::log_prior(uint32_t dimensions) const {
  if (dimensions == 0) return std::log(kEverything);
  const auto depth = static_cast<std::size_t>(std::popcount(dimensions));
  double values = 1.0;
  for (std::size_t d = 0; d < counts_.dimensions; ++d) {
    if ((dimensions >> d & 1U) != 0) values *= static_cast<double>(cardinality_[d]);
  }
  values = std::min(values, static_cast<double>(counts_.leaves()));
  return std::log(kDepthPrior[std::min(depth, kDepthPrior.size()) - 1]) -
         std::log(choose(counts_.dimensions, depth)) - std::log(values);
}

bool Lattice::covers(const Slice& slice, std::size_t leaf) const {
  const std::size_t width = counts_.dimensions;
  for (std::size_t d = 0; d < width; ++d) {
    if ((slice.dimensions >> d & 1U) != 0 &&
        counts_.values[leaf * width + d] != counts_.values[slice.leaf * width + d]) {
      return false;
    }
  }
  return true;
}

uint64_t Lattice::key(uint32_t dimensions, std::size_t leaf) const {
  uint64_t key = 0;
  for (std::size_t d = 0; d < counts_.dimensions; ++d) {
    if ((dimensions >> d & 1U) != 0) {
      key = mix64(key, counts_.values[leaf * counts_.dimensions + d]);
    }
  }
  return key;
}

Slice Lattice::described(Slice slice) const {
  slice.cover = 0;
  const std::vector<uint32_t> leaves = leaves_of(slice);
  slice.leaves = static_cast<uint32_t>(leaves.size());
  for (const uint32_t leaf : leaves) slice.cover += marks_[leaf];
  return slice;
}

std::vector<uint32_t> Lattice::leaves_of(const Slice& slice) const {
  std::vector<uint32_t> leaves;
  leaves.reserve(slice.leaves);
  for (std::size_t i = 0; i < counts_.leaves(); ++i) {
    if (covers(slice, i)) leaves.push_back(static_cast<uint32_t>(i));
  }
  return leaves;
}

std::vector<Slice> Lattice::best(const std::vector<Evidence>& evidence, std::size_t limit,
                                 double floor) const {
  Search search{.lattice = *this,
                .evidence = evidence,
                .highest = {},
                .limit = limit,
                .floor = floor,
                .found = {},
                .number = {}};
  Cuboid all;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    search.highest.push_back(
        std::max(0.0F, *std::max_element(evidence[i].begin(), evidence[i].end())));
    all.leaves.push_back(static_cast<uint32_t>(i));
  }
  all.slice_of.assign(all.leaves.size(), 0);
  if (counts_.periods > 0 || !counts_.rates.empty()) search.keep_everything();
  search.descend(all, 0, 0, 1);
  search.trim();
  return search.found;
}

}  // namespace payops::reasoning::slice_scan
