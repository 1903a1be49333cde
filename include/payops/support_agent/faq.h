// The articles that answer general questions, and finding the one that does: BM25 over words
// (Robertson and Zaragoza 2009) and the intent network's hidden layer as a vector, fused.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops::support_agent {

struct FaqArticle {
  std::string id;  // its file's name
  std::string title;
  std::vector<std::string> topics;
  std::vector<std::string> intents;
  std::vector<std::string> asks;  // how people ask for it
  std::string body;               // Markdown; the first paragraph is what is quoted
  bool operator==(const FaqArticle&) const = default;
  static constexpr auto fields() {
    using A = FaqArticle;
    return std::make_tuple(field("id", &A::id), field("title", &A::title),
                           field("topics", &A::topics), field("intents", &A::intents),
                           field("asks", &A::asks), field("body", &A::body));
  }
  // The body's first paragraph, on one line.
  [[nodiscard]] std::string short_answer() const;
};

// Reads config/support/faq/<id>.md: YAML between lines of "---", then the answer. Errors: config,
// with file, line and what is wrong.
[[nodiscard]] Result<FaqArticle> parse_article(const std::string& text, const std::string& file);

struct FaqHit {
  std::string id;
  double score = 0.0;       // fused
  double bm25 = 0.0;        // as a share of the best that the question could have
  double similarity = 0.0;  // cosine of hidden layers, the nearest of title and asks
};

// Text to a vector of fixed length; all zero for what it knows nothing of. Empty: words alone.
using Embed = std::function<std::vector<float>(std::string_view text)>;

class FaqIndex {
 public:
  FaqIndex() = default;
  FaqIndex(std::vector<FaqArticle> articles, Embed embed);

  // The best `most` articles for a question, best first. `likely`: intents with their
  // probabilities; an article that names one of them is favoured by it.
  [[nodiscard]] std::vector<FaqHit> search(std::string_view question,
                                           std::span<const std::pair<std::string, double>> likely,
                                           std::size_t most) const;

  [[nodiscard]] const FaqArticle* find(std::string_view id) const;  // null when there is none
  [[nodiscard]] const std::vector<FaqArticle>& articles() const { return articles_; }

 private:
  struct Posting {
    uint32_t article;
    double frequency;  // weighted by field
  };
  std::vector<FaqArticle> articles_;
  std::map<std::string, std::vector<Posting>, std::less<>> postings_;  // by stem
  std::vector<double> lengths_;
  double mean_length_ = 1.0;
  Embed embed_;
  struct Vector {
    uint32_t article;
    std::vector<float> values;  // of length 1
  };
  std::vector<Vector> vectors_;
};

// How likely the best hit answers the question, from its score and its lead over the next.
[[nodiscard]] double faq_confidence(std::span<const FaqHit> hits);

// The words of a question that carry meaning, each cut to its stem; "and", "the" and the like and
// their romanised Hindi cousins left out.
[[nodiscard]] std::vector<std::string> stems_of(std::string_view text);

}  // namespace payops::support_agent
