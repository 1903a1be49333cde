#include "support_knowledge.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "intent_catalogue.h"
#include "intent_data.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/support_agent/intent_classifiers.h"

namespace payops::app {
namespace {

namespace fs = std::filesystem;
using support_agent::IntentModel;

constexpr uint64_t kModelSeed = 1;
constexpr std::string_view kTrainingVersion = "2";  // raised when training itself changes
// Below it the answer is "I do not know"; found on held-out fifths of the examples, where anything
// from 0.15 to 0.25 does as well.
constexpr double kLeastConfidence = 0.2;

// What the shipped model learns from: the catalogue, and the articles' own phrases as examples of
// the general question they answer. The catalogue knows what is out of scope by kinds, each with
// examples of its own, so that these are intents too; the answer to them is that there is none.
IntentData lessons_of(const support_agent::IntentCatalogue& catalogue,
                      const std::vector<support_agent::FaqArticle>& articles) {
  IntentData data;
  std::map<std::string, uint32_t> general;
  std::set<std::u32string> seen;
  const auto add = [&](const std::string& text, uint32_t intent) {
    if (seen.insert(support_agent::normalise(text)).second) data.messages.push_back({text, intent});
  };
  for (const auto& intent : catalogue.intents) {
    const auto index = static_cast<uint32_t>(data.intents.size());
    data.intents.push_back({intent.name, intent.top, intent.to_person});
    if (intent.top == support_agent::IntentClass::faq) general[intent.name] = index;
    for (const std::string& text : intent.examples) add(text, index);
  }
  for (const auto& article : articles) {
    const auto named = std::find_if(article.intents.begin(), article.intents.end(),
                                    [&](const auto& name) { return general.count(name) != 0; });
    if (named == article.intents.end()) continue;
    for (const std::string& text : article.asks) add(text, general[*named]);
  }
  return data;
}

std::string hash_of(const IntentData& data) {
  std::string all(kTrainingVersion);
  all += encode(data.intents);
  for (const auto& message : data.messages) {
    all += message.text + '\0' + std::to_string(message.intent) + '\0';
  }
  return sha256_hex(all).substr(0, 16);
}

Result<IntentModel> train_and_keep(const KnowledgeFiles& files, const IntentData& data,
                                   const std::string& kept,
                                   const std::function<void(const std::string&)>& note) {
  note("learning to understand customers from " + std::to_string(data.messages.size()) +
       " examples");
  support_agent::IntentTraining training;
  training.network.stop = files.stop;
  auto model = IntentModel::train(data.intents, data.messages, training, kModelSeed);
  if (!model || kept.empty()) return model;
  std::error_code ignored;
  fs::create_directories(files.model_dir, ignored);
  std::ofstream(kept + ".new", std::ios::binary | std::ios::trunc) << model->to_bytes();
  fs::rename(kept + ".new", kept, ignored);  // not kept: it is learnt again
  return model;
}

Result<IntentModel> find_model(const KnowledgeFiles& files, const IntentData& data,
                               const std::function<void(const std::string&)>& note) {
  if (!files.model.empty()) {
    const auto bytes = read_file(files.model);
    if (!bytes) return tl::make_unexpected(bytes.error());
    return IntentModel::from_bytes(*bytes, files.model);
  }
  const std::string kept = files.model_dir.empty()
                               ? std::string()
                               : files.model_dir + "/intents-" + hash_of(data) + ".model";
  if (const auto bytes = kept.empty() ? fail(ErrorCode::not_found, "") : read_file(kept); bytes) {
    if (auto model = IntentModel::from_bytes(*bytes, kept)) return model;
  }
  return train_and_keep(files, data, kept, note);
}

std::vector<fs::path> article_files(const std::string& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Result<support_agent::Knowledge> load_knowledge(
    const KnowledgeFiles& files, const std::function<void(const std::string&)>& note) {
  const auto catalogue = read_intent_catalogue(files.intents);
  if (!catalogue) return tl::make_unexpected(catalogue.error());
  std::vector<support_agent::FaqArticle> articles;
  if (!files.articles.empty()) {
    auto found = load_articles(files.articles);
    if (!found) return tl::make_unexpected(found.error());
    articles = std::move(*found);
  }
  auto model = find_model(files, lessons_of(*catalogue, articles), note);
  if (!model) return tl::make_unexpected(model.error());
  const auto shared = std::make_shared<const IntentModel>(std::move(*model));
  support_agent::Knowledge knowledge;
  knowledge.model_hash = sha256_hex(shared->to_bytes()).substr(0, 32);
  knowledge.embed = [shared](std::string_view text) { return shared->hidden(text); };
  knowledge.classifier = std::make_shared<support_agent::GuardedClassifier>(
      support_agent::ModelClassifier(*shared, kLeastConfidence),
      support_agent::KeywordClassifier(*catalogue));
  return knowledge;
}

Result<std::vector<support_agent::FaqArticle>> load_articles(
    const std::string& folder, const std::vector<std::string>& known) {
  const auto files = article_files(folder);
  if (files.empty()) return fail(ErrorCode::not_found, folder + ": no *.md with articles in it");
  std::vector<support_agent::FaqArticle> articles;
  for (const fs::path& file : files) {
    const auto text = read_file(file.string());
    if (!text) return tl::make_unexpected(text.error());
    auto article = support_agent::parse_article(*text, file.string());
    if (!article) return tl::make_unexpected(article.error());
    for (const std::string& intent : article->intents) {
      if (known.empty() || std::find(known.begin(), known.end(), intent) != known.end()) continue;
      const std::size_t at = text->find(intent);
      const auto line =
          1 + std::count(text->begin(),
                         text->begin() + static_cast<std::ptrdiff_t>(std::min(at, text->size())),
                         '\n');
      return fail(ErrorCode::config, file.string() + ":" + std::to_string(line) +
                                         ": there is no intent \"" + intent + "\"" +
                                         did_you_mean(intent, known));
    }
    articles.push_back(std::move(*article));
  }
  return articles;
}

std::string articles_stamp(const std::string& folder) {
  std::string stamp;
  std::error_code ignored;
  for (const fs::path& file : article_files(folder)) {
    stamp += file.filename().string() + std::to_string(fs::file_size(file, ignored)) + "|" +
             std::to_string(fs::last_write_time(file, ignored).time_since_epoch().count()) + "\n";
  }
  return sha256_hex(stamp);
}

}  // namespace payops::app
