// Configuration from YAML for structs that list their fields. Heavy: include it in .cc files only.
//
//   Result<AgentConfig> config = read_yaml_file<AgentConfig>("config/agent.yaml");
//
// Keys that are absent keep the struct's default; an unknown key, a repeated key or a value of the
// wrong type is a sentence naming file, line and key, and the nearest key that would be right.
// A struct may check itself: `Status validate() const`, whose message is given the struct's section
// and the line of the key that it quotes first ("key" ...), where that key is in the file.
#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/core/text.h"

namespace payops {

class YamlReader {
 public:
  explicit YamlReader(std::string file) : file_(std::move(file)) {}

  template <class T>
  void read(const YAML::Node& node, T& value, const std::string& key) {
    if constexpr (is_optional<T>) {
      value.reset();
      if (!node.IsNull()) read(node, value.emplace(), key);
    } else if constexpr (Reflected<T>) {
      read_struct(node, value, key);
    } else if constexpr (NamedEnum<T>) {
      const std::string text = scalar(node, key);
      if (const auto parsed = parse_enum<T>(text)) {
        value = *parsed;
        return;
      }
      const std::vector<std::string> names(enum_names<T>.begin(), enum_names<T>.end());
      error(node, "\"" + key + "\" cannot be \"" + text + "\"; one of: " + join(names, ", ") +
                      did_you_mean(text, names));
    } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      const std::string text = scalar(node, key);
      if (!YAML::convert<T>::decode(node, value)) {
        error(node, "\"" + key + "\" must be " + wanted<T>() + ", not \"" + text + "\"");
      }
    } else if constexpr (is_string_map<T>) {
      if (!node.IsMap()) error(node, "\"" + key + "\" must be a mapping");
      value.clear();
      for (const auto& item : node) {
        const auto name = item.first.as<std::string>();
        if (value.count(name) != 0)
          error(item.first, "\"" + key + "." + name + "\" is given twice");
        read(item.second, value[name], key + "." + name);
      }
    } else {
      if (!node.IsSequence()) error(node, "\"" + key + "\" must be a list");
      value.clear();
      for (const auto& item : node) read(item, value.emplace_back(), key + "[]");
    }
  }

  // Throws std::runtime_error with "file:line: message".
  [[noreturn]] void error(const YAML::Node& node, const std::string& message) const {
    throw std::runtime_error(file_ + ":" + std::to_string(node.Mark().line + 1) + ": " + message);
  }

 private:
  template <class T>
  static std::string wanted() {
    if constexpr (std::is_same_v<T, bool>) return "true or false";
    if constexpr (std::is_integral_v<T>)
      return std::is_signed_v<T> ? "a whole number" : "a whole number from 0";
    if constexpr (std::is_floating_point_v<T>) return "a number";
    return "text";
  }

  std::string scalar(const YAML::Node& node, const std::string& key) const {
    if (!node.IsScalar()) error(node, "\"" + key + "\" must be a single value");
    return node.Scalar();
  }

  template <class T>
  void read_struct(const YAML::Node& node, T& value, const std::string& key) {
    if (node.IsNull()) return;
    if (!node.IsMap())
      error(node, "\"" + (key.empty() ? "the file" : key) + "\" must be a mapping");
    std::vector<std::string> names;
    for_each_field(value, [&](std::string_view name, auto&) { names.emplace_back(name); });
    std::set<std::string> seen;
    for (const auto& item : node) {
      const std::string name = scalar(item.first, key);
      const std::string path = key.empty() ? name : key + "." + name;
      if (!seen.insert(name).second) error(item.first, "\"" + path + "\" is given twice");
      bool known = false;
      for_each_field(value, [&](std::string_view field_name, auto& member) {
        if (field_name != name) return;
        known = true;
        read(item.second, member, path);
      });
      if (!known) error(item.first, "unknown key \"" + path + "\"" + did_you_mean(name, names));
    }
    if constexpr (requires { value.validate(); }) {
      if (const Status status = value.validate(); !status) {
        const std::string& message = status.error().message;
        error(quoted_in(message, node), (key.empty() ? "" : "in \"" + key + "\": ") + message);
      }
    }
  }

  // The value whose key `message` quotes first, or all of `node`.
  static YAML::Node quoted_in(const std::string& message, const YAML::Node& node) {
    YAML::Node found = node;
    std::size_t first = std::string::npos;
    for (const auto& item : node) {
      const std::size_t at = message.find("\"" + item.first.Scalar() + "\"");
      if (at >= first) continue;
      first = at;
      found.reset(item.second);
    }
    return found;
  }

  std::string file_;
};

// Reads the document in `text`; `file` is only for messages. Errors: config.
template <class T>
[[nodiscard]] Result<T> read_yaml(const std::string& text, const std::string& file) {
  try {
    T value{};
    YamlReader(file).read(YAML::Load(text), value, "");
    return value;
  } catch (const YAML::Exception& e) {
    return fail(ErrorCode::config, file + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg);
  } catch (const std::exception& e) {
    return fail(ErrorCode::config, e.what());
  }
}

template <class T>
[[nodiscard]] Result<T> read_yaml_file(const std::string& file) {
  auto text = read_file(file);
  if (!text) return tl::make_unexpected(text.error());
  return read_yaml<T>(*text, file);
}

}  // namespace payops
