// The two classifiers behind the port: the trained model, and keywords for when there is none.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "payops/support_agent/intent.h"
#include "payops/support_agent/intent_examples.h"
#include "payops/support_agent/intent_model.h"

namespace payops::support_agent {

// Asks the model about the whole message and about each of its sentences. A sentence that is more
// likely than not about something graver (to a person first, then by class) wins: of two intents
// the one that must not be lost.
class ModelClassifier final : public IntentClassifier {
 public:
  // Below `least_confidence` it abstains, as it does below the model's own threshold.
  explicit ModelClassifier(IntentModel model, double least_confidence = 0.0)
      : model_(std::move(model)), least_confidence_(least_confidence) {}
  // A model that was taught what is out of scope abstains when that is its best guess.
  [[nodiscard]] IntentAnswer classify(std::string_view text) const override;

 private:
  [[nodiscard]] IntentModel::Prediction ask(std::string_view text) const;

  IntentModel model_;
  double least_confidence_;
};

// Looks for the catalogue's keywords, word for word, negations spelled out. A phrase that is itself
// negated ("do not block my card") does not count. Of several the gravest wins, then the longest.
// Confidence is how often the intent's keywords are right on the catalogue's own examples, with
// Laplace's rule, so a coarse figure; without a keyword it abstains.
class KeywordClassifier final : public IntentClassifier {
 public:
  explicit KeywordClassifier(const IntentCatalogue& catalogue);
  [[nodiscard]] IntentAnswer classify(std::string_view text) const override;

 private:
  struct Phrase {
    std::vector<std::string> words;
    std::size_t intent = 0;
  };
  // The intent of the winning phrase, or intents_.size().
  [[nodiscard]] std::size_t find(std::string_view text) const;

  std::vector<Intent> intents_;
  std::vector<double> confidence_;
  std::vector<Phrase> phrases_;
};

// The model, with the keywords as a net under it: where the model abstains, or finds nothing that
// goes to a person and they do, they decide if the model thinks theirs likely enough; of danger to
// life they decide alone.
class GuardedClassifier final : public IntentClassifier {
 public:
  GuardedClassifier(ModelClassifier model, KeywordClassifier keywords)
      : model_(std::move(model)), keywords_(std::move(keywords)) {}
  [[nodiscard]] IntentAnswer classify(std::string_view text) const override;

 private:
  ModelClassifier model_;
  KeywordClassifier keywords_;
};

// The sentences of a message, at most eight: cut at sentence ends, line ends, and before "also",
// "aur" and "btw". The last holds whatever is left. They are views of `text`, so a string that
// ends with the call is refused.
[[nodiscard]] std::vector<std::string_view> sentences_of(std::string_view text);
template <std::same_as<std::string> Passing>
std::vector<std::string_view> sentences_of(Passing&& text) = delete;

}  // namespace payops::support_agent
