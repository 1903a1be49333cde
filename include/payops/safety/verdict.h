// Operators' verdicts: signing one at the terminal, checking one that came by Kafka.
#pragma once

#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/model/decision.h"

namespace payops::safety {

// Ok when one of the keys signed exactly this verdict. Errors: refused with the reason: unsigned,
// by none of the keys, altered, or with a field that would make the signed text ambiguous.
[[nodiscard]] Status verify_verdict(const Verdict& verdict,
                                    const std::vector<std::string>& public_keys_hex);

// Sets `sig`. Errors: config when the key is not a secret key.
[[nodiscard]] Status sign_verdict(Verdict& verdict, const std::string& secret_key_hex);

}  // namespace payops::safety
