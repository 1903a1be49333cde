// payops demo: broker, world and both agents together, each cycle on the screen.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "chat_crowd.h"
#include "cli.h"
#include "console_process.h"
#include "live_agent.h"
#include "live_world.h"
#include "log.h"
#include "narrate.h"
#include "payops/api/access.h"
#include "payops/core/clock.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "payops/evaluation/closed_loop.h"
#include "payops/streaming/development_broker.h"
#include "payops/streaming/topics.h"
#include "support_process.h"
#include "virtual_run.h"
#include "world_control.h"

namespace payops::app {
namespace {

// Customers who write: as many as a person can follow. Every issuer and method has more complaints
// an hour, with time at four times its pace, than in earnest.
constexpr double kChatsPerS = 0.2;
constexpr double kFailedShare = 0.05;  // of failed payments: written about
constexpr double kComplaintsUsual = 600.0;

struct DemoOptions {
  std::string stream = "config/continuous_stream.yaml";
  std::string scenario;
  std::optional<uint64_t> seed;
  double speed = 4.0;
  double duration_s = 0.0;
  double warm_up_s = 120.0;
  std::string bootstrap;
  bool json = false;
  bool no_console = false;
  bool no_support = false;
};

// What the demo runs, put together from the stream's file and the command line.
struct Cast {
  simulators::Scenario scenario;
  uint64_t seed = 1;
  AppConfig config;
  std::unique_ptr<streaming::DevelopmentBroker> broker;
  std::filesystem::path scratch;  // state of this demo only
};

Result<Cast> assemble(const DemoOptions& options) {
  Cast cast;
  const std::string found = find_shipped_file(options.stream);
  const auto stream = simulators::load_continuous_stream(found.empty() ? options.stream : found);
  if (!stream) return tl::make_unexpected(stream.error());
  auto scenario =
      simulators::load_scenario(options.scenario.empty() ? stream->scenario : options.scenario);
  if (!scenario) return tl::make_unexpected(scenario.error());
  if (options.scenario.empty()) scenario = simulators::world_of(*stream, *scenario);
  if (!scenario) return tl::make_unexpected(scenario.error());
  cast.scenario = std::move(*scenario);
  cast.seed = options.seed.value_or(stream->seed);

  auto config = load_app_config_or_default("config/agent.yaml");
  if (!config) return tl::make_unexpected(config.error());
  cast.config = std::move(*config);
  cast.config.logging = stream->logging;
  cast.config.agent.cycle_interval_s = stream->agent.cycle_interval;
  cast.config.agent.reasoning.anomaly_threshold = stream->agent.anomaly_threshold;
  cast.config.agent.min_action_frequency.cycles = stream->agent.min_action_frequency_cycles;
  cast.config.agent.complaints.usual_per_hour = kComplaintsUsual;
  evaluation::price_as(cast.scenario, cast.config.agent);

  const std::string stamp = std::to_string(SystemClock().now_ms());
  std::error_code error;
  cast.scratch = std::filesystem::temp_directory_path(error) / ("payops-demo-" + stamp);
  cast.config.process.state_dir = (cast.scratch / "state").string();
  cast.config.process.audit_dir += "/demo-" + stamp;
  cast.config.console.users_file = (cast.scratch / "users.json").string();
  cast.config.process.kill_file = (cast.scratch / "kill").string();
  cast.config.process.max_input_age_s = 0.0;  // a simulated world may lie in the past
  std::filesystem::create_directories(cast.config.process.state_dir, error);
  if (error) return fail(ErrorCode::unavailable, cast.scratch.string() + ": " + error.message());

  if (options.bootstrap.empty()) {
    auto broker = streaming::DevelopmentBroker::start();
    if (!broker) return tl::make_unexpected(broker.error());
    cast.broker = std::move(*broker);
    cast.config.streaming.bootstrap = cast.broker->bootstrap();
  } else {
    cast.config.streaming.bootstrap = options.bootstrap;
    cast.config.streaming.topic_prefix = "demo-" + stamp + ".";
    auto topics = streaming::create_topics(cast.config.streaming);
    if (!topics) return tl::make_unexpected(topics.error());
  }
  return cast;
}

void introduce(const Cast& cast, const DemoOptions& options, double duration_s) {
  std::fprintf(stderr, "payops demo: %s, seed %llu\n  %s\n", cast.scenario.name.c_str(),
               static_cast<unsigned long long>(cast.seed), cast.scenario.description.c_str());
  if (cast.broker != nullptr) {
    std::fprintf(stderr, "%s\n", std::string(streaming::DevelopmentBroker::notice()).c_str());
  }
  std::fprintf(stderr,
               "Kafka at %s. %.0f simulated seconds are learnt from first, then time runs %.3g "
               "times as fast for %.0f s. Ctrl-C ends it with a summary.\n\n",
               cast.config.streaming.bootstrap.c_str(), options.warm_up_s, options.speed,
               duration_s);
}

LiveWorldSpec world_spec(const Cast& cast, const DemoOptions& options, double duration_s) {
  LiveWorldSpec spec;
  spec.scenario = cast.scenario;
  spec.streaming = cast.config.streaming;
  spec.seed = cast.seed;
  spec.speed = options.speed;
  spec.warm_up_s = options.warm_up_s;
  spec.duration_s = options.warm_up_s + duration_s * options.speed;
  return spec;
}

// What the story lacks until world and agent have ended. The same world left alone is one with the
// faults that were injected; with another rate half-way it cannot be had.
void complete(RunStory& story, const Cast& cast, const WorldControl& control,
              const LiveAgentResult& agent, const LiveWorldResult& world) {
  story.totals = agent.total;
  story.books = world.books;
  story.start_ms = world.start_ms;
  story.end_ms = world.end_ms;
  story.currency = cast.config.agent.economics.reporting_currency;
  story.result.scenario = cast.scenario.name;
  story.result.seed = cast.seed;
  story.result.cycles = static_cast<uint64_t>(agent.total.cycles);
  story.result.net_revenue_minor = world.net_revenue_minor;
  story.result.nothing_revenue_minor =
      control.rate_changed() ? world.net_revenue_minor
                             : simulators::books_without_actions(control.lived(), cast.seed,
                                                                 world.start_ms, world.end_ms)
                                   .net_revenue_minor();
}

void tell(const RunStory& story, bool json, const std::string& audit) {
  if (json) {
    std::printf("%s\n", dump(to_json(story.result)).c_str());
    return;
  }
  std::printf(
      "\n%s\nThe audit log is in %s:\n  payops audit verify %s\n  payops explain last --audit %s\n"
      "  payops replay %s\n",
      story_text(story).c_str(), audit.c_str(), audit.c_str(), audit.c_str(), audit.c_str());
}

// The console with a user of this demo's own. Errors: as ConsoleProcess::start().
Result<std::unique_ptr<ConsoleProcess>> open_console(
    const Cast& cast, WorldControl& control,
    const std::function<void(const std::string&)>& on_note) {
  const std::string password = api::random_password();
  const Status added =
      api::add_user(cast.config.console.users_file, "demo", api::Role::admin, password);
  if (!added) return tl::make_unexpected(added.error());
  auto console = ConsoleProcess::start(cast.config, &control, on_note);
  if (!console) return console;
  std::fprintf(stderr, "Console: %s   user demo, password %s\n\n", (*console)->address().c_str(),
               password.c_str());
  return console;
}

// The support agent on the same broker, with a customer who can chat; begin() starts it. Where its
// port is taken it has any free one. Errors: as SupportProcess::start().
Result<std::unique_ptr<SupportProcess>> open_support(
    const Cast& cast, const std::function<void(const std::string&)>& on_note,
    const std::function<void(const std::string&)>& on_trouble) {
  auto config = load_support_config("config/support.yaml");
  if (!config) return tl::make_unexpected(config.error());
  std::error_code error;
  config->streaming = cast.config.streaming;
  config->agent.topology = cast.config.agent.topology;
  config->process.state_dir = (cast.scratch / "support").string();
  config->process.audit_dir = cast.config.process.audit_dir + "-support";
  config->process.model_dir =
      (std::filesystem::temp_directory_path(error) / "payops-models").string();
  config->http.users_file = cast.config.console.users_file;
  const std::string password = api::random_password();
  const Status added =
      api::add_user(config->http.users_file, "customer", api::Role::customer, password);
  if (!added) return tl::make_unexpected(added.error());
  auto support = SupportProcess::start(*config, on_note, on_trouble);
  if (!support) {
    config->http.port = 0;
    support = SupportProcess::start(std::move(*config), on_note, on_trouble);
  }
  if (!support) return support;
  std::fprintf(stderr,
               "Chat: %s/chat   user customer, password %s\n"
               "  (ask why a payment failed, at the bank that breaks and at another)\n\n",
               (*support)->address().c_str(), password.c_str());
  return support;
}

// Support and the customers who write to it. They begin when the first cycle has been shown, so
// that payments do not wait for what support has to learn first.
class Support {
 public:
  Support(std::unique_ptr<SupportProcess> agent, ChatCrowdSpec crowd,
          std::function<void(const std::string&)> on_trouble)
      : agent_(std::move(agent)), crowd_(std::move(crowd)), on_trouble_(std::move(on_trouble)) {
    crowd_.stop = [this] { return over_.load(); };
  }
  ~Support() {
    over_ = true;
    if (writers_.joinable()) writers_.join();
  }
  void begin() {
    if (writers_.joinable()) return;
    agent_->begin();
    writers_ = std::thread([this] {
      if (const auto sent = run_chat_crowd(crowd_); !sent) on_trouble_(sent.error().message);
    });
  }

