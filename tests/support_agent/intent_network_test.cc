#include "payops/support_agent/intent_network.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../../src/support_agent/half_float.h"
#include "payops/core/random.h"

namespace payops::support_agent {
namespace {

constexpr uint32_t kRows = 5;
constexpr uint32_t kOutputs = 3;

IntentNetwork tiny_network() {
  IntentNetwork network{.rows = kRows, .hidden = 8, .outputs = kOutputs};
  RandomStream draw = Random(5).at(1);
  const auto fill = [&](std::vector<float>& values, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) values.push_back(0.5F * static_cast<float>(draw.normal()));
  };
  fill(network.w1, std::size_t{kRows} * 8);
  fill(network.b1, 8);
  network.w2.assign(8 * network.width(), 0.0F);
  network.b2.assign(network.width(), 0.0F);
  for (std::size_t j = 0; j < 8; ++j) {
    for (std::size_t c = 0; c < kOutputs; ++c) {
      network.w2[j * network.width() + c] = static_cast<float>(draw.normal());
    }
  }
  return network;
}

TEST_CASE("the gradient is the slope of the loss") {
  const std::vector<uint32_t> rows{1, 4};
  const std::vector<float> weights{0.8F, -0.6F};
  const std::vector<float> scale{2, 0, 2, 2, 0, 2, 2, 2};
  const TrainingItem item{rows, weights, 2, scale};
  IntentNetwork network = tiny_network();
  const auto loss_of = [&] {
    Gradient unused;
    unused.reset(network);
    return add_gradient(network, item, 0.1F, unused);
  };
  Gradient gradient;
  gradient.reset(network);
  add_gradient(network, item, 0.1F, gradient);
  const auto compare = [&](float& parameter, float slope) {
    constexpr float kStep = 1e-2F;
    const float kept = parameter;
    parameter = kept + kStep;
    const double above = loss_of();
    parameter = kept - kStep;
    const double below = loss_of();
    parameter = kept;
    const double measured = (above - below) / (2.0 * static_cast<double>(kStep));
    CHECK(std::abs(measured - static_cast<double>(slope)) < 2e-3);
  };
  REQUIRE(gradient.rows == rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      compare(network.w1[std::size_t{rows[i]} * 8 + j], gradient.w1[i * 8 + j]);
    }
  }
  for (std::size_t j = 0; j < 8; ++j) {
    compare(network.b1[j], gradient.b1[j]);
    for (std::size_t c = 0; c < kOutputs; ++c) {
      const std::size_t at = j * network.width() + c;
      compare(network.w2[at], gradient.w2[at]);
    }
  }
  for (std::size_t c = 0; c < kOutputs; ++c) compare(network.b2[c], gradient.b2[c]);
}

TEST_CASE("a seed gives one network, another seed another") {
  std::vector<SparseText> texts;
  std::vector<uint32_t> intents;
  for (uint32_t i = 0; i < 30; ++i) {
    texts.push_back({{i % kOutputs, 3 + i % 2}, {1.0F, 0.3F}});
    intents.push_back(i % kOutputs);
  }
  TrainingPlan plan;
  plan.hidden = 16;
  plan.epochs = 60;
  plan.batch = 4;
  plan.feature_dropout = 0.3F;  // there are two features only
  const auto train = [&](uint64_t seed) {
    return train_network(texts, intents, kRows, kOutputs, plan, seed);
  };
  const IntentNetwork a = train(1), b = train(1), c = train(2);
  CHECK(a.w1 == b.w1);
  CHECK(a.w2 == b.w2);
  CHECK(a.w1 != c.w1);
  std::vector<float> hidden(16), logits(a.width());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    run_network(a, texts[i], hidden, logits);
    const auto p = softmax(std::span(logits).first(kOutputs), 1.0F);
    CHECK(p[intents[i]] > 0.5F);
  }
}

TEST_CASE("halves come back as they were, and are the nearest to a float") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if ((half & 0x7C00U) == 0x7C00U || half == 0x8000U) continue;  // infinite, and minus zero
    if (to_half(from_half(half)) != half) FAIL("half " << bits);
  }
  CHECK(from_half(to_half(1e9F)) == 65504.0F);
  CHECK(std::abs(from_half(to_half(0.1F)) - 0.1F) < 5e-5F);
}

}  // namespace
}  // namespace payops::support_agent
