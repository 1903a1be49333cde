#include "payops/support_agent/faq.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "payops/core/yaml_fields.h"
#include "payops/support_agent/text_features.h"

namespace payops::support_agent {
namespace {

// Robertson and Zaragoza 2009, and how much a word in each field counts.
constexpr double kSaturation = 1.2;
constexpr double kLengthShare = 0.6;
constexpr double kTitleWeight = 3.0;
constexpr double kAskWeight = 2.0;
constexpr double kTopicWeight = 2.0;
constexpr double kBodyWeight = 1.0;
// How the three witnesses are fused.
constexpr double kWordsShare = 0.5;
constexpr double kVectorShare = 0.35;
constexpr double kIntentShare = 0.15;

// What stands between the lines of "---".
struct FrontMatter {
  std::string title;
  std::vector<std::string> topics, intents, asks;
  [[nodiscard]] Status validate() const {
    if (title.empty()) return fail(ErrorCode::config, "an article needs a \"title\"");
    return {};
  }
  static constexpr auto fields() {
    using F = FrontMatter;
    return std::make_tuple(field("title", &F::title), field("topics", &F::topics),
                           field("intents", &F::intents), field("asks", &F::asks));
  }
};

const std::set<std::string, std::less<>>& stop_words() {
  static const std::set<std::string, std::less<>> kWords{
      "a",     "an",     "the",    "is",    "are",    "am",   "be",     "was",   "to",   "of",
      "in",    "on",     "for",    "and",   "or",     "i",    "my",     "me",    "we",   "you",
      "your",  "it",     "its",    "do",    "does",   "did",  "can",    "could", "will", "would",
      "what",  "whats",  "how",    "when",  "which",  "who",  "with",   "at",    "by",   "from",
      "this",  "that",   "there",  "if",    "as",     "any",  "please", "pls",   "plz",  "kya",
      "hai",   "ka",     "ki",     "ke",    "ko",     "se",   "mein",   "main",  "mera", "meri",
      "mere",  "hota",   "hoti",   "kar",   "ho",     "hain", "par",    "pe",    "toh",  "bhi",
      "about", "tell",   "s",      "so",    "ji",     ".",    "need",   "hell",  "damn", "bloody",
      "idiot", "idiots", "stupid", "moron", "morons", "want", "get",    "have",  "has",  "much",
      "many",  "should", "one",    "some",  "also"};
  return kWords;
}

std::string stem(std::string word) {
  const auto ends = [&](std::string_view tail) {
    return word.size() > tail.size() + 2 && word.ends_with(tail);
  };
  if (ends("ies")) return word.substr(0, word.size() - 3) + "y";
  for (const std::string_view tail : {"ing", "ed", "es"}) {
    if (ends(tail)) {
      word.resize(word.size() - tail.size());
      if (word.size() > 3 && word.back() == word[word.size() - 2]) word.pop_back();
      return word;
    }
  }
  if (ends("s") && !word.ends_with("ss")) word.pop_back();
  if (ends("e")) word.pop_back();
  return word;
}

std::vector<float> normalised(std::vector<float> values) {
  double sum = 0.0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  if (sum <= 0.0) return {};
  const auto scale = static_cast<float>(1.0 / std::sqrt(sum));
  for (float& v : values) v *= scale;
  return values;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  const std::size_t n = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

std::vector<std::string> stems_of(std::string_view text) {
  std::vector<std::string> stems;
  for (std::string& word : words_of(text)) {
    if (stop_words().count(word) != 0) continue;
    stems.push_back(stem(std::move(word)));
  }
  return stems;
}

std::string FaqArticle::short_answer() const {
  std::string line;
  std::size_t from = 0;
  while (from < body.size() && (body[from] == '\n' || body[from] == ' ')) ++from;
  const std::size_t end = std::min(body.find("\n\n", from), body.size());
  for (std::size_t i = from; i < end; ++i) line += body[i] == '\n' ? ' ' : body[i];
  return line;
}

Result<FaqArticle> parse_article(const std::string& text, const std::string& file) {
  const auto wrong = [&](std::size_t line, const std::string& what) {
    return fail(ErrorCode::config, file + ":" + std::to_string(line) + ": " + what);
  };
  if (!text.starts_with("---\n")) {
    return wrong(1, "an article begins with a line \"---\" and its title, topics, intents, asks");
  }
  const std::size_t end = text.find("\n---\n", 3);
  if (end == std::string::npos) return wrong(1, "the second line \"---\" is missing");
  // A line of its own in front, so that mistakes are found where they stand.
  const auto head = read_yaml<FrontMatter>("\n" + text.substr(4, end - 3), file);
  if (!head) return tl::make_unexpected(head.error());
  FaqArticle article;
  const std::size_t slash = file.find_last_of('/');
  article.id = file.substr(slash == std::string::npos ? 0 : slash + 1);
  article.id = article.id.substr(0, article.id.rfind('.'));
  article.title = head->title;
  article.topics = head->topics;
  article.intents = head->intents;
  article.asks = head->asks;
  article.body = text.substr(end + 5);
  if (article.short_answer().empty()) {
    const auto line = static_cast<std::size_t>(
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end) + 5, '\n'));
    return wrong(line, "the article has no answer below its second \"---\"");
  }
  return article;
}

FaqIndex::FaqIndex(std::vector<FaqArticle> articles, Embed embed)
    : articles_(std::move(articles)), embed_(std::move(embed)) {
  std::sort(articles_.begin(), articles_.end(),
            [](const FaqArticle& a, const FaqArticle& b) { return a.id < b.id; });
  for (uint32_t i = 0; i < articles_.size(); ++i) {
    const FaqArticle& article = articles_[i];
    std::map<std::string, double> counts;
    const auto add = [&](std::string_view text, double weight) {
      for (const std::string& s : stems_of(text)) counts[s] += weight;
    };
    add(article.title, kTitleWeight);
    for (const std::string& topic : article.topics) add(topic, kTopicWeight);
    for (const std::string& ask : article.asks) add(ask, kAskWeight);
    add(article.body, kBodyWeight);
    double length = 0.0;
    for (const auto& [s, frequency] : counts) {
      postings_[s].push_back({i, frequency});
      length += frequency;
    }
    lengths_.push_back(length);
    if (!embed_) continue;
    for (const std::string& ask : article.asks) {
      if (auto v = normalised(embed_(ask)); !v.empty()) vectors_.push_back({i, std::move(v)});
    }
    if (auto v = normalised(embed_(article.title)); !v.empty())
      vectors_.push_back({i, std::move(v)});
  }
  double sum = 0.0;
  for (const double length : lengths_) sum += length;
  if (!lengths_.empty()) mean_length_ = std::max(1.0, sum / static_cast<double>(lengths_.size()));
}

std::vector<FaqHit> FaqIndex::search(std::string_view question,
                                     std::span<const std::pair<std::string, double>> likely,
                                     std::size_t most) const {
  std::vector<FaqHit> hits;
  for (const FaqArticle& article : articles_) hits.push_back({.id = article.id});
  const auto n = static_cast<double>(articles_.size());
  double possible = 0.0;  // what an article full of every word would get
  for (const std::string& s : stems_of(question)) {
    const auto found = postings_.find(s);
    const double with = found == postings_.end() ? 0.0 : static_cast<double>(found->second.size());
    const double idf = std::log(1.0 + (n - with + 0.5) / (with + 0.5));
    possible += idf * (kSaturation + 1.0);
    if (found == postings_.end()) continue;
    for (const Posting& p : found->second) {
      const double norm =
          kSaturation * (1.0 - kLengthShare + kLengthShare * lengths_[p.article] / mean_length_);
      hits[p.article].bm25 += idf * p.frequency * (kSaturation + 1.0) / (p.frequency + norm);
    }
  }
  const std::vector<float> asked = embed_ ? normalised(embed_(question)) : std::vector<float>();
  if (!asked.empty()) {
    for (const Vector& v : vectors_) {
      hits[v.article].similarity = std::max(hits[v.article].similarity, dot(asked, v.values));
    }
  }
  for (std::size_t i = 0; i < hits.size(); ++i) {
    FaqHit& hit = hits[i];
    if (possible > 0.0) hit.bm25 /= possible;
    double favoured = 0.0;
    for (const auto& [intent, probability] : likely) {
      const auto& named = articles_[i].intents;
      if (std::find(named.begin(), named.end(), intent) != named.end()) {
        favoured = std::max(favoured, probability);
      }
    }
    hit.score = kWordsShare * hit.bm25 + kVectorShare * hit.similarity + kIntentShare * favoured;
  }
  std::stable_sort(hits.begin(), hits.end(),
                   [](const FaqHit& a, const FaqHit& b) { return a.score > b.score; });
  while (!hits.empty() && hits.back().score <= 0.0) hits.pop_back();
  if (hits.size() > most) hits.resize(most);
  return hits;
}

const FaqArticle* FaqIndex::find(std::string_view id) const {
  const auto it =
      std::lower_bound(articles_.begin(), articles_.end(), id,
                       [](const FaqArticle& a, std::string_view want) { return a.id < want; });
  return it != articles_.end() && it->id == id ? &*it : nullptr;
}

double faq_confidence(std::span<const FaqHit> hits) {
  if (hits.empty()) return 0.0;
  const double top = hits[0].score;
  const double lead = hits.size() > 1 ? top - hits[1].score : top;
  // Logistic in score and lead; the weights were fitted on the articles' own asks, each searched
  // for with itself left out.
  return 1.0 / (1.0 + std::exp(-(-3.4 + 8.0 * top + 10.0 * lead)));
}

}  // namespace payops::support_agent
