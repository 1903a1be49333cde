#include "payops/core/sign.h"

#include <sodium.h>

#include <array>

#include "payops/core/check.h"
#include "payops/core/text.h"

namespace payops {
namespace {

using PublicKey = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using SecretKey = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;

void require_sodium() {
  static const bool ready = sodium_init() >= 0;
  PAYOPS_CHECK(ready);
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

template <class Key>
std::string hex_of(const Key& key) {
  return to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
}

}  // namespace

KeyPair make_key_pair() {
  require_sodium();
  PublicKey public_key{};
  SecretKey secret_key{};
  PAYOPS_CHECK(crypto_sign_keypair(public_key.data(), secret_key.data()) == 0);
  return {hex_of(public_key), hex_of(secret_key)};
}

Result<KeyPair> key_pair_from_seed(std::string_view seed_hex) {
  require_sodium();
  const auto seed = from_hex(seed_hex);
  if (!seed || seed->size() != crypto_sign_SEEDBYTES) {
    return fail(ErrorCode::config, "a signing seed is 64 lower-case hexadecimal digits");
  }
  PublicKey public_key{};
  SecretKey secret_key{};
  PAYOPS_CHECK(crypto_sign_seed_keypair(public_key.data(), secret_key.data(), octets(*seed)) == 0);
  return KeyPair{hex_of(public_key), hex_of(secret_key)};
}

Result<std::string> sign_text(std::string_view text, std::string_view secret_key_hex) {
  require_sodium();
  const auto secret = from_hex(secret_key_hex);
  if (!secret || secret->size() != crypto_sign_SECRETKEYBYTES) {
    return fail(ErrorCode::config, "a secret key is 128 lower-case hexadecimal digits");
  }
  std::array<unsigned char, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, octets(text), text.size(), octets(*secret));
  return hex_of(signature);
}

Status verify_text(std::string_view text, std::string_view signature_hex,
                   const std::vector<std::string>& public_keys_hex) {
  require_sodium();
  if (signature_hex.empty()) return fail(ErrorCode::refused, "it is not signed");
  const auto signature = from_hex(signature_hex);
  if (!signature || signature->size() != crypto_sign_BYTES) {
    return fail(ErrorCode::refused, "its signature is not 128 lower-case hexadecimal digits");
  }
  for (const std::string& hex : public_keys_hex) {
    const auto key = from_hex(hex);
    if (!key || key->size() != crypto_sign_PUBLICKEYBYTES) continue;
    if (crypto_sign_verify_detached(octets(*signature), octets(text), text.size(), octets(*key)) ==
        0) {
      return {};
    }
  }
  return fail(ErrorCode::refused, "its signature is by none of the " +
                                      std::to_string(public_keys_hex.size()) +
                                      " known keys, or it was altered after signing");
}

}  // namespace payops
