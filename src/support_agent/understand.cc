// reason, first half: what the message says.
#include <algorithm>

#include "clues.h"
#include "payops/support_agent/chat_node.h"
#include "payops/support_agent/intent_classifiers.h"

namespace payops::support_agent {
namespace {

constexpr double kSureOfSecond = 0.55;  // a second request must be this clear to be taken up
constexpr double kSurelyGrave = 0.9;
constexpr std::size_t kFragmentWords = 4;  // a message this short leans on the one before

const Exchange* before(const Turn& turn) {
  return turn.session->recent.empty() ? nullptr : &turn.session->recent.back();
}

bool leans_on_what_was_said(const Turn& turn, const Clues& clues) {
  const Exchange* last = before(turn);
  if (last == nullptr || last->agent == "person" || last->agent == "fallback") return false;
  if (clues.begins_as_follow_up) return true;
  const bool fragment = clues.words > 0 && clues.words <= kFragmentWords && last->agent == "faq";
  return fragment && !clues.yes && !clues.no && !clues.thanks && !clues.greets && !clues.cancels;
}

Risk risk_of(const IntentAnswer& main, const Clues& clues) {
  if (main.intent.name == "self_harm") return Risk::critical;
  if (main.intent.name == "unrecognised_payment" || main.intent.name == "legal_threat") {
    return Risk::high;
  }
  return clues.steers || clues.others_data || clues.abusive ? Risk::low : Risk::none;
}

IntentAnswer out_of_scope() {
  IntentAnswer none;
  none.intent = {std::string(kOutOfScope), IntentClass::unknown, false};
  return none;
}

// Another sentence that asks for something else, clearly.
std::string second_request(const Understanding& understood) {
  for (const Part& part : understood.parts) {
    const Intent& other = part.understood.intent;
    if (other.name == understood.main.intent.name || other.top == IntentClass::unknown) continue;
    if (part.understood.confidence < kSureOfSecond || understood.main.intent.to_person) continue;
    return part.text;
  }
  return "";
}

class Understand final : public ChatNode {
 public:
  std::string_view name() const override { return "understand"; }
  Contribution run(const Turn& turn) const override {
    const std::string& text = turn.message->text;
    const Clues clues = clues_of(text, *turn.config);
    Understanding u;
    u.entities = clues.entities;
    u.sentiment = clues.sentiment;
    u.abusive = clues.abusive;
    u.cancels = clues.cancels;
    u.corrects = clues.corrects;
    u.yes = clues.yes;
    u.no = clues.no;
    u.foreign = clues.foreign;
    u.thanks = clues.thanks;
    u.greets = clues.greets;
    u.asks = clues.asks;
    u.how_to = clues.how_to;
    u.main = turn.classifier->classify(text);
    // "Rehne do" takes something back; what else a model finds in two words is chance.
    const bool takes_back = clues.cancels && clues.words <= kFragmentWords;
    if (takes_back && u.main.confidence < kSurelyGrave) u.main = out_of_scope();
    const bool grave = u.main.intent.to_person;
    u.others_data = clues.others_data && !grave;
    u.follows_up = !grave && leans_on_what_was_said(turn, clues);
    if (u.follows_up && u.main.intent.top == IntentClass::unknown) {
      u.main = turn.classifier->classify(before(turn)->text + " " + text);
    }
    // Sentences are views, so this is one of the message itself.
    const std::string_view first_part = std::string_view(text).substr(0, 4 * kMaxCodePoints);
    for (const std::string_view part : sentences_of(first_part)) {
      u.parts.push_back({std::string(part), turn.classifier->classify(part)});
    }
    if (u.parts.empty()) u.parts.push_back({text, u.main});
    const bool nothing_for_us = (clues.foreign || clues.steers || u.others_data ||
                                 clues.words == 0 || clues.small_talk_only);
    if (nothing_for_us && !grave) u.main = out_of_scope();
    if (!nothing_for_us && u.parts.size() > 1) u.also = second_request(u);
    u.risk = risk_of(u.main, clues);
    return {.understanding = std::move(u)};
  }
};

}  // namespace

std::unique_ptr<ChatNode> make_understand() { return std::make_unique<Understand>(); }

}  // namespace payops::support_agent