 private:
  std::unique_ptr<SupportProcess> agent_;
  ChatCrowdSpec crowd_;
  std::function<void(const std::string&)> on_trouble_;
  std::atomic<bool> over_{false};
  std::thread writers_;
};

// Errors: as open_support().
Result<std::unique_ptr<Support>> open_chats(
    const Cast& cast, const std::function<void(const std::string&)>& on_note,
    const std::function<void(const std::string&)>& on_trouble) {
  auto agent = open_support(cast, on_note, on_trouble);
  if (!agent) return tl::make_unexpected(agent.error());
  const std::string intents = find_shipped_file("config/support/intents");
  return std::make_unique<Support>(std::move(*agent),
                                   ChatCrowdSpec{.streaming = cast.config.streaming,
                                                 .intents = intents,
                                                 .rate = kChatsPerS,
                                                 .failed_share = kFailedShare,
                                                 .seed = cast.seed},
                                   on_trouble);
}

int demo(const DemoOptions& options) {
  auto cast = assemble(options);
  if (!cast) return report(cast.error());
  const auto log = make_log("demo", cast->config.logging);
  const double duration_s =
      options.duration_s > 0
          ? options.duration_s
          : std::max(60.0, (cast->scenario.duration_s - options.warm_up_s) / options.speed);
  introduce(*cast, options, duration_s);

  // The agent runs in this thread, the world in another; they meet in Kafka only.
  std::atomic<bool> agent_over{false};
  std::atomic<int64_t> world_over_ms{0};
  std::vector<simulators::TruthEvent> faults;
  Result<LiveWorldResult> lived = fail(ErrorCode::internal, "the world did not start");
  LiveWorldSpec world = world_spec(*cast, options, duration_s);
  WorldControl control(cast->scenario, options.speed);
  world.on_turn = [&](simulators::World& w, double& speed) { control.turn(w, speed); };
  world.stop = [&] { return Signals::stop_requested() || agent_over.load(); };
  world.on_truth = [&](const std::vector<simulators::TruthEvent>& events) {
    control.truth(events);
    for (const simulators::TruthEvent& event : events) {
      if (event.kind != simulators::TruthKind::latent) faults.push_back(event);
    }
  };
  world.on_trouble = [&](const std::string& s) { log->warn("{}", s); };

  const Terminal terminal;
  const std::string currency = cast->config.agent.economics.reporting_currency;
  StoryTeller teller;
  std::unique_ptr<Support> support;
  int64_t first_ms = 0;
  LiveAgentSpec agent;
  agent.config = cast->config;
  agent.stop = [&] {
    const int64_t over_ms = world_over_ms.load();
    return Signals::stop_requested() || (over_ms > 0 && SystemClock().now_ms() > over_ms + 3000);
  };
  agent.on_note = [&](const std::string& s) { log->info("{}", s); };
  agent.on_trouble = [&](const std::string& s) { log->warn("{}", s); };
  agent.on_published = [&](const OutboxEntry& entry) { teller.published(entry); };
  agent.on_cycle = [&](const payments_agent::CycleReport& cycle) {
    teller.cycle(cycle);
    if (first_ms == 0) first_ms = cycle.at_ms;
    const bool warm =
        static_cast<double>(cycle.at_ms - first_ms) / 1000.0 >= options.warm_up_s - 16;
    if (options.json || !warm) return;
    std::printf("%s\n", cycle_text(cycle, currency, terminal).c_str());
    std::fflush(stdout);
    if (support != nullptr) support->begin();
  };

  std::unique_ptr<ConsoleProcess> console;
  if (cast->config.console.enabled && !options.no_console && !options.json) {
    auto opened = open_console(*cast, control, agent.on_note);
    if (!opened) return report(opened.error());
    console = std::move(*opened);
    agent.feed = &console->feed();
    agent.console_key_hex = console->public_key_hex();
  }
  if (!options.no_support && !options.json) {
    auto opened = open_chats(*cast, agent.on_note, agent.on_trouble);
    if (!opened) return report(opened.error());
    support = std::move(*opened);
  }
  std::thread world_thread([&] {
    lived = run_live_world(world);
    world_over_ms = SystemClock().now_ms();
  });
  const auto result = run_live_agent(agent);
  agent_over = true;
  support.reset();
  world_thread.join();
  std::error_code ignored;
  std::filesystem::remove_all(cast->scratch, ignored);
  if (!result) return report(result.error());
  if (!lived) return report(lived.error());

  teller.truth(faults);
  complete(teller.story, *cast, control, *result, *lived);
  tell(teller.story, options.json, cast->config.process.audit_dir);
  return kExitDone;
}

}  // namespace

void add_demo_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* sub =
      app.add_subcommand("demo", "Broker, world and both agents together: watch them work");
  sub->add_option("--scenario", options->scenario,
                  "Name in simulators/scenarios, or a file (default: what --stream says)");
  sub->add_option("--stream", options->stream, "The demo's world and agent")->capture_default_str();
  sub->add_option("--seed", options->seed, "Same seed, same world");
  sub->add_option("--speed", options->speed, "Simulated seconds per second")
      ->capture_default_str()
      ->check(positive_number());
  sub->add_option("--duration", options->duration_s,
                  "Seconds on the screen (default: to the scenario's end)")
      ->check(positive_number());
  sub->add_option("--warm-up", options->warm_up_s, "Simulated seconds learnt from before the show")
      ->capture_default_str()
      ->check(non_negative_number());
  sub->add_option("--bootstrap", options->bootstrap, "A real Kafka instead of the embedded broker");
  sub->add_flag("--no-support", options->no_support, "Without customers' chats");
  sub->add_flag("--no-console", options->no_console, "Serve no console");
  sub->add_flag("--json", options->json, "Only the summary, as one JSON document on stdout");
  sub->footer("Example: payops demo --duration 60");
  sub->callback([&command, options] { command = [options] { return demo(*options); }; });
}

}  // namespace payops::app
