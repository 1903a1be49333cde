#include "payops/core/digest.h"

#include <sodium.h>
#include <xxhash.h>

#include <array>
#include <utility>

#include "payops/core/text.h"

namespace payops {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

uint64_t hash64(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

struct StateDigest::Impl {
  XXH3_state_t* state = XXH3_createState();
  Impl() { XXH3_128bits_reset(state); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { XXH3_freeState(state); }
};

StateDigest::StateDigest() : impl_(std::make_unique<Impl>()) {}
StateDigest::~StateDigest() = default;
StateDigest::StateDigest(StateDigest&&) noexcept = default;
StateDigest& StateDigest::operator=(StateDigest&&) noexcept = default;

void StateDigest::add(std::string_view bytes) {
  XXH3_128bits_update(impl_->state, bytes.data(), bytes.size());
}

std::string StateDigest::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(impl_->state);
  return hex64(hash.high64) + hex64(hash.low64);
}

}  // namespace payops
