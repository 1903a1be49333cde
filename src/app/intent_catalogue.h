// Reads the folder of intent examples.
#pragma once

#include <string>

#include "payops/core/result.h"
#include "payops/support_agent/intent_examples.h"

namespace payops::app {

// All *.yaml of the folder, by name. Errors: not_found when there is none; config, with file and
// line.
[[nodiscard]] Result<support_agent::IntentCatalogue> read_intent_catalogue(
    const std::string& folder);

}  // namespace payops::app
