#include "payops/evaluation/attribution_worlds.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "payops/core/random.h"

namespace payops::evaluation {
namespace {

using reasoning::kAnyValue;
using Values = std::vector<int32_t>;

enum Draw : uint64_t {
  kLeafDraws,
  kVolumeDraws,
  kRateDraws,
  kCauseDraws,
  kCountDraws,
  kSharedDraws
};

double between(RandomStream& draw, double low, double high) {
  return low + (high - low) * draw.uniform();
}

// Binomial by its parts: exact for small n, normal beyond.
double binomial(RandomStream& draw, double n, double p) {
  const double mean = n * p;
  if (n > 2000.0 && mean > 30.0 && n - mean > 30.0) {
    return std::clamp(std::round(mean + std::sqrt(mean * (1.0 - p)) * draw.normal()), 0.0, n);
  }
  if (n > 2000.0) return std::min(n, static_cast<double>(draw.poisson(mean)));
  double k = 0.0;
  for (double i = 0.0; i < n; i += 1.0) k += draw.chance(p) ? 1.0 : 0.0;
  return k;
}

class Drawing {
 public:
  Drawing(const WorldFamily& family, uint64_t seed) : family_(family), random_(seed) {}
  World draw();

 private:
  void draw_leaves();
  void draw_rates();
  void draw_causes();
  void draw_counts();
  void draw_forecast(RandomStream& draw, std::size_t leaf);
  void draw_binomial(RandomStream& draw, std::size_t leaf);
  [[nodiscard]] bool covers(const Values& slice, std::size_t leaf) const;
  [[nodiscard]] std::vector<std::size_t> leaves_of(const Values& slice) const;
  [[nodiscard]] Values simplest(Values slice) const;
  [[nodiscard]] bool fits(const Values& slice, double size) const;
  [[nodiscard]] double shared(std::size_t leaf, std::size_t period) const;
  [[nodiscard]] std::size_t width() const { return family_.values.size(); }

