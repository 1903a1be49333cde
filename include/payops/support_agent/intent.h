// What a customer wants, in four classes with finer intents beneath, and the port by which the
// agent asks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::support_agent {

// In order of what must not be lost: of two intents in one message the later class wins.
//   UNKNOWN    out of scope, chit-chat, unintelligible, another language, injection
//   FAQ        a general question that an article answers
//   ACCOUNT    needs this customer's own data or a change in it, without a grievance
//   COMPLAINT  something went wrong for this customer and must be registered or mended
enum class IntentClass { unknown, faq, account, complaint };

}  // namespace payops::support_agent

namespace payops {
template <>
inline constexpr EnumNames<4> enum_names<support_agent::IntentClass>{"UNKNOWN", "FAQ", "ACCOUNT",
                                                                     "COMPLAINT"};
}  // namespace payops

namespace payops::support_agent {

// The name of what is out of scope, in data files and answers; no intent has it.
inline constexpr std::string_view kOutOfScope = "oos";

// A fine intent. `to_person`: such a message goes to a person at once (fraud under way, self-harm,
// a legal threat, an explicit wish).
struct Intent {
  std::string name;
  IntentClass top = IntentClass::faq;
  bool to_person = false;
  static constexpr auto fields() {
    return std::make_tuple(field("name", &Intent::name), field("class", &Intent::top),
                           field("to_person", &Intent::to_person));
  }
};

struct IntentGuess {
  Intent intent;
  double probability = 0.0;
};

struct IntentAnswer {
  Intent intent;                          // name "oos" and class UNKNOWN when it abstains
  double confidence = 0.0;                // calibrated probability of the best guess
  std::vector<IntentGuess> alternatives;  // the best guess and the next two, falling probability
};

// Pure: the same text gives the same answer. Safe to call from several threads.
class IntentClassifier {
 public:
  virtual ~IntentClassifier() = default;
  [[nodiscard]] virtual IntentAnswer classify(std::string_view text) const = 0;
};

}  // namespace payops::support_agent
