#include "payops/support_agent/intent_classifiers.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "payops/core/text.h"
#include "small_lesson.h"
#include "support/paths.h"

namespace payops::support_agent {
namespace {

// The product's own examples.
IntentCatalogue shipped() {
  IntentCatalogue catalogue;
  for (const char* name :
       {"account", "banking", "cards", "payments", "people", "refunds", "unknown"}) {
    const std::string file =
        testing::source_path(std::string("config/support/intents/") + name + ".yaml");
    const auto text = read_file(file);
    REQUIRE(text);
    const Status status = add_intents(catalogue, *text, file);
    REQUIRE_MESSAGE(status, (status ? "" : status.error().message));
  }
  return catalogue;
}

std::string complaint(const std::string& text) {
  IntentCatalogue catalogue;
  const Status status = add_intents(catalogue, text, "x.yaml");
  return status ? "" : status.error().message;
}

constexpr const char* kOne =
    "intents:\n  - name: a\n    class: FAQ\n    keywords: [alpha]\n    examples: [one, two]\n";

TEST_CASE("a mistake in the examples is said with file and line") {
  CHECK(complaint(kOne).empty());
  CHECK(complaint(std::string(kOne) + "  - name: b\n    class: FAQ\n    examples:\n      - three\n"
                                      "      - TWO\n") ==
        "x.yaml:10: \"TWO\" is an example of a already");
  CHECK(complaint(std::string(kOne) + "  - name: a\n    class: FAQ\n    examples: [six]\n") ==
        "x.yaml:6: the intent \"a\" is there already");
  CHECK(complaint("intents:\n  - name: a\n    class: QUESTION\n    examples: [one]\n")
            .starts_with("x.yaml:3: \"intents[].class\" cannot be \"QUESTION\""));
  CHECK(complaint("intents:\n  - name: a\n    exmples: [one]\n")
            .find("x.yaml:3: unknown key \"intents[].exmples\" (did you mean") == 0);
  CHECK(complaint("intents:\n  - name: a\n    class: FAQ\n") ==
        "x.yaml:2: in \"intents[]\": the intent \"a\" needs \"examples\"");
  CHECK(complaint("intents:\n  - name: [\n").starts_with("x.yaml:"));
  CHECK(complaint("").starts_with("x.yaml:1: no \"intents\""));
}

TEST_CASE("several hundred examples are shipped, of all four classes") {
  const IntentCatalogue catalogue = shipped();
  std::map<IntentClass, std::size_t> counts;
  for (const auto& intent : catalogue.intents) counts[intent.top] += intent.examples.size();
  CHECK(counts.size() == 4);
  for (const auto& [top, n] : counts) CHECK(n >= 50);
}

TEST_CASE("without a model keywords decide, and heed negation") {
  const KeywordClassifier keywords(shipped());
  const auto says = [&](std::string_view text) { return keywords.classify(text); };
  CHECK(says("pls BLOCK my card").intent.name == "card_lost");
  CHECK(says("do not block my card").intent.name == "oos");
  CHECK(says("I did NOT make this payment").intent.name == "unrecognised_payment");
  CHECK(says("I didn't make this payment").intent.to_person);
  CHECK(says("maine nahi kiya ye").intent.name == "unrecognised_payment");
  CHECK(says("what is a chargeback? I was charged twice").intent.top == IntentClass::complaint);
  CHECK(says("what's the weather").intent.top == IntentClass::unknown);
  CHECK(says("zebra").intent.name == "oos");
  CHECK(says("zebra").confidence == 0.0);
  const auto sure = says("i was charged twice");
  CHECK(sure.confidence > 0.5);
  REQUIRE(sure.alternatives.size() == 1);
}

TEST_CASE("of two intents in one message the graver wins") {
  const ModelClassifier model(small_model());
  const auto one = model.classify("how long do refunds take");
  CHECK(one.intent.name == "refund_howto");
  CHECK(one.alternatives.size() == 3);
  CHECK(one.alternatives[0].probability == one.confidence);
  const auto two = model.classify("how long do refunds take? do baar paise kat gaye");
  CHECK(two.intent.name == "charged_twice");
  const auto three = model.classify("i lost my card. also i did not make this payment");
  CHECK(three.intent.name == "unrecognised_payment");
  CHECK(three.intent.to_person);
}

TEST_CASE("sentences are cut at their ends and at connectives, eight at most") {
  using Parts = std::vector<std::string_view>;
  CHECK(sentences_of("one. two? three") == Parts{"one.", " two?", " three"});
  CHECK(sentences_of("one also two") == Parts{"one", " also two"});
  CHECK(sentences_of("...").size() <= 3);
  CHECK(sentences_of("").empty());
  CHECK(sentences_of("a. b. c. d. e. f. g. h. i. j. k.").size() == 8);
}

}  // namespace
}  // namespace payops::support_agent
