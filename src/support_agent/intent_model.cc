#include "payops/support_agent/intent_model.h"

#include <algorithm>
#include <numeric>

#include "half_float.h"
#include "payops/core/random.h"
#include "payops/support_agent/intent_calibration.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kFolds = 10;
constexpr uint64_t kDrawFold = 0xF01D;

void round_to_half(std::vector<float>& values) {
  for (float& v : values) v = from_half(to_half(v));
}

// Which tenth each in-scope message is held out with: dealt out intent by intent in a shuffled
// order, so that every tenth has its share of every intent.
std::vector<uint32_t> deal_folds(std::span<const uint32_t> intents, uint64_t seed) {
  std::vector<uint32_t> order(intents.size());
  std::iota(order.begin(), order.end(), 0U);
  RandomStream shuffle = Random(seed).at(kDrawFold);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[shuffle.below(i)]);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return intents[a] < intents[b]; });
  std::vector<uint32_t> folds(intents.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    folds[order[i]] = static_cast<uint32_t>(i % kFolds);
  }
  return folds;
}

struct Lesson {
  std::vector<HashedText> texts;
  std::vector<uint32_t> intents;
};

struct Learnt {
  FeatureSpace features;
  IntentNetwork network;
};

Learnt learn(const Lesson& lesson, uint32_t outputs, const IntentTraining& training,
             uint64_t seed) {
  Learnt learnt;
  learnt.features = FeatureSpace::learn(lesson.texts, training.least_messages);
  std::vector<SparseText> vectors;
  vectors.reserve(lesson.texts.size());
  for (const HashedText& text : lesson.texts) vectors.push_back(learnt.features.vectorise(text));
  learnt.network =
      train_network(vectors, lesson.intents, static_cast<uint32_t>(learnt.features.rows()), outputs,
                    training.network, seed);
  round_to_half(learnt.network.w1);
  return learnt;
}

std::vector<float> logits_of(const Learnt& learnt, const HashedText& text) {
  std::vector<float> hidden(learnt.network.hidden), logits(learnt.network.width());
  run_network(learnt.network, learnt.features.vectorise(text), hidden, logits);
  logits.resize(learnt.network.outputs);
  return logits;
}

// Collects what networks say of messages they were not trained on.
struct Examination {
  std::vector<HeldOutLogits> in_scope;
  std::vector<std::vector<float>> out_of_scope;  // a row per network and message

  [[nodiscard]] std::vector<Judged> judged(double temperature) const {
    std::vector<Judged> out;
    for (const HeldOutLogits& item : in_scope) {
      const auto p = softmax(item.logits, static_cast<float>(temperature));
      const auto top = std::max_element(p.begin(), p.end());
      out.push_back(
          {static_cast<double>(*top), static_cast<uint32_t>(top - p.begin()) == item.intent});
    }
    return out;
  }
  [[nodiscard]] IntentCalibration calibrate(std::size_t outsiders) const {
    IntentCalibration c;
    c.temperature = fit_temperature(in_scope);
    c.held_out = static_cast<uint32_t>(in_scope.size());
    c.out_of_scope = static_cast<uint32_t>(outsiders);
    const auto after = judged(c.temperature);
    c.ece_before = expected_calibration_error(judged(1.0));
    c.ece_after = expected_calibration_error(after);
    std::vector<double> strangers;
    for (const auto& logits : out_of_scope) {
      const auto p = softmax(logits, static_cast<float>(c.temperature));
      strangers.push_back(static_cast<double>(*std::max_element(p.begin(), p.end())));
    }
    c.threshold = fit_threshold(after, strangers);
    return c;
  }
};

Status check_messages(const std::vector<Intent>& intents, const Lesson& all) {
  if (intents.size() < 2) return fail(ErrorCode::usage, "two intents at least are needed");
  std::vector<uint32_t> counts(intents.size());
  for (const uint32_t intent : all.intents) ++counts.at(intent);
  for (std::size_t i = 0; i < intents.size(); ++i) {
    if (counts[i] == 0) {
      return fail(ErrorCode::usage, "the intent \"" + intents[i].name + "\" has no message");
    }
  }
  return {};
}

Examination examine(const Lesson& all, std::span<const HashedText> outsiders, uint32_t outputs,
                    const IntentTraining& training, uint64_t seed,
                    const std::function<void(const std::string&)>& progress) {
  Examination exam;
  const auto folds = deal_folds(all.intents, seed);
  for (std::size_t fold = 0; fold < kFolds && exam.in_scope.size() < training.calibration_messages;
       ++fold) {
    if (progress) progress("held-out tenth " + std::to_string(fold + 1));
    Lesson rest;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i] == fold) continue;
      rest.texts.push_back(all.texts[i]);
      rest.intents.push_back(all.intents[i]);
    }
    if (rest.texts.empty()) continue;
    const Learnt learnt = learn(rest, outputs, training, mix64(seed, fold + 1));
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i] != fold) continue;
      exam.in_scope.push_back({logits_of(learnt, all.texts[i]), all.intents[i]});
    }
    for (const HashedText& text : outsiders) exam.out_of_scope.push_back(logits_of(learnt, text));
  }
  return exam;
}

}  // namespace

Result<IntentModel> IntentModel::train(std::vector<Intent> intents,
                                       std::span<const LabelledText> messages,
                                       const IntentTraining& training, uint64_t seed,
                                       const std::function<void(const std::string&)>& progress) {
  Lesson all;
  std::vector<HashedText> outsiders;
  for (const LabelledText& message : messages) {
    if (message.intent == kNoIntent) {
      outsiders.push_back(hash_ngrams(message.text));
    } else {
      all.texts.push_back(hash_ngrams(message.text));
      all.intents.push_back(message.intent);
    }
  }
  if (Status status = check_messages(intents, all); !status) {
    return tl::make_unexpected(status.error());
  }
  const auto outputs = static_cast<uint32_t>(intents.size());
  const Examination exam = examine(all, outsiders, outputs, training, seed, progress);
  if (progress) progress("all messages");
  Learnt learnt = learn(all, outputs, training, seed);
  if (training.network.stop && training.network.stop()) {
    return fail(ErrorCode::unavailable, "stopped before everything was learnt");
  }
  IntentModel model;
  model.intents_ = std::move(intents);
  model.features_ = std::move(learnt.features);
  model.network_ = std::move(learnt.network);
  model.calibration_ = exam.calibrate(outsiders.size());
  return model;
}

IntentModel::Prediction IntentModel::predict(std::string_view text) const {
  Prediction out;
  const SparseText sparse = features_.vectorise(hash_ngrams(text));
  if (sparse.rows.empty() || intents_.empty()) return out;
  std::vector<float> hidden(network_.hidden), logits(network_.width());
  run_network(network_, sparse, hidden, logits);
  logits.resize(network_.outputs);
  out.probabilities = softmax(logits, static_cast<float>(calibration_.temperature));
  const auto top = std::max_element(out.probabilities.begin(), out.probabilities.end());
  out.intent = static_cast<uint32_t>(top - out.probabilities.begin());
  out.confidence = *top;
  out.abstains = static_cast<double>(out.confidence) < calibration_.threshold;
  return out;
}

std::vector<float> IntentModel::hidden(std::string_view text) const {
  std::vector<float> values(network_.hidden), logits(network_.width());
  const SparseText sparse = features_.vectorise(hash_ngrams(text));
  if (!sparse.rows.empty()) run_network(network_, sparse, values, logits);
  return values;
}

}  // namespace payops::support_agent
