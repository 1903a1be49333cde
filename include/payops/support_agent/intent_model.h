// The trained intent classifier: features, network and calibration, and its file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payops/support_agent/intent.h"
#include "payops/support_agent/intent_network.h"
#include "payops/support_agent/text_features.h"

namespace payops::support_agent {

// A message and what it wants: an index into the intents, or kNoIntent for out of scope.
inline constexpr uint32_t kNoIntent = UINT32_MAX;
struct LabelledText {
  std::string text;
  uint32_t intent = kNoIntent;
};

// Turns logits into probabilities that mean what they say (temperature scaling, Guo et al. 2017),
// and says below which one the answer is "I do not know".
struct IntentCalibration {
  double temperature = 1.0;
  double threshold = 0.0;
  uint32_t held_out = 0;      // in-scope messages it was measured on, none of them trained on
  uint32_t out_of_scope = 0;  // and these out of scope
  double ece_before = 0.0;    // expected calibration error at temperature 1, and after
  double ece_after = 0.0;
  static constexpr auto fields() {
    return std::make_tuple(field("temperature", &IntentCalibration::temperature),
                           field("threshold", &IntentCalibration::threshold),
                           field("held_out", &IntentCalibration::held_out),
                           field("out_of_scope", &IntentCalibration::out_of_scope),
                           field("ece_before", &IntentCalibration::ece_before),
                           field("ece_after", &IntentCalibration::ece_after));
  }
};

struct IntentTraining {
  TrainingPlan network;
  uint32_t least_messages = 1;  // an n-gram in fewer messages than this has no row
  // Held out in turn, a tenth at a time, until this many messages have been (or all have).
  uint32_t calibration_messages = 500;
};

class IntentModel {
 public:
  // What the network says of one message. `intent` is the best guess even when `abstains`.
  struct Prediction {
    uint32_t intent = kNoIntent;
    float confidence = 0.0F;
    bool abstains = true;
    std::vector<float> probabilities;  // one an intent
  };

  IntentModel() = default;

  // Learns from the in-scope messages; those out of scope only place the threshold, there is no
  // class of theirs. Without any it never abstains, but on a message of which it knows nothing.
  // It trains once for each tenth held out and once on everything; `progress` is told of each.
  // Errors: usage: fewer than two intents, or an intent without a message; unavailable: the plan's
  // `stop` said so.
  [[nodiscard]] static Result<IntentModel> train(
      std::vector<Intent> intents, std::span<const LabelledText> messages,
      const IntentTraining& training, uint64_t seed,
      const std::function<void(const std::string&)>& progress = {});

  // The bytes of a model file: "PAYOPSIM", version, XXH3-128 of the rest, and the rest, with the
  // first layer as half-precision floats. A trained model is rounded to these, so that one read
  // back answers bit for bit the same.
  [[nodiscard]] std::string to_bytes() const;
  // Errors: corrupt, for a file that is no model, of another version, or damaged; `file` names it.
  [[nodiscard]] static Result<IntentModel> from_bytes(std::string_view bytes,
                                                      const std::string& file);

  [[nodiscard]] Prediction predict(std::string_view text) const;
  // The hidden layer's answer to a message: texts that mean the same point the same way. All zero
  // for one of which it knows nothing.
  [[nodiscard]] std::vector<float> hidden(std::string_view text) const;
  [[nodiscard]] const std::vector<Intent>& intents() const { return intents_; }
  [[nodiscard]] const IntentCalibration& calibration() const { return calibration_; }
  [[nodiscard]] const FeatureSpace& features() const { return features_; }

 private:
  std::vector<Intent> intents_;
  FeatureSpace features_;
  IntentNetwork network_;
  IntentCalibration calibration_;
};

}  // namespace payops::support_agent
