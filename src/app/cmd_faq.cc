// payops faq: the articles that answer customers' questions.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cmd_support.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "support_app_config.h"
#include "support_knowledge.h"

namespace payops::app {
namespace {

using support_agent::FaqIndex;

struct FaqOptions {
  std::string config = "config/support.yaml";
  std::string text;
  std::string data;
  std::string model_dir;
  bool json = false;
  bool words_only = false;
};

struct Shelf {
  FaqIndex index;
  support_agent::Knowledge knowledge;
};

Result<Shelf> open_shelf(const FaqOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return tl::make_unexpected(config.error());
  auto articles = load_articles(config->process.articles);
  if (!articles) return tl::make_unexpected(articles.error());
  auto knowledge = load_knowledge(
      {.intents = config->process.intents,
       .articles = config->process.articles,
       .model = config->process.model,
       .model_dir = options.model_dir.empty() ? config->process.state_dir : options.model_dir},
      [](const std::string& s) { std::fprintf(stderr, "%s\n", s.c_str()); });
  if (!knowledge) return tl::make_unexpected(knowledge.error());
  return Shelf{FaqIndex(std::move(*articles), options.words_only ? nullptr : knowledge->embed),
               std::move(*knowledge)};
}

std::vector<support_agent::FaqHit> search(const Shelf& shelf, const std::string& question,
                                          std::size_t most) {
  std::vector<std::pair<std::string, double>> likely;
  for (const auto& guess : shelf.knowledge.classifier->classify(question).alternatives) {
    likely.emplace_back(guess.intent.name, guess.probability);
  }
  return shelf.index.search(question, likely, most);
}

int run_search(const FaqOptions& options) {
  const auto shelf = open_shelf(options);
  if (!shelf) return report_local(shelf.error());
  const auto hits = search(*shelf, options.text, 5);
  const double confidence = support_agent::faq_confidence(hits);
  if (options.json) {
    Json list = Json::array();
    for (const auto& hit : hits) {
      list.push_back({{"id", hit.id},
                      {"title", shelf->index.find(hit.id)->title},
                      {"score", hit.score},
                      {"bm25", hit.bm25},
                      {"similarity", hit.similarity}});
    }
    std::printf("%s\n", Json{{"confidence", confidence}, {"hits", list}}.dump(2).c_str());
    return hits.empty() ? kExitNo : kExitDone;
  }
  std::printf("confidence %.2f\n", confidence);
  for (const auto& hit : hits) {
    std::printf("%.3f  words %.2f, vector %.2f  %s: %s\n", hit.score, hit.bm25, hit.similarity,
                hit.id.c_str(), shelf->index.find(hit.id)->title.c_str());
  }
  return hits.empty() ? kExitNo : kExitDone;
}

struct Question {
  std::string question;
  std::string article;
};

// JSONL of {question (or text), article}; lines without an article are left out.
Result<std::vector<Question>> read_questions(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return tl::make_unexpected(text.error());
  std::vector<Question> questions;
  std::size_t from = 0;
  for (int line = 1; from < text->size(); ++line) {
    const std::size_t end = std::min(text->find('\n', from), text->size());
    const std::string part = text->substr(from, end - from);
    from = end + 1;
    if (part.empty()) continue;
    const Json object = Json::parse(part, nullptr, false);
    if (!object.is_object()) {
      return fail(ErrorCode::usage, file + ":" + std::to_string(line) + ": not a JSON object");
    }
    const char* key = object.contains("question") ? "question" : "text";
    if (!object.contains(key) || !object.contains("article")) {
      return fail(ErrorCode::usage,
                  file + ":" + std::to_string(line) + ": \"question\" and \"article\" are needed");
    }
    if (!object["article"].is_string()) continue;
    questions.push_back({object[key].get<std::string>(), object["article"].get<std::string>()});
  }
  if (questions.empty()) return fail(ErrorCode::usage, file + ": no question with an article");
  return questions;
}

int run_evaluate(const FaqOptions& options) {
  const auto shelf = open_shelf(options);
  if (!shelf) return report_local(shelf.error());
  const auto questions = read_questions(options.data);
  if (!questions) return report_local(questions.error());
  double first = 0, in_three = 0, reciprocal = 0;
  Json missed = Json::array();
  for (const Question& q : *questions) {
    const auto hits = search(*shelf, q.question, 10);
    std::size_t rank = 0;
    for (std::size_t i = 0; i < hits.size() && rank == 0; ++i) {
      if (hits[i].id == q.article) rank = i + 1;
    }
    first += rank == 1;
    in_three += rank >= 1 && rank <= 3;
    if (rank > 0) reciprocal += 1.0 / static_cast<double>(rank);
    if (rank != 1) {
      missed.push_back({{"question", q.question},
                        {"article", q.article},
                        {"found", hits.empty() ? "" : hits.front().id},
                        {"rank", rank}});
    }
  }
  const auto n = static_cast<double>(questions->size());
  if (options.json) {
    const Json out{{"questions", questions->size()},
                   {"recall_at_1", first / n},
                   {"recall_at_3", in_three / n},
                   {"mrr", reciprocal / n},
                   {"missed", missed}};
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    std::printf("%zu questions, %zu articles: recall@1 %.1f %%, recall@3 %.1f %%, MRR %.3f\n",
                questions->size(), shelf->index.articles().size(), 100 * first / n,
                100 * in_three / n, reciprocal / n);
  }
  return kExitDone;
}

// Takes articles from another folder into the configured one, each held to the rules first.
int run_import(const FaqOptions& options) {
  auto config = load_support_config(options.config);
  if (!config) return report_local(config.error());
  const auto articles = load_articles(options.text);
  if (!articles) return report_local(articles.error());
  std::error_code error;
  std::filesystem::create_directories(config->process.articles, error);
  for (const auto& article : *articles) {
    const std::string name = "/" + article.id + ".md";
    std::filesystem::copy_file(options.text + name, config->process.articles + name,
                               std::filesystem::copy_options::overwrite_existing, error);
    if (error) {
      return report_local({ErrorCode::unavailable, false,
                           config->process.articles + name + ": " + error.message()});
    }
  }
  std::printf("%zu articles are in %s; a running agent takes them up within seconds\n",
              articles->size(), config->process.articles.c_str());
  return kExitDone;
}

}  // namespace

void add_faq_command(CLI::App& app, Command& command) {
  auto options = std::make_shared<FaqOptions>();
  CLI::App* sub = app.add_subcommand("faq", "The articles that answer customers' questions");
  sub->require_subcommand(1);
  sub->footer("Example: payops faq search \"how long does a refund take\"");
  const auto common = [&](CLI::App* part) {
    part->add_option("--config", options->config, "Configuration")->capture_default_str();
    part->add_option("--model-dir", options->model_dir, "Where a model made now is kept");
    part->add_flag("--json", options->json, "One JSON document on stdout");
    part->add_flag("--words-only", options->words_only, "Without the vectors");
  };
  CLI::App* search_app = sub->add_subcommand("search", "What would be answered");
  search_app->add_option("QUESTION", options->text, "As a customer asks it")->required();
  common(search_app);
  search_app->callback(
      [&command, options] { command = [options] { return run_search(*options); }; });
  CLI::App* evaluate_app = sub->add_subcommand("evaluate", "How often the right article is found");
  evaluate_app->add_option("--data", options->data, "JSONL of question and article")->required();
  common(evaluate_app);
  evaluate_app->callback(
      [&command, options] { command = [options] { return run_evaluate(*options); }; });
  CLI::App* import_app = sub->add_subcommand("import", "Check articles and take them in");
  import_app->add_option("DIR", options->text, "Folder of *.md")->required();
  import_app->add_option("--config", options->config, "Configuration")->capture_default_str();
  import_app->callback(
      [&command, options] { command = [options] { return run_import(*options); }; });
}

}  // namespace payops::app
