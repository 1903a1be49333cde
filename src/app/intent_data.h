// Messages with their intents, as `payops intents` reads them: a CSV or the product's own examples.
#pragma once

#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/support_agent/intent_model.h"

namespace payops::app {

struct IntentData {
  std::vector<support_agent::Intent> intents;  // by name, in order
  std::vector<support_agent::LabelledText> messages;
};

// Reads a CSV with the columns text and category (category "oos": out of scope) and perhaps class
// (FAQ, COMPLAINT, ACCOUNT; FAQ without the column), or a folder of example files
// (support_agent/intent_examples.h). Errors: not_found; usage or config, with file, line and
// column.
[[nodiscard]] Result<IntentData> read_intent_data(const std::string& path);

// The same, but labelled with intents that are known already. Errors: also a category that is not
// among them.
[[nodiscard]] Result<std::vector<support_agent::LabelledText>> read_messages(
    const std::string& path, const std::vector<support_agent::Intent>& known);

// Messages that are all out of scope: a CSV with the column text, whose category, if there is one,
// is "oos".
[[nodiscard]] Result<std::vector<support_agent::LabelledText>> read_out_of_scope(
    const std::string& path);

}  // namespace payops::app
