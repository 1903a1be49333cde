// An agent of one's own in the support graph: docs/adding-an-agent.md, step by step.
#include <cstdio>
#include <memory>

#include "payops/support_agent/intent_classifiers.h"
#include "payops/support_agent/support_agent.h"

using namespace payops::support_agent;  // NOLINT

namespace {

// 1. A class: its name, and what it makes of a message that the router gives it.
class LockerAgent final : public ChatNode {
 public:
  std::string_view name() const override { return "locker"; }
  Contribution run(const Turn& turn) const override {
    Contribution delta;
    Wish wish;
    Ticket request;
    request.session_id = turn.session->id;
    request.user_id = turn.message->user_id;
    request.category = "locker";
    request.subject = masked_words(turn.message->text, 200);
    request.created_ts = turn.now_ms;
    wish.ticket = std::move(request);
    delta.said = Said{.text = "I have put you on the list for a locker as request {ticket}.",
                      .outcome = Outcome::account,
                      .citations = {}};
    delta.wish = std::move(wish);
    return delta;
  }
};

// 2. What customers write when they want it, in config/support/intents.
constexpr const char* kIntents =
    "intents:\n"
    "  - name: locker\n"
    "    class: ACCOUNT\n"
    "    about: A safe-deposit locker.\n"
    "    keywords: [locker]\n"
    "    examples: [i want a locker, locker chahiye]\n";

}  // namespace

int main() {
  IntentCatalogue catalogue;
  if (!add_intents(catalogue, kIntents, "locker.yaml")) return 1;
  DerivedVault vault;
  SupportAgent agent(vault,
                     [](ChatNodes& nodes) { nodes.push_back(std::make_unique<LockerAgent>()); });
  agent.know({.classifier = std::make_shared<KeywordClassifier>(catalogue),
              .embed = {},
              .model_hash = "keywords"});
  // 3. An entry that names the intent; the rest stays as it was.
  SupportConfig config;
  config.agents = default_agents();
  config.agents.insert(config.agents.begin(),
                       {.name = "locker", .intents = {"locker"}, .classes = {}});
  if (const payops::Status configured = agent.configure(config); !configured) {
    std::fprintf(stderr, "%s\n", configured.error().message.c_str());
    return 1;
  }
  SupportInput input;
  input.step = 1;
  input.at_ms = 1'772'443'800'000;
  ChatMessage message;
  message.message_id = "m-1";
  message.user_id = "asha";
  message.text = "do you have a locker for me";
  input.messages.push_back({message, {}, false});
  const auto taken = agent.step(std::move(input));
  if (!taken || agent.replies().empty()) return 1;
  const ChatReply& reply = agent.replies().front();
  std::printf("%s: %s\n", reply.agent.c_str(), reply.text.c_str());
  return reply.agent == "locker" && reply.ticket_id == "T-1-1" ? 0 : 1;
}
