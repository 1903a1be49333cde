#include <algorithm>
#include <array>

#include "agents.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

// Decline codes (ISO 8583) in a customer's words; the rest is "the bank did not approve it".
struct Decline {
  std::string_view code;
  std::string_view words;
};
constexpr std::array<Decline, 10> kDeclines{{
    {"51", "there was not enough money in the account"},
    {"54", "the card has expired"},
    {"55", "the PIN was wrong"},
    {"61", "it would have gone over the day's limit"},
    {"65", "it would have gone over the number of payments allowed in a day"},
    {"57", "this kind of payment is not switched on"},
    {"62", "the card is restricted"},
    {"91", "your bank's systems did not answer"},
    {"96", "there was a technical fault at the bank"},
    {"05", "your bank did not approve it and gave no reason"},
}};

std::string reason_of(const KnownPayment& payment) {
  if (payment.status == "timeout") return "no answer came in time, so its outcome is being checked";
  for (const Decline& decline : kDeclines) {
    if (decline.code == payment.decline_code) return std::string(decline.words);
  }
  return payment.status == "error" ? "there was a technical fault" : "your bank did not approve it";
}

std::string payment_in_words(const KnownPayment& payment, const Turn& turn) {
  std::string text = "Your payment of " + spoken_amount(payment.amount_minor, payment.currency);
  if (!payment.merchant.empty()) text += " to " + payment.merchant;
  text += " at " + clock_time(payment.ts_ms, *turn.config);
  if (payment.status == "approved") return text + " went through.";
  text += payment.status == "timeout" ? " is not settled: " : " failed: ";
  return text + reason_of(payment) + ".";
}

Contribution told(std::string text, Outcome outcome) {
  return {.said = Said{.text = std::move(text), .outcome = outcome, .citations = {}}};
}

std::string comfort(const Understanding& u) {
  return u.sentiment <= -0.4 ? "I am sorry, I know this is annoying. " : "";
}

}  // namespace

Contribution PaymentStatusAgent::run(const Turn& turn) const {
  const LookUp& found = turn.look_up;
  const Understanding& u = turn.understanding;
  const bool grievance = u.main.intent.top == IntentClass::complaint;
  if (grievance && found.incident != nullptr) {
    return told(
        comfort(u) + incident_in_words(*found.incident, turn) +
            " Your money is safe: what was taken for a failed payment comes back by itself. "
            "Another way of paying works meanwhile; I can register a complaint if you want.",
        Outcome::answered);
  }
  if (turn.verified() && found.payment != nullptr) {
    return told(payment_in_words(*found.payment, turn),
                grievance ? Outcome::answered : Outcome::account);
  }
  if (grievance) return {.next = "ticket"};
  if (!turn.verified()) {
    const std::string& intent = u.main.intent.name;
    Contribution delta = ask_for_code(turn, intent);
    if (found.incident != nullptr) {
      delta.said->text = incident_in_words(*found.incident, turn) + " " + delta.said->text;
    }
    return delta;
  }
  return {.next = "account"};
}

}  // namespace payops::support_agent
