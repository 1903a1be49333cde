#include "payops/observation/field_mapping.h"

#include <utility>
#include <vector>

#include "payops/core/text.h"
#include "payops/model/attempt.h"

namespace payops::observation {
namespace {

constexpr std::size_t kMaxPathBytes = 256;

Status mapping_error(std::string message) { return fail(ErrorCode::config, std::move(message)); }

Status check_path(const std::string& name, const std::string& path) {
  const bool empty_key =
      path.front() == '.' || path.back() == '.' || path.find("..") != std::string::npos;
  if (empty_key) return mapping_error("the path \"" + path + "\" of " + name + " has an empty key");
  if (path.size() > kMaxPathBytes) return mapping_error("the path of " + name + " is too long");
  return {};
}

// Every word that the rule can lead to must be one of the enum's.
template <class E>
Status check_words(const char* name, const TextRule& rule) {
  const std::vector<std::string> known(enum_names<E>.begin(), enum_names<E>.end());
  std::vector<std::string> words;
  for (const auto& [from, to] : rule.values) words.push_back(to);
  if (rule.constant) words.push_back(*rule.constant);
  for (const std::string& word : words) {
    if (parse_enum<E>(word)) continue;
    return mapping_error(std::string(name) + " cannot be \"" + word +
                         "\"; one of: " + join(known, ", ") + did_you_mean(word, known));
  }
  return {};
}

}  // namespace

Status FieldMapping::validate() const {
  Status checked;
  std::vector<std::pair<std::string, std::string>> paths;  // path, field
  for_each_field(*this, [&](std::string_view field_name, const auto& rule) {
    if (!checked) return;
    const std::string name(field_name);
    bool needed = true;
    if constexpr (requires { rule.required; }) needed = rule.required;
    if constexpr (std::is_same_v<std::decay_t<decltype(rule)>, PlainRule>) needed = false;
    if constexpr (requires { rule.constant; }) {
      if (rule.constant) return;
    }
    if (rule.path.empty()) {
      if (needed) checked = mapping_error(name + " is required: give it a path or a constant");
      return;
    }
    checked = check_path(name, rule.path);
    paths.emplace_back(rule.path, name);
  });
  if (!checked) return checked;
  for (const auto& [path, name] : paths) {
    for (const auto& [longer, other] : paths) {
      if (longer.starts_with(path + ".")) {
        return mapping_error("the path \"" + longer + "\" of " + other + " runs through \"" + path +
                             "\", which is the value of " + name);
      }
      if (name != other && path == longer && (name == "action_ids" || other == "action_ids")) {
        return mapping_error("the path \"" + path + "\" of action_ids serves another field too");
      }
    }
  }
  if (const Status words = check_words<AttemptStatus>("status", status); !words) return words;
  if (const Status words = check_words<AttemptStage>("stage", stage); !words) return words;
  return check_words<Arm>("arm", arm);
}

}  // namespace payops::observation
