#include "payops/core/sign.h"

#include <doctest/doctest.h>

#include <string>

namespace payops {
namespace {

// RFC 8032, section 7.1, tests 1 and 2.
constexpr const char* kSeed1 = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr const char* kPublic1 = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr const char* kSeed2 = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

TEST_CASE("signatures are those of RFC 8032") {
  const auto first = key_pair_from_seed(kSeed1);
  const auto second = key_pair_from_seed(kSeed2);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->public_key_hex == kPublic1);
  CHECK(
      *sign_text("", first->secret_key_hex) ==
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
      "9b46bd25bf5f0595bbe24655141438e7a100b");
  CHECK(
      *sign_text("\x72", second->secret_key_hex) ==
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
      "11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST_CASE("a signature holds for its text and its key alone") {
  const KeyPair ours = make_key_pair();
  const KeyPair other = make_key_pair();
  CHECK(ours.secret_key_hex != other.secret_key_hex);
  const std::string signature = *sign_text("approve act-1", ours.secret_key_hex);
  CHECK(verify_text("approve act-1", signature, {other.public_key_hex, ours.public_key_hex}));
  CHECK_FALSE(verify_text("approve act-2", signature, {ours.public_key_hex}));
  CHECK_FALSE(verify_text("approve act-1", signature, {other.public_key_hex}));
  CHECK_FALSE(verify_text("approve act-1", signature, {}));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string altered = signature;
    altered[i] = altered[i] == '0' ? '1' : '0';
    CHECK_FALSE(verify_text("approve act-1", altered, {ours.public_key_hex}));
  }
}

TEST_CASE("what is no key and no signature is refused with a reason") {
  const KeyPair ours = make_key_pair();
  CHECK(sign_text("x", "abcd").error().code == ErrorCode::config);
  CHECK(key_pair_from_seed("zz").error().code == ErrorCode::config);
  CHECK(verify_text("x", "", {ours.public_key_hex}).error().message == "it is not signed");
  CHECK(verify_text("x", "abc", {ours.public_key_hex}).error().message ==
        "its signature is not 128 lower-case hexadecimal digits");
  CHECK_FALSE(verify_text("x", std::string(128, '0'), {"nonsense", ""}));
}

}  // namespace
}  // namespace payops
