// The key that signs the audit log's checkpoints.
#pragma once

#include <functional>
#include <string>

#include "payops/core/result.h"
#include "payops/core/sign.h"

namespace payops::app {

// From PAYOPS_AUDIT_KEY (secret key, hex); else the one in <state_dir>/audit.key, made at the first
// start and readable by its owner only; `note` is told of that. Errors: config; unavailable.
[[nodiscard]] Result<KeyPair> load_audit_key(const std::string& state_dir,
                                             const std::function<void(const std::string&)>& note);

// Writes `text` to a new file that only its owner can read. Errors: unavailable.
[[nodiscard]] Status write_private_file(const std::string& path, const std::string& text);

// The secret key in a file; a new one in a private file where there is none. Errors: config for a
// file that holds none; unavailable.
[[nodiscard]] Result<KeyPair> load_key(const std::string& path);

}  // namespace payops::app
