#include "payops/core/seal.h"

#include <sodium.h>

#include "payops/core/check.h"

namespace payops {
namespace {

constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

// Of key, context and text, the lengths kept apart.
std::string nonce_of(std::string_view key, std::string_view context, std::string_view text) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, bytes_of(key), key.size(), kNonceBytes);
  const std::string head = std::to_string(context.size()) + ":";
  crypto_generichash_update(&state, bytes_of(head), head.size());
  crypto_generichash_update(&state, bytes_of(context), context.size());
  crypto_generichash_update(&state, bytes_of(text), text.size());
  std::string nonce(kNonceBytes, '\0');
  crypto_generichash_final(&state, bytes_of(nonce), nonce.size());
  return nonce;
}

}  // namespace

std::string make_seal_key() {
  PAYOPS_CHECK(sodium_init() >= 0);
  std::string key(kSealKeyBytes, '\0');
  randombytes_buf(key.data(), key.size());
  return key;
}

std::string seal(std::string_view key, std::string_view context, std::string_view text) {
  PAYOPS_CHECK(sodium_init() >= 0 && key.size() == kSealKeyBytes);
  const std::string nonce = nonce_of(key, context, text);
  std::string sealed(text.size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(sealed), nullptr, bytes_of(text), text.size(),
                                             bytes_of(context), context.size(), nullptr,
                                             bytes_of(nonce), bytes_of(key));
  return nonce + sealed;
}

std::optional<std::string> unseal(std::string_view key, std::string_view context,
                                  std::string_view sealed) {
  PAYOPS_CHECK(sodium_init() >= 0);
  if (key.size() != kSealKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view body = sealed.substr(kNonceBytes);
  std::string text(body.size() - kTagBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(text), nullptr, nullptr, bytes_of(body),
                                                 body.size(), bytes_of(context), context.size(),
                                                 bytes_of(nonce), bytes_of(key)) != 0) {
    return std::nullopt;
  }
  return text;
}

}  // namespace payops
