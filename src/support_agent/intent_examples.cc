#include "payops/support_agent/intent_examples.h"

#include <algorithm>
#include <map>

#include "payops/core/yaml_fields.h"
#include "payops/support_agent/text_features.h"

namespace payops::support_agent {
namespace {

std::string place(const std::string& file, const YAML::Node& node) {
  return file + ":" + std::to_string(node.Mark().line + 1) + ": ";
}

// Two messages that the network cannot tell apart are one.
std::u32string key_of(const std::string& message) { return normalise(message); }

}  // namespace

Status IntentExamples::validate() const {
  if (name.empty()) return fail(ErrorCode::config, "an intent needs a \"name\"");
  if (name == kOutOfScope) {
    return fail(ErrorCode::config, "no intent may be named \"oos\"; give it class UNKNOWN");
  }
  if (examples.empty()) {
    return fail(ErrorCode::config, "the intent \"" + name + "\" needs \"examples\"");
  }
  for (const auto* phrases : {&keywords, &examples}) {
    for (const std::string& phrase : *phrases) {
      if (normalise(phrase).empty()) {
        return fail(ErrorCode::config, "the intent \"" + name + "\" has an empty phrase");
      }
    }
  }
  return {};
}

Status add_intents(IntentCatalogue& catalogue, const std::string& text, const std::string& file) {
  auto added = read_yaml<IntentCatalogue>(text, file);
  if (!added) return tl::make_unexpected(added.error());
  if (added->intents.empty()) {
    return fail(ErrorCode::config, file + ":1: no \"intents\" in it");
  }
  const YAML::Node nodes = YAML::Load(text)["intents"];  // read once already: it parses
  std::map<std::u32string, std::string> owner;
  for (const IntentExamples& known : catalogue.intents) {
    for (const std::string& message : known.examples) owner.emplace(key_of(message), known.name);
  }
  for (std::size_t i = 0; i < added->intents.size(); ++i) {
    const IntentExamples& intent = added->intents[i];
    const bool twice = std::any_of(catalogue.intents.begin(), catalogue.intents.end(),
                                   [&](const auto& known) { return known.name == intent.name; });
    if (twice) {
      return fail(ErrorCode::config, place(file, nodes[i]["name"]) + "the intent \"" + intent.name +
                                         "\" is there already");
    }
    for (std::size_t j = 0; j < intent.examples.size(); ++j) {
      const auto [it, fresh] = owner.emplace(key_of(intent.examples[j]), intent.name);
      if (fresh) continue;
      return fail(ErrorCode::config, place(file, nodes[i]["examples"][j]) + "\"" +
                                         intent.examples[j] + "\" is an example of " + it->second +
                                         " already");
    }
    catalogue.intents.push_back(intent);
  }
  return {};
}

}  // namespace payops::support_agent
