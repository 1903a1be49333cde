// A person's commands from the terminal: what a proposal is about, and the signed answer.
#pragma once

#include <optional>
#include <string>

#include "payops/core/result.h"
#include "payops/model/decision.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct Proposal {
  Intervention intervention;
  std::string shown;  // what a person is shown; shown_hash is its SHA-256
  std::string decision_id;
};

// Looks through payops.decisions for the proposal with this action id; nothing when there is none.
// Errors: unavailable.
[[nodiscard]] Result<std::optional<Proposal>> find_proposal(
    const streaming::StreamingConfig& config, const std::string& action_id);

// Signs the verdict with the secret key in `key_file` and publishes it to payops.approvals. Errors:
// config for the key; unavailable.
[[nodiscard]] Status publish_verdict(const streaming::StreamingConfig& config, Verdict verdict,
                                     const std::string& key_file);

}  // namespace payops::app
