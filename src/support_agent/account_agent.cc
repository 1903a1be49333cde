#include <algorithm>
#include <array>

#include "agents.h"
#include "payops/core/digest.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

// What is put through, by intent. `at_once`: too urgent to wait for a check, and harmless: it only
// takes something away.
struct Service {
  std::string_view intent;
  std::string_view done;
  bool at_once = false;
};
constexpr std::array<Service, 12> kServices{{
    {"card_lost", "I have had your card blocked and a new one put on its way as request {ticket}.",
     true},
    {"card_unblock", "I have put it through as request {ticket}; it takes a few minutes.", false},
    {"card_replace", "Your new card is ordered as request {ticket}; it comes in 5 to 7 days.",
     false},
    {"card_arrival", "I have asked the courier where your card is, as request {ticket}.", false},
    {"card_pin", "A link to set the PIN by yourself is on its way, request {ticket}.", false},
    {"cancel_payment", "I have asked for it to be stopped, as request {ticket}.", false},
    {"refund_request", "I have asked for the refund as request {ticket}; the merchant must agree.",
     false},
    {"change_limit", "The change of your limit is put through as request {ticket}.", false},
    {"update_details",
     "The change of your details is put through as request {ticket}; you will be "
     "told at the old address too.",
     false},
    {"open_close_account", "I have registered it as request {ticket}; a form is on its way.",
     false},
    {"login_problem", "A link to get back in is on its way, request {ticket}.", false},
    {"statement", "It is being made and will be sent to your registered e-mail, request {ticket}.",
     false},
}};

const Service& service_for(std::string_view intent) {
  static constexpr Service kOther{"",
                                  "I have put it through as request {ticket}; you will hear of "
                                  "it here and by message.",
                                  false};
  const auto it = std::find_if(kServices.begin(), kServices.end(),
                               [&](const Service& s) { return s.intent == intent; });
  return it == kServices.end() ? kOther : *it;
}

std::string greeting(const Turn& turn) {
  const std::string& name = turn.customer->name;
  return name.empty() ? "Thank you. " : "Thank you, " + name.substr(0, name.find(' ')) + ". ";
}

Contribution serve(const Turn& turn, const std::string& intent, const std::string& words) {
  const Service& service = service_for(intent);
  Contribution delta;
  Wish wish;
  Ticket ticket = new_ticket(turn, intent);
  ticket.subject = masked_words(words, 400);
  if (service.at_once) ticket.priority = Priority::urgent;
  std::string text = (service.at_once ? std::string() : greeting(turn)) + std::string(service.done);
  if (intent.starts_with("card_") && turn.verified() && !turn.customer->card_last4.empty()) {
    text += " (card ****" + turn.customer->card_last4 + ")";
  }
  wish.ticket = std::move(ticket);
  wish.notify = "Your request {ticket} (" + in_words(intent) + ") is registered.";
  delta.said = Said{.text = std::move(text), .outcome = Outcome::account, .citations = {}};
  delta.wish = std::move(wish);
  return delta;
}

std::string code_hash(const Turn& turn, const std::string& code) {
  return sha256_hex(turn.session->id + "|" + code);
}

Contribution wrong_code(const Turn& turn) {
  const bool over = turn.now_ms > turn.session->code_until_ms;
  Contribution delta;
  Wish wish;
  if (turn.session->code_tries + 1 >= turn.config->code_tries) {
    delta.said = Said{.text =
                          "That was not the code, and it can no longer be used. For your safety "
                          "a person will go on with this.",
                      .outcome = Outcome::handover,
                      .citations = {}};
    wish.handover = "step_up_failed";
  } else {
    delta.said =
        Said{.text = over ? "That code is too old. Ask again and I send a new one."
                          : "That is not the code I sent. " + turn.session->pending.question,
             .outcome = Outcome::account,
             .citations = {}};
    wish.count_failure = true;
    if (!over) wish.pending = turn.session->pending;
  }
  delta.wish = std::move(wish);
  return delta;
}

}  // namespace

Contribution AccountAgent::run(const Turn& turn) const {
  const Understanding& u = turn.understanding;
  const Pending& pending = turn.session->pending;
  if (pending.what == Awaiting::code && u.cancels) {
    return {.said = Said{.text = "All right, nothing was changed.",
                         .outcome = Outcome::account,
                         .citations = {}}};
  }
  if (pending.what == Awaiting::code && !u.entities.code.empty()) {
    const bool right = code_hash(turn, u.entities.code) == turn.session->code_hash &&
                       turn.now_ms <= turn.session->code_until_ms;
    if (!right) return wrong_code(turn);
    Contribution delta = pending.intent == "payment_status" || pending.intent == "refund_status" ||
                                 pending.intent == "payment_failed_why"
                             ? Contribution{.next = "payment_status"}
                             : serve(turn, pending.intent, pending.text);
    if (!delta.wish) delta.wish = Wish{};
    delta.wish->verified = true;
    return delta;
  }
  const std::string& intent = u.main.intent.name;
  if (service_for(intent).at_once || turn.verified()) {
    return serve(turn, intent, turn.message->text);
  }
  return ask_for_code(turn, intent);
}

}  // namespace payops::support_agent
