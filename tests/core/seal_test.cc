#include "payops/core/seal.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace payops {
namespace {

TEST_CASE("what is sealed opens with its key and context, and with no other") {
  const std::string key = make_seal_key(), other = make_seal_key();
  CHECK(rc::check([&](const std::string& context, const std::string& text) {
    const std::string sealed = seal(key, context, text);
    RC_ASSERT(sealed == seal(key, context, text));
    RC_ASSERT(unseal(key, context, sealed) == text);
    RC_ASSERT(!unseal(other, context, sealed).has_value());
    RC_ASSERT(!unseal(key, context + "x", sealed).has_value());
  }));
}

TEST_CASE("an altered byte, or a short text, does not open") {
  const std::string key = make_seal_key();
  std::string sealed = seal(key, "m", "hello");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string altered = sealed;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    CHECK(!unseal(key, "m", altered).has_value());
  }
  CHECK(!unseal(key, "m", "short").has_value());
  CHECK(!unseal("", "m", sealed).has_value());
}

}  // namespace
}  // namespace payops
