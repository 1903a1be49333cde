#include "payops/support_agent/intent_classifiers.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

#include "payops/support_agent/text_features.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kMaxSentences = 8;
constexpr std::size_t kAlternatives = 3;
constexpr double kLikelierThanNot = 0.5;
// Words before a phrase in which a negation turns it round.
constexpr std::size_t kNegationBefore = 2;
constexpr std::array<std::string_view, 3> kConnectives{" also ", " aur ", " btw "};

const Intent& out_of_scope() {
  static const Intent kNone{std::string(kOutOfScope), IntentClass::unknown, false};
  return kNone;
}

auto gravity(const Intent& intent) { return std::make_tuple(intent.to_person, intent.top); }

bool ends_sentence(char c) { return c == '.' || c == '!' || c == '?' || c == ';' || c == '\n'; }

IntentAnswer answer_of(const std::vector<Intent>& intents, const IntentModel::Prediction& said) {
  IntentAnswer answer{.intent = out_of_scope(),
                      .confidence = static_cast<double>(said.confidence),
                      .alternatives = {}};
  if (!said.abstains) answer.intent = intents[said.intent];
  std::vector<std::size_t> order(said.probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return said.probabilities[a] > said.probabilities[b];
  });
  order.resize(std::min(order.size(), kAlternatives));
  for (const std::size_t i : order) {
    answer.alternatives.push_back({intents[i], static_cast<double>(said.probabilities[i])});
  }
  return answer;
}

// Whether `phrase` stands in `words` anywhere without a negation just before it.
bool stands_in(const std::vector<std::string>& phrase, const std::vector<std::string>& words) {
  auto from = words.begin();
  while (true) {
    const auto at = std::search(from, words.end(), phrase.begin(), phrase.end());
    if (at == words.end()) return false;
    const auto before = std::min<std::ptrdiff_t>(kNegationBefore, at - words.begin());
    const bool negated = std::any_of(at - before, at, [](const std::string& word) {
      return word == "not" || word == "never" || word == "no";
    });
    if (!negated) return true;
    from = at + 1;
  }
}

}  // namespace

std::vector<std::string_view> sentences_of(std::string_view text) {
  std::vector<std::string_view> sentences;
  std::size_t from = 0;
  const auto cut = [&](std::size_t end) {
    const std::string_view part = text.substr(from, end - from);
    if (!normalise(part).empty()) sentences.push_back(part);
    from = end;
  };
  for (std::size_t i = 0; i < text.size() && sentences.size() + 1 < kMaxSentences; ++i) {
    if (ends_sentence(text[i])) cut(i + 1);
    const std::string_view rest = text.substr(i);
    const bool connective =
        std::any_of(kConnectives.begin(), kConnectives.end(),
                    [&](std::string_view word) { return rest.starts_with(word); });
    if (connective) cut(i);
  }
  cut(text.size());
  return sentences;
}

IntentModel::Prediction ModelClassifier::ask(std::string_view text) const {
  IntentModel::Prediction said = model_.predict(text);
  said.abstains = said.abstains || said.intent == kNoIntent ||
                  static_cast<double>(said.confidence) < least_confidence_ ||
                  model_.intents()[said.intent].top == IntentClass::unknown;
  return said;
}

IntentAnswer ModelClassifier::classify(std::string_view text) const {
  IntentAnswer best = answer_of(model_.intents(), ask(text));
  const auto sentences = sentences_of(text.substr(0, 4 * kMaxCodePoints));
  if (sentences.size() < 2) return best;
  for (const std::string_view sentence : sentences) {
    const auto said = ask(sentence);
    if (said.abstains || static_cast<double>(said.confidence) < kLikelierThanNot) continue;
    if (gravity(model_.intents()[said.intent]) > gravity(best.intent)) {
      best = answer_of(model_.intents(), said);
    }
  }
  return best;
}

IntentAnswer GuardedClassifier::classify(std::string_view text) const {
  constexpr double kLikelyEnough = 0.05;
  const IntentAnswer said = model_.classify(text);
  if (said.intent.to_person) return said;
  IntentAnswer found = keywords_.classify(text);
  const bool abstains = said.intent.top == IntentClass::unknown;
  if (!found.intent.to_person && !abstains) return said;
  if (found.intent.top == IntentClass::unknown) return said;
  const bool likely = std::any_of(
      said.alternatives.begin(), said.alternatives.end(), [&](const IntentGuess& guess) {
        return guess.intent.name == found.intent.name && guess.probability >= kLikelyEnough;
      });
  if (!likely && found.intent.name != "self_harm") return said;
  found.alternatives = said.alternatives;
  return found;
}

KeywordClassifier::KeywordClassifier(const IntentCatalogue& catalogue) {
  for (const IntentExamples& intent : catalogue.intents) {
    for (const std::string& keyword : intent.keywords) {
      phrases_.push_back({words_of(keyword), intents_.size()});
    }
    intents_.push_back({intent.name, intent.top, intent.to_person});
  }
  std::vector<double> found(intents_.size()), right(intents_.size());
  for (std::size_t i = 0; i < intents_.size(); ++i) {
    for (const std::string& example : catalogue.intents[i].examples) {
      const std::size_t guess = find(example);
      if (guess == intents_.size()) continue;
      found[guess] += 1.0;
      if (guess == i) right[guess] += 1.0;
    }
  }
  for (std::size_t i = 0; i < intents_.size(); ++i) {
    confidence_.push_back((right[i] + 1.0) / (found[i] + 2.0));
  }
}

std::size_t KeywordClassifier::find(std::string_view text) const {
  const std::vector<std::string> words = words_of(text);
  std::size_t best = intents_.size(), length = 0;
  for (const Phrase& phrase : phrases_) {
    if (phrase.words.empty() || !stands_in(phrase.words, words)) continue;
    const bool graver = best == intents_.size() ||
                        std::make_tuple(gravity(intents_[phrase.intent]), phrase.words.size()) >
                            std::make_tuple(gravity(intents_[best]), length);
    if (!graver) continue;
    best = phrase.intent;
    length = phrase.words.size();
  }
  return best;
}

IntentAnswer KeywordClassifier::classify(std::string_view text) const {
  const std::size_t found = find(text);
  if (found == intents_.size()) {
    return {.intent = out_of_scope(), .confidence = 0.0, .alternatives = {}};
  }
  const Intent& intent = intents_[found];
  const double confidence = confidence_[found];
  return {.intent = intent.top == IntentClass::unknown ? out_of_scope() : intent,
          .confidence = confidence,
          .alternatives = {{intent, confidence}}};
}

}  // namespace payops::support_agent
