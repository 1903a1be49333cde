#include "payops/core/mask.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace payops {
namespace {

TEST_CASE("what looks like a card number keeps its last four digits only") {
  const auto masked = [](const char* text) { return masked_excerpt(text, 512); };
  CHECK(masked(R"({"pan":"4111111111111111"})") == R"({"pan":"************1111"})");
  CHECK(masked("4111 1111 1111 1111") == "**** **** **** 1111");
  CHECK(masked("5500-0000-0000-0004,x") == "****-****-****-0004,x");
  CHECK(masked("378282246310005") == "***********0005");
  CHECK(masked("order 12 4111111111111111 end") == "order 12 ************1111 end");
  const std::string longer = masked("12254111111111111111122");  // inside a longer run
  CHECK(longer.find("411111") == std::string::npos);
  CHECK(longer.size() == 23);
}

TEST_CASE("times, amounts and numbers whose Luhn sum fails stay readable") {
  const auto same = [](const char* text) { return masked_excerpt(text, 512) == text; };
  CHECK(same(R"({"ts_ms":1772366405250,"amount":4999000})"));
  CHECK(same("4111111111111112"));
  CHECK(same("2026-03-01T12:00:05"));
  for (int64_t ts_ms = 1'772'366'400'000; ts_ms < 1'772'366'400'100; ++ts_ms) {
    CHECK(same(std::to_string(ts_ms).c_str()));
  }
}

TEST_CASE("a card number that the cut would split is masked too") {
  for (std::size_t at = 490; at < 515; ++at) {
    const std::string text = std::string(at, 'x') + "4111 1111 1111 1111";
    const std::string kept = masked_excerpt(text, 512);
    CHECK(kept.size() <= 512);
    CHECK(kept.find('4') == std::string::npos);
  }
}

TEST_CASE("an excerpt is valid UTF-8 of bounded size whatever the bytes") {
  CHECK(masked_excerpt("a\xff"
                       "b\xc3\xa9\xe2\x82",
                       100) ==
        "a\xEF\xBF\xBD"
        "b\xc3\xa9\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(masked_excerpt("\xc3\xa9\xc3\xa9", 3) == "\xc3\xa9");
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::arbitrary<std::string>();
    const std::string once = masked_excerpt(bytes, 64);
    RC_ASSERT(once.size() <= 64u);
    RC_ASSERT(masked_excerpt(once, 64) == once);
  }));
}

}  // namespace
}  // namespace payops
