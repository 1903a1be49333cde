#include "value_tail.h"

#include <algorithm>
#include <cmath>

namespace payops::reasoning {
namespace {

constexpr double kLowest = 0x1.0p-20;
constexpr double kForgetting = 1.0 / 8000.0;  // a row
constexpr double kTailShare = 0.03;           // of the past is its tail …
constexpr double kTailLeast = 10.0;           // … and no fewer additions than this
constexpr double kUsualShape = 0.15;   // between exponential (0) and a tail of finite variance
constexpr double kUsualWeight = 20.0;  // of the usual shape, in additions
constexpr double kHeaviest = 0.5, kLightest = -0.2;
constexpr double kWeightMost = 1e6;  // before everything is scaled down

struct Bins {
  std::array<double, 321> low{}, middle{};
  Bins() {
    for (std::size_t b = 1; b < low.size(); ++b) {
      low[b] = kLowest * std::exp2((static_cast<double>(b) - 1.0) / 8.0);
      middle[b] = low[b] * std::exp2(1.0 / 16.0);
    }
    middle[0] = 0.0;
  }
};
const Bins& bins() {
  static const Bins kTable;
  return kTable;
}

}  // namespace

std::size_t Tail::bin_of(double x, double& within) {
  const double place =
      x <= kLowest ? 0.0 : 1.0 + static_cast<double>(kPerOctave) * std::log2(x / kLowest);
  const auto bin = std::min(kBins - 1, static_cast<std::size_t>(place));
  within = std::min(0.999, place - static_cast<double>(bin));
  return bin;
}

void Tail::add(double x, double rows) {
  double within = 0.0;
  const std::size_t bin = bin_of(x, within);
  weight_ *= 1.0 + kForgetting * rows;
  bins_[bin] += static_cast<float>(weight_);
  total_ += weight_;
  top_ = std::max(top_, bin);
  if (weight_ < kWeightMost) return;
  for (float& held : bins_) held = static_cast<float>(held / kWeightMost);
  total_ /= kWeightMost;
  weight_ /= kWeightMost;
}

double Tail::surprise(double x, double least) const {
  const double n = seen();
  if (n <= 0.0 || x <= 0.0) return 0.0;
  double within = 0.0;
  const std::size_t bin = bin_of(x, within);
  const double want = std::max(kTailLeast, kTailShare * n) * weight_;
  double above = 0.0, sum = 0.0, ranked = 0.0;
  std::size_t b = top_ + 1;
  const auto down_to = [&](std::size_t stop) {
    while (b > stop && above < want) {
      --b;
      const double held = bins_[b];
      ranked += held * bins().middle[b] * (above + 0.5 * held);
      above += held;
      sum += held * bins().middle[b];
    }
  };
  down_to(bin + 1);
  if (above >= want) {  // often seen: count
    while (b > bin + 1) above += bins_[--b];
    above += bins_[bin] * (1.0 - within);
    return std::max(0.0, -std::log10((above / weight_ + 0.5) / (n + 1.0)));
  }
  down_to(0);
  const double u = bins().low[b];
  const double k = above / weight_;
  const double mean = sum / above - u;
  const double half = std::max(0.0, ranked / above / above - 0.5 * u);
  const double found = mean > 2.0 * half ? 2.0 - mean / (mean - 2.0 * half) : 0.0;
  const double shape =
      std::max(0.02, (k * std::clamp(found, kLightest, kHeaviest) + kUsualWeight * kUsualShape) /
                         (k + kUsualWeight));
  const double scale = std::max({mean * (1.0 - shape), least, 0.02 * u, 1e-12});
  const double beyond = std::max(0.0, x - u) / scale;
  const double log_chance = std::log10(k / (n + 1.0)) - std::log10(1.0 + shape * beyond) / shape;
  return std::max(0.0, -log_chance);
}

}  // namespace payops::reasoning
