// What the API tells of the support agent: from its working set and its tables, as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/runtime/tables.h"
#include "payops/support_agent/support_agent.h"

namespace payops::app {

struct SupportView {
  const support_agent::SupportAgent& agent;
  Tables& tables;
  support_agent::Vault& vault;
  int64_t now_ms = 0;
  uint64_t step = 0;
  bool broker_up = true;
  std::string trouble;
};

// `what` as api::SupportBackend::read() has it. Errors: not_found; as the tables'.
[[nodiscard]] Result<std::string> read_support(const SupportView& view, const std::string& what,
                                               const std::string& id);

// Every row there is of a user, the index's own included, as table NUL key.
[[nodiscard]] std::vector<std::string> rows_of_user(Tables& tables, const std::string& user_id);

}  // namespace payops::app
