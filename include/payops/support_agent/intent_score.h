// How well a classifier does on messages whose intents are known.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/support_agent/intent_model.h"

namespace payops::support_agent {

// One message: what it wants (kNoIntent: out of scope), the best guess, and whether it abstained.
struct IntentOutcome {
  uint32_t truth = kNoIntent;
  uint32_t guess = kNoIntent;
  double confidence = 0.0;
  bool abstained = false;
};

struct IntentConfusion {
  std::string category;   // the truth
  std::string predicted;  // the answer; "oos" for an abstention
  uint32_t count = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("category", &IntentConfusion::category),
                           field("predicted", &IntentConfusion::predicted),
                           field("count", &IntentConfusion::count));
  }
};

struct IntentScore {
  double accuracy = 0.0;    // in-scope messages answered with their intent; abstaining is wrong
  double macro_f1 = 0.0;    // mean over the intents that occur; refused or strange messages count
  double oos_recall = 0.0;  // out-of-scope messages refused; 0 when there were none
  double ece = 0.0;         // of the best guesses in scope, abstained or not
  uint32_t in_scope = 0, out_of_scope = 0;
  std::vector<IntentConfusion> confusions;  // most frequent first, then by name; at most 20
};

[[nodiscard]] IntentScore score_intents(std::span<const IntentOutcome> outcomes,
                                        std::span<const Intent> intents);

}  // namespace payops::support_agent
