// decide: who answers.
#include <algorithm>

#include "payops/support_agent/chat_node.h"
#include "ticket_detail.h"

namespace payops::support_agent {
namespace {

constexpr double kLikelyOther = 0.5;
constexpr double kSharedWords = 0.2;  // of a question's with an article, below which it is chance

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The entry for an intent: by its name, else by its class.
std::string agent_of(const Intent& intent, const std::vector<AgentEntry>& agents) {
  for (const AgentEntry& entry : agents) {
    if (names(entry.intents, intent.name)) return entry.name;
  }
  for (const AgentEntry& entry : agents) {
    if (names(entry.classes, name_of(intent.top))) return entry.name;
  }
  return "fallback";
}

// Whether the message is an answer to what was asked, and which agent asked. Plain words of the
// conversation count for more than what a model makes of two words.
std::string asker(const Turn& turn) {
  const Pending& pending = turn.session->pending;
  const Understanding& u = turn.understanding;
  const bool own_matter = u.main.intent.top != IntentClass::unknown &&
                          u.main.confidence >= kLikelyOther &&
                          u.main.intent.name != pending.intent && !gives_detail(turn);
  const bool changes_ticket = u.cancels || u.corrects;
  switch (pending.what) {
    case Awaiting::code:
      return !u.entities.code.empty() || u.cancels ? "account" : "";
    case Awaiting::choose:
      return turn.look_up.confidence >= 1.0 ? "faq" : "";
    case Awaiting::person:
      return u.yes ? "person" : u.no ? "fallback" : "";
    case Awaiting::ticket_detail:
      if (u.thanks || u.greets) return "";
      if (changes_ticket) return "ticket";
      return own_matter || u.main.intent.to_person || u.asks ? "" : "ticket";
    case Awaiting::nothing:
      return changes_ticket && !turn.session->ticket_id.empty() ? "ticket" : "";
  }
  return "";
}

// An article that answers, where the message is a question that no other agent must have.
bool article_answers(const Turn& turn) {
  const Understanding& u = turn.understanding;
  if (turn.look_up.confidence < turn.config->answer_above || u.risk != Risk::none) return false;
  if (turn.look_up.hits.front().bm25 < kSharedWords) return false;
  if (u.main.intent.top == IntentClass::unknown) return u.asks && !u.thanks && !u.greets;
  // "How do I change my PIN" is a general question, "change my PIN" is not.
  return u.main.intent.top == IntentClass::account && u.how_to;
}

// Then it is a general question, of the kind that the article is about.
Understanding as_general_question(const Turn& turn) {
  Understanding u = turn.understanding;
  for (const IntentGuess& guess : u.main.alternatives) {
    if (guess.intent.top != IntentClass::faq) continue;
    u.main.intent = guess.intent;
    return u;
  }
  const FaqArticle* article = turn.faq->find(turn.look_up.hits.front().id);
  const std::string name = article->intents.empty() ? "faq" : article->intents.front();
  u.main.intent = {name, IntentClass::faq, false};
  return u;
}

class Router final : public ChatNode {
 public:
  std::string_view name() const override { return "route"; }
  Contribution run(const Turn& turn) const override {
    const auto to = [](std::string agent, std::string why) {
      return Contribution{.route = Route{std::move(agent), std::move(why)}};
    };
    const Understanding& u = turn.understanding;
    if (turn.limited) return to("fallback", "too many messages from this user");
    const std::string waiting = asker(turn);
    if (u.risk == Risk::critical || (u.main.intent.to_person && waiting.empty())) {
      return to(agent_of(u.main.intent, turn.config->agents),
                "must not wait: " + u.main.intent.name);
    }
    const bool with_person = turn.session->with_person || !turn.session->handover.empty();
    if (with_person && !u.cancels) return to("person", "handed over");
    if (u.foreign || u.others_data) return to("fallback", "nothing this agent may answer");
    if (!waiting.empty()) return to(waiting, "an answer to what was asked");
    if (article_answers(turn)) {
      Contribution delta = to("faq", "an article answers it");
      delta.understanding = as_general_question(turn);
      return delta;
    }
    return to(agent_of(u.main.intent, turn.config->agents), "intent " + u.main.intent.name);
  }
};

}  // namespace

std::vector<AgentEntry> default_agents() {
  return {{.name = "person",
           .intents = {"self_harm", "unrecognised_payment", "legal_threat", "talk_to_person"},
           .classes = {}},
          {.name = "payment_status",
           .intents = {"payment_failed_why", "payment_status", "refund_status"},
           .classes = {}},
          {.name = "ticket", .intents = {"ticket_status"}, .classes = {"COMPLAINT"}},
          {.name = "account", .intents = {}, .classes = {"ACCOUNT"}},
          {.name = "faq", .intents = {}, .classes = {"FAQ"}},
          {.name = "fallback", .intents = {}, .classes = {"UNKNOWN"}}};
}

Status SupportConfig::validate() const {
  const auto share = [](double v) { return v >= 0.0 && v <= 1.0; };
  if (!share(answer_above) || !share(offer_above) || offer_above > answer_above) {
    return fail(ErrorCode::config,
                "\"answer_above\" and \"offer_above\" must be from 0 to 1, the second no larger");
  }
  if (session_idle_s < 1 || verified_s < 1 || code_s < 1) {
    return fail(ErrorCode::config,
                "\"session_idle_s\", \"verified_s\" and \"code_s\" must be at least 1");
  }
  if (code_tries < 1 || failures_to_person < 1 || messages_per_minute < 1 || sessions_max < 1 ||
      remembered_messages < 1) {
    return fail(ErrorCode::config,
                "\"code_tries\", \"failures_to_person\", \"messages_per_minute\", \"sessions_max\" "
                "and \"remembered_messages\" must be at least 1");
  }
  for (const AgentEntry& entry : agents) {
    if (entry.name.empty()) return fail(ErrorCode::config, "an agent needs a \"name\"");
    for (const std::string& name : entry.classes) {
      if (!parse_enum<IntentClass>(name)) {
        return fail(ErrorCode::config, "the agent \"" + entry.name + "\": there is no class \"" +
                                           name + "\"; FAQ, ACCOUNT, COMPLAINT or UNKNOWN");
      }
    }
  }
  return topology.validate();
}

std::unique_ptr<ChatNode> make_router() { return std::make_unique<Router>(); }

}  // namespace payops::support_agent
