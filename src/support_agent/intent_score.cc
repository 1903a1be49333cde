#include "payops/support_agent/intent_score.h"

#include <algorithm>
#include <map>

#include "payops/support_agent/intent_calibration.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kMaxConfusions = 20;

struct Tally {
  uint32_t truths = 0, answers = 0, hits = 0;
};

double share(uint32_t part, uint32_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double macro_f1(const std::vector<Tally>& tallies) {
  double sum = 0.0;
  uint32_t occurring = 0;
  for (const Tally& t : tallies) {
    if (t.truths == 0) continue;
    ++occurring;
    sum += 2.0 * static_cast<double>(t.hits) / static_cast<double>(t.truths + t.answers);
  }
  return occurring == 0 ? 0.0 : sum / occurring;
}

}  // namespace

IntentScore score_intents(std::span<const IntentOutcome> outcomes,
                          std::span<const Intent> intents) {
  IntentScore score;
  std::vector<Tally> tallies(intents.size());
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> confused;
  std::vector<Judged> judged;
  uint32_t right = 0, refused = 0;
  for (const IntentOutcome& one : outcomes) {
    const uint32_t answer = one.abstained ? kNoIntent : one.guess;
    if (answer != kNoIntent) ++tallies[answer].answers;
    if (answer != one.truth) ++confused[{one.truth, answer}];
    if (one.truth == kNoIntent) {
      ++score.out_of_scope;
      refused += answer == kNoIntent ? 1 : 0;
      continue;
    }
    ++score.in_scope;
    ++tallies[one.truth].truths;
    judged.push_back({one.confidence, one.guess == one.truth});
    if (answer == one.truth) {
      ++right;
      ++tallies[answer].hits;
    }
  }
  score.accuracy = share(right, score.in_scope);
  score.oos_recall = share(refused, score.out_of_scope);
  score.macro_f1 = macro_f1(tallies);
  score.ece = expected_calibration_error(judged);
  const auto name = [&](uint32_t intent) {
    return intent == kNoIntent ? std::string(kOutOfScope) : intents[intent].name;
  };
  for (const auto& [pair, count] : confused) {
    score.confusions.push_back({name(pair.first), name(pair.second), count});
  }
  std::stable_sort(score.confusions.begin(), score.confusions.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  if (score.confusions.size() > kMaxConfusions) score.confusions.resize(kMaxConfusions);
  return score;
}

}  // namespace payops::support_agent
