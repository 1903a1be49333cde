#include <doctest/doctest.h>

#include "../../src/app/app_config.h"
#include "memory/folder.h"

namespace payops::app {
namespace {

std::string complaint(const std::string& yaml) {
  const memory::Folder folder;
  memory::put_bytes(folder / "agent.yaml", yaml);
  const auto config = load_app_config(folder / "agent.yaml");
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::config);
  return config.error().message;
}

bool says(const std::string& text, const std::string& words) {
  const bool found = text.find(words) != std::string::npos;
  if (!found) MESSAGE("does not say \"" << words << "\": " << text);
  return found;
}

TEST_CASE("the configuration that ships is good") {
  const auto config = load_app_config("config/agent.yaml");
  CHECK_MESSAGE(config, config.error().message);
}

TEST_CASE("a misspelt key names file, line, key and the one that is meant") {
  const std::string text = complaint("agent:\n  seed: 1\n  cycle_intervall_s: 8\n");
  CHECK(says(text, "agent.yaml:3"));
  CHECK(says(text, "cycle_intervall_s"));
  CHECK(says(text, "did you mean \"cycle_interval_s\"?"));
}

TEST_CASE("a misspelt intervention would keep its type at the default: it is refused") {
  const std::string text =
      complaint("agent:\n  limits:\n    modes: {\n      supress_path: approve}\n");
  CHECK(says(text, "agent.yaml:4"));
  CHECK(says(text, "agent.limits.modes"));
  CHECK(says(text, "did you mean \"suppress_path\"?"));
}

TEST_CASE("an operator's key that is none is refused") {
  CHECK(says(complaint("agent:\n  operator_keys: [zz]\n"), "64 hex digits"));
}

TEST_CASE("a value of the wrong type names its line and key") {
  const std::string text = complaint("agent:\n  cycle_interval_s: often\n");
  CHECK(says(text, "agent.yaml:2"));
  CHECK(says(text, "cycle_interval_s"));
}

TEST_CASE("a value out of range names its key") {
  CHECK(says(complaint("agent:\n  cycle_interval_s: 0\n"), "cycle_interval_s"));
}

TEST_CASE("a value out of range names its section and its own line") {
  const std::string text =
      complaint("agent:\n  limits:\n    cooldown_s: 60\n    max_blast_action: 3\n");
  CHECK(says(text, "agent.yaml:4"));
  CHECK(says(text, "in \"agent.limits\""));
  CHECK(says(text, "\"max_blast_action\""));
}

TEST_CASE("a file that a setting names and that is not there names the setting and its line") {
  for (const std::string key : {"decline_codes", "topology", "calendar"}) {
    const std::string text = complaint("process:\n  " + key + ": config/nowhere.yaml\n");
    CHECK(says(text, "agent.yaml:2: \"process." + key + "\""));
    CHECK(says(text, "nowhere.yaml"));
  }
}

TEST_CASE("a file that is not there is said to be missing") {
  const auto config = load_app_config("config/no_such_file.yaml");
  REQUIRE_FALSE(config);
  CHECK(config.error().code == ErrorCode::not_found);
  CHECK(says(config.error().message, "no_such_file.yaml"));
}

}  // namespace
}  // namespace payops::app
