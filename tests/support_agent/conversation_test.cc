#include <doctest/doctest.h>

#include <set>

#include "desk_of_tests.h"
#include "payops/core/json_fields.h"
#include "payops/model/intervention.h"

namespace payops::support_agent {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> topics_of(const StepOutput& output) {
  std::vector<std::string> topics;
  for (const OutboxEntry& entry : output.outbox) topics.push_back(entry.topic);
  return topics;
}

TEST_CASE("a general question is answered by the article, quoted and cited") {
  TestDesk desk;
  const ChatReply reply = desk.say("what fees does upi have");
  CHECK(reply.agent == "faq");
  CHECK(reply.outcome == Outcome::answered);
  CHECK(has(reply.text, "UPI payments are free for customers."));
  CHECK(reply.citations == std::vector<std::string>{"fees_upi"});
}

TEST_CASE("a follow-up is understood from the message before it") {
  TestDesk desk;
  (void)desk.say("how many days does a refund take");
  const ChatReply reply = desk.say("and for a credit card?");
  CHECK(reply.agent == "faq");
  CHECK(reply.citations == std::vector<std::string>{"refund_credit_card"});
}

TEST_CASE("a question without an article is not answered by invention") {
  TestDesk desk;
  const ChatReply reply = desk.say("cheque");
  CHECK(reply.agent == "faq");
  CHECK(reply.outcome == Outcome::refused);
  CHECK(reply.citations.empty());
  CHECK(desk.say("yes").outcome == Outcome::handover);
}

TEST_CASE("a complaint becomes a ticket, a second word on it a note, a third withdraws it") {
  TestDesk desk;
  const ChatReply opened = desk.say("i was charged twice");
  CHECK(opened.outcome == Outcome::ticket);
  REQUIRE(desk.agent_.tickets().count(opened.ticket_id) == 1);
  CHECK(has(opened.text, opened.ticket_id));
  const ChatReply more = desk.say("it was Rs 640 at Metro Pharmacy");
  CHECK(more.ticket_id == opened.ticket_id);
  CHECK(desk.agent_.tickets().at(opened.ticket_id).notes.size() == 1);
  const ChatReply gone = desk.say("never mind");
  CHECK(has(gone.text, opened.ticket_id));
  CHECK(desk.agent_.tickets().at(opened.ticket_id).status == TicketStatus::resolved);
}

TEST_CASE("nothing personal before the code, and the code works once") {
  TestDesk desk;
  const ChatReply asked = desk.say("what is my balance");
  CHECK(asked.agent == "account");
  CHECK(asked.ticket_id.empty());
  CHECK(!has(asked.text, "9876543210"));
  const std::string code = desk.code();
  REQUIRE(code.size() == 6);
  CHECK(!has(asked.text, code));
  const ChatReply served = desk.say(code);
  CHECK(!served.ticket_id.empty());
  const Session* session = desk.agent_.session(served.session_id);
  REQUIRE(session != nullptr);
  CHECK(session->verified_until_ms > desk.now_ms_);
  CHECK(session->code_hash.empty());
}

TEST_CASE("three wrong codes go to a person") {
  TestDesk desk;
  (void)desk.say("what is my balance");
  const std::string right = desk.code();
  const std::string wrong = right == "111111" ? "222222" : "111111";
  CHECK(desk.say(wrong).outcome == Outcome::account);
  CHECK(desk.say(wrong).outcome == Outcome::account);
  const ChatReply last = desk.say(wrong);
  CHECK(last.outcome == Outcome::handover);
  CHECK(desk.agent_.session(last.session_id)->handover == "step_up_failed");
}

TEST_CASE("a question in between does not end what was being asked") {
  TestDesk desk;
  (void)desk.say("what is my balance");
  const std::string code = desk.code();
  const ChatReply aside = desk.say("how many days does a refund take");
  CHECK(aside.agent == "faq");
  CHECK(has(aside.text, "Back to where we were"));
  CHECK(!desk.say(code).ticket_id.empty());
}

TEST_CASE("danger to life goes to a person at once, with the helpline, whatever was asked") {
  TestDesk desk;
  (void)desk.say("what is my balance");
  const ChatReply reply = desk.say("i think of suicide");
  CHECK(reply.agent == "person");
  CHECK(has(reply.text, "14416"));
  CHECK(desk.agent_.session(reply.session_id)->handover == "self_harm");
  CHECK(desk.agent_.tickets().at(reply.ticket_id).priority == Priority::urgent);
}

TEST_CASE("an incident is told to those it touches, and to nobody else") {
  TestDesk desk;
  SupportInput news;
  Incident incident;
  incident.id = "inc-1";
  incident.severity = Severity::high;
  incident.pattern = "issuer_outage";
  incident.instrument = {"HDFC", "upi", "*"};
  incident.begin_ts_ms = 1'772'440'320'000;  // 14:02 in India
  incident.action_ids = {"act-1"};
  news.incidents.push_back(incident);
  news.actions.emplace_back("act-1", std::string(action_type::kRerouteTraffic));
  (void)desk.take(std::move(news));
  const ChatReply told = desk.say("my payment failed");
  CHECK(told.agent == "payment_status");
  CHECK(has(told.text,
            "UPI payments through HDFC have been failing since 14:02 and are being routed around "
            "it."));
  desk.customer_.issuers = {"SBI"};
  const ChatReply other = desk.say("my payment failed", "ravi");
  CHECK(!has(other.text, "HDFC"));
  CHECK(other.agent == "ticket");
  incident.status = IncidentStatus::resolved;
  SupportInput over;
  over.incidents.push_back(incident);
  (void)desk.take(std::move(over));
  desk.customer_.issuers = {"HDFC"};
  CHECK(!has(desk.say("my payment failed", "meera").text, "HDFC"));
}

// Hears of an incident that began at 14:02.
void hear(TestDesk& desk, Incident incident) {
  incident.id = "inc-1";
  incident.begin_ts_ms = 1'772'440'320'000;
  SupportInput news;
  news.incidents.push_back(std::move(incident));
  (void)desk.take(std::move(news));
}

KnownPayment declined_payment(const TestDesk& desk) {
  KnownPayment payment;
  payment.payment_id = "pay-1";
  payment.ts_ms = desk.now_ms_;
  payment.issuer = "HDFC";
  payment.method = "upi";
  payment.status = "declined";
  return payment;
}

TEST_CASE("one merchant's fault is told to that merchant's customers only") {
  TestDesk desk;
  Incident incident;
  incident.pattern = "merchant_failure";
  incident.slice.merchant = "m_0007";
  hear(desk, incident);
  CHECK(!has(desk.say("my payment failed").text, "have been failing since"));
  KnownPayment payment = declined_payment(desk);
  payment.merchant = "m_0007";
  desk.customer_.payments = {payment};
  CHECK(has(desk.say("my payment failed", "ravi").text, "have been failing since"));
}

TEST_CASE("an upstream's fault is told to those whose payments stand on it") {
  SupportConfig config;
  config.topology.upstreams = {{.name = "NORTHBANK", .gateways = {"RAZORPAY", "PAYU"}}};
  TestDesk desk;
  REQUIRE(desk.agent_.configure(config));
  Incident incident;
  incident.pattern = "gateway_failure";
  incident.slice.upstream = "NORTHBANK";
  hear(desk, incident);
  CHECK(!has(desk.say("my payment failed").text, "have been failing since"));
  KnownPayment payment = declined_payment(desk);
  payment.gateway = "BILLDESK";
  desk.customer_.payments = {payment};
  CHECK(!has(desk.say("my payment failed", "meera").text, "have been failing since"));
  desk.customer_.payments.front().gateway = "PAYU";
  CHECK(has(desk.say("my payment failed", "ravi").text,
            "Payments on one of our payment partners have been failing since 14:02"));
}

TEST_CASE("complaints about paying are told to the payments agent, without a name") {
  TestDesk desk;
  (void)desk.say("my payment failed");
  bool found = false;
  for (const OutboxEntry& entry : desk.last_.outbox) {
    if (entry.topic != "support.signals") continue;
    found = true;
    const Json signal = Json::parse(entry.payload);
    CHECK(signal["issuer"] == "HDFC");
    CHECK(signal["method"] == "upi");
    CHECK(entry.payload.find("asha") == std::string::npos);
  }
  CHECK(found);
  (void)desk.say("my payment failed");  // one customer who says it again is one complaint
  for (const OutboxEntry& entry : desk.last_.outbox) CHECK(entry.topic != "support.signals");
}

TEST_CASE("the same message again gets the same bytes; its id with another text is a dead letter") {
  TestDesk desk;
  (void)desk.say("i was charged twice", "asha", "m-1");
  const std::string first = desk.last_.outbox.back().payload;
  (void)desk.say("i was charged twice", "asha", "m-1");
  CHECK(desk.last_.outbox.front().payload == first);
  CHECK(desk.agent_.tickets().size() == 1);
  SupportInput input;
  ChatMessage message;
  message.message_id = "m-1";
  message.user_id = "asha";
  message.text = "something else";
  input.messages.push_back({message, desk.customer_, false});
  (void)desk.take(std::move(input));
  CHECK(desk.agent_.replies().empty());
  CHECK(topics_of(desk.last_) == std::vector<std::string>{"dead-letters"});
}

TEST_CASE("another customer's session is not entered") {
  TestDesk desk;
  const ChatReply mine = desk.say("i was charged twice");
  SupportInput input;
  ChatMessage message;
  message.message_id = "x";
  message.user_id = "mallory";
  message.session_id = mine.session_id;
  message.text = "what is the ticket status " + mine.ticket_id;
  input.messages.push_back({message, {}, false});
  (void)desk.take(std::move(input));
  CHECK(desk.agent_.replies().front().session_id != mine.session_id);
}

TEST_CASE("a flood from one user is limited politely, and every message still gets a reply") {
  TestDesk desk;
  SupportInput input;
  for (int i = 0; i < 100; ++i) {
    ChatMessage message;
    message.message_id = "f" + std::to_string(i);
    message.user_id = "flood";
    message.text = "hello";
    input.messages.push_back({message, {}, false});
  }
  (void)desk.take(std::move(input));
  CHECK(desk.agent_.replies().size() == 100);
  CHECK(has(desk.agent_.replies().back().text, "faster than I can answer"));
}

TEST_CASE("every reply's record names the nodes that ran") {
  TestDesk desk;
  (void)desk.say("what fees does upi have");
  std::vector<std::string> nodes;
  for (const AuditRecord& record : desk.last_.audit) {
    if (record.kind != "chat") continue;
    const Json chat = Json::parse("{" + record.body + "}");
    for (const Json& node : chat["nodes"]) nodes.push_back(node["node"]);
  }
  CHECK(nodes == std::vector<std::string>{"observe", "understand", "look_up", "route", "faq",
                                          "follow_through", "gate", "notify", "act", "learn"});
}

TEST_CASE("recorded blocks, applied elsewhere, give the same state and the same messages") {
  TestDesk desk;
  for (const char* text : {"i was charged twice", "what is my balance", "hello", "and Rs 500",
                           "how many days does a refund take", "i want a human"}) {
    (void)desk.say(text);
  }
  SupportAgent again(desk.vault_);
  again.know(
      {.classifier = std::make_shared<WordClassifier>(), .embed = {}, .model_hash = "words"});
  for (std::size_t i = 0; i < desk.blocks_.size(); ++i) {
    if (i == 3) {
      SupportAgent restored(desk.vault_);
      restored.know(
          {.classifier = std::make_shared<WordClassifier>(), .embed = {}, .model_hash = "words"});
      REQUIRE(restored.restore(again.snapshot()).has_value());
      CHECK(restored.snapshot() == again.snapshot());
      const auto output = restored.apply(desk.blocks_[i]);
      REQUIRE(output.has_value());
      CHECK(output->digest == desk.digests_[i]);
    }
    const auto output = again.apply(desk.blocks_[i]);
    REQUIRE_MESSAGE(output.has_value(), (output ? "" : output.error().message));
    CHECK(output->digest == desk.digests_[i]);
  }
  CHECK(again.snapshot() == desk.agent_.snapshot());
}

TEST_CASE("what customers say lies in no block, row or snapshot in the clear") {
  TestDesk desk;
  (void)desk.say("i was charged twice at Lakeside Books");
  CHECK(desk.blocks_.back().find("Lakeside") == std::string::npos);
  CHECK(desk.agent_.snapshot().find("Lakeside") == std::string::npos);
  for (const TableRow& row : desk.last_rows_)
    CHECK(row.value.find("Lakeside") == std::string::npos);
  for (const AuditRecord& record : desk.last_.audit) {
    CHECK(record.body.find("Lakeside") == std::string::npos);
  }
}

TEST_CASE("a person takes over, answers and hands back") {
  TestDesk desk;
  const ChatReply asked = desk.say("i want a human");
  SupportInput input;
  input.commands = {{.id = "c1",
                     .kind = "take_over",
                     .by = "meera",
                     .user_id = {},
                     .session_id = asked.session_id,
                     .ticket_id = {},
                     .message_id = {},
                     .text = {},
                     .value = {},
                     .rows = {}},
                    {.id = "c2",
                     .kind = "reply",
                     .by = "meera",
                     .user_id = {},
                     .session_id = asked.session_id,
                     .ticket_id = {},
                     .message_id = {},
                     .text = "I am Meera, how can I help?",
                     .value = {},
                     .rows = {}}};
  (void)desk.take(std::move(input));
  bool sent = false;
  for (const OutboxEntry& entry : desk.last_.outbox) {
    if (entry.topic == "chat.outbound") sent = has(entry.payload, "I am Meera");
  }
  CHECK(sent);
  CHECK(desk.say("hello").handled_by == "person");
  SupportInput back;
  back.commands = {{.id = "c3",
                    .kind = "hand_back",
                    .by = "meera",
                    .user_id = {},
                    .session_id = asked.session_id,
                    .ticket_id = {},
                    .message_id = {},
                    .text = {},
                    .value = {},
                    .rows = {}}};
  (void)desk.take(std::move(back));
  CHECK(desk.say("what fees does upi have").agent == "faq");
}

class ChequeAgent final : public ChatNode {
 public:
  std::string_view name() const override { return "cheque"; }
  Contribution run(const Turn&) const override {
    return {.said = Said{
                .text = "Cheques clear in a day.", .outcome = Outcome::answered, .citations = {}}};
  }
};

TEST_CASE("a new agent is a class and an entry") {
  TestDesk desk([](ChatNodes& nodes) { nodes.push_back(std::make_unique<ChequeAgent>()); });
  SupportConfig config;
  config.agents = default_agents();
  config.agents.insert(config.agents.begin(),
                       {.name = "cheque", .intents = {"cheque_howto"}, .classes = {}});
  REQUIRE(desk.agent_.configure(config).has_value());
  const ChatReply reply = desk.say("when does a cheque clear");
  CHECK(reply.agent == "cheque");
  CHECK(reply.text == "Cheques clear in a day.");
  config.agents.front().name = "chequ";
  const Status wrong = desk.agent_.configure(config);
  REQUIRE(!wrong);
  CHECK(has(wrong.error().message, "did you mean \"cheque\""));
}

}  // namespace
}  // namespace payops::support_agent
