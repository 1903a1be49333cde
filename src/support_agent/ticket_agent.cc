#include <algorithm>
#include <array>

#include "agents.h"
#include "payops/support_agent/text_features.h"
#include "phrases.h"
#include "ticket_detail.h"

namespace payops::support_agent {
namespace {

constexpr std::size_t kNoteBytes = 300;
constexpr std::size_t kNotesMax = 20;

// What happens next, by category; what a customer wants to hear first.
struct Promise {
  std::string_view category;
  std::string_view text;
  std::string_view detail;  // what would help, asked for when the message lacks it; may be empty
};
constexpr std::array<Promise, 11> kPromises{{
    {"payment_debited_not_credited",
     "Money that left your account for a payment that failed is returned by itself, mostly within "
     "3 to 5 working days; we watch that it is.",
     "Please tell me the amount, the day, and whom you paid."},
    {"charged_twice", "We compare both entries and return the one too many.",
     "Please tell me the amount and the shop."},
    {"payment_failed_why", "We look at what stopped it.",
     "Please tell me the amount, the time and how you paid."},
    {"wrong_amount", "We check what was agreed against what was taken.",
     "Please tell me the right amount and the one that was charged."},
    {"wrong_payee",
     "We ask the receiving bank to hold the money; it can be returned only with the receiver's "
     "consent, so every hour counts.",
     "Please tell me the amount, and the account or UPI id that it went to."},
    {"refund_overdue", "We trace the refund with the merchant's bank.",
     "Please tell me the amount, the merchant and when the refund was promised."},
    {"dispute", "We open a dispute with the merchant's bank; you will be asked for proof.",
     "Please tell me the merchant, the amount and what went wrong."},
    {"card_swallowed", "We check the machine's records and its cash.",
     "Please tell me where the machine stands, when it was, and the amount."},
    {"cashback_missing", "We check the offer's terms against your purchase.",
     "Please tell me which offer, and the purchase's day and amount."},
    {"account_blocked", "We look at why it was done and what lifts it.", ""},
    {"rude_service", "Somebody who was not involved reads it and answers you.",
     "Please tell me where and when it happened."},
}};

const Promise& promise_for(std::string_view category) {
  static constexpr Promise kOther{"", "Somebody looks into it and tells you.", ""};
  const auto it = std::find_if(kPromises.begin(), kPromises.end(),
                               [&](const Promise& p) { return p.category == category; });
  return it == kPromises.end() ? kOther : *it;
}

std::string sorry(const Turn& turn) {
  return turn.understanding.sentiment <= -0.4 ? "I understand that you are upset, and I am sorry. "
                                              : "I am sorry about that. ";
}

std::string status_in_words(const Ticket& ticket, const Turn& turn) {
  std::string text = "Ticket " + ticket.id + " (" + in_words(ticket.category) + ", opened at " +
                     clock_time(ticket.created_ts, *turn.config) + ") is ";
  switch (ticket.status) {
    case TicketStatus::open:
      return text + "open: somebody is looking into it.";
    case TicketStatus::escalated:
      return text + "with a person, who will write to you here.";
    case TicketStatus::resolved:
      return text + "resolved.";
  }
  return text;
}

// The ticket spoken of, or the customer's latest; never another customer's.
const Ticket* ticket_meant(const Turn& turn) {
  const std::string& named = turn.understanding.entities.ticket_id;
  const auto own = [&](const Ticket& t) { return t.user_id == turn.message->user_id; };
  if (!named.empty()) {
    const auto it = turn.tickets->find(named);
    return it != turn.tickets->end() && own(it->second) ? &it->second : nullptr;
  }
  const Ticket* newest = nullptr;
  for (const auto& [id, ticket] : *turn.tickets) {
    if (own(ticket) && (newest == nullptr || ticket.created_ts >= newest->created_ts)) {
      newest = &ticket;
    }
  }
  return newest;
}

Contribution say(std::string text, Outcome outcome, std::optional<Ticket> ticket = {}) {
  Contribution delta;
  delta.said = Said{.text = std::move(text), .outcome = outcome, .citations = {}};
  if (ticket) {
    Wish wish;
    wish.ticket = std::move(ticket);
    delta.wish = std::move(wish);
  }
  return delta;
}

Contribution status(const Turn& turn) {
  const Ticket* ticket = ticket_meant(turn);
  const std::string& named = turn.understanding.entities.ticket_id;
  if (ticket == nullptr && !named.empty()) {
    return say("I find no ticket " + named + " of yours. Please check the number.",
               Outcome::account);
  }
  if (ticket == nullptr) {
    return say("You have no open ticket with us. Tell me what went wrong and I register it.",
               Outcome::account);
  }
  return say(status_in_words(*ticket, turn), Outcome::account);
}

Contribution add_note(const Turn& turn, const Ticket& known, const char* prefix) {
  Ticket ticket = known;
  const std::string note = prefix + masked_words(turn.message->text, kNoteBytes);
  if (ticket.notes.size() < kNotesMax) ticket.notes.push_back(note);
  std::string text = "Thank you. I have added that to your ticket " + ticket.id + ".";
  return say(std::move(text), Outcome::ticket, std::move(ticket));
}

Contribution withdraw(const Turn& turn, const Ticket& known) {
  Ticket ticket = known;
  ticket.status = TicketStatus::resolved;
  ticket.resolved_ts = turn.now_ms;
  ticket.notes.emplace_back("withdrawn by the customer");
  std::string text =
      "All right, I have closed ticket " + ticket.id + ". If it comes back, just tell me.";
  return say(std::move(text), Outcome::ticket, std::move(ticket));
}

Contribution open(const Turn& turn, std::string_view category) {
  const Promise& promise = promise_for(category);
  Ticket ticket = new_ticket(turn, category);
  if (turn.look_up.incident != nullptr) {
    ticket.notes.push_back("incident " + turn.look_up.incident->id + ": " +
                           turn.look_up.incident->message);
  }
  const bool urgent = ticket.priority >= Priority::high;
  Contribution delta;
  Wish wish;
  std::string text = sorry(turn) + "I have registered it as ticket {ticket}" +
                     (urgent ? ", with priority. " : ". ") + std::string(promise.text);
  if (turn.look_up.incident != nullptr) {
    text += " " + incident_in_words(*turn.look_up.incident, turn);
  }
  const bool lacks = !turn.understanding.entities.amount_minor.has_value();
  if (lacks && !promise.detail.empty()) {
    text += " " + std::string(promise.detail);
    wish.pending = Pending{.what = Awaiting::ticket_detail,
                           .intent = std::string(category),
                           .question = std::string(promise.detail),
                           .text = turn.message->text,
                           .choices = {},
                           .asked = 1};
  }
  wish.ticket = std::move(ticket);
  wish.notify = "We have registered your complaint as {ticket}.";
  delta.said = Said{.text = std::move(text), .outcome = Outcome::ticket, .citations = {}};
  delta.wish = std::move(wish);
  return delta;
}

}  // namespace

Contribution TicketAgent::run(const Turn& turn) const {
  const Understanding& u = turn.understanding;
  const auto current = turn.tickets->find(turn.session->ticket_id);
  const bool has_current = current != turn.tickets->end() &&
                           current->second.status != TicketStatus::resolved &&
                           current->second.user_id == turn.message->user_id;
  if (u.cancels && has_current) return withdraw(turn, current->second);
  const bool answers = turn.session->pending.what == Awaiting::ticket_detail;
  const std::string& intent = u.main.intent.name;
  const bool same_matter = has_current && current->second.category == intent;
  if (intent == "ticket_status") return status(turn);
  if (has_current && u.corrects) return add_note(turn, current->second, "correction: ");
  const bool detail =
      same_matter || gives_detail(turn) || u.main.intent.top != IntentClass::complaint;
  if (has_current && answers && detail) {
    return add_note(turn, current->second, "");
  }
  if (const Ticket* known = open_ticket(turn, intent); known != nullptr) {
    return add_note(turn, *known, "");
  }
  return open(turn, intent);
}

}  // namespace payops::support_agent
