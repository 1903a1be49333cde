// The two-layer perceptron under the intent classifier: sparse text in, one logit an intent out.
//
//   hidden = ReLU(b1 + Σ weight × W1[row]),  logits = b2 + hidden · W2
//
// Written with plain loops and no matrix library: the input is sparse, half of the hidden layer is
// zero, and the order of every sum is fixed here, so that a seed gives the same bits everywhere. A
// library that blocks its products by the machine's cache sizes would not promise that.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "payops/support_agent/text_features.h"

namespace payops::support_agent {

struct IntentNetwork {
  uint32_t rows = 0;           // of the first layer
  uint32_t hidden = 0;         // a multiple of 8
  uint32_t outputs = 0;        // intents
  std::vector<float> w1 = {};  // rows × hidden
  std::vector<float> b1 = {};
  std::vector<float> w2 = {};  // hidden × width()
  std::vector<float> b2 = {};

  // Outputs rounded up to a multiple of 8; the columns beyond `outputs` are zero.
  [[nodiscard]] std::size_t width() const { return (std::size_t{outputs} + 7) / 8 * 8; }
};

// Fills `hidden` (network.hidden floats) and `logits` (network.width()); allocates nothing.
void run_network(const IntentNetwork& network, const SparseText& text, std::span<float> hidden,
                 std::span<float> logits);

// Probabilities of the logits at a temperature: softmax(logits / temperature).
[[nodiscard]] std::vector<float> softmax(std::span<const float> logits, float temperature);

// One message to learn from. The spans are whatever dropout left of it.
struct TrainingItem {
  std::span<const uint32_t> rows;
  std::span<const float> weights;
  uint32_t intent = 0;
  std::span<const float> hidden_scale;  // by which each hidden unit is multiplied; 0 drops it
};

// The gradient of a batch: of W1 only the rows that were touched.
struct Gradient {
  std::vector<uint32_t> rows;  // in order of first touch
  std::vector<float> w1;       // rows.size() × hidden
  std::vector<float> b1, w2, b2;
  std::vector<uint32_t> slot_of_row;  // 0 or 1 + its place in `rows`

  void reset(const IntentNetwork& network);
};

// Adds an item's gradient of the cross-entropy against the smoothed target ((1 - smoothing) on its
// intent, smoothing / outputs on every one), and gives the loss.
double add_gradient(const IntentNetwork& network, const TrainingItem& item, float smoothing,
                    Gradient& gradient);

// The recipe. The defaults were found on Banking77 (Casanueva et al. 2020); strong feature dropout
// is what lets so small a network generalise. Adam: Kingma and Ba 2015, on touched rows only.
struct TrainingPlan {
  uint32_t hidden = 512;
  uint32_t epochs = 40;
  uint32_t batch = 32;
  float learning_rate = 0.004F;  // falls linearly to 0
  float feature_dropout = 0.7F;
  float hidden_dropout = 0.5F;
  float label_smoothing = 0.1F;
  float first_layer_deviation = 0.1F;  // W1 begins as N(0, this²)
  std::function<bool()> stop = {};     // asked before each epoch; what is learnt then is no use
};

// Needs texts.size() == intents.size() > 0 and every intent below `outputs`, every row below
// `rows`. The same arguments give the same bits.
[[nodiscard]] IntentNetwork train_network(std::span<const SparseText> texts,
                                          std::span<const uint32_t> intents, uint32_t rows,
                                          uint32_t outputs, const TrainingPlan& plan,
                                          uint64_t seed);

}  // namespace payops::support_agent
