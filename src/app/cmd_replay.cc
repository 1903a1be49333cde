// payops replay: every decision computed again from its recorded input.
#include <cstdio>
#include <memory>

#include "cli.h"
#include "key_vault.h"
#include "payops/core/json_fields.h"
#include "payops/memory/replay.h"
#include "payops/memory/rocks_store.h"
#include "payops/payments_agent/agent.h"
#include "support_app_config.h"
#include "support_knowledge.h"
#include "terminal.h"
#include "version.h"

namespace payops::app {
namespace {

struct ReplayOptions {
  std::string directory;
  std::string agent = "payments";
  std::string config = "config/support.yaml";
  std::string state;
  bool json = false;
};

int replay_with(Reducer& agent, const ReplayOptions& options) {
  Progress progress("payops replay");
  const auto replayed = memory::replay(options.directory, agent,
                                       {.build = kVersion, .progress = [&](uint64_t step) {
                                          progress.update(std::to_string(step) + " steps agree");
                                        }});
  if (!replayed) return report_local(replayed.error());
  if (options.json) {
    std::printf("%s\n", dump(to_json(*replayed)).c_str());
  } else if (replayed->ok) {
    std::printf("all %llu steps, %llu lines, computed again: every decision agrees\n",
                static_cast<unsigned long long>(replayed->steps),
                static_cast<unsigned long long>(replayed->lines));
    if (!replayed->other_build.empty()) {
      std::printf("(recorded by the build \"%s\", computed again by \"%s\")\n",
                  replayed->other_build.c_str(), kVersion);
    }
  } else {
    std::printf("cycle %llu differs (audit seq %llu): %s\n",
                static_cast<unsigned long long>(replayed->bad_step),
                static_cast<unsigned long long>(replayed->bad_seq), replayed->reason.c_str());
    if (!replayed->path.empty()) {
      std::printf("first difference at %s: recorded %s, computed %s\n", replayed->path.c_str(),
                  replayed->recorded_value.c_str(), replayed->computed_value.c_str());
    }
  }
  return replayed->ok ? kExitDone : kExitNo;
}

// The support agent's inputs are sealed with its customers' keys, which lie in its state, and were
// understood by the model kept there.
int replay_support(const ReplayOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return report_local(config.error());
  const std::string state = options.state.empty() ? config->process.state_dir : options.state;
  auto store = memory::RocksStore::open(state);
  if (!store) return report_local(store.error());
  const auto knowledge = load_knowledge({.intents = config->process.intents,
                                         .articles = config->process.articles,
                                         .model = config->process.model,
                                         .model_dir = state},
                                        [](const std::string&) {});
  if (!knowledge) return report_local(knowledge.error());
  KeyVault vault(**store);
  support_agent::SupportAgent agent(vault);
  agent.know(*knowledge);
  return replay_with(agent, options);
}

int run_replay(const ReplayOptions& options) {
  if (options.agent == "support") return replay_support(options);
  payments_agent::PaymentsAgent agent;
  return replay_with(agent, options);
}

}  // namespace

void add_replay_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* sub = app.add_subcommand("replay", "Compute recorded decisions again and compare");
  sub->add_option("DIR", options->directory, "Audit folder")->required();
  sub->add_option("--agent", options->agent, "Whose log it is")
      ->capture_default_str()
      ->check(CLI::IsMember({"payments", "support"}));
  sub->add_option("--config", options->config, "Of the support agent")->capture_default_str();
  sub->add_option("--state", options->state, "State directory of the support agent, stopped");
  sub->add_flag("--json", options->json, "One JSON document on stdout");
  sub->footer("Example: payops replay audit_logs");
  sub->callback([&command, options] { command = [options] { return run_replay(*options); }; });
}

}  // namespace payops::app
