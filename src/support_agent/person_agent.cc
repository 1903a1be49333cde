#include "agents.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

std::string words_for(const std::string& reason, const Turn& turn) {
  if (reason == "self_harm") {
    return "I am very sorry that you feel like this. You do not have to be alone with it: please "
           "call " +
           turn.config->helpline +
           " now. I have called a person into this chat. Whatever this is about money, it can "
           "wait.";
  }
  if (reason == "unrecognised_payment") {
    return "I am treating this as fraud. I have asked for your cards and UPI to be blocked at "
           "once; "
           "ticket {ticket} is urgent and a person takes over now. Do not share any code or PIN, "
           "and do not let anybody control your phone. You can also call the cyber-crime line "
           "1930.";
  }
  if (reason == "legal_threat") {
    return "I take this seriously. Ticket {ticket} goes to a person who can decide; they will "
           "write "
           "to you here. Nothing you said is lost.";
  }
  if (reason == "repeated_failure") {
    return "I do not seem to understand you, and I do not want to waste your time. A person takes "
           "over; what you wrote is passed on.";
  }
  return "Of course. A person takes over this chat; what you wrote so far is passed on. Your "
         "reference is {ticket}.";
}

}  // namespace

Contribution PersonAgent::run(const Turn& turn) const {
  const Session& session = *turn.session;
  const Understanding& u = turn.understanding;
  const bool urgent_news = u.main.intent.to_person && session.handover != u.main.intent.name;
  if (!session.handover.empty() && !urgent_news) {
    const std::string who = session.with_person ? "The person who is with you has"
                                                : "A person will be with you; they have";
    return {.said = Said{
                .text = who + " your message.", .outcome = Outcome::handover, .citations = {}}};
  }
  std::string reason = u.main.intent.to_person ? u.main.intent.name : "talk_to_person";
  // Another agent gave up.
  if (turn.route.agent != "person" && !u.main.intent.to_person) reason = "repeated_failure";
  Contribution delta;
  Wish wish;
  Ticket ticket = new_ticket(turn, reason);
  ticket.status = TicketStatus::escalated;
  wish.ticket = std::move(ticket);
  wish.handover = reason;
  delta.said = Said{.text = words_for(reason, turn), .outcome = Outcome::handover, .citations = {}};
  delta.wish = std::move(wish);
  return delta;
}

}  // namespace payops::support_agent