  const WorldFamily& family_;
  Random random_;
  World world_;
  double noise_ = 0.0;
  double uneven_ = 0.0;
  std::vector<double> volume_;
  std::vector<double> rate_;
  std::vector<double> shift_;
  std::vector<int> cause_of_;  // by leaf, -1 none
  std::vector<double> size_;   // by cause
};

bool Drawing::covers(const Values& slice, std::size_t leaf) const {
  for (std::size_t d = 0; d < width(); ++d) {
    if (slice[d] != kAnyValue &&
        static_cast<uint32_t>(slice[d]) != world_.counts.values[leaf * width() + d]) {
      return false;
    }
  }
  return true;
}

std::vector<std::size_t> Drawing::leaves_of(const Values& slice) const {
  std::vector<std::size_t> leaves;
  for (std::size_t i = 0; i < volume_.size(); ++i) {
    if (covers(slice, i)) leaves.push_back(i);
  }
  return leaves;
}

Values Drawing::simplest(Values slice) const {
  const std::size_t own = leaves_of(slice).size();
  for (std::size_t d = 0; d < width(); ++d) {
    Values wider = slice;
    wider[d] = kAnyValue;
    const bool fixes = std::any_of(wider.begin(), wider.end(), [](int32_t v) { return v >= 0; });
    if (fixes && leaves_of(wider).size() == own) slice = wider;
  }
  return slice;
}

void Drawing::draw_leaves() {
  RandomStream draw = random_.at(kLeafDraws);
  const std::size_t open = width() - (family_.upstream_of >= 0 ? 1 : 0);
  double all = 1.0;
  for (std::size_t d = 0; d < open; ++d) all *= family_.values[d];
  const double share = std::min(1.0, static_cast<double>(family_.leaves_max) / all);
  std::vector<uint32_t>& values = world_.counts.values;
  const auto add = [&](const std::vector<uint32_t>& leaf) {
    values.insert(values.end(), leaf.begin(), leaf.begin() + static_cast<std::ptrdiff_t>(open));
    if (family_.upstream_of >= 0) {
      values.push_back(leaf[static_cast<std::size_t>(family_.upstream_of)] % family_.values.back());
    }
  };
  if (all > 2e6) {  // too many to go through: drawn, the rare twins thrown away
    std::vector<std::vector<uint32_t>> drawn(family_.leaves_max, std::vector<uint32_t>(open));
    for (auto& leaf : drawn) {
      for (std::size_t d = 0; d < open; ++d) {
        leaf[d] = static_cast<uint32_t>(draw.below(family_.values[d]));
      }
    }
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
    for (const auto& leaf : drawn) add(leaf);
    return;
  }
  std::vector<uint32_t> leaf(open, 0);
  for (bool more = true; more;) {
    if (draw.uniform() < share) add(leaf);
    more = false;
    for (std::size_t d = 0; d < open && !more; ++d) {
      more = ++leaf[d] < family_.values[d];
      if (!more) leaf[d] = 0;
    }
  }
}

void Drawing::draw_rates() {
  const std::size_t leaves = world_.counts.values.size() / width();
  RandomStream draw = random_.at(kVolumeDraws);
  noise_ = between(draw, family_.noise_low, family_.noise_high);
  uneven_ = between(draw, 0.0, family_.uneven_high);
  const auto factor = [&](uint64_t what, std::size_t leaf, double sd) {
    double log_factor = 0.0;
    for (std::size_t d = 0; d < width(); ++d) {
      log_factor +=
          sd * random_.at(kRateDraws, what, d, world_.counts.values[leaf * width() + d]).normal();
    }
    return std::exp(log_factor);
  };
  for (std::size_t i = 0; i < leaves; ++i) {
    const double tail = family_.volume_tail;
    volume_.push_back(family_.volume * std::exp(tail * draw.normal() - 0.5 * tail * tail));
    rate_.push_back(std::min(0.4, family_.rate * factor(0, i, family_.rate_spread)));
    shift_.push_back(factor(1, i, family_.mix_shift));
  }
}

// Whether the excess stands out of the noise, and no other cause is touched.
bool Drawing::fits(const Values& slice, double size) const {
  const std::vector<std::size_t> leaves = leaves_of(slice);
  if (leaves.empty() || leaves.size() * 5 > volume_.size() * 2) return false;
  double excess = 0.0;
  double variance = 0.0;
  for (const std::size_t i : leaves) {
    if (cause_of_[i] >= 0) return false;
    const double n = std::max(1.0, std::round(volume_[i] * shift_[i]));
    const double p = family_.kind == WorldKind::binomial ? rate_[i] : 1.0;
    excess += size * n * (family_.kind == WorldKind::binomial ? 1.0 - p : p);
    variance += noise_ * noise_ * n * n * p * p;
    if (family_.kind == WorldKind::binomial) variance += n * p * (1.0 - p);
  }
  return excess * excess >= family_.clear * family_.clear * variance;
}

void Drawing::draw_causes() {
  RandomStream draw = random_.at(kCauseDraws);
  cause_of_.assign(volume_.size(), -1);
  const std::size_t wanted =
      family_.causes_low + draw.below(family_.causes_high - family_.causes_low + 1);
  std::vector<std::size_t> dims(width());
  std::iota(dims.begin(), dims.end(), std::size_t{0});
  std::size_t depth = 0;
  for (int tries = 0; tries < 400 && world_.causes.size() < wanted; ++tries) {
    if (world_.causes.empty() || !family_.one_cuboid) {
      depth = family_.depth_low + draw.below(family_.depth_high - family_.depth_low + 1);
      for (std::size_t d = 0; d + 1 < width(); ++d) {
        std::swap(dims[d], dims[d + draw.below(width() - d)]);
      }
    }
    Values slice(width(), kAnyValue);
    const std::size_t leaf = draw.below(volume_.size());
    for (std::size_t x = 0; x < depth; ++x) {
      slice[dims[x]] = static_cast<int32_t>(world_.counts.values[leaf * width() + dims[x]]);
    }
    slice = simplest(slice);
    const double size = between(draw, family_.size_low, family_.size_high) +
                        (family_.kind == WorldKind::drop ? noise_ : 0.0);
    if (!fits(slice, size)) continue;
    for (const std::size_t i : leaves_of(slice)) {
      cause_of_[i] = static_cast<int>(world_.causes.size());
    }
    size_.push_back(size);
    world_.causes.push_back(slice);
  }
}

// What a value's leaves have in common in a period: relative, mean 1.
double Drawing::shared(std::size_t leaf, std::size_t period) const {
  if (family_.common_noise <= 0.0) return 1.0;
  double log_factor = 0.0;
  for (std::size_t d = 0; d < width(); ++d) {
    log_factor +=
        family_.common_noise *
        random_.at(kSharedDraws, period, d, world_.counts.values[leaf * width() + d]).normal();
  }
  return std::exp(log_factor);
}

void Drawing::draw_forecast(RandomStream& draw, std::size_t leaf) {
  const double forecast = volume_[leaf];
  const int cause = cause_of_[leaf];
  reasoning::SliceCounts& counts = world_.counts;
  double size = 0.0;
  if (cause >= 0) {
    size = std::max(0.0, size_[static_cast<std::size_t>(cause)] + uneven_ * draw.normal());
  }
  const double error = noise_ * draw.normal();
  if (family_.kind == WorldKind::drop) {
    // The benchmark's own noise is reset where a cause strikes.
    const double missing = cause >= 0 ? std::min(1.0, size) : std::min(1.0, error);
    counts.attempts.push_back(forecast);
    counts.failures.push_back(forecast * std::max(0.0, missing));
    return;
  }
  const double attempts = 50.0 * family_.volume * std::exp(3.0 * family_.volume_tail);
  counts.attempts.push_back(attempts);
  counts.failures.push_back(
      std::clamp(forecast * (1.0 + size) * std::max(0.0, 1.0 + error), 0.0, attempts));
  counts.past_attempts.push_back(attempts);
  counts.past_failures.push_back(std::min(forecast, attempts));
}

void Drawing::draw_binomial(RandomStream& draw, std::size_t leaf) {
  reasoning::SliceCounts& counts = world_.counts;
  const auto noisy = [&](std::size_t period) {
    const double own = noise_ > 0.0 ? draw.gamma(1.0 / (noise_ * noise_)) * noise_ * noise_ : 1.0;
    return std::clamp(rate_[leaf] * own * shared(leaf, period), 1e-6, 0.9);
  };
  for (std::size_t j = 0; j < family_.periods; ++j) {
    const double n = static_cast<double>(draw.poisson(volume_[leaf]));
    counts.past_attempts.push_back(n);
    counts.past_failures.push_back(binomial(draw, n, noisy(j)));
  }
  double p = noisy(family_.periods);
  if (const int cause = cause_of_[leaf]; cause >= 0) {
    const double size =
        std::clamp(size_[static_cast<std::size_t>(cause)] + uneven_ * draw.normal(), 0.0, 0.99);
    p += size * (1.0 - p);
  }
  const double n = std::max(1.0, static_cast<double>(draw.poisson(volume_[leaf] * shift_[leaf])));
  counts.attempts.push_back(n);
  counts.failures.push_back(binomial(draw, n, p));
}

void Drawing::draw_counts() {
  for (std::size_t i = 0; i < volume_.size(); ++i) {
    RandomStream draw = random_.at(kCountDraws, i);
    if (family_.kind == WorldKind::binomial) {
      draw_binomial(draw, i);
    } else {
      draw_forecast(draw, i);
    }
  }
}

World Drawing::draw() {
  world_.counts.dimensions = width();
  world_.counts.periods = family_.kind == WorldKind::forecast ? 1 : family_.periods;
  draw_leaves();
  draw_rates();
  draw_causes();
  draw_counts();
  return std::move(world_);
}

}  // namespace

const std::vector<WorldFamily>& world_families() {
  using K = WorldKind;
  static const std::vector<WorldFamily> families{
      {.name = "forecast, one cuboid",
       .kind = K::forecast,
       .values = {8, 10, 12, 6},
       .noise_low = 0.0,
       .noise_high = 0.08,
       .one_cuboid = true,
       .size_low = 0.2,
       .size_high = 2.0},
      {.name = "forecast, mixed cuboids",
       .kind = K::forecast,
       .values = {6, 8, 9, 5, 3},
       .noise_low = 0.0,
       .noise_high = 0.15,
       .size_low = 0.3,
       .size_high = 2.0,
       .uneven_high = 0.1},
      {.name = "drop, mixed cuboids",
       .kind = K::drop,
       .values = {8, 9, 8, 6},
       .noise_low = 0.0,
       .noise_high = 0.2,
       .size_low = 0.2,
       .size_high = 0.9,
       .uneven_high = 0.1},
      {.name = "payments, history",
       .values = {12, 4, 5, 6, 20},
       .leaves_max = 4000,
       .periods = 12,
       .volume = 60,
       .rate_spread = 0.3,
       .mix_shift = 0.2,
       .size_low = 0.08,
       .size_high = 0.9},
      {.name = "payments, thin",
       .values = {10, 4, 5},
       .periods = 10,
       .volume = 15,
       .rate_spread = 0.4,
       .causes_high = 2,
       .depth_high = 2,
       .size_low = 0.2,
       .size_high = 0.9},
      {.name = "payments, overdispersed",
       .values = {10, 4, 6, 8},
       .periods = 12,
       .volume = 200,
       .rate_spread = 0.3,
       .noise_low = 0.1,
       .noise_high = 0.3,
       .common_noise = 0.05,
       .mix_shift = 0.2,
       .size_low = 0.05,
       .size_high = 0.8},
      {.name = "payments, no history",
       .values = {10, 4, 6, 8},
       .volume = 80,
       .size_low = 0.08,
       .size_high = 0.9},
      {.name = "payments, faint",
       .values = {10, 5, 6},
       .periods = 10,
       .volume = 60,
       .rate_spread = 0.3,
       .mix_shift = 0.3,
       .causes_high = 2,
       .size_low = 0.01,
       .size_high = 0.15,
       .clear = 3.0},
      {.name = "benign, mix shift",
       .values = {12, 4, 5, 8},
       .periods = 12,
       .volume = 60,
       .rate_spread = 0.5,
       .mix_shift = 0.7,
       .causes_low = 0,
       .causes_high = 0},
      {.name = "benign, no history",
       .values = {10, 4, 6, 8},
       .volume = 80,
       .causes_low = 0,
       .causes_high = 0},
      {.name = "benign, common noise",
       .values = {12, 4, 5, 8},
       .periods = 12,
       .volume = 200,
       .rate_spread = 0.3,
       .noise_low = 0.1,
       .noise_high = 0.2,
       .common_noise = 0.08,
       .mix_shift = 0.2,
       .causes_low = 0,
       .causes_high = 0},

      {.name = "forecast, five dimensions",
       .held_out = true,
       .kind = K::forecast,
       .values = {4, 6, 10, 7, 5},
       .volume = 1000,
       .volume_tail = 1.8,
       .noise_low = 0.02,
       .noise_high = 0.12,
       .causes_low = 2,
       .one_cuboid = true,
       .size_low = 0.25,
       .size_high = 3.0},
      {.name = "drop, 48,000 leaves",
       .held_out = true,
       .kind = K::drop,
       .values = {10, 12, 10, 8, 5},
       .volume = 100,
       .volume_tail = 1.4,
       .noise_low = 0.0,
       .noise_high = 0.25,
       .size_low = 0.2,
       .size_high = 1.0,
       .uneven_high = 0.1},
      {.name = "drop, one to five causes",
       .held_out = true,
       .kind = K::drop,
       .values = {10, 24, 10, 15},
       .volume = 100,
       .noise_low = 0.0,
       .noise_high = 0.1,
       .causes_high = 5,
       .size_low = 0.5,
       .size_high = 1.0},
      {.name = "payments, nine dimensions",
       .held_out = true,
       .values = {14, 4, 6, 8, 40, 4, 3, 5, 3},
       .leaves_max = 12000,
       .periods = 8,
       .volume = 25,
       .rate_spread = 0.25,
       .noise_low = 0.0,
       .noise_high = 0.2,
       .common_noise = 0.03,
       .mix_shift = 0.3,
       .causes_high = 2,
       .size_low = 0.1,
       .size_high = 0.9,
       .uneven_high = 0.05,
       .upstream_of = 2},
      {.name = "payments, five periods",
       .held_out = true,
       .values = {9, 5, 7, 12},
       .periods = 5,
       .volume = 40,
       .rate = 0.1,
       .rate_spread = 0.5,
       .mix_shift = 0.5,
       .size_low = 0.1,
       .size_high = 0.7},
      {.name = "payments, no history, five dimensions",
       .held_out = true,
       .values = {7, 3, 5, 9, 6},
       .volume = 30,
       .rate = 0.03,
       .size_low = 0.1,
       .size_high = 0.8,
       .uneven_high = 0.1},
      {.name = "payments, faint, other dimensions",
       .held_out = true,
       .values = {7, 9, 4, 5},
       .periods = 6,
       .volume = 30,
       .rate = 0.08,
       .rate_spread = 0.4,
       .mix_shift = 0.3,
       .causes_high = 2,
       .size_low = 0.01,
       .size_high = 0.15,
       .clear = 3.0},
      {.name = "benign, strong mix shift",
       .held_out = true,
       .values = {9, 5, 7, 12},
       .periods = 8,
       .volume = 80,
       .rate = 0.08,
       .rate_spread = 0.6,
       .noise_low = 0.0,
       .noise_high = 0.15,
       .common_noise = 0.05,
       .mix_shift = 1.0,
       .causes_low = 0,
       .causes_high = 0},
      {.name = "benign, noisy forecast",
       .held_out = true,
       .kind = K::forecast,
       .values = {10, 12, 8, 6},
       .noise_low = 0.0,
       .noise_high = 0.25,
       .causes_low = 0,
       .causes_high = 0},
  };
  return families;
}

World draw_world(const WorldFamily& family, uint64_t seed) { return Drawing(family, seed).draw(); }

}  // namespace payops::evaluation
