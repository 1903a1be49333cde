// A lesson small enough to train on within a test: four intents, forty messages.
#pragma once

#include <string>
#include <vector>

#include "payops/support_agent/intent_model.h"

namespace payops::support_agent {

inline std::vector<Intent> small_intents() {
  return {{"card_lost", IntentClass::account, false},
          {"charged_twice", IntentClass::complaint, false},
          {"refund_howto", IntentClass::faq, false},
          {"unrecognised_payment", IntentClass::complaint, true}};
}

inline std::vector<LabelledText> small_lesson() {
  const std::vector<std::vector<std::string>> starts{
      {"i lost my card", "block my lost card", "card kho gaya", "my card is stolen", "lost card"},
      {"charged twice", "double charge", "do baar paise kat gaye", "debited two times",
       "duplicate charge"},
      {"how long do refunds take", "refund policy", "how does a refund work", "refund days",
       "what about refund time"},
      {"i did not make this payment", "not my transaction", "payment maine nahi kiya",
       "i never made this payment", "unauthorised payment not by me"}};
  std::vector<LabelledText> lesson;
  for (uint32_t intent = 0; intent < starts.size(); ++intent) {
    for (const std::string& start : starts[intent]) {
      lesson.push_back({start, intent});
      lesson.push_back({start + " please", intent});
    }
  }
  return lesson;
}

inline std::vector<LabelledText> small_outsiders() {
  return {{"weather tomorrow in goa"}, {"sing me a song"}, {"who won the cricket match"}};
}

inline IntentTraining small_training() {
  IntentTraining training;
  training.network.hidden = 64;
  training.network.epochs = 20;
  training.network.batch = 8;
  training.calibration_messages = 40;
  return training;
}

inline IntentModel small_model(uint64_t seed = 1) {
  auto lesson = small_lesson();
  for (const auto& outsider : small_outsiders()) lesson.push_back(outsider);
  return *IntentModel::train(small_intents(), lesson, small_training(), seed);
}

}  // namespace payops::support_agent
