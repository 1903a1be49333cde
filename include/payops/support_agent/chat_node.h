// The nodes of the support graph and what passes between them. A node reads the turn and returns a
// contribution; the graph merges it. An agent of one's own is a class with this interface and an
// entry in config/support.yaml naming its intents; docs/adding-an-agent.md has one.
//
//   class ChequeAgent final : public ChatNode {
//    public:
//     std::string_view name() const override { return "cheque"; }
//     Contribution run(const Turn& turn) const override {
//       return {.said = Said{.text = "…", .outcome = Outcome::answered}};
//     }
//   };
//
// Pure and deterministic; safe to call from one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/graph/graph.h"
#include "payops/model/effect.h"
#include "payops/support_agent/chat.h"
#include "payops/support_agent/faq.h"
#include "payops/support_agent/session.h"
#include "payops/support_agent/support_config.h"

namespace payops::support_agent {

enum class Risk : uint8_t { none, low, high, critical };

// Things named in a message.
struct Entities {
  std::optional<int64_t> amount_minor;
  std::string issuer, method;  // by the names of payments
  std::string ticket_id;
  std::string last4;
  std::string code;  // six digits alone
};

// Of one sentence.
struct Part {
  std::string text;
  IntentAnswer understood;
};

// What reason found.
struct Understanding {
  IntentAnswer main;        // what must not be lost
  std::vector<Part> parts;  // sentences, in order; at least one
  std::string also;         // text of another sentence that asks something else, or empty
  Entities entities;
  double sentiment = 0.0;  // -1 (furious) to 1 (delighted)
  bool abusive = false;
  bool cancels = false;   // "never mind", "cancel that"
  bool corrects = false;  // "no, I meant…"
  bool yes = false, no = false;
  bool follows_up = false;   // leans on the message before it
  bool foreign = false;      // neither English nor romanised Hinglish
  bool others_data = false;  // asks for somebody else's data
  bool thanks = false, greets = false;
  bool asks = false;    // has the form of a question
  bool how_to = false;  // asks how something is done, whoever does it
  Risk risk = Risk::none;
};

struct LookUp {
  std::string question;  // as asked of the index, context added
  std::vector<FaqHit> hits;
  double confidence = 0.0;
  const Incident* incident = nullptr;  // that explains this customer's trouble; lives as the turn
  const KnownPayment* payment = nullptr;
};

struct Route {
  std::string agent;
  std::string why;
};

// What an agent says; the reply's text is put together from all of these in a turn. "{ticket}" in
// it becomes the number of the ticket that the turn opened.
struct Said {
  std::string text;
  Outcome outcome = Outcome::answered;
  std::vector<std::string> citations{};
};

// What an agent asks to be done; `act` carries it out.
struct Wish {
  std::optional<Ticket> ticket{};    // opened or changed; without an id: a new one
  std::string handover{};            // reason, or empty
  bool send_code = false;            // a one-time code for the step-up check
  std::string notify{};              // text to the customer's registered address, or empty
  std::optional<Pending> pending{};  // what is awaited from now on
  bool verified = false;             // the code was right
  bool count_failure = false;        // the message was not understood
};

struct Contribution {
  std::optional<Understanding> understanding{};
  std::optional<LookUp> look_up{};
  std::optional<Route> route{};
  std::optional<Said> said{};
  std::optional<Wish> wish{};
  std::optional<Said> instead{};  // of everything said so far; the gate's
  std::string next{};             // agent to run after this one in the same turn, or empty
  std::string by{};               // the agent; filled in by the graph
};

// One message's way through the graph.
struct Turn {
  const ChatMessage* message = nullptr;
  const CustomerView* customer = nullptr;
  const SupportConfig* config = nullptr;
  const FaqIndex* faq = nullptr;
  const IntentClassifier* classifier = nullptr;
  const std::map<std::string, Incident>* incidents = nullptr;   // open, by id
  const std::map<std::string, std::string>* actions = nullptr;  // type by action id
  const std::map<std::string, Ticket>* tickets = nullptr;       // open ones, by id
  const Session* session = nullptr;                             // before this message
  bool limited = false;                                         // too many messages
  int64_t now_ms = 0;

  Understanding understanding;
  LookUp look_up;
  Route route;
  std::string next;
  std::vector<Said> said;
  std::string withheld;             // why the gate let something else be said, or empty
  std::vector<std::string> agents;  // that spoke, in order
  Wish wish;
  [[nodiscard]] bool verified() const {
    return wish.verified || session->verified_until_ms > now_ms;
  }
};

class ChatNode {
 public:
  virtual ~ChatNode() = default;
  // As in the graph, in replies and in config/support.yaml.
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual Contribution run(const Turn& turn) const = 0;
};

void reduce(Turn& turn, Contribution&& delta);
// What a node returns must make sense before it is kept. Errors: internal.
[[nodiscard]] Status check(const Turn& turn, const Contribution& delta);

// The parts that every support graph has.
using ChatNodes = std::vector<std::unique_ptr<ChatNode>>;
[[nodiscard]] std::unique_ptr<ChatNode> make_understand();
[[nodiscard]] std::unique_ptr<ChatNode> make_look_up();
[[nodiscard]] std::unique_ptr<ChatNode> make_router();
// person, payment_status, account, ticket, faq, fallback.
[[nodiscard]] ChatNodes make_agents();
// A second request in the same message, and the way back to what was being asked.
[[nodiscard]] std::unique_ptr<ChatNode> make_follow_through();
// Nothing personal before the step-up check, no danger to life without a person.
[[nodiscard]] std::unique_ptr<ChatNode> make_gate();

// "…since 14:02": a moment as customers are told of it.
[[nodiscard]] std::string clock_time(int64_t ts_ms, const SupportConfig& config);
// "Rs 2,400" or "Rs 2,400.50".
[[nodiscard]] std::string spoken_amount(int64_t amount_minor, std::string_view currency);
// "UPI payments through HDFC have been failing since 14:02 and are being routed around it."
[[nodiscard]] std::string incident_in_words(const Incident& incident, const Turn& turn);

}  // namespace payops::support_agent
