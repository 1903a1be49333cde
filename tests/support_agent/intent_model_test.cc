#include "payops/support_agent/intent_model.h"

#include <doctest/doctest.h>

#include <cmath>

#include "payops/core/random.h"
#include "payops/support_agent/intent_calibration.h"
#include "payops/support_agent/intent_score.h"
#include "small_lesson.h"

namespace payops::support_agent {
namespace {

std::string refusal(const std::string& bytes) {
  const auto model = IntentModel::from_bytes(bytes, "x.model");
  return model ? "" : model.error().message;
}

TEST_CASE("a model read back answers as the one that was written") {
  const IntentModel model = small_model();
  const std::string bytes = model.to_bytes();
  CHECK(bytes == small_model().to_bytes());
  const auto again = IntentModel::from_bytes(bytes, "x.model");
  REQUIRE(again);
  CHECK(again->to_bytes() == bytes);
  for (const char* text : {"i have lost the card", "charged two times", "song", ""}) {
    const auto a = model.predict(text), b = again->predict(text);
    CHECK(a.intent == b.intent);
    CHECK(a.confidence == b.confidence);
    CHECK(a.probabilities == b.probabilities);
  }
}

TEST_CASE("a damaged or foreign model is refused with a sentence") {
  const std::string bytes = small_model().to_bytes();
  CHECK(refusal("PK\x03\x04 a zip").find("is no intent model") != std::string::npos);
  CHECK(refusal("").find("is no intent model") != std::string::npos);
  CHECK(refusal(bytes.substr(0, 20)).find("cut off") != std::string::npos);
  std::string other = bytes;
  other[8] = 9;
  CHECK(refusal(other).find("of version 9; this program reads 1") != std::string::npos);
  RandomStream draw = Random(3).at(1);
  for (int i = 0; i < 50; ++i) {
    std::string flipped = bytes;
    const std::size_t at = 12 + draw.below(flipped.size() - 12);
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    CHECK(refusal(flipped).find("x.model: the intent model is damaged") == 0);
    CHECK_FALSE(refusal(bytes.substr(0, draw.below(bytes.size()))).empty());
  }
}

TEST_CASE("it tells intents apart, negation included, and knows nothing of strange letters") {
  const IntentModel model = small_model();
  const auto name = [&](std::string_view text) {
    return model.intents()[model.predict(text).intent].name;
  };
  CHECK(name("I did NOT make this payment") == "unrecognised_payment");
  CHECK(name("crad lost, blok it") == "card_lost");
  CHECK(name("refund kitne days") == "refund_howto");
  CHECK(model.predict("\xD0\xB3\xD0\xB4\xD0\xB5").abstains);
  CHECK(model.predict("").abstains);
}

TEST_CASE("too little to learn from is said") {
  CHECK(IntentModel::train({{"one", IntentClass::faq, false}}, {}, {}, 1).error().message ==
        "two intents at least are needed");
  const std::vector<LabelledText> lesson{{"a word", 0}};
  const auto model = IntentModel::train(
      {{"one", IntentClass::faq, false}, {"two", IntentClass::faq, false}}, lesson, {}, 1);
  REQUIRE_FALSE(model);
  CHECK(model.error().message == "the intent \"two\" has no message");
}

TEST_CASE("temperature scaling makes overconfident logits honest") {
  // Logits that claim far more than the 70 % of the time they are right.
  std::vector<HeldOutLogits> held_out;
  for (uint32_t i = 0; i < 200; ++i) {
    held_out.push_back({{6.0F, 0.0F, 0.0F}, i % 10 < 7 ? 0U : 1U + i % 2});
  }
  const auto error_at = [&](double temperature) {
    std::vector<Judged> judged;
    for (const auto& item : held_out) {
      const auto p = softmax(item.logits, static_cast<float>(temperature));
      judged.push_back({static_cast<double>(p[0]), item.intent == 0});
    }
    return expected_calibration_error(judged);
  };
  const double temperature = fit_temperature(held_out);
  CHECK(temperature > 1.0);
  CHECK(error_at(1.0) > 0.25);
  CHECK(error_at(temperature) < 0.01);
}

TEST_CASE("the threshold keeps out strangers, but not many of the right answers") {
  std::vector<Judged> in_scope(100, {0.9, true});
  const std::vector<double> strangers{0.2, 0.3, 0.5};
  CHECK(fit_threshold(in_scope, strangers) == doctest::Approx(0.7));
  CHECK(fit_threshold(in_scope, {}) == 0.0);
  for (std::size_t i = 0; i < 20; ++i) in_scope[i].confidence = 0.25;  // a fifth of them is unsure
  CHECK(fit_threshold(in_scope, strangers) == doctest::Approx(0.225));
}

TEST_CASE("the score counts an abstention as wrong in scope and as right out of it") {
  const auto intents = small_intents();
  const std::vector<IntentOutcome> outcomes{{0, 0, 1.0, false},        {0, 1, 1.0, false},
                                            {1, 1, 1.0, false},        {1, 1, 1.0, true},
                                            {kNoIntent, 0, 0.1, true}, {kNoIntent, 0, 0.9, false}};
  const IntentScore score = score_intents(outcomes, intents);
  CHECK(score.accuracy == doctest::Approx(0.5));
  CHECK(score.oos_recall == doctest::Approx(0.5));
  CHECK(score.macro_f1 == doctest::Approx(0.5));  // both intents: 2 truths, 2 answers, 1 hit
  CHECK(score.ece == doctest::Approx(0.25));
  REQUIRE(score.confusions.size() == 3);
  CHECK(score.confusions[0].category == "card_lost");
  CHECK(score.confusions[0].predicted == "charged_twice");
}

}  // namespace
}  // namespace payops::support_agent
