#include "payops/support_agent/intent_network.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "float_rows.h"
#include "payops/core/check.h"
#include "payops/core/random.h"

namespace payops::support_agent {
namespace {

// What a draw is for, so that no two draws share a key.
enum Draw : uint64_t { kDrawWeights = 1, kDrawOrder, kDrawFeatures, kDrawHidden };

// Hidden activations before dropout: ReLU(b1 + Σ weight × W1[row]).
void hidden_layer(const IntentNetwork& network, std::span<const uint32_t> rows,
                  std::span<const float> weights, std::span<float> hidden) {
  std::copy(network.b1.begin(), network.b1.end(), hidden.begin());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    add_scaled(hidden.data(), network.w1.data() + std::size_t{rows[i]} * network.hidden, weights[i],
               network.hidden);
  }
  for (float& h : hidden) h = std::max(h, 0.0F);
}

void output_layer(const IntentNetwork& network, std::span<const float> hidden,
                  std::span<float> logits) {
  std::copy(network.b2.begin(), network.b2.end(), logits.begin());
  const std::size_t width = network.width();
  for (std::size_t j = 0; j < hidden.size(); ++j) {
    if (hidden[j] == 0.0F) continue;
    add_scaled(logits.data(), network.w2.data() + j * width, hidden[j], width);
  }
}

IntentNetwork begin_network(uint32_t rows, uint32_t outputs, const TrainingPlan& plan,
                            const Random& random) {
  IntentNetwork network{.rows = rows, .hidden = plan.hidden, .outputs = outputs};
  const std::size_t width = network.width();
  network.w1.resize(std::size_t{rows} * plan.hidden);
  network.b1.assign(plan.hidden, 0.0F);
  network.w2.assign(plan.hidden * width, 0.0F);
  network.b2.assign(width, 0.0F);
  RandomStream first = random.at(kDrawWeights, 1);
  for (float& w : network.w1) {
    w = plan.first_layer_deviation * static_cast<float>(first.normal());
  }
  RandomStream second = random.at(kDrawWeights, 2);
  const float deviation = 1.0F / std::sqrt(static_cast<float>(plan.hidden));
  for (std::size_t j = 0; j < plan.hidden; ++j) {
    for (std::size_t c = 0; c < outputs; ++c) {
      network.w2[j * width + c] = deviation * static_cast<float>(second.normal());
    }
  }
  return network;
}

// Yes-no draws at 16 bits each, four from a word of the stream.
class Coins {
 public:
  Coins(RandomStream stream, float chance)
      : stream_(stream), below_(static_cast<uint32_t>(std::lround(chance * 65536.0F))) {}
  bool next() {
    if (left_ == 0) {
      word_ = stream_.next();
      left_ = 4;
    }
    const auto bits = static_cast<uint32_t>(word_ & 0xFFFF);
    word_ >>= 16;
    --left_;
    return bits < below_;
  }

 private:
  RandomStream stream_;
  uint32_t below_;
  uint64_t word_ = 0;
  int left_ = 0;
};

class Trainer {
 public:
  Trainer(std::span<const SparseText> texts, std::span<const uint32_t> intents,
          IntentNetwork network, const TrainingPlan& plan, Random random)
      : texts_(texts), intents_(intents), net_(std::move(network)), plan_(plan), random_(random) {
    for (auto* moments : {&first_, &second_}) {
      moments->w1.assign(net_.w1.size(), 0.0F);
      moments->b1.assign(net_.b1.size(), 0.0F);
      moments->w2.assign(net_.w2.size(), 0.0F);
      moments->b2.assign(net_.b2.size(), 0.0F);
    }
    hidden_scale_.resize(net_.hidden);
  }

  IntentNetwork train() {
    const std::size_t n = texts_.size();
    const std::size_t batches = (n + plan_.batch - 1) / plan_.batch;
    const auto total = static_cast<double>(batches * plan_.epochs);
    std::vector<uint32_t> order(n);
    for (uint32_t epoch = 0; epoch < plan_.epochs; ++epoch) {
      if (plan_.stop && plan_.stop()) break;
      std::iota(order.begin(), order.end(), 0U);
      RandomStream shuffle = random_.at(kDrawOrder, epoch);
      for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[shuffle.below(i)]);
      for (std::size_t from = 0; from < n; from += plan_.batch) {
        const std::size_t count = std::min<std::size_t>(plan_.batch, n - from);
        gradient_.reset(net_);
        for (std::size_t i = from; i < from + count; ++i) add(order[i], epoch);
        const double left = 1.0 - static_cast<double>(step_) / total;
        update(static_cast<double>(plan_.learning_rate) * left, count);
      }
    }
    return std::move(net_);
  }

 private:
  void add(uint32_t which, uint32_t epoch) {
    const SparseText& text = texts_[which];
    rows_.clear();
    weights_.clear();
    Coins drop(random_.at(kDrawFeatures, epoch, which), plan_.feature_dropout);
    const float scale = 1.0F / (1.0F - plan_.feature_dropout);
    for (std::size_t i = 0; i < text.rows.size(); ++i) {
      if (drop.next()) continue;
      rows_.push_back(text.rows[i]);
      weights_.push_back(text.weights[i] * scale);
    }
    Coins sleep(random_.at(kDrawHidden, epoch, which), plan_.hidden_dropout);
    const float awake = 1.0F / (1.0F - plan_.hidden_dropout);
    for (float& s : hidden_scale_) s = sleep.next() ? 0.0F : awake;
    add_gradient(net_, {rows_, weights_, intents_[which], hidden_scale_}, plan_.label_smoothing,
                 gradient_);
  }

