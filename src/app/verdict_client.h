// A person's commands from the terminal: what a proposal is about, and the signed answer.
#pragma once

#include <optional>
#include <string>

#include "payops/core/result.h"
#include "payops/model/decision.h"
#include "payops/payments_agent/cycle_report.h"
#include "payops/streaming/config.h"

namespace payops::app {

struct Proposal {
  Intervention intervention;
  std::string shown;  // what a person is shown; shown_hash is its SHA-256
  std::string decision_id;
};

// Whether the file holds a secret key. Errors: config, in a sentence.
[[nodiscard]] Status check_key(const std::string& file);

// Looks through payops.decisions for the proposal with this action id; nothing when there is none.
// Errors: unavailable.
[[nodiscard]] Result<std::optional<Proposal>> find_proposal(
    const streaming::StreamingConfig& config, const std::string& action_id);

// Signs the verdict with the secret key in `key_file`, publishes it to payops.approvals and waits
// up to wait_s for an agent to say on payops.decisions what became of it; nothing when none did.
// Errors: config for the key; unavailable.
[[nodiscard]] Result<std::optional<payments_agent::VerdictResult>> publish_verdict(
    const streaming::StreamingConfig& config, Verdict verdict, const std::string& key_file,
    double wait_s);

inline constexpr double kAnswerWaitS = 10.0;

// The same, told on stdout; `what` is the command in words. The exit status: 1 when the agent says
// that it does not count.
int send_verdict(const streaming::StreamingConfig& config, const Verdict& verdict,
                 const std::string& key_file, double wait_s, const std::string& what);

}  // namespace payops::app
