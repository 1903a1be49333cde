// The support agent as a process on a real Kafka: killed at points and at moments, and over HTTP.
#include <doctest/doctest.h>
#include <httplib.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "payops/api/access.h"
#include "payops/core/json_fields.h"
#include "payops/core/random.h"
#include "payops/model/effect.h"
#include "payops/runtime/step.h"
#include "payops/streaming/event_producer.h"
#include "program.h"
#include "support/paths.h"
#include "support/process.h"

namespace payops {
namespace {

using namespace payops::testing;

// A deployment whose articles and examples are few, so that its model is learnt in a moment.
struct SupportDeployment {
  Deployment deployment;
  std::string config_file, folder;

  SupportDeployment(const std::string& in_folder, const std::string& prefix)
      : deployment(in_folder, prefix), config_file(in_folder + "/support.yaml"), folder(in_folder) {
    mkdir_and_write("intents", "few.yaml",
                    "intents:\n"
                    "  - {name: charged_twice, class: COMPLAINT, about: a, keywords: [charged "
                    "twice], examples: [i was charged twice, charged two times, double charge]}\n"
                    "  - {name: refund_howto, class: FAQ, about: b, keywords: [how long], "
                    "examples: [how long does a refund take, refund time, days for a refund]}\n"
                    "  - {name: chit_chat, class: UNKNOWN, about: c, keywords: [hello], examples: "
                    "[hello there, good morning friend, how are you today]}\n"
                    "  - {name: payment_failed_why, class: COMPLAINT, about: d, keywords: [payment "
                    "failed], examples: [my payment failed, why did the payment fail, payment "
                    "failed again]}\n");
    mkdir_and_write("faq", "refund_time.md",
                    "---\ntitle: How long a refund takes\ntopics: [refund]\nintents: "
                    "[refund_howto]\nasks:\n  - how many days for a refund\n---\n\nA refund takes "
                    "5 to 7 working days.\n");
    std::ofstream(config_file) << "process: {articles: " << folder << "/faq, intents: " << folder
                               << "/intents}\nhttp: {users_file: " << folder
                               << "/users.json, port: 0, ws_port: 0}\nstreaming: {bootstrap: \""
                               << deployment.streaming.bootstrap << "\", topic_prefix: " << prefix
                               << "}\nagent: {issuers: {HDFC: [hdfc], SBI: [sbi]}, "
                               << "methods: {upi: [upi], card: [card]}}\n";
  }
  void mkdir_and_write(const std::string& sub, const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder + "/" + sub);
    std::ofstream(folder + "/" + sub + "/" + name) << text;
  }
  std::vector<std::string> support(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> argv{payops_program(), "support",          "--config", config_file,
                                  "--state",        folder + "/sstate", "--audit",  audit()};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  std::string audit() const { return folder + "/saudit"; }
};

void send(streaming::EventProducer& producer, int i) {
  const std::string user = "u" + std::to_string(i % 7);
  const Json message{{"message_id", "m" + std::to_string(i)},
                     {"user_id", user},
                     {"channel", "test"},
                     {"text", i % 3 == 0   ? "Hello there, my friend. I was charged twice Rs 500!"
                              : i % 3 == 1 ? "how long does a refund take"
                                           : "hello there"},
                     {"locale", "en"},
                     {"ts_ms", 1'772'443'800'000 + i}};
  REQUIRE(producer.send("chat.inbound", user, dump(message)).has_value());
}

TEST_CASE(
    "killed again and again, the support agent gives every message one reply, the same bytes") {
  constexpr int kKills = 8;
  TemporaryFolder temporary;
  const SupportDeployment support(temporary.path(), "chats.");
  auto producer = streaming::EventProducer::open(support.deployment.streaming);
  REQUIRE(producer.has_value());
  RandomStream random = Random(20260302).at(1);
  int sent = 0;
  for (int life = 0; life < kKills; ++life) {
    const bool at_a_point = life % 2 == 0;
    std::map<std::string, std::string> environment;
    if (at_a_point) {
      const auto point = static_cast<StepPoint>(life / 2 % 4);
      environment = {{"PAYOPS_TEST_HOOKS", "1"},
                     {"PAYOPS_CRASH_AT", std::string(name_of(point)) + ":3"}};
    }
    Process agent("support", temporary.path(), support.support({"--no-http"}), environment);
    // Customers write all the while, so that every life has steps of messages to be killed in.
    const int messages_max = at_a_point ? 1200 : 6 + static_cast<int>(random.below(20));
    for (int i = 0; i < messages_max && agent.running(); ++i) {
      send(**producer, sent++);
      REQUIRE((*producer)->flush(10'000).has_value());
      pace(50);
    }
    if (!at_a_point) agent.signal(SIGKILL);
    REQUIRE_MESSAGE(agent.wait(10), "never reached its point: " << agent.err());
    CHECK_MESSAGE(agent.exit_status() == 128 + SIGKILL, agent.err());
  }
  REQUIRE((*producer)->send("chat.inbound", "x", "{\"user_id\":\"x\",\"text\":\"\xff\"}"));
  send(**producer, 0);  // a repeat
  REQUIRE((*producer)->flush(10'000).has_value());
  Process last("last", temporary.path(), support.support({"--until-end", "--json"}));
  REQUIRE(last.wait(90));
  REQUIRE_MESSAGE(last.exit_status() == 0, last.err());

  std::map<std::string, std::set<std::string>> replies;  // bytes by the message replied to
  for (const TopicRecord& record : read_topic(support.deployment, "chat.outbound")) {
    replies[Json::parse(record.payload)["in_reply_to"].get<std::string>()].insert(record.payload);
  }
  CHECK(replies.size() == static_cast<std::size_t>(sent));
  for (const auto& [id, forms] : replies) {
    CHECK_MESSAGE(forms.size() == 1, id << " was answered in " << forms.size() << " ways");
  }
  CHECK(read_topic(support.deployment, "payops.dead-letters").size() == 1);
  run_payops(temporary.path(), {"audit", "verify", support.audit()});
  run_payops(temporary.path(), {"replay", support.audit(), "--agent", "support", "--config",
                                support.config_file, "--state", temporary.path() + "/sstate"});
}

TEST_CASE("customers' complaints alone, without a payment, are an incident to the payments agent") {
  constexpr int kCustomers = 12;
  TemporaryFolder temporary;
  const SupportDeployment support(temporary.path(), "complaints.");
  auto producer = streaming::EventProducer::open(support.deployment.streaming);
  REQUIRE(producer.has_value());
  Process chats("support", temporary.path(), support.support({"--no-http"}));
  Process payments("agent", temporary.path(), support.deployment.agent());
  for (int i = 0; i < kCustomers; ++i) {
    const std::string user = "u" + std::to_string(i);
    const Json message{{"message_id", "m" + std::to_string(i)},
                       {"user_id", user},
                       {"text", "my payment failed at hdfc with upi, why?"}};
    REQUIRE((*producer)->send("chat.inbound", user, dump(message)).has_value());
  }
  REQUIRE((*producer)->flush(10'000).has_value());
  std::vector<TopicRecord> told;
  for (int i = 0; i < 400 && told.empty(); ++i) {
    pace(200);
    REQUIRE_MESSAGE(chats.running(), chats.err());
    REQUIRE_MESSAGE(payments.running(), payments.err());
    told = read_topic(support.deployment, "payops.alerts");
  }
  REQUIRE_MESSAGE(!told.empty(), chats.err() << payments.err());
  const Json incident = Json::parse(told.front().payload);
  CHECK(incident["pattern"] == "complaints");
  CHECK(incident["instrument"]["issuer"] == "HDFC");
  CHECK(incident["instrument"]["method"] == "upi");
  CHECK(incident["cause"] == "issuer_down");
  // What the payments agent knows, the chat tells whom it concerns, and nobody else.
  Incident outage;
  outage.id = "inc-00000000000000ff";
  outage.pattern = "issuer_outage";
  outage.instrument.issuer = "HDFC";
  outage.begin_ts_ms = 1'772'443'800'000;
  REQUIRE((*producer)->send("payops.alerts", outage.id, dump(to_json(outage))).has_value());
  int asked = 0;
  // In a trace of its sender's, which the reply goes on in.
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const std::string sent_in = "00-" + trace + "-00f067aa0ba902b7-01";
  const auto answer_to = [&](const std::string& text) {
    const std::string user = "asks" + std::to_string(++asked);
    const Json message{{"message_id", user}, {"user_id", user}, {"text", text}};
    REQUIRE((*producer)->send("chat.inbound", user, dump(message), "", sent_in).has_value());
    REQUIRE((*producer)->flush(10'000).has_value());
    for (int i = 0; i < 300; ++i) {
      for (const TopicRecord& record : read_topic(support.deployment, "chat.outbound")) {
        const Json reply = Json::parse(record.payload);
        if (reply["in_reply_to"] != user) continue;
        CHECK(reply["trace_id"] == trace);
        CHECK(record.traceparent.starts_with("00-" + trace + "-"));
        CHECK(record.traceparent != sent_in);
        return reply["text"].get<std::string>();
      }
      pace(100);
    }
    return std::string();
  };
  std::string affected;
  for (int i = 0; i < 60 && affected.find("failing since") == std::string::npos; ++i) {
    affected = answer_to("my payment failed at hdfc with upi, why?");
    REQUIRE_MESSAGE(!affected.empty(), chats.err());
  }
  CHECK_MESSAGE(affected.find("failing since") != std::string::npos, affected);
  const std::string other = answer_to("my payment failed at sbi with my card, why?");
  REQUIRE_MESSAGE(!other.empty(), chats.err());
  CHECK_MESSAGE(other.find("failing since") == std::string::npos, other);
  for (Process* process : {&payments, &chats}) {
    process->signal(SIGTERM);
    REQUIRE(process->wait(60));
    CHECK_MESSAGE(process->exit_status() == 0, process->err());
  }
  CHECK(read_topic(support.deployment, "payops.actions").empty());
  run_payops(temporary.path(), {"replay", support.deployment.audit_dir()});
}

// Where the server says that it listens.
int port_in(const std::string& log) {
  const std::size_t at = log.find("http://localhost:");
  return at == std::string::npos ? 0 : std::atoi(log.c_str() + at + 17);
}

TEST_CASE("over HTTP customers chat as themselves, the desk sees, and erasure destroys") {
  TemporaryFolder temporary;
  const SupportDeployment support(temporary.path(), "http.");
  const std::string users = temporary.path() + "/users.json";
  REQUIRE(api::add_user(users, "asha", api::Role::customer, "correct horse"));
  REQUIRE(api::add_user(users, "mallory", api::Role::customer, "correct horse"));
  REQUIRE(api::add_user(users, "meera", api::Role::support_manager, "correct horse"));
  Process agent("support", temporary.path(), support.support());
  for (int i = 0; i < 600 && port_in(agent.err()) == 0; ++i) pace(50);
  const int port = port_in(agent.err());
  REQUIRE_MESSAGE(port > 0, agent.err());
  httplib::Client http("localhost", port);
  http.set_read_timeout(15, 0);
  for (int i = 0; i < 600; ++i) {
    if (auto health = http.Get("/health"); health && health->status == 200) break;
    pace(50);
  }
  const auto token = [&](const std::string& user) {
    const auto answer = http.Post("/oauth2/token", httplib::Params{{"grant_type", "password"},
                                                                   {"username", user},
                                                                   {"password", "correct horse"}});
    REQUIRE(answer);
    REQUIRE_MESSAGE(answer->status == 200, answer->body);
    return httplib::Headers{
        {"Authorization",
         "Bearer " + Json::parse(answer->body)["access_token"].get<std::string>()}};
  };
  const auto asha = token("asha"), mallory = token("mallory"), meera = token("meera");
  auto keyed = asha;
  keyed.emplace("Idempotency-Key", "k1");
  const std::string body = R"({"user_id":"asha","text":"i was charged twice Rs 500"})";
  const auto first = http.Post("/chat/message", keyed, body, "application/json");
  REQUIRE(first);
  REQUIRE_MESSAGE(first->status == 200, first->body);
  const Json reply = Json::parse(first->body);
  CHECK(reply["intent"] == "charged_twice");
  CHECK(reply["trace_id"].get<std::string>().size() == 32);
  const auto repeat = http.Post("/chat/message", keyed, body, "application/json");
  REQUIRE(repeat);
  CHECK(repeat->body == first->body);
  const auto reused =
      http.Post("/chat/message", keyed, R"({"user_id":"asha","text":"else"})", "application/json");
  CHECK((reused && reused->status == 409));
  const auto status_of = [](const httplib::Result& r) { return r ? r->status : 0; };
  const std::string session = "/session/" + reply["session_id"].get<std::string>();
  const std::string ticket = "/ticket/" + reply["ticket_id"].get<std::string>();
  CHECK(status_of(http.Get(session.c_str(), asha)) == 200);
  CHECK(status_of(http.Get(session.c_str(), mallory)) == 404);
  CHECK(status_of(http.Get(ticket.c_str(), mallory)) == 404);
  CHECK(status_of(http.Get(session.c_str())) == 401);
  CHECK(status_of(http.Post("/chat/message", mallory, body, "application/json")) == 403);
  CHECK(status_of(http.Get("/tickets", asha)) == 403);
  CHECK(status_of(http.Post("/chat/ticket")) == 401);
  const std::string typing = "/desk" + session.substr(session.rfind('/')) + "/typing";
  CHECK(status_of(http.Post(typing.c_str(), mallory, "", "application/json")) == 403);
  CHECK(status_of(http.Post(typing.c_str(), meera, "", "application/json")) == 204);
  CHECK(status_of(http.Post("/chat/message", asha, "{\"text\":\"\xff\"", "application/json")) ==
        400);
  const auto tickets = http.Get("/tickets?status=OPEN", meera);
  REQUIRE(tickets);
  CHECK(Json::parse(tickets->body)["count"] == 1);
  CHECK(status_of(http.Patch(ticket.c_str(), meera, R"({"status":"RESOLVED","note":"paid back"})",
                             "application/json")) == 204);
  CHECK(Json::parse(http.Get(ticket.c_str(), asha)->body)["status"] == "RESOLVED");
  CHECK(
      status_of(http.Post("/notify/test", meera, R"({"channel":"EMAIL","target":"a@example.com"})",
                          "application/json")) == 202);
  CHECK(status_of(http.Post("/chat/feedback", asha, R"({"message_id":"x","rating":"up"})",
                            "application/json")) == 204);
  const auto figures = http.Get("/desk/figures", meera);
  REQUIRE(figures);
  CHECK(Json::parse(figures->body)["ratings"]["up"] == 1);
  CHECK(Json::parse(figures->body)["response"]["agent"]["p50_ms"] >= 1);
  const auto before = http.Get("/user/asha/export", asha);
  REQUIRE(before);
  CHECK(before->body.find("charged twice Rs 500") != std::string::npos);
  CHECK(status_of(http.Delete("/user/asha", mallory)) == 403);
  CHECK(status_of(http.Delete("/user/asha", asha)) == 204);
  CHECK(status_of(http.Get("/user/asha/export", asha)) == 404);
  CHECK(status_of(http.Get(session.c_str(), meera)) == 404);
  const auto metrics = http.Get("/metrics");
  REQUIRE(metrics);
  CHECK(metrics->body.find("payops_support_messages_total 1") != std::string::npos);
  // Erased while they go on writing, and killed: what came after lives on under a new key.
  auto producer = streaming::EventProducer::open(support.deployment.streaming);
  REQUIRE(producer.has_value());
  for (int i = 0; i < 700; ++i) {
    const Json message{{"message_id", "after" + std::to_string(i)},
                       {"user_id", "asha"},
                       {"text", "how long does a refund take"}};
    REQUIRE((*producer)->send("chat.inbound", "asha", dump(message)).has_value());
  }
  REQUIRE((*producer)->flush(10'000).has_value());
  const auto taken_up = [&] {
    const auto told = http.Get("/metrics");
    const std::string name = "payops_support_messages_total ";
    const std::size_t at = told ? told->body.find(name) : std::string::npos;
    return at == std::string::npos ? 0 : std::atoi(told->body.c_str() + at + name.size());
  };
  for (int i = 0; i < 3000 && taken_up() < 100; ++i) pace(5);
  CHECK(status_of(http.Delete("/user/asha", asha)) == 204);
  CHECK(status_of(http.Get("/chat")) == 200);
  CHECK(status_of(http.Get("/openapi.json")) == 200);
  agent.signal(SIGKILL);
  REQUIRE(agent.wait(30));
  Process again("again", temporary.path(), support.support({"--until-end", "--no-http"}));
  REQUIRE(again.wait(90));
  CHECK_MESSAGE(again.exit_status() == 0, again.err());
  run_payops(temporary.path(), {"audit", "verify", support.audit()});
  // What was said before it cannot be read again by anyone: the key is gone.
  const std::string replayed =
      run_payops(temporary.path(),
                 {"replay", support.audit(), "--agent", "support", "--config", support.config_file,
                  "--state", temporary.path() + "/sstate"},
                 1);
  CHECK_MESSAGE(replayed.find("erased: the key") != std::string::npos, replayed);
}

}  // namespace
}  // namespace payops
