#include "intent_catalogue.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "payops/core/text.h"

namespace payops::app {

Result<support_agent::IntentCatalogue> read_intent_catalogue(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  if (error) return fail(ErrorCode::not_found, folder + ": " + error.message());
  if (files.empty()) return fail(ErrorCode::not_found, folder + ": no *.yaml with intents in it");
  std::sort(files.begin(), files.end());
  support_agent::IntentCatalogue catalogue;
  for (const std::string& file : files) {
    const auto text = read_file(file);
    if (!text) return tl::make_unexpected(text.error());
    if (Status status = add_intents(catalogue, *text, file); !status) {
      return tl::make_unexpected(status.error());
    }
  }
  return catalogue;
}

}  // namespace payops::app
