// payops support: the support agent on Kafka and HTTP; and how well it does on messages whose
// outcome is known.
#include "cmd_support.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

#include "chat_room.h"
#include "live_support.h"
#include "log.h"
#include "payops/api/support_server.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "support_knowledge.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct SupportOptions {
  std::string config = "config/support.yaml";
  std::string bootstrap, topic_prefix, state_dir, audit_dir, data, model_dir;
  std::string http_bind, http_users;
  int http_port = -1;
  bool no_http = false;
  bool until_end = false;
  bool json = false;
};

Result<SupportAppConfig> configured(const SupportOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return config;
  if (!options.bootstrap.empty()) config->streaming.bootstrap = options.bootstrap;
  if (!options.topic_prefix.empty()) config->streaming.topic_prefix = options.topic_prefix;
  if (!options.state_dir.empty()) config->process.state_dir = options.state_dir;
  if (!options.audit_dir.empty()) config->process.audit_dir = options.audit_dir;
  if (!options.http_bind.empty()) config->http.bind = options.http_bind;
  if (!options.http_users.empty()) config->http.users_file = options.http_users;
  if (options.http_port >= 0) config->http.port = options.http_port;
  if (options.no_http || options.until_end) config->http.enabled = false;
  return config;
}

int run_support(const SupportOptions& options) {
  auto config = configured(options);
  if (!config) return report(config.error());
  const auto log = make_log("support", config->logging);
  SupportLine line;
  std::unique_ptr<api::SupportServer> server;
  LiveSupportSpec spec;
  spec.config = std::move(*config);
  spec.until_end = options.until_end;
  spec.stop = &Signals::stop_requested;
  spec.on_note = [&](const std::string& s) { log->info("{}", s); };
  spec.on_trouble = [&](const std::string& s) { log->warn("{}", s); };
  spec.on_reply = [&](const support_agent::ChatReply& r) {
    log->info("reply {} trace {} session {} intent {} agent {} outcome {}", r.message_id,
              r.trace_id, r.session_id, r.intent, r.agent, name_of(r.outcome));
  };
  const SupportHttpConfig& http = spec.config.http;
  if (http.enabled) {
    const char* key = std::getenv("PAYOPS_CONSOLE_KEY");
    auto started = api::SupportServer::start({.bind = http.bind,
                                              .port = http.port,
                                              .ws_port = http.ws_port,
                                              .origins = http.origins,
                                              .users_file = http.users_file,
                                              .token_s = http.token_s,
                                              .token_key = key == nullptr ? "" : key,
                                              .on_note = spec.on_note},
                                             line);
    if (!started) return report(started.error());
    server = std::move(*started);
    spec.line = &line;
    log->info("support: {}/chat", server->address());
  }
  const auto result = run_live_support(spec);
  line.close();
  server.reset();
  if (!result) {
    log->error("{}", result.error().message);
    return exit_status(result.error());
  }
  if (options.json) {
    std::printf("%s\n", dump(Json{{"step", result->step},
                                  {"replies", result->replies},
                                  {"counts", to_json(result->counts)}})
                            .c_str());
  }
  log->info("stopped after step {}: {} replies in this run", result->step, result->replies);
  return kExitDone;
}

struct Known {
  std::string text, intent_class, intent, article, outcome;
};

Result<std::vector<Known>> read_known(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return tl::make_unexpected(text.error());
  std::vector<Known> all;
  std::size_t from = 0;
  for (int line = 1; from < text->size(); ++line) {
    const std::size_t end = std::min(text->find('\n', from), text->size());
    const Json object = Json::parse(text->substr(from, end - from), nullptr, false);
    from = end + 1;
    if (!object.is_object()) {
      return fail(ErrorCode::usage, file + ":" + std::to_string(line) + ": not a JSON object");
    }
    const auto part = [&](const char* key) {
      return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
    };
    all.push_back({part("text"), part("class"), part("intent"), part("article"), part("outcome")});
  }
  return all;
}

double share(std::size_t part, std::size_t of) {
  return of == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(of);
}