  void update(double rate, std::size_t items) {
    ++step_;
    const auto t = static_cast<double>(step_);
    const AdamStep step{
        static_cast<float>(rate / (1.0 - std::pow(static_cast<double>(kAdamBeta1), t))),
        static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(static_cast<double>(kAdamBeta2), t))),
        1.0F / static_cast<float>(items)};
    for (std::size_t i = 0; i < gradient_.rows.size(); ++i) {
      const std::size_t at = std::size_t{gradient_.rows[i]} * net_.hidden;
      adam(net_.w1.data() + at, first_.w1.data() + at, second_.w1.data() + at,
           gradient_.w1.data() + i * net_.hidden, net_.hidden, step);
    }
    const auto all = [&](std::vector<float>& p, std::vector<float>& m, std::vector<float>& v,
                         const std::vector<float>& g) {
      adam(p.data(), m.data(), v.data(), g.data(), p.size(), step);
    };
    all(net_.b1, first_.b1, second_.b1, gradient_.b1);
    all(net_.w2, first_.w2, second_.w2, gradient_.w2);
    all(net_.b2, first_.b2, second_.b2, gradient_.b2);
  }

  std::span<const SparseText> texts_;
  std::span<const uint32_t> intents_;
  IntentNetwork net_;
  TrainingPlan plan_;
  Random random_;
  IntentNetwork first_, second_;  // Adam's moments, in the network's shape
  Gradient gradient_;
  std::vector<uint32_t> rows_;
  std::vector<float> weights_, hidden_scale_;
  uint64_t step_ = 0;
};

}  // namespace

void run_network(const IntentNetwork& network, const SparseText& text, std::span<float> hidden,
                 std::span<float> logits) {
  hidden_layer(network, text.rows, text.weights, hidden);
  output_layer(network, hidden, logits);
}

std::vector<float> softmax(std::span<const float> logits, float temperature) {
  std::vector<float> out(logits.begin(), logits.end());
  if (out.empty()) return out;
  const float top = *std::max_element(out.begin(), out.end());
  double sum = 0.0;
  for (float& p : out) {
    p = std::exp((p - top) / temperature);
    sum += static_cast<double>(p);
  }
  for (float& p : out) p = static_cast<float>(static_cast<double>(p) / sum);
  return out;
}

void Gradient::reset(const IntentNetwork& network) {
  slot_of_row.resize(network.rows, 0);
  for (const uint32_t row : rows) slot_of_row[row] = 0;
  rows.clear();
  w1.clear();
  b1.assign(network.b1.size(), 0.0F);
  w2.assign(network.w2.size(), 0.0F);
  b2.assign(network.b2.size(), 0.0F);
}

double add_gradient(const IntentNetwork& network, const TrainingItem& item, float smoothing,
                    Gradient& gradient) {
  const std::size_t width = network.width();
  std::vector<float> hidden(network.hidden), slope(network.hidden, 0.0F), logits(width);
  hidden_layer(network, item.rows, item.weights, hidden);
  for (std::size_t j = 0; j < hidden.size(); ++j) hidden[j] *= item.hidden_scale[j];
  output_layer(network, hidden, logits);

  // Of the logits: probability less target.
  std::vector<float> error = softmax(std::span(logits).first(network.outputs), 1.0F);
  const float share = smoothing / static_cast<float>(network.outputs);
  double loss = 0.0;
  for (std::size_t c = 0; c < network.outputs; ++c) {
    const float target = share + (c == item.intent ? 1.0F - smoothing : 0.0F);
    if (target > 0.0F) {
      loss -=
          static_cast<double>(target) * std::log(std::max(static_cast<double>(error[c]), 1e-30));
    }
    error[c] -= target;
  }
  error.resize(width, 0.0F);

  add_scaled(gradient.b2.data(), error.data(), 1.0F, width);
  for (std::size_t j = 0; j < hidden.size(); ++j) {
    if (hidden[j] == 0.0F) continue;  // asleep or below zero: nothing flows through it
    add_scaled(gradient.w2.data() + j * width, error.data(), hidden[j], width);
    slope[j] = dot(network.w2.data() + j * width, error.data(), width) * item.hidden_scale[j];
  }
  add_scaled(gradient.b1.data(), slope.data(), 1.0F, network.hidden);
  for (std::size_t i = 0; i < item.rows.size(); ++i) {
    uint32_t& slot = gradient.slot_of_row[item.rows[i]];
    if (slot == 0) {
      gradient.rows.push_back(item.rows[i]);
      slot = static_cast<uint32_t>(gradient.rows.size());
      gradient.w1.resize(gradient.rows.size() * network.hidden, 0.0F);
    }
    add_scaled(gradient.w1.data() + std::size_t{slot - 1} * network.hidden, slope.data(),
               item.weights[i], network.hidden);
  }
  return loss;
}

IntentNetwork train_network(std::span<const SparseText> texts, std::span<const uint32_t> intents,
                            uint32_t rows, uint32_t outputs, const TrainingPlan& plan,
                            uint64_t seed) {
  PAYOPS_CHECK(texts.size() == intents.size() && !texts.empty());
  PAYOPS_CHECK(plan.hidden % 8 == 0 && plan.batch > 0);
  const Random random(seed);
  return Trainer(texts, intents, begin_network(rows, outputs, plan, random), plan, random).train();
}

}  // namespace payops::support_agent
