// Text that only the holder of a key can read: XChaCha20-Poly1305 whose nonce is a keyed BLAKE2b
// of context and text, as in SIV modes (RFC 5297). The same key, context and text give the same
// bytes, so that what is sealed can stand in records that are computed again; two different texts
// never share a nonce, up to a collision of 192 bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace payops {

inline constexpr std::size_t kSealKeyBytes = 32;

// From the system's randomness; the one function here that is not pure.
[[nodiscard]] std::string make_seal_key();

// REQUIRES: a key of kSealKeyBytes. `context` says what the text is ("message|m-17"): it must be
// the same for opening, so that one sealed text cannot stand in another's place.
[[nodiscard]] std::string seal(std::string_view key, std::string_view context,
                               std::string_view text);

// Nothing, when it was not sealed with this key and context, or was altered.
[[nodiscard]] std::optional<std::string> unseal(std::string_view key, std::string_view context,
                                                std::string_view sealed);

}  // namespace payops
