#include "payops/support_agent/faq.h"

#include <doctest/doctest.h>

#include "desk_of_tests.h"

namespace payops::support_agent {
namespace {

TEST_CASE("an article is read from its front matter and its answer") {
  const auto article = parse_article(
      "---\ntitle: Fees\ntopics: [fees]\nintents: [fees_howto]\nasks:\n  - what does it cost\n"
      "---\n\nNothing at all,\nfor customers.\n\nMore.\n",
      "config/support/faq/fees_upi.md");
  REQUIRE(article.has_value());
  CHECK(article->id == "fees_upi");
  CHECK(article->title == "Fees");
  CHECK(article->asks == std::vector<std::string>{"what does it cost"});
  CHECK(article->short_answer() == "Nothing at all, for customers.");
}

TEST_CASE("a mistake in an article is named by file and line") {
  const auto typo = parse_article("---\ntitle: Fees\ntopic: [fees]\n---\nFree.\n", "f/a.md");
  REQUIRE(!typo);
  CHECK(typo.error().message.find("f/a.md:3: unknown key \"topic\"") == 0);
  CHECK(!parse_article("Free.\n", "a.md"));
  CHECK(!parse_article("---\ntitle: Fees\n---\n\n", "a.md"));
}

TEST_CASE("the article about it is found by words, and by its own way of asking") {
  const FaqIndex index(few_articles(), {});
  CHECK(index.search("does upi cost anything", {}, 1).front().id == "fees_upi");
  CHECK(index.search("refunds on credit cards", {}, 1).front().id == "refund_credit_card");
  CHECK(index.search("zebra", {}, 3).empty());
  CHECK(faq_confidence({}) == 0.0);
}

TEST_CASE("a likely intent favours the articles that name it") {
  const FaqIndex index(few_articles(), {});
  const std::vector<std::pair<std::string, double>> likely{{"fees_howto", 0.9}};
  CHECK(index.search("customers", likely, 1).front().id == "fees_upi");
}

}  // namespace
}  // namespace payops::support_agent
