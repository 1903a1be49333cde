// The product's own examples: config/support/intents/*.yaml, one file for each part of the
// customer's everyday, each intent with its class, keywords and messages as people type them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "payops/support_agent/intent.h"

namespace payops::support_agent {

struct IntentExamples {
  std::string name;
  IntentClass top = IntentClass::faq;
  bool to_person = false;
  std::string about;                  // what it is, in a sentence
  std::vector<std::string> keywords;  // phrases that give it away when there is no model
  std::vector<std::string> examples;
  static constexpr auto fields() {
    return std::make_tuple(
        field("name", &IntentExamples::name), field("class", &IntentExamples::top),
        field("to_person", &IntentExamples::to_person), field("about", &IntentExamples::about),
        field("keywords", &IntentExamples::keywords), field("examples", &IntentExamples::examples));
  }
  // Errors: config: no name, "oos", no examples, or an empty phrase.
  [[nodiscard]] Status validate() const;
};

// Of several files, in the order given. Examples of class UNKNOWN are out of scope: they place the
// threshold, and are no intents of the network.
struct IntentCatalogue {
  std::vector<IntentExamples> intents;
  static constexpr auto fields() {
    return std::make_tuple(field("intents", &IntentCatalogue::intents));
  }
};

// Adds the intents in `text`; `file` is for messages. Errors: config, with file, line and what is
// wrong: also an intent or a message that stands in the catalogue already.
[[nodiscard]] Status add_intents(IntentCatalogue& catalogue, const std::string& text,
                                 const std::string& file);

}  // namespace payops::support_agent
