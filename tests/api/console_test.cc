#include "payops/api/console.h"

#include <atomic>
#include <thread>

#include "../../src/api/commands.h"
#include "stage.h"

namespace payops::api {
namespace {

constexpr Role kRoles[] = {Role::viewer, Role::operator_, Role::approver, Role::auditor,
                           Role::admin};
// Of the same users' file; nothing of the console is theirs.
constexpr Role kOfSupport[] = {Role::customer, Role::support_agent, Role::support_manager,
                               Role::channel};

struct Call {
  const char* method;
  const char* path;
  const char* body;
  // By role, in the order of kRoles, and without a token.
  std::array<int, 5> status;
  int nobody;
};

TEST_CASE("every call, by every role and by nobody") {
  Stage stage;
  const Call calls[] = {
      {"GET", "/healthz", "", {200, 200, 200, 200, 200}, 200},
      {"GET", "/readyz", "", {200, 200, 200, 200, 200}, 200},
      {"GET", "/metrics", "", {200, 200, 200, 200, 200}, 200},
      {"GET", "/", "", {200, 200, 200, 200, 200}, 200},
      {"GET", "/incident/inc-1", "", {200, 200, 200, 200, 200}, 200},
      {"GET", "/no/such.file", "", {404, 404, 404, 404, 404}, 404},
      {"GET", "/api/me", "", {200, 200, 200, 200, 200}, 401},
      {"GET", "/api/state", "", {200, 200, 200, 200, 200}, 401},
      {"POST", "/api/token", "", {200, 200, 200, 200, 200}, 401},
      {"POST", "/api/ticket", "", {200, 200, 200, 200, 200}, 401},
      {"GET", "/api/series?scope=*|*|*", "", {200, 200, 200, 200, 200}, 401},
      {"GET", "/api/series?scope=HDFC", "", {400, 400, 400, 400, 400}, 401},
      {"GET", "/api/series?scope=*|*|*&from=-1", "", {400, 400, 400, 400, 400}, 401},
      {"GET", "/api/series?scope=*|*|*&format=xml", "", {400, 400, 400, 400, 400}, 401},
      {"GET", "/api/incidents?q=x", "", {200, 200, 200, 200, 200}, 401},
      {"GET", "/api/incidents?from=soon", "", {400, 400, 400, 400, 400}, 401},
      {"GET", "/api/interventions", "", {200, 200, 200, 200, 200}, 401},
      {"GET", "/api/replay?at=1", "", {404, 404, 404, 404, 404}, 401},
      {"GET", "/api/replay?at=1e9", "", {400, 400, 400, 400, 400}, 401},
      {"GET", "/api/audit", "", {403, 403, 403, 200, 200}, 401},
      {"GET", "/api/audit/1", "", {403, 403, 403, 200, 200}, 401},
      {"GET", "/api/audit/2", "", {403, 403, 403, 404, 404}, 401},
      {"GET", "/api/audit/verify", "", {403, 403, 403, 200, 200}, 401},
      {"GET", "/api/audit/../../etc/passwd", "", {404, 404, 404, 404, 404}, 404},
      {"GET", "/api/simulator", "", {404, 404, 404, 404, 404}, 401},
      {"POST", "/api/simulator", R"({"speed":2})", {403, 404, 404, 403, 404}, 401},
      {"GET", "/api/nothing", "", {404, 404, 404, 404, 404}, 404},
      {"POST",
       "/api/proposals/act-1/approve",
       R"({"shown_hash":"00"})",
       {403, 403, 404, 403, 404},
       401},
      {"POST",
       "/api/proposals/act-1/reject",
       R"({"shown_hash":"00"})",
       {403, 403, 404, 403, 404},
       401},
      {"POST", "/api/incidents/inc-1/ack", "{}", {403, 409, 409, 403, 409}, 401},
      {"POST", "/api/incidents/inc-1/note", R"({"text":"x"})", {403, 409, 409, 403, 409}, 401},
      {"POST", "/api/incidents/inc-1/note", "{}", {403, 400, 400, 403, 400}, 401},
      {"POST", "/api/incidents/inc-1/silence", R"({"minutes":5})", {403, 409, 409, 403, 409}, 401},
      {"POST", "/api/incidents/inc-1/silence", "{}", {403, 400, 400, 403, 400}, 401},
      {"POST",
       "/api/incidents/inc-1/cause",
       R"({"cause":"gateway_down"})",
       {403, 409, 409, 403, 409},
       401},
      {"POST",
       "/api/incidents/inc-1/cause",
       R"({"cause":"none_of_these"})",
       {403, 400, 400, 403, 400},
       401},
      {"POST", "/api/incidents/inc-1/cause", "{}", {403, 400, 400, 403, 400}, 401},
      {"POST",
       "/api/mode",
       R"({"type":"reroute_traffic","mode":"shadow"})",
       {403, 403, 403, 403, 200},
       401},
      {"POST", "/api/mode", R"({"type":"x","mode":"auto"})", {403, 403, 403, 403, 409}, 401},
      {"POST", "/api/mode", R"({"type":"x","mode":"full"})", {403, 403, 403, 403, 400}, 401},
      {"POST",
       "/api/interventions",
       R"({"type":"suppress_path","scope":{"issuer":"HDFC"}})",
       {403, 409, 409, 403, 409},
       401},
      {"POST", "/api/interventions", R"({"type":"x","scope":{}})", {403, 400, 400, 403, 400}, 401},
      {"POST", "/api/kill", R"({"on":true})", {403, 200, 200, 403, 200}, 401},
      {"POST", "/api/kill", R"({"on":false})", {403, 403, 403, 403, 200}, 401},
  };
  auto client = stage.client();
  int key = 0;
  for (const Call& call : calls) {
    stage.turn();  // nothing is old, however slow the machine
    for (std::size_t r = 0; r <= std::size(kRoles); ++r) {
      const bool nobody = r == std::size(kRoles);
      httplib::Headers headers{{"Idempotency-Key", "k" + std::to_string(++key)}};
      if (!nobody) headers.emplace("Authorization", "Bearer " + stage.token(kRoles[r]));
      const bool get = std::string_view(call.method) == "GET";
      const auto result = get ? client.Get(call.path, headers)
                              : client.Post(call.path, headers, call.body, "application/json");
      CAPTURE(call.path);
      CAPTURE(call.body);
      CAPTURE(r);
      REQUIRE(result);
      CHECK(result->status == (nobody ? call.nobody : call.status[r]));
      CHECK(result->get_header_value("X-Content-Type-Options") == "nosniff");
      CHECK(result->get_header_value("Content-Security-Policy").find("default-src 'none'") == 0);
    }
  }
}

TEST_CASE("nothing that needs a sign-in is for those of support") {
  Stage stage;
  const char* const reads[] = {"/api/me",        "/api/state",         "/api/series?scope=*|*|*",
                               "/api/incidents", "/api/interventions", "/api/replay?at=1",
                               "/api/audit",     "/api/audit/1",       "/api/audit/verify",
                               "/api/simulator"};
  const char* const posts[] = {"/api/token",
                               "/api/ticket",
                               "/api/simulator",
                               "/api/proposals/act-1/approve",
                               "/api/proposals/act-1/reject",
                               "/api/incidents/inc-1/ack",
                               "/api/incidents/inc-1/note",
                               "/api/incidents/inc-1/silence",
                               "/api/incidents/inc-1/cause",
                               "/api/mode",
                               "/api/interventions",
                               "/api/kill"};
  auto client = stage.client();
  for (const Role role : kOfSupport) {
    CAPTURE(name_of(role));
    for (const char* path : reads) {
      CAPTURE(path);
      const auto result = client.Get(path, stage.as(role));
      REQUIRE(result);
      CHECK(result->status == 403);
    }
    for (const char* path : posts) {
      CAPTURE(path);
      const auto result = client.Post(path, stage.as(role, "k"), "{}", "application/json");
      REQUIRE(result);
      CHECK(result->status == 403);
    }
  }
}

// By whom, about what, and the words, of what the agent is told to write down.
std::string written(Stage& stage, int64_t now_ms) {
  std::string all;
  for (const auto& note : stage.feed.take_notes(now_ms)) {
    CHECK_FALSE(note.signature_ok);
    all += note.verdict.by + " | " + note.verdict.proposal_id + " | " + note.problem + "\n";
  }
  return all;
}

class AnyWorld final : public Simulator {
 public:
  std::string state() override { return "{}"; }
  Status command(const std::string& body) override {
    if (body == R"({"speed":2})") return {};
    return fail(ErrorCode::usage, "no such command");
  }
};

TEST_CASE("what is refused, and what is done that is no command, is written down with a name") {
  AnyWorld world;
  Stage stage;
  stage.simulator = &world;
  stage.restart();
  const int64_t now_ms = SystemClock().now_ms();
  auto client = stage.client();
  const auto post = [&](const char* path, const httplib::Headers& headers, const char* body) {
    const auto result = client.Post(path, headers, body, "application/json");
    return result ? result->status : 0;
  };
  CHECK(post("/api/kill", {}, R"({"on":true})") == 401);
  CHECK(post("/api/kill", stage.as(Role::viewer, "1"), R"({"on":true})") == 403);
  CHECK(post("/api/kill", stage.as(Role::operator_, "2"), R"({"on":false})") == 403);
  CHECK(post("/api/kill", stage.as(Role::operator_), R"({"on":true})") == 400);
  CHECK(post("/api/incidents/inc-1/note", stage.as(Role::operator_, "3"), "{}") == 400);
  CHECK(post("/api/proposals/act-1/approve", stage.as(Role::approver, "4"),
             R"({"shown_hash":"00"})") == 404);
  CHECK(written(stage, now_ms) ==
        "somebody | /api/kill | the console: no token\n"
        "viewer | /api/kill | the console: the role viewer may not\n"
        "operator | /api/kill | the console: the kill switch is thrown by operators and lifted "
        "by admins only\n"
        "operator | /api/kill | the console: a command needs an Idempotency-Key of 1 to 64 "
        "bytes\n"
        "operator | /api/incidents/inc-1/note | the console: the body must be {\"text\": …}\n"
        "approver | /api/proposals/act-1/approve | the console: there is no such proposal\n");

  stage.feed.cycle(stage.agent);  // there is something to tell
  stage.tell_pulse(SystemClock().now_ms() - kStaleAfterMs - 1000);
  CHECK(post("/api/mode", stage.as(Role::admin, "5"),
             R"({"type":"suppress_path","mode":"approve"})") == 503);
  stage.turn();
  CHECK(post("/api/simulator", stage.as(Role::operator_, "6"), R"({"speed":2})") == 200);
  CHECK(post("/api/simulator", stage.as(Role::operator_, "7"), R"({"speed":-2})") == 400);
  const auto sign_in = [&](const std::string& name, const std::string& password) {
    const auto result = client.Post(
        "/oauth2/token",
        httplib::Params{{"grant_type", "password"}, {"username", name}, {"password", password}});
    return result ? result->status : 0;
  };
  CHECK(sign_in("approver", kPassword) == 200);
  CHECK(sign_in("approver", "wrong horse") == 401);
  CHECK(sign_in("hunter2, typed in the wrong place", "x") == 401);
  CHECK(written(stage, now_ms + 1000) ==
        "admin | /api/mode | the console: nothing new has been heard of the agent; what is "
        "shown may be over\n"
        "operator | simulator | noted by the console: {\"speed\":2}\n"
        "operator | /api/simulator | the console: no such command\n"
        "approver | sign-in | noted by the console: signed in as approver\n"
        "approver | sign-in | the console: wrong name or password\n"
        "somebody | sign-in | the console: wrong name or password\n");
}

TEST_CASE("the audit log tells a reason and a sign-in from what was refused") {
  Stage stage;
  auto client = stage.client();
  CHECK(client
            .Post("/api/kill", stage.as(Role::operator_, "1"), R"({"on":true,"reason":"a drill"})",
                  "application/json")
            ->status == 200);
  CHECK(client.Post("/api/mode", stage.as(Role::admin, "2"), "{}", "application/json")->status ==
        400);
  stage.turn(stage.feed.take_notes(SystemClock().now_ms()));
  std::map<std::string, std::string> results;
  for (const auto& told : stage.agent.report().verdicts) results[told.why] = told.result;
  CHECK(results["noted by the console: the reason given is: a drill"] == "noted");
  CHECK(results.size() == 2);
  results.erase("noted by the console: the reason given is: a drill");
  CHECK(results.begin()->second == "ignored");
}

TEST_CASE("of one person's refusals a few are written down, and every reason") {
  Stage stage;
  const auto note = [&](const char* by, NoteKind kind) {
    payments_agent::VerdictInput input;
    input.verdict.by = by;
    stage.feed.note(std::move(input), kind);
  };
  for (int i = 0; i < 60; ++i) note("viewer", NoteKind::refusal);
  for (int i = 0; i < 40; ++i) note("viewer", NoteKind::done);
  for (int i = 0; i < 6; ++i) note("admin", NoteKind::reason);
  note("operator", NoteKind::refusal);
  std::map<std::string, int> by;
  for (const auto& taken : stage.feed.take_notes(SystemClock().now_ms())) {
    ++by[taken.verdict.by.empty() ? taken.problem : taken.verdict.by];
  }
  const std::map<std::string, int> expected{
      {"admin", 6},
      {"operator", 1},
      {"viewer", 4},
      {"noted by the console: 96 refusals and sign-ins more, not written down one by one", 1}};
  CHECK(by == expected);
}

TEST_CASE("an hour of refusals leaves a bounded trace, whoever they are of") {
  Stage stage;
  std::size_t records = 0;
  for (int64_t second = 0; second < 3600; ++second) {
    const int64_t now_ms = 1'700'000'040'000 + second * 1000;
    for (int i = 0; i < 50; ++i) {
      payments_agent::VerdictInput input;
      input.verdict.by = i < 40 ? "somebody" : "user" + std::to_string(i);
      input.received_ts_ms = now_ms;
      stage.feed.note(std::move(input));
    }
    records += stage.feed.take_notes(now_ms).size();
  }
  CHECK(records > 60 * 60);
  CHECK(records <= 60 * (64 + 1));
}

TEST_CASE("the agent can be stopped while other commands wait for it") {
  Stage stage;
  stage.silent = true;
  const auto post = [&](const std::string& path, const std::string& body, const std::string& key) {
    const auto result =
        stage.client().Post(path, stage.as(Role::admin, key), body, "application/json");
    return result ? result->status : 0;
  };
  const auto mode = [&](int key) {
    return post("/api/mode", R"({"type":"suppress_path","mode":"approve"})",
                "mode-" + std::to_string(key));
  };
  std::vector<std::thread> waiting;
  std::atomic<bool> busy = false;
  for (int thread = 0; thread < 8; ++thread) {
    waiting.emplace_back([&, thread] {
      for (int i = 0; i < 50 && !busy; ++i) {
        if (mode(thread * 100 + i) == 429) busy = true;
      }
    });
  }
  while (!busy) std::this_thread::yield();
  const int stopped = post("/api/kill", R"({"on":true,"reason":"a test"})", "kill-1");
  for (std::thread& thread : waiting) thread.join();
  CHECK(stopped == 202);  // taken; this agent never answers
}

TEST_CASE("an answer is that to one's own command, not to another of the kind") {
  Stage stage;
  const auto mode = [&](const std::string& type) {
    const Verdict verdict{.proposal_id = "mode",
                          .verdict = "set",
                          .shown_hash = type,
                          .by = "admin",
                          .ts_ms = SystemClock().now_ms()};
    return verdict;
  };
  Verdict mine = mode("a"), other = mode("b");
  other.ts_ms = mine.ts_ms + 1;
  const uint64_t since = stage.feed.answers_seen();
  payments_agent::VerdictInput input;
  input.verdict = other;
  input.received_ts_ms = other.ts_ms;
  input.problem = "not signed";
  stage.turn({input});
  CHECK(stage.feed.await_answer(other, since, 0).has_value());
  CHECK_FALSE(stage.feed.await_answer(mine, since, 0).has_value());
}

TEST_CASE("a sign-in gives a token that works, and guessing is slowed down") {
  Stage stage;
  auto client = stage.client();
  const auto ask = [&](const std::string& password) {
    return client.Post("/oauth2/token", httplib::Params{{"grant_type", "password"},
                                                        {"username", "approver"},
                                                        {"password", password}});
  };
  const auto granted = ask(kPassword);
  REQUIRE(granted);
  REQUIRE(granted->status == 200);
  const Json answer = Json::parse(granted->body);
  CHECK(answer["token_type"] == "Bearer");
  CHECK(answer["role"] == "approver");
  const auto me = client.Get(
      "/api/me",
      httplib::Headers{{"Authorization", "Bearer " + answer["access_token"].get<std::string>()}});
  REQUIRE(me);
  CHECK(Json::parse(me->body)["user"] == "approver");
  CHECK(Json::parse(me->body)["ws_port"] == stage.console->ws_port());

  int refused = 0;
  int throttled = 0;
  for (int i = 0; i < 7; ++i) {
    const auto wrong = ask("wrong horse");
    REQUIRE(wrong);
    refused += wrong->status == 401 ? 1 : 0;
    throttled += wrong->status == 429 ? 1 : 0;
  }
  CHECK(refused >= 5);
  CHECK(refused + throttled == 7);
  const auto in_address = client.Post("/oauth2/token?grant_type=password&username=a&password=b");
  REQUIRE(in_address);
  CHECK(in_address->status == 400);
}

TEST_CASE("a token is renewed for its user as long as there is one, for half a day") {
  Stage stage;
  auto client = stage.client();
  const auto renew = [&](const std::string& token) {
    auto result = client.Post("/api/token", httplib::Headers{{"Authorization", "Bearer " + token}});
    REQUIRE(result);
    return result;
  };
  const int64_t now_ms = SystemClock().now_ms();
  const auto renewed = renew(stage.token(Role::approver, now_ms - 600'000));
  REQUIRE(renewed->status == 200);
  const std::string token = Json::parse(renewed->body)["access_token"];
  CHECK(renew(token)->status == 200);
  // The password is asked for again in the end, however often it was renewed.
  const Tokens tokens(kTokenKey, 900);
  const std::string old =
      *tokens.issue({"approver", Role::approver, now_ms - (kSessionS + 1) * 1000}, now_ms);
  CHECK(renew(old)->status == 401);

  REQUIRE(add_user(stage.users_file(), "approver", Role::viewer, kPassword));
  const auto other_role = client.Get("/api/me", {{"Authorization", "Bearer " + token}});
  REQUIRE(other_role);
  CHECK(other_role->status == 401);
}

TEST_CASE("tokens that are over, of another key, or no tokens are refused") {
  Stage stage;
  auto client = stage.client();
  const int64_t now_ms = SystemClock().now_ms();
  const std::string other =
      *Tokens("another-key-of-thirty-two-bytes!", 900).issue({"eve", Role::admin}, now_ms);
  for (const std::string& token : {stage.token(Role::admin, now_ms - 901'000), other,
                                   std::string("x"), std::string(4000, 'x')}) {
    const auto result = client.Get("/api/state", {{"Authorization", "Bearer " + token}});
    REQUIRE(result);
    CHECK(result->status == 401);
  }
}

TEST_CASE("a command is done once for a key, and is signed and named") {
  Stage stage;
  auto client = stage.client();
  const auto post = [&](const std::string& key, const char* body) {
    return client.Post("/api/kill", stage.as(Role::admin, key), body, "application/json");
  };
  const auto first = post("one", R"({"on":true,"reason":"drill"})");
  const auto again = post("one", R"({"on":true,"reason":"drill"})");
  REQUIRE(first);
  REQUIRE(again);
  CHECK(first->status == 200);
  CHECK(Json::parse(first->body)["result"] == "granted");
  CHECK(first->body == again->body);
  REQUIRE(stage.sent.size() == 1);
  CHECK(stage.sent[0].by == "admin");
  CHECK(stage.sent[0].verdict == "on");
  CHECK(safety::verify_verdict(stage.sent[0], {stage.key.public_key_hex}));
  CHECK(stage.agent.killed());
  CHECK(post("two", R"({"on":false})")->status == 200);
  CHECK_FALSE(stage.agent.killed());

  CHECK(post("", R"({"on":true})")->status == 400);
  CHECK(post("three", "{")->status == 400);
  CHECK(post("four", R"({"on":"yes"})")->status == 400);
  stage.silent = true;
  CHECK(post("five", R"({"on":true})")->status == 202);
}

TEST_CASE("foreign pages, large bodies and paths that climb get nothing") {
  Stage stage;
  auto client = stage.client();
  httplib::Headers headers = stage.as(Role::admin, "k");
  headers.emplace("Origin", "http://evil.example");
  CHECK(client.Post("/api/kill", headers, R"({"on":true})", "application/json")->status == 403);
  CHECK(stage.sent.empty());
  const std::string large(100'000, 'x');
  const auto refused =
      client.Post("/api/kill", stage.as(Role::admin, "k"), large, "application/json");
  REQUIRE(refused);
  CHECK(refused->status == 413);
  CHECK(refused->body.find("64 KiB") != std::string::npos);
  CHECK(refused->has_header("Content-Security-Policy"));
  for (const char* path : {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                           "/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/etc/passwd%00.html"}) {
    auto fresh = stage.client();
    const auto result = fresh.Get(path);
    CAPTURE(path);
    if (result) CHECK(result->body.find("root:") == std::string::npos);
  }
}

TEST_CASE("nothing is approved and no switch lifted on what may be over") {
  Stage stage;
  stage.feed.cycle(stage.agent);  // there is something to tell
  stage.tell_pulse(SystemClock().now_ms() - kStaleAfterMs - 1000);
  auto client = stage.client();
  CHECK(client
            .Post("/api/proposals/act-1/approve", stage.as(Role::admin, "1"),
                  R"({"shown_hash":"00"})", "application/json")
            ->status == 503);
  CHECK(client.Post("/api/kill", stage.as(Role::admin, "2"), R"({"on":false})", "application/json")
            ->status == 503);
  CHECK(client.Get("/readyz")->status == 503);
  CHECK(client.Get("/healthz")->status == 200);
}

TEST_CASE("a port that is taken is named") {
  Stage stage;
  ConsoleSpec spec;
  spec.config.http_port = stage.console->http_port();
  spec.config.ws_port = 0;
  spec.signing_key_hex = stage.key.secret_key_hex;
  spec.config.users_file = (stage.folder / "users.json").string();
  const auto second = Console::start(std::move(spec), stage.feed, stage);
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find(std::to_string(stage.console->http_port())) !=
        std::string::npos);
}

TEST_CASE("a page is compressed when asked for, and not sent twice") {
  Stage stage;
  auto client = stage.client();
  const auto page = client.Get("/");
  REQUIRE(page);
  CHECK(page->get_header_value("Content-Type") == "text/html; charset=utf-8");
  const std::string etag = page->get_header_value("ETag");
  CHECK(client.Get("/", {{"If-None-Match", etag}})->status == 304);
  auto plain = stage.client();
  plain.set_decompress(false);
  const auto packed = plain.Get("/", {{"Accept-Encoding", "br, gzip"}});
  REQUIRE(packed);
  CHECK(packed->get_header_value("Content-Encoding") == "gzip");
}

TEST_CASE("data is old when the input stands still, or where time is real, lies behind") {
  const auto old = [](const Pulse& pulse, bool demo) {
    Knowledge known;
    known.pulse = pulse;
    Deployment deployment;
    deployment.demo = demo;
    known.deployment = std::make_shared<Deployment>(deployment);
    return old_data(known, 100'000);
  };
  Pulse fresh;
  fresh.wall_ms = 100'000;
  fresh.watermark_ms = 97'000;
  fresh.moved_wall_ms = 99'000;
  CHECK_FALSE(old(fresh, false));
  Pulse still = fresh;
  still.moved_wall_ms = 94'000;
  CHECK(old(still, false));
  CHECK(old(still, true));
  Pulse behind = fresh;
  behind.watermark_ms = 90'000;
  CHECK(old(behind, false));
  CHECK_FALSE(old(behind, true));
}

TEST_CASE("nothing is approved on payments that no longer come") {
  Stage stage;
  auto client = stage.client();
  const auto approve = [&](const std::string& key) {
    const auto result = client.Post("/api/proposals/act-1/approve", stage.as(Role::approver, key),
                                    R"({"shown_hash":"00"})", "application/json");
    REQUIRE(result);
    return Json::parse(result->body)["error"].get<std::string>();
  };
  CHECK(approve("a") == "not_found");
  const int64_t now_ms = SystemClock().now_ms();
  stage.feed.cycle(stage.agent);
  stage.tell_pulse(now_ms - kStaleAfterMs - 1000, 500);
  stage.tell_pulse(now_ms, 500);  // the agent lives, its input has not gone on
  CHECK(approve("b") == "stale");
  const auto post = [&](const char* path, const char* key, const char* body) {
    return client.Post(path, stage.as(Role::admin, key), body, "application/json")->status;
  };
  CHECK(post("/api/mode", "c", R"({"type":"suppress_path","mode":"approve"})") == 503);
  CHECK(post("/api/incidents/inc-1/ack", "d", "{}") == 503);
  CHECK(post("/api/kill", "e", R"({"on":false})") == 503);
  CHECK(post("/api/kill", "f", R"({"on":true})") == 200);  // and the agent turns again
  CHECK(approve("g") == "not_found");
}

}  // namespace
}  // namespace payops::api
