#include "payops/support_agent/intent_calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "payops/support_agent/intent_network.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kBins = 15;

double loss_at(std::span<const HeldOutLogits> held_out, double log_temperature) {
  double loss = 0.0;
  for (const HeldOutLogits& item : held_out) {
    const auto p = softmax(item.logits, static_cast<float>(std::exp(log_temperature)));
    loss -= std::log(std::max(static_cast<double>(p[item.intent]), 1e-30));
  }
  return loss;
}

}  // namespace

double fit_temperature(std::span<const HeldOutLogits> held_out) {
  if (held_out.empty()) return 1.0;
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(0.05), high = std::log(20.0);
  double a = high - kGolden * (high - low), b = low + kGolden * (high - low);
  double at_a = loss_at(held_out, a), at_b = loss_at(held_out, b);
  for (int i = 0; i < 30; ++i) {
    if (at_a < at_b) {
      high = b;
      b = a;
      at_b = at_a;
      a = high - kGolden * (high - low);
      at_a = loss_at(held_out, a);
    } else {
      low = a;
      a = b;
      at_a = at_b;
      b = low + kGolden * (high - low);
      at_b = loss_at(held_out, b);
    }
  }
  return std::exp((low + high) / 2.0);
}

double expected_calibration_error(std::span<const Judged> judged) {
  struct Bin {
    double confidence = 0.0, right = 0.0;
  };
  std::array<Bin, kBins> bins{};
  for (const Judged& one : judged) {
    const auto at = static_cast<std::size_t>(std::max(one.confidence, 0.0) * kBins);
    Bin& bin = bins[std::min(at, kBins - 1)];
    bin.confidence += one.confidence;
    bin.right += one.right ? 1.0 : 0.0;
  }
  double error = 0.0;
  for (const Bin& bin : bins) error += std::abs(bin.confidence - bin.right);
  return judged.empty() ? 0.0 : error / static_cast<double>(judged.size());
}

double fit_threshold(std::span<const Judged> in_scope, std::span<const double> out_of_scope) {
  if (in_scope.empty() || out_of_scope.empty()) return 0.0;
  // What a threshold just above each confidence changes: a right answer lost, or a refusal won.
  std::vector<std::pair<double, double>> changes;
  for (const Judged& one : in_scope) {
    changes.emplace_back(one.confidence,
                         one.right ? -1.0 / static_cast<double>(in_scope.size()) : 0.0);
  }
  for (const double confidence : out_of_scope) {
    changes.emplace_back(confidence, 1.0 / static_cast<double>(out_of_scope.size()));
  }
  std::sort(changes.begin(), changes.end());
  const auto right = static_cast<double>(
      std::count_if(in_scope.begin(), in_scope.end(), [](const Judged& one) { return one.right; }));
  double lost = 0.0, gain = 0.0, best = 0.0, threshold = 0.0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    gain += changes[i].second;
    if (changes[i].second < 0.0) lost += 1.0;
    if (lost > (1.0 - kLeastKept) * right) break;
    const double next = i + 1 < changes.size() ? changes[i + 1].first : 1.0;
    if (next > changes[i].first && gain > best + 1e-12) {
      best = gain;
      threshold = (changes[i].first + next) / 2.0;
    }
  }
  return threshold;
}

}  // namespace payops::support_agent
