// The last two nodes before anything is done: what else was asked, and whether it may be said.
#include <algorithm>

#include "agents.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

class FollowThrough final : public ChatNode {
 public:
  std::string_view name() const override { return "follow_through"; }
  Contribution run(const Turn& turn) const override {
    Contribution delta;
    if (turn.route.agent == "person" || turn.limited) return delta;
    if (const std::string& also = turn.understanding.also; !also.empty()) {
      delta.said = second_answer(turn, also);
    }
    resume(turn, delta);
    return delta;
  }

 private:
  static std::optional<Said> second_answer(const Turn& turn, const std::string& also) {
    const auto& parts = turn.understanding.parts;
    const auto part =
        std::find_if(parts.begin(), parts.end(), [&](const Part& p) { return p.text == also; });
    if (part == parts.end()) return std::nullopt;
    const Intent& intent = part->understood.intent;
    if (intent.top != IntentClass::faq) {
      return Said{.text = "You also wrote about " + in_words(intent.name) +
                          ": ask me that next and I see to it.",
                  .outcome = Outcome::asked,
                  .citations = {}};
    }
    const std::vector<std::pair<std::string, double>> likely{
        {intent.name, part->understood.confidence}};
    const auto hits = turn.faq->search(also, likely, 2);
    if (hits.empty() || faq_confidence(hits) < turn.config->answer_above) return std::nullopt;
    const FaqArticle* article = turn.faq->find(hits.front().id);
    return Said{.text = "And to your other question: " + article->short_answer(),
                .outcome = Outcome::answered,
                .citations = {article->id}};
  }

  // A question in between does not end what was being asked.
  static void resume(const Turn& turn, Contribution& delta) {
    const Pending& pending = turn.session->pending;
    const bool waits = pending.what == Awaiting::code || pending.what == Awaiting::ticket_detail;
    const bool small_talk = turn.understanding.thanks || turn.understanding.greets;
    const bool digression =
        (turn.route.agent == "faq" || small_talk) && !turn.wish.pending.has_value();
    if (!waits || !digression || pending.asked >= 3) return;
    Pending again = pending;
    ++again.asked;
    const std::string back = "Back to where we were: " + pending.question;
    if (delta.said) {
      delta.said->text += "\n" + back;
    } else {
      delta.said = Said{.text = back, .outcome = Outcome::asked, .citations = {}};
    }
    Wish wish;
    wish.pending = std::move(again);
    delta.wish = std::move(wish);
  }
};

bool says(const Turn& turn, const std::string& secret) {
  return !secret.empty() && std::any_of(turn.said.begin(), turn.said.end(), [&](const Said& said) {
    return said.text.find(secret) != std::string::npos;
  });
}

class Gate final : public ChatNode {
 public:
  std::string_view name() const override { return "gate"; }
  Contribution run(const Turn& turn) const override {
    const CustomerView& c = *turn.customer;
    if (says(turn, c.email) || says(turn, c.phone)) {
      return withhold("I may not write that here. A person can help you with it.",
                      Outcome::refused);
    }
    if (!turn.verified()) {
      const bool personal = says(turn, "****" + c.card_last4) && !c.card_last4.empty();
      const bool payment =
          turn.look_up.payment != nullptr &&
          says(turn, "Your payment of " + spoken_amount(turn.look_up.payment->amount_minor,
                                                        turn.look_up.payment->currency));
      if (personal || payment) {
        return withhold("I must check that it is you before I tell you more.", Outcome::refused);
      }
    }
    const bool danger = turn.understanding.risk == Risk::critical;
    if (danger && turn.wish.handover.empty() && turn.session->handover.empty()) {
      Contribution delta = withhold(
          "Please call " + turn.config->helpline + " now. I have called a person into this chat.",
          Outcome::handover);
      Wish wish;
      wish.handover = "self_harm";
      delta.wish = std::move(wish);
      return delta;
    }
    return {};
  }

 private:
  static Contribution withhold(std::string text, Outcome outcome) {
    return {.instead = Said{.text = std::move(text), .outcome = outcome, .citations = {}}};
  }
};

void merge(Wish& into, Wish&& from) {
  if (from.ticket) into.ticket = std::move(from.ticket);
  if (!from.handover.empty()) into.handover = std::move(from.handover);
  if (!from.notify.empty()) into.notify = std::move(from.notify);
  if (from.pending) into.pending = std::move(from.pending);
  into.send_code = into.send_code || from.send_code;
  into.verified = into.verified || from.verified;
  into.count_failure = into.count_failure || from.count_failure;
}

}  // namespace

std::unique_ptr<ChatNode> make_follow_through() { return std::make_unique<FollowThrough>(); }
std::unique_ptr<ChatNode> make_gate() { return std::make_unique<Gate>(); }

ChatNodes make_agents() {
  ChatNodes agents;
  agents.push_back(std::make_unique<PersonAgent>());
  agents.push_back(std::make_unique<PaymentStatusAgent>());
  agents.push_back(std::make_unique<AccountAgent>());
  agents.push_back(std::make_unique<TicketAgent>());
  agents.push_back(std::make_unique<FaqAgent>());
  agents.push_back(std::make_unique<FallbackAgent>());
  return agents;
}

Status check(const Turn& turn, const Contribution& delta) {
  if (delta.route && delta.route->agent.empty()) {
    return fail(ErrorCode::internal, "the router named no agent");
  }
  if (delta.said && delta.said->text.empty()) {
    return fail(ErrorCode::internal, "an agent said nothing, in so many words");
  }
  for (const auto* said :
       {delta.said ? &*delta.said : nullptr, delta.instead ? &*delta.instead : nullptr}) {
    if (said == nullptr) continue;
    for (const std::string& id : said->citations) {
      if (turn.faq->find(id) == nullptr) {
        return fail(ErrorCode::internal,
                    "an agent cites \"" + id + "\", and there is no such article");
      }
    }
  }
  return {};
}

void reduce(Turn& turn, Contribution&& delta) {
  if (delta.understanding) turn.understanding = std::move(*delta.understanding);
  if (delta.look_up) turn.look_up = std::move(*delta.look_up);
  if (delta.route) turn.route = std::move(*delta.route);
  if (delta.said) {
    turn.said.push_back(std::move(*delta.said));
    if (!delta.by.empty()) turn.agents.push_back(std::move(delta.by));
  }
  if (delta.instead) {
    turn.withheld = delta.instead->text;
    turn.said = {std::move(*delta.instead)};
  }
  if (delta.wish) merge(turn.wish, std::move(*delta.wish));
  turn.next = std::move(delta.next);
}

}  // namespace payops::support_agent
