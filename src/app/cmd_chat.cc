// payops chat: talks to the support agent from the terminal, over Kafka; payops simulate-chats:
// many customers who write to it.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include "chat_crowd.h"
#include "cmd_support.h"
#include "payops/core/clock.h"
#include "payops/core/digest.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/streaming/consumer.h"
#include "payops/streaming/event_producer.h"
#include "payops/support_agent/chat.h"
#include "support_app_config.h"
#include "terminal.h"

namespace payops::app {
namespace {

using support_agent::ChatMessage;
using support_agent::ChatReply;

struct ChatOptions {
  std::string config = "config/support.yaml";
  std::string bootstrap, topic_prefix;
  std::string user = "u-terminal";
  std::string text;
  int64_t wait_s = 20;
  double rate = 1.0;
  double failed_share = 0.3;
  double duration_s = 60.0;
  uint64_t seed = 1;
  bool json = false;
};

Result<SupportAppConfig> configured(const ChatOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return config;
  if (!options.bootstrap.empty()) config->streaming.bootstrap = options.bootstrap;
  if (!options.topic_prefix.empty()) config->streaming.topic_prefix = options.topic_prefix;
  return config;
}

// A line to the agent and its replies from there.
class Conversation {
 public:
  static Result<std::unique_ptr<Conversation>> open(const streaming::StreamingConfig& config,
                                                    std::string user) {
    auto out = streaming::EventProducer::open(config, {.linger_ms = 0});
    if (!out) return tl::make_unexpected(out.error());
    auto in = streaming::Consumer::open(config, {"chat.outbound"});
    if (!in) return tl::make_unexpected(in.error());
    auto marks = (*in)->watermarks();
    if (!marks) return tl::make_unexpected(marks.error());
    std::vector<streaming::Position> ends;
    for (const auto& mark : *marks) ends.push_back({mark.topic, mark.partition, mark.end});
    if (Status assigned = (*in)->assign(ends); !assigned) {
      return tl::make_unexpected(assigned.error());
    }
    return std::unique_ptr<Conversation>(
        new Conversation(std::move(*out), std::move(*in), std::move(user)));
  }

  Result<ChatReply> say(const std::string& text, int64_t wait_ms) {
    const SystemClock clock;
    ChatMessage message;
    message.user_id = user_;
    message.session_id = session_;
    message.channel = "terminal";
    message.text = text;
    message.ts_ms = clock.now_ms();
    message.message_id =
        "term-" + hex64(hash64(user_ + std::to_string(message.ts_ms) + "|" +
                               std::to_string(getpid()) + "|" + std::to_string(++said_)));
    Status sent = out_->send("chat.inbound", user_, dump(to_json(message)));
    if (sent) sent = out_->flush(wait_ms);
    if (!sent) return tl::make_unexpected(sent.error());
    for (const int64_t until = clock.now_ms() + wait_ms; clock.now_ms() < until;) {
      for (const streaming::Record& record : in_->poll(50).records) {
        const auto reply = from_json<ChatReply>(Json::parse(record.payload, nullptr, false));
        if (!reply || reply->in_reply_to != message.message_id) continue;
        session_ = reply->session_id;
        return reply;
      }
      if (Signals::stop_requested()) break;
    }
    return fail(ErrorCode::unavailable, "no reply came in " + std::to_string(wait_ms / 1000) +
                                            " s; does payops support run on this Kafka?");
  }

 private:
  Conversation(std::unique_ptr<streaming::EventProducer> out,
               std::unique_ptr<streaming::Consumer> in, std::string user)
      : out_(std::move(out)), in_(std::move(in)), user_(std::move(user)) {}
  std::unique_ptr<streaming::EventProducer> out_;
  std::unique_ptr<streaming::Consumer> in_;
  std::string user_, session_;
  int said_ = 0;
};

void show(const ChatReply& reply, bool json) {
  if (json) {
    std::printf("%s\n", dump(to_json(reply)).c_str());
  } else {
    std::printf("%s\n  [%s, %s, %.2f%s]\n", reply.text.c_str(), reply.agent.c_str(),
                reply.intent.c_str(), reply.confidence,
                reply.ticket_id.empty() ? "" : (", " + reply.ticket_id).c_str());
  }
  std::fflush(stdout);
}

int run_chat(const ChatOptions& options) {
  const auto config = configured(options);
  if (!config) return report(config.error());
  auto conversation = Conversation::open(config->streaming, options.user);
  if (!conversation) return report(conversation.error());
  const bool typed = isatty(STDIN_FILENO) != 0;
  std::string line = options.text;
  while (!Signals::stop_requested()) {
    if (options.text.empty()) {
      if (typed) std::fprintf(stderr, "> ");
      if (!std::getline(std::cin, line)) break;
      if (line.empty()) continue;
    }
    const auto reply = (*conversation)->say(line, options.wait_s * 1000);
    if (!reply) return report(reply.error());
    show(*reply, options.json);
    if (!options.text.empty()) break;
  }
  return kExitDone;
}

int run_simulation(const ChatOptions& options) {
  const auto config = configured(options);
  if (!config) return report(config.error());
  const auto sent = run_chat_crowd({.streaming = config->streaming,
                                    .intents = config->process.intents,
                                    .rate = options.rate,
                                    .failed_share = options.failed_share,
                                    .duration_s = options.duration_s,
                                    .seed = options.seed,
                                    .stop = &Signals::stop_requested});
  if (!sent) return report(sent.error());
  std::printf("%llu messages to chat.inbound\n", static_cast<unsigned long long>(*sent));
  return kExitDone;
}

}  // namespace

void add_chat_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<ChatOptions>();
  const auto common = [options](CLI::App* sub) {
    sub->add_option("--config", options->config, "Configuration")->capture_default_str();
    sub->add_option("--bootstrap", options->bootstrap, "Kafka, host:port, instead of the file's");
    sub->add_option("--topic-prefix", options->topic_prefix, "Put before every topic's name");
  };
  CLI::App* chat = app.add_subcommand("chat", "Talk to the support agent from the terminal");
  common(chat);
  chat->add_option("--user", options->user, "Who you are")->capture_default_str();
  chat->add_option("--text", options->text, "One message; without it line by line from stdin");
  chat->add_option("--wait", options->wait_s, "Seconds to wait for a reply")->capture_default_str();
  chat->add_flag("--json", options->json, "Replies as JSON lines");
  chat->footer("Example: payops chat --user u_001234 --text \"why did my payment fail\"");
  chat->callback([&command, options] { command = [options] { return run_chat(*options); }; });
  CLI::App* simulate = app.add_subcommand(
      "simulate-chats", "Customers who write: about failed payments, and about anything");
  common(simulate);
  simulate->add_option("--rate", options->rate, "Messages a second about anything")
      ->capture_default_str()
      ->check(non_negative_number());
  simulate
      ->add_option("--failed-share", options->failed_share,
                   "Of failed payments: how many are written about")
      ->capture_default_str()
      ->check(between(0.0, 1.0));
  simulate->add_option("--duration", options->duration_s, "Seconds")->capture_default_str();
  simulate->add_option("--seed", options->seed, "Same seed, same words")->capture_default_str();
  simulate->footer("Example: payops simulate-chats --rate 5 --duration 60");
  simulate->callback(
      [&command, options] { command = [options] { return run_simulation(*options); }; });
}

}  // namespace payops::app
