#include "../../src/api/idempotency.h"

#include <doctest/doctest.h>

#include <stdexcept>

namespace payops::api {
namespace {

TEST_CASE("a call is carried out once for a key, and again when nothing came of it") {
  Idempotency kept;
  int calls = 0;
  const auto answer = [&] {
    ++calls;
    Reply reply;
    reply.status = 200 + calls;
    return reply;
  };
  CHECK(kept.once("a", "{}", 1000, answer).status == 201);
  CHECK(kept.once("a", "{}", 2000, answer).status == 201);
  CHECK(kept.once("b", "{}", 2000, answer).status == 202);
  const Reply other = kept.once("b", R"({"on":true})", 3000, answer);  // of something else
  CHECK(other.status == 422);
  CHECK(kept.once("b", "{}", 3000, answer).status == 202);
  CHECK(kept.once("a", "{}", 700'000, answer).status == 203);  // kept for ten minutes

  const auto fails = [&]() -> Reply { throw std::runtime_error("the disk is full"); };
  CHECK_THROWS_AS((void)kept.once("c", "{}", 3000, fails), std::runtime_error);
  CHECK(kept.once("c", "{}", 3000, answer).status == 204);  // and nobody waits for what never came
}

}  // namespace
}  // namespace payops::api