// Each message in a conversation of its own, by a customer who is not verified.
int run_evaluate(const SupportOptions& options) {
  const auto config = configured(options);
  if (!config) return report_local(config.error());
  const auto known = read_known(options.data);
  if (!known) return report_local(known.error());
  const auto knowledge = load_knowledge(
      {.intents = config->process.intents,
       .articles = config->process.articles,
       .model = config->process.model,
       .model_dir = options.model_dir.empty() ? config->process.state_dir : options.model_dir},
      [](const std::string& s) { std::fprintf(stderr, "%s\n", s.c_str()); });
  if (!knowledge) return report_local(knowledge.error());
  auto articles = load_articles(config->process.articles);
  if (!articles) return report_local(articles.error());
  auto room = ChatRoom::open(*knowledge, config->agent, std::move(*articles), 1'772'443'800'000);
  if (!room) return report_local(room.error());
  support_agent::CustomerView customer;
  customer.email = "asha@example.com";
  customer.phone = "+919876543210";
  customer.card_last4 = "4432";
  (*room)->set_customer(customer, false);
  std::size_t same_class = 0, same_intent = 0, resolved = 0, needs_person = 0, needless = 0;
  std::size_t same_outcome = 0, articles_asked = 0, articles_right = 0;
  std::map<std::string, std::size_t> confusions;
  for (std::size_t i = 0; i < known->size(); ++i) {
    const Known& k = (*known)[i];
    const auto answer = (*room)->say("u-" + std::to_string(i), k.text);
    if (!answer) return report_local(answer.error());
    const support_agent::ChatReply& r = answer->reply;
    same_class += name_of(r.intent_class) == k.intent_class;
    // Everything out of scope is one intent to the agent, whatever the data call its kinds.
    const std::string wanted = k.intent_class == "UNKNOWN" ? "oos" : k.intent;
    if (r.intent == wanted) {
      ++same_intent;
    } else {
      ++confusions[wanted + " -> " + r.intent];
    }
    const std::string outcome(name_of(r.outcome));
    const bool cited =
        std::find(r.citations.begin(), r.citations.end(), k.article) != r.citations.end();
    if (!k.article.empty()) {
      ++articles_asked;
      articles_right += cited;
    }
    same_outcome += outcome == k.outcome;
    const bool person = k.outcome == "handover";
    needs_person += person;
    needless += !person && outcome == "handover";
    resolved += !person && outcome == k.outcome && (k.article.empty() || cited);
  }
  std::vector<std::pair<std::string, std::size_t>> worst(confusions.begin(), confusions.end());
  std::stable_sort(worst.begin(), worst.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const std::size_t n = known->size();
  Json out{{"messages", n},
           {"class_accuracy", share(same_class, n)},
           {"intent_accuracy", share(same_intent, n)},
           {"outcome_accuracy", share(same_outcome, n)},
           {"article_accuracy", share(articles_right, articles_asked)},
           {"resolved_share", share(resolved, n)},
           {"resolved_share_of_those_without_need_of_a_person", share(resolved, n - needs_person)},
           {"needless_handovers", needless},
           {"confusions", Json::array()}};
  for (const auto& [pair, count] : worst) {
    if (out["confusions"].size() < 30) out["confusions"].push_back({pair, count});
  }
  std::printf("%s\n", out.dump(2).c_str());
  return kExitDone;
}

}  // namespace

void add_support_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<SupportOptions>();
  CLI::App* sub = app.add_subcommand("support", "The support agent on Kafka and HTTP");
  sub->require_subcommand(0, 1);
  sub->add_option("--config", options->config, "Configuration")->capture_default_str();
  sub->add_option("--bootstrap", options->bootstrap, "Kafka, host:port, instead of the file's");
  sub->add_option("--topic-prefix", options->topic_prefix, "Put before every topic's name");
  sub->add_option("--state", options->state_dir, "State directory, one process each");
  sub->add_option("--audit", options->audit_dir, "Audit folder");
  sub->add_option("--http-port", options->http_port, "Port of chat, API and metrics");
  sub->add_option("--http-bind", options->http_bind, "Address that it listens on");
  sub->add_option("--http-users", options->http_users, "Users who may sign in");
  sub->add_flag("--no-http", options->no_http, "Kafka only");
  sub->add_flag("--until-end", options->until_end,
                "Stop at the end of the input as found at start");
  sub->add_flag("--json", options->json, "Counts as one JSON document on stdout at the end");
  sub->footer("Example: payops support --config config/support.yaml --bootstrap localhost:9092");
  CLI::App* evaluate =
      sub->add_subcommand("evaluate", "Intents, articles and outcomes on messages that are known");
  evaluate->add_option("--data", options->data, "JSONL of text, class, intent, article, outcome")
      ->required();
  evaluate->add_option("--config", options->config, "Configuration")->capture_default_str();
  evaluate->add_option("--model-dir", options->model_dir, "Where a model made now is kept");
  sub->callback([&command, options, evaluate] {
    const bool evaluates = evaluate->parsed();
    command = [options, evaluates] {
      return evaluates ? run_evaluate(*options) : run_support(*options);
    };
  });
}

}  // namespace payops::app
