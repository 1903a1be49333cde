#include "payops/support_agent/waits.h"

#include <doctest/doctest.h>

namespace payops::support_agent {
namespace {

TEST_CASE("waits are told by the bound that half and nearly all of them kept to") {
  std::map<std::string, int64_t> counts{{"messages", 7}};
  CHECK(!wait_within(counts, kReplyWaits, 0.5));
  for (int i = 0; i < 98; ++i) count_wait(counts, kReplyWaits, 7);
  count_wait(counts, kReplyWaits, 1'500);
  count_wait(counts, kReplyWaits, -3);  // of a clock that is ahead
  CHECK(wait_within(counts, kReplyWaits, 0.01) == 1);
  CHECK(wait_within(counts, kReplyWaits, 0.5) == 10);
  CHECK(wait_within(counts, kReplyWaits, 0.99) == 10);
  CHECK(wait_within(counts, kReplyWaits, 1.0) == 2'000);
  CHECK(!wait_within(counts, kPersonWaits, 0.5));
}

TEST_CASE("a wait at its bound is within it, and the longest has one too") {
  std::map<std::string, int64_t> counts;
  count_wait(counts, kPersonWaits, 5'000);
  CHECK(wait_within(counts, kPersonWaits, 1.0) == 5'000);
  count_wait(counts, kPersonWaits, int64_t{1} << 60);
  CHECK(wait_within(counts, kPersonWaits, 1.0) == 500'000'000);
}

}  // namespace
}  // namespace payops::support_agent
