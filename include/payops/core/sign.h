// Ed25519 signatures (RFC 8032) over text, everything in lower-case hex. Signing is deterministic:
// the same key and text give the same signature.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "payops/core/result.h"

namespace payops {

struct KeyPair {
  std::string public_key_hex;  // 64 digits
  std::string secret_key_hex;  // 128 digits: the seed and then the public key
};

// A new pair from the system's randomness; the one function of this header that is not pure.
[[nodiscard]] KeyPair make_key_pair();
// The pair of a seed of 64 hex digits. Errors: config.
[[nodiscard]] Result<KeyPair> key_pair_from_seed(std::string_view seed_hex);

// 128 hex digits. Errors: config when the key is not a secret key.
[[nodiscard]] Result<std::string> sign_text(std::string_view text, std::string_view secret_key_hex);

// Ok when one of the keys made this signature of exactly this text. Errors: refused, with what was
// wrong. A public key that is not one matches nothing.
[[nodiscard]] Status verify_text(std::string_view text, std::string_view signature_hex,
                                 const std::vector<std::string>& public_keys_hex);

}  // namespace payops
