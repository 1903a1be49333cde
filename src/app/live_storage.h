// What a live agent needs before it stands for the lease: its own state and audit folder, and the
// topics it reads and writes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "live_agent.h"
#include "payops/memory/audit_files.h"
#include "payops/memory/rocks_store.h"
#include "payops/streaming/lease.h"

namespace payops::app {

// What a process owns alone: its state and its audit folder, locked.
struct Storage {
  std::unique_ptr<memory::RocksStore> store;
  std::unique_ptr<memory::AuditFiles> files;
  std::string secret_key_hex;  // for signing audit checkpoints
};

// Stable over restarts of the same deployment, different for every state directory.
[[nodiscard]] std::string instance_id(const std::string& state_dir);

struct StorageSpec {
  std::string state_dir, audit_dir;
  int64_t session_timeout_ms = 6000;
  std::function<bool()> stop = [] { return false; };
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
  std::function<void(const std::string&)> on_trouble = [](const std::string&) {};
};
[[nodiscard]] StorageSpec storage_of(const LiveAgentSpec& spec);

// Locks state and audit folder before the process stands for the lease, so that a second process
// of the same state changes nothing for the first. One that is just ending is waited for as long as
// a session lasts; a lease held meanwhile is kept alive. Errors: refused when it does not end; what
// the two say of damage.
[[nodiscard]] Result<Storage> open_storage(const StorageSpec& spec, streaming::Lease* lease);

// What an agent reads and writes must be there: a group never gets an assignment of a topic that
// is not. Errors: not_found, unavailable.
[[nodiscard]] Status check_topics(const streaming::StreamingConfig& config,
                                  const std::vector<std::string_view>& needed);
// Those of the payments agent.
[[nodiscard]] Status check_topics(const streaming::StreamingConfig& config);

}  // namespace payops::app
