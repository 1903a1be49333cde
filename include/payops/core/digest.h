// Digests. SHA-256 wherever someone outside must be able to check; XXH3-128 where only speed and
// accidental difference matter (state digests).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace payops {

[[nodiscard]] std::string sha256_hex(std::string_view bytes);  // 64 lower-case digits

// Well-spread 64-bit hash of text (XXH3): ids, never security.
[[nodiscard]] uint64_t hash64(std::string_view text);

// A running 128-bit digest: add bytes, then read it. Adding may go on afterwards.
class StateDigest {
 public:
  StateDigest();
  ~StateDigest();
  StateDigest(StateDigest&&) noexcept;
  StateDigest& operator=(StateDigest&&) noexcept;
  void add(std::string_view bytes);
  [[nodiscard]] std::string hex() const;  // 32 digits

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops
