#include <algorithm>

#include "agents.h"
#include "phrases.h"

namespace payops::support_agent {
namespace {

Contribution quote(const Turn& turn, const FaqHit& hit) {
  const FaqArticle* article = turn.faq->find(hit.id);
  return {.said = Said{.text = article->short_answer() + "\n(" + article->title + ")",
                       .outcome = Outcome::answered,
                       .citations = {article->id}}};
}

Contribution offer(const Turn& turn) {
  const auto& hits = turn.look_up.hits;
  Pending pending{.what = Awaiting::choose,
                  .intent = turn.understanding.main.intent.name,
                  .question = "",
                  .text = turn.message->text,
                  .choices = {},
                  .asked = 1};
  std::string list;
  for (const FaqHit& hit : hits) {
    pending.choices.push_back(hit.id);
    list += "\n" + std::to_string(pending.choices.size()) + ". " + turn.faq->find(hit.id)->title;
  }
  pending.question = "Which of these did you mean?" + list;
  Contribution delta;
  delta.said = Said{.text = "I want to give you the right answer. " + pending.question +
                            "\nType its number, or ask in other words.",
                    .outcome = Outcome::asked,
                    .citations = {}};
  delta.wish = Wish{.ticket = {},
                    .handover = {},
                    .send_code = false,
                    .notify = {},
                    .pending = std::move(pending),
                    .verified = false,
                    .count_failure = false};
  return delta;
}

}  // namespace

Contribution FaqAgent::run(const Turn& turn) const {
  const LookUp& found = turn.look_up;
  if (!found.hits.empty() && found.confidence >= turn.config->answer_above) {
    return quote(turn, found.hits.front());
  }
  if (!found.hits.empty() && found.confidence >= turn.config->offer_above) return offer(turn);
  Contribution delta;
  delta.said = Said{.text =
                        "I have no article that answers this, and I do not guess. Shall I get a "
                        "person who knows?",
                    .outcome = Outcome::refused,
                    .citations = {}};
  Wish wish;
  wish.count_failure = true;
  wish.pending = Pending{.what = Awaiting::person,
                         .intent = turn.understanding.main.intent.name,
                         .question = "Shall I get a person?",
                         .text = turn.message->text,
                         .choices = {},
                         .asked = 1};
  delta.wish = std::move(wish);
  return delta;
}

}  // namespace payops::support_agent
