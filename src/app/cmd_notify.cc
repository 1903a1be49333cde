// payops notify: incidents told to people.
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "cli.h"
#include "log.h"
#include "notify_process.h"
#include "payops/core/clock.h"
#include "payops/core/text.h"
#include "payops/notify/channels.h"
#include "terminal.h"

namespace payops::app {
namespace {

struct NotifyOptions {
  std::string config = "config/agent.yaml";
  std::string bootstrap;
  std::string topic_prefix;
  std::string state_dir;
};

Result<AppConfig> configured(const NotifyOptions& options) {
  const std::string found = find_shipped_file(options.config);
  auto config = load_app_config(found.empty() ? options.config : found);
  if (!config) return config;
  if (!options.bootstrap.empty()) config->streaming.bootstrap = options.bootstrap;
  if (!options.topic_prefix.empty()) config->streaming.topic_prefix = options.topic_prefix;
  if (!options.state_dir.empty()) config->process.state_dir = options.state_dir;
  return config;
}

int run(const NotifyOptions& options) {
  auto config = configured(options);
  if (!config) return report(config.error());
  const auto log = make_log("notify", config->logging);
  NotifyProcessSpec spec;
  spec.config = std::move(*config);
  spec.stop = &Signals::stop_requested;
  spec.on_note = [&](const std::string& s) { log->info("{}", s); };
  spec.on_trouble = [&](const std::string& s) { log->warn("{}", s); };
  spec.on_delivery = [&](const std::string& channel, const notify::Message& message,
                         const notify::Delivery& delivery) {
    const std::string what = channel + " " + message.id + " \"" + message.subject + "\"";
    if (delivery.result == notify::DeliveryResult::delivered) {
      log->info("{}: delivered", what);
    } else if (delivery.result == notify::DeliveryResult::retry) {
      log->warn("{}: to be tried again, {}", what, delivery.why);
    } else {
      log->error("{}: REFUSED, nobody there has been told: {}", what, delivery.why);
    }
  };
  const Status done = run_notify(spec);
  return done ? kExitDone : report(done.error());
}

// A message through every channel, once.
int test(const NotifyOptions& options) {
  const auto config = configured(options);
  if (!config) return report(config.error());
  auto channels = notify::open_channels(config->notify, notify::environment());
  if (!channels) return report(channels.error());
  if (channels->empty()) std::printf("the configuration names nobody to tell\n");
  const int64_t now_ms = SystemClock().now_ms();
  notify::Message message;
  message.id = "test-" + std::to_string(now_ms);
  message.created_ms = now_ms;
  message.subject = "[test] payops reaches you";
  message.text = "A test by \"payops notify test\". Nothing is wrong.\n";
  message.data = R"({"type":"payops.test","timestamp":")" + iso_time(now_ms) + R"(","data":{}})";
  bool all = !channels->empty();
  for (auto& [name, channel] : *channels) {
    const notify::Delivery delivery = channel.channel->deliver(message);
    const bool delivered = delivery.result == notify::DeliveryResult::delivered;
    all = all && delivered;
    std::printf("%s: %s%s\n", name.c_str(), delivered ? "delivered" : "not delivered, ",
                delivery.why.c_str());
  }
  return all ? kExitDone : kExitNo;
}

}  // namespace

void add_notify_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<NotifyOptions>();
  CLI::App* sub = app.add_subcommand("notify", "Tells people of incidents: webhook, Slack, mail");
  sub->require_subcommand(0, 1);
  sub->add_option("--config", options->config, "Configuration; its section notify")
      ->capture_default_str();
  sub->add_option("--bootstrap", options->bootstrap, "Kafka, host:port, instead of the file's");
  sub->add_option("--topic-prefix", options->topic_prefix, "Put before every topic's name");
  sub->add_option("--state", options->state_dir, "State directory, for what was said already");
  sub->footer(
      "Example: payops notify --config config/agent.yaml\nSecrets come from the environment.");
  auto testing = std::make_shared<NotifyOptions>();
  CLI::App* test_app = sub->add_subcommand("test", "A test message through every channel, once");
  test_app->add_option("--config", testing->config, "Configuration; its section notify")
      ->capture_default_str();
  test_app->footer("Example: payops notify test --config config/agent.yaml");
  sub->callback([&command, options, testing, test_app] {
    command = test_app->parsed() ? Command([testing] { return test(*testing); })
                                 : Command([options] { return run(*options); });
  });
}

}  // namespace payops::app
