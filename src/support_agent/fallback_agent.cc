#include "agents.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

Contribution chat(std::string text) {
  return {.said = Said{.text = std::move(text), .outcome = Outcome::answered, .citations = {}}};
}

Contribution refuse(std::string text, bool count, Pending pending = {}) {
  Contribution delta;
  delta.said = Said{.text = std::move(text), .outcome = Outcome::refused, .citations = {}};
  Wish wish;
  wish.count_failure = count;
  if (pending.what != Awaiting::nothing) wish.pending = std::move(pending);
  delta.wish = std::move(wish);
  return delta;
}

Pending offer_person(const Turn& turn) {
  return {.what = Awaiting::person,
          .intent = turn.understanding.main.intent.name,
          .question = "Shall I get a person?",
          .text = turn.message->text,
          .choices = {},
          .asked = 1};
}

}  // namespace

Contribution FallbackAgent::run(const Turn& turn) const {
  const Understanding& u = turn.understanding;
  const std::string what_i_do =
      "I can help with payments, cards, transfers, refunds, your account, and what things cost.";
  if (turn.limited) {
    return refuse(
        "You are writing faster than I can answer well. Please wait a minute; nothing you "
        "sent before is lost.",
        false);
  }
  if (turn.session->pending.what == Awaiting::person && u.no) {
    return refuse("All right. " + what_i_do, false);
  }
  if (u.foreign) {
    return refuse(
        "I am sorry, I understand only English and Hinglish in Latin letters. I can get a "
        "person who may speak your language: shall I? (yes / no)",
        false, offer_person(turn));
  }
  if (u.others_data) {
    return refuse(
        "I speak with you about your own account only; I cannot see or tell anything of "
        "anybody else's.",
        false);
  }
  if (u.thanks) return chat("You are welcome. Is there anything else?");
  if (u.greets) return chat("Hello! " + what_i_do + " What is it about?");
  if (u.risk == Risk::low && !u.abusive) {
    return refuse("I cannot do that: I only answer customers' questions. " + what_i_do, false);
  }
  if (turn.session->failures + 1 >= turn.config->failures_to_person) return {.next = "person"};
  if (u.abusive) {
    return refuse(
        "I am here to help, and I will. Please tell me what went wrong and I take it up; "
        "or say \"person\" and I get one.",
        true);
  }
  return refuse("I did not understand that. " + what_i_do +
                    " Please say it in other words, or say \"person\" and I get one.",
                true);
}

}  // namespace payops::support_agent
