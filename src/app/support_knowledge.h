// What the support agent knows that is no state: the intent model and the articles, from files.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payops/support_agent/faq.h"
#include "payops/support_agent/intent_model.h"
#include "payops/support_agent/support_agent.h"

namespace payops::app {

struct KnowledgeFiles {
  std::string intents = "config/support/intents";
  std::string articles;   // whose phrases are examples too; may be empty
  std::string model;      // a model file; empty: one made of the intents, kept in `model_dir`
  std::string model_dir;  // where it is kept; empty: not kept
  std::function<bool()> stop = {};  // ends training early
};

// The model of the file, or of the examples: trained at the first start, in seconds, and kept under
// the hash of what it was made of. Without examples or model the keywords decide. Errors: as the
// files'; unavailable when stopped.
[[nodiscard]] Result<support_agent::Knowledge> load_knowledge(
    const KnowledgeFiles& files, const std::function<void(const std::string&)>& note);

// Every article below the folder, in order of id. Errors: not_found; config, with file and line,
// also for an article that names an intent which `known` lacks (not looked at when empty).
[[nodiscard]] Result<std::vector<support_agent::FaqArticle>> load_articles(
    const std::string& folder, const std::vector<std::string>& known = {});

// Changes when an article is added, changed or taken away: sizes and times of the files.
[[nodiscard]] std::string articles_stamp(const std::string& folder);

}  // namespace payops::app
