// payops stories: conversations as tests.
#include <cstdio>
#include <memory>

#include "chat_story.h"
#include "cmd_support.h"
#include "payops/core/json_fields.h"
#include "support_app_config.h"
#include "support_knowledge.h"

namespace payops::app {
namespace {

struct StoriesOptions {
  std::string path;
  std::string config = "config/support.yaml";
  std::string model;
  std::string model_dir;
  bool json = false;
};

int run_stories(const StoriesOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return report_local(config.error());
  const auto stories = read_chat_stories(options.path);
  if (!stories) return report_local(stories.error());
  const auto knowledge = load_knowledge(
      {.intents = config->process.intents,
       .articles = config->process.articles,
       .model = options.model.empty() ? config->process.model : options.model,
       .model_dir = options.model_dir.empty() ? config->process.state_dir : options.model_dir},
      [](const std::string& s) { std::fprintf(stderr, "%s\n", s.c_str()); });
  if (!knowledge) return report_local(knowledge.error());
  const auto articles = load_articles(config->process.articles);
  if (!articles) return report_local(articles.error());
  std::size_t failed = 0, turns = 0;
  Json failures = Json::array();
  for (const ChatStory& story : *stories) {
    turns += story.turns.size();
    const auto result = play(story, *knowledge, config->agent, *articles);
    if (!result) return report_local(result.error());
    if (!result->failures.empty()) ++failed;
    for (const std::string& failure : result->failures) {
      failures.push_back(failure);
      if (!options.json) std::printf("%s\n", failure.c_str());
    }
  }
  if (options.json) {
    const Json out{
        {"stories", stories->size()}, {"turns", turns}, {"failed", failed}, {"failures", failures}};
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    std::printf("%zu stories, %zu turns: %zu as told, %zu not\n", stories->size(), turns,
                stories->size() - failed, failed);
  }
  return failed == 0 ? kExitDone : kExitNo;
}

}  // namespace

void add_stories_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<StoriesOptions>();
  CLI::App* sub = app.add_subcommand("stories", "Conversations as tests of the support agent");
  sub->require_subcommand(1);
  sub->footer("Example: payops stories run tests/stories");
  CLI::App* run = sub->add_subcommand("run", "Play stories and compare");
  run->add_option("PATH", options->path, "A folder of *.yaml, or one file")->required();
  run->add_option("--config", options->config, "Configuration")->capture_default_str();
  run->add_option("--model", options->model, "A trained intent model");
  run->add_option("--model-dir", options->model_dir, "Where a model made now is kept");
  run->add_flag("--json", options->json, "One JSON document on stdout");
  run->callback([&command, options] { command = [options] { return run_stories(*options); }; });
}

}  // namespace payops::app
