#include "payops/notify/channels.h"

#include "incident.h"
#include "payops/core/clock.h"
#include "payops/notify/pager.h"
#include "strict_server.h"

namespace payops::notify {
namespace {

Message message(const std::string& subject, const std::string& text) {
  Pager pager({.group_wait_s = 0}, {{"desk", Severity::low}}, "INR");
  pager.take(incident("0000000000000001", "HDFC"), kStart);
  Message m = *pager.next("desk", kStart);
  m.created_ms = SystemClock().now_ms();
  m.subject = subject;
  m.text = text;
  return m;
}

EmailConfig mail(const StrictServer& server, const char* port, const std::string& scheme) {
  EmailConfig config;
  config.server = scheme + "://localhost:" + server.port(port);
  config.ca_file = server.ca_file();
  config.user = kMailUser;
  config.from = "payops@payops.example";
  config.to = {"duty@bank.example", "lead@bank.example"};
  return config;
}

TEST_CASE("a webhook's signature is that of the published example") {
  // Key, id, time and body as Svix, who wrote the specification, show how to check one by hand.
  const std::string key = *from_hex("a652779e6c820c604a2276af74e2b5e63b25");
  CHECK(webhook_signature(key, "msg_loFOjxBNrRLzqYUf", 1'731'705'121,
                          R"({"event_type":"ping","data":{"success":true}})") ==
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
}

TEST_CASE("a webhook is accepted by a strict receiver, which refuses it with any part broken") {
  const StrictServer server;
  const auto channel = open_webhook(server.url("/webhook"), kSecret, 10);
  REQUIRE(channel);
  const Message m = message("subject", "text");
  const Delivery first = (*channel)->deliver(m);
  CHECK_MESSAGE(first.result == DeliveryResult::delivered, first.why);
  CHECK((*channel)->deliver(m).result == DeliveryResult::delivered);
  const Json got = server.ask("/log")["accepted"]["webhook"];
  REQUIRE(got.size() == 2);
  CHECK(got[0]["id"] == m.id);
  CHECK(got[0] == got[1]);  // a repeat has the same id and body
  server.check_that_broken_is_refused(28);

  const auto other = open_webhook(server.url("/webhook"), "whsec_" + std::string(40, 'A'), 10);
  REQUIRE(other);
  CHECK((*other)->deliver(m).result == DeliveryResult::refused);
}

TEST_CASE("what the other side answers says whether trying again can help") {
  const StrictServer server;
  const auto channel = open_webhook(server.url("/webhook"), kSecret, 10);
  REQUIRE(channel);
  const Message m = message("subject", "text");
  const auto answered = [&](const std::string& how) {
    (void)server.ask("/next?channel=webhook&status=" + how);
    return (*channel)->deliver(m);
  };
  for (const char* again : {"408", "425", "429", "500", "502", "503", "504"}) {
    CHECK(answered(again).result == DeliveryResult::retry);
  }
  for (const char* never : {"301", "400", "401", "403", "404", "410", "422"}) {
    CHECK(answered(never).result == DeliveryResult::refused);
  }
  CHECK(answered("429&retry_after=7").retry_after_ms == 7000);
  CHECK(answered("503&retry_after=tomorrow").retry_after_ms == 0);
  const auto nobody = open_webhook("http://127.0.0.1:1/", kSecret, 2);
  CHECK((*nobody)->deliver(m).result == DeliveryResult::retry);
  const auto not_http = open_webhook("http://127.0.0.1:" + server.port("smtp"), kSecret, 2);
  CHECK((*not_http)->deliver(m).result == DeliveryResult::retry);
}

TEST_CASE("Slack's shape is accepted by a strict receiver, whatever stands in the text") {
  const StrictServer server;
  const auto channel = open_slack(server.url("/services/T0/B0/secret"), 10);
  REQUIRE(channel);
  std::string odd = "<!channel> & <script>alert(1)</script> &amp; \xc3\xbc \xff\n";
  for (const Message& m : {message("subject", "text"), message(std::string(500, '<'), odd),
                           message("\xc3\xbc", std::string(20'000, '&'))}) {
    const Delivery delivery = (*channel)->deliver(m);
    CHECK_MESSAGE(delivery.result == DeliveryResult::delivered, delivery.why);
  }
  server.check_that_broken_is_refused(10);
  (void)server.ask("/next?channel=slack&status=429&retry_after=30");
  const Delivery busy = (*channel)->deliver(message("s", "t"));
  CHECK(busy.result == DeliveryResult::retry);
  CHECK(busy.retry_after_ms == 30'000);
  const auto revoked = open_slack(server.url("/services/T0/B0/other"), 10);
  const Delivery gone = (*revoked)->deliver(message("s", "t"));
  CHECK(gone.result == DeliveryResult::refused);
  CHECK(gone.why.find("no_service") != std::string::npos);
  CHECK(gone.why.find("/services/") == std::string::npos);  // the address is the secret
  CHECK_FALSE(open_slack("http://hooks.slack.example/services/T/B/X", 10));
}

TEST_CASE("mail goes by STARTTLS and login, and is what RFC 5322 and MIME ask for") {
  const StrictServer server;
  for (const auto& config : {mail(server, "smtp", "smtp"), mail(server, "smtps", "smtps")}) {
    const auto channel = open_email(config, kMailPassword, 10);
    REQUIRE(channel);
    const Message m = message("[HIGH] issuer outage at issuer HDFC", ".\n..two\n\xe2\x82\xb9 5\n");
    const Delivery delivery = (*channel)->deliver(m);
    CHECK_MESSAGE(delivery.result == DeliveryResult::delivered, delivery.why);
  }
  server.check_that_broken_is_refused(20);
  const auto channel = open_email(mail(server, "smtp", "smtp"), kMailPassword, 10);
  const std::string injected =
      "a\r\nBcc: all@bank.example\r\n\r\nbody \xc3\xbc " + std::string(300, 'x') + "\xe2\x82\xb9";
  const Delivery odd = (*channel)->deliver(message(injected, "text"));
  CHECK_MESSAGE(odd.result == DeliveryResult::delivered, odd.why);
  Message to_one = message("to one", "text");
  to_one.to = "customer@home.example";
  CHECK((*channel)->deliver(to_one).result == DeliveryResult::delivered);
  to_one.to = "a@b.example>\r\nRCPT TO:<c@d.example";
  CHECK((*channel)->deliver(to_one).result == DeliveryResult::refused);

  const Json got = server.ask("/log")["accepted"]["mail"];
  REQUIRE(got.size() == 4);
  CHECK(got[0]["subject"] == "[HIGH] issuer outage at issuer HDFC");
  CHECK(got[0]["text"] == ".\r\n..two\r\n\xe2\x82\xb9 5\r\n");
  CHECK(got[0]["to"] == Json::array({"duty@bank.example", "lead@bank.example"}));
  CHECK(got[0]["references"].get<std::string>().find("<thing-") == 0);
  CHECK(got[2]["to"].size() == 2);
  CHECK(got[2]["subject"].get<std::string>().find("a  Bcc: all@bank.example") == 0);
  CHECK(got[3]["to"] == Json::array({"customer@home.example"}));
}

TEST_CASE("a mail server that refuses for good is told from one that asks to come back") {
  const StrictServer server;
  const EmailConfig good = mail(server, "smtp", "smtp");
  const Message m = message("subject", "text");
  const auto deliver = [&](const EmailConfig& config, const std::string& password) {
    return (*open_email(config, password, 5))->deliver(m);
  };
  const Delivery wrong = deliver(good, "guessed");
  CHECK(wrong.result == DeliveryResult::refused);
  CHECK(wrong.why.find("guessed") == std::string::npos);
  (void)server.ask("/next?channel=mail&status=451");
  CHECK(deliver(good, kMailPassword).result == DeliveryResult::retry);
  (void)server.ask("/next?channel=mail&status=552");
  CHECK(deliver(good, kMailPassword).result == DeliveryResult::refused);

  EmailConfig one_gone = good;
  one_gone.to.push_back("gone@bank.example");
  CHECK(deliver(one_gone, kMailPassword).result != DeliveryResult::delivered);  // To names it
  EmailConfig anonymous = good;
  anonymous.user.clear();
  CHECK(deliver(anonymous, "").result == DeliveryResult::refused);
  EmailConfig plain = anonymous;
  plain.tls = MailTls::none;
  CHECK(deliver(plain, "").result == DeliveryResult::refused);
  EmailConfig unknown_ca = good;
  unknown_ca.ca_file.clear();
  CHECK(deliver(unknown_ca, kMailPassword).result == DeliveryResult::retry);
  EmailConfig no_tls_there = good;
  no_tls_there.server = "smtp://localhost:" + server.port("http");
  CHECK(deliver(no_tls_there, kMailPassword).result == DeliveryResult::retry);
  EmailConfig nobody = good;
  nobody.server = "smtp://localhost:1";
  CHECK(deliver(nobody, kMailPassword).result == DeliveryResult::retry);
  CHECK(server.ask("/log")["accepted"]["mail"].empty());
}

TEST_CASE("secrets come from the environment, and one that is missing is named") {
  NotifyConfig config;
  config.webhooks["oncall"] = {.url = "https://oncall.example/", .secret_env = "A"};
  config.slack["payments"] = {.url_env = "B"};
  config.email["duty"] = {.server = "smtp://mail.example:587",
                          .user = "u",
                          .password_env = "C",
                          .from = "a@b.example",
                          .to = {"c@d.example"}};
  REQUIRE(config.validate());
  std::map<std::string, std::string> environment{
      {"A", kSecret}, {"B", "https://hooks.slack.example/services/T/B/X"}, {"C", "p"}};
  const Secrets secrets = [&](const std::string& name) { return environment[name]; };
  const auto opened = open_channels(config, secrets);
  REQUIRE(opened);
  CHECK(opened->count("webhook/oncall") + opened->count("slack/payments") +
            opened->count("email/duty") ==
        3);
  for (const char* missing : {"A", "B", "C"}) {
    auto less = environment;
    less.erase(missing);
    const auto failed = open_channels(config, [&](const std::string& name) { return less[name]; });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find(std::string("variable ") + missing) != std::string::npos);
  }
  for (const char* bad : {"secret", "whsec_", "whsec_AAAA", "whsec_not base64 at all, is it"}) {
    environment["A"] = bad;
    const auto failed = open_channels(config, secrets);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message.find("webhook/oncall") == 0);
  }
}

TEST_CASE("a configuration that cannot work is a sentence") {
  const auto message_of = [](auto change) {
    NotifyConfig config;
    config.email["duty"] = {.server = "smtp://m:25", .from = "a@b.c", .to = {"d@e.f"}};
    config.webhooks["w"] = {.url = "https://w/"};
    REQUIRE(config.validate());
    change(config);
    const Status status = config.validate();
    REQUIRE_FALSE(status);
    return status.error().message;
  };
  using C = NotifyConfig;
  CHECK(message_of([](C& c) { c.webhooks["w"].url = "ftp://w"; }).find("webhooks.w") == 1);
  CHECK(message_of([](C& c) { c.email["duty"].server = "m:25"; }).find("\"server\"") > 0);
  CHECK(message_of([](C& c) { c.email["duty"].to.clear(); }).find("\"to\"") > 0);
  CHECK(message_of([](C& c) { c.email["duty"].from = "a b@c"; }).find("\"from\"") > 0);
  CHECK(message_of([](C& c) { c.email["duty"].to = {"a@b\r\nBcc: c@d"}; }).find("\"to\"") > 0);
  CHECK(message_of([](C& c) {
          c.email["duty"].user = "u";
          c.email["duty"].tls = MailTls::none;
        }).find("never sent without TLS") > 0);
  CHECK(message_of([](C& c) { c.max_per_hour = 1; }).find("max_per_hour") > 0);
}

}  // namespace
}  // namespace payops::notify
