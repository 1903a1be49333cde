#include "payops/support_agent/vault.h"

#include "payops/core/digest.h"
#include "payops/core/seal.h"
#include "payops/core/text.h"

namespace payops::support_agent {
namespace {

std::string derived_key(std::string_view user_id) {
  return from_hex(sha256_hex("derived key of " + std::string(user_id))).value_or("");
}

}  // namespace

std::string DerivedVault::seal(std::string_view user_id, std::string_view context,
                               std::string_view text) {
  return payops::seal(derived_key(user_id), context, text);
}

std::optional<std::string> DerivedVault::open(std::string_view user_id, std::string_view context,
                                              std::string_view sealed) {
  return unseal(derived_key(user_id), context, sealed);
}

}  // namespace payops::support_agent
