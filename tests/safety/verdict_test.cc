#include "payops/safety/verdict.h"

#include <doctest/doctest.h>

#include "payops/core/sign.h"

namespace payops::safety {
namespace {

Verdict verdict() {
  Verdict v;
  v.proposal_id = "act-0123456789abcdef";
  v.verdict = "approve";
  v.shown_hash = "aa";
  v.by = "ops|night shift";
  v.ts_ms = 1'800'000'000'000;
  return v;
}

TEST_CASE("a verdict holds as it was signed, and no field of it can be changed") {
  const KeyPair keys = make_key_pair();
  Verdict v = verdict();
  CHECK_FALSE(verify_verdict(v, {keys.public_key_hex}));
  REQUIRE(sign_verdict(v, keys.secret_key_hex));
  CHECK(verify_verdict(v, {keys.public_key_hex}));
  CHECK_FALSE(verify_verdict(v, {make_key_pair().public_key_hex}));
  for (std::string Verdict::*member : {&Verdict::proposal_id, &Verdict::verdict,
                                       &Verdict::shown_hash, &Verdict::by, &Verdict::sig}) {
    Verdict altered = v;
    (altered.*member)[0] = (altered.*member)[0] == 'x' ? 'y' : 'x';
    CHECK_FALSE(verify_verdict(altered, {keys.public_key_hex}));
  }
  ++v.ts_ms;
  CHECK_FALSE(verify_verdict(v, {keys.public_key_hex}));
}

TEST_CASE("a signature cannot be carried to another verdict with the same signed text") {
  const KeyPair keys = make_key_pair();
  Verdict v = verdict();
  v.by = "b|ops";
  REQUIRE(sign_verdict(v, keys.secret_key_hex));
  Verdict shifted = v;  // "aa" + "|" + "b|ops"  =  "aa|b" + "|" + "ops"
  shifted.shown_hash = "aa|b";
  shifted.by = "ops";
  REQUIRE(shifted.signed_text() == v.signed_text());
  CHECK(verify_verdict(v, {keys.public_key_hex}));
  CHECK_FALSE(verify_verdict(shifted, {keys.public_key_hex}));
}

TEST_CASE("signing needs a secret key") {
  Verdict v = verdict();
  CHECK(sign_verdict(v, "no key").error().code == ErrorCode::config);
  CHECK(v.sig.empty());
}

}  // namespace
}  // namespace payops::safety
