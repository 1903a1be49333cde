#include "payops/support_agent/text_features.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

namespace payops::support_agent {
namespace {

using Words = std::vector<std::string>;

bool same(const HashedText& a, const HashedText& b) {
  for (std::size_t block = 0; block < kFeatureBlocks; ++block) {
    const bool equal = std::equal(a[block].begin(), a[block].end(), b[block].begin(),
                                  b[block].end(), [](const HashedNgram& x, const HashedNgram& y) {
                                    return x.hash == y.hash && x.count == y.count;
                                  });
    if (!equal) return false;
  }
  return true;
}

TEST_CASE("negations are spelled out, in English and Hinglish, however they are typed") {
  CHECK(words_of("I did NOT make this") == Words{"i", "did", "not", "make", "this"});
  CHECK(words_of("I didn't pay") == Words{"i", "did", "not", "pay"});
  CHECK(words_of("I didn\xE2\x80\x99t pay") == Words{"i", "did", "not", "pay"});
  CHECK(words_of("i didnt pay") == Words{"i", "did", "not", "pay"});
  CHECK(words_of("maine nahi kiya") == Words{"maine", "not", "kiya"});
}

TEST_CASE("a message and its negation are not the same features") {
  CHECK_FALSE(
      same(hash_ngrams("I did make this payment"), hash_ngrams("I did NOT make this payment")));
  CHECK(same(hash_ngrams("  My CARD\n was\tlooost"), hash_ngrams("my card was loost")));
}

TEST_CASE("any bytes are text") {
  CHECK(normalise("\xFF\xC0\x80") == U"\uFFFD\uFFFD");  // a third one would repeat
  CHECK(normalise("caf\xC3\xA9") == U"caf\u00E9");
  CHECK(normalise("").empty());
  CHECK(normalise(std::string(10'000, 'x') + "y").size() == 3);
  std::string lengthy;
  while (lengthy.size() < 10'000) lengthy += "ab ";
  CHECK(normalise(lengthy).size() <= kMaxCodePoints);
  rc::check("features of random bytes are sorted, each once, and always the same",
            [](const std::string& bytes) {
              const HashedText text = hash_ngrams(bytes);
              RC_ASSERT(same(text, hash_ngrams(bytes)));
              for (const auto& block : text) {
                for (std::size_t i = 1; i < block.size(); ++i) {
                  RC_ASSERT(block[i - 1].hash < block[i].hash);
                }
              }
            });
}

TEST_CASE("each block of a known message has length 1; unknown words make it shorter") {
  const std::vector<HashedText> messages{hash_ngrams("where is my card"),
                                         hash_ngrams("where is my refund")};
  const FeatureSpace space = FeatureSpace::learn(messages, 1);
  const auto length = [&](std::string_view text) {
    const SparseText sparse = space.vectorise(hash_ngrams(text));
    double sum = 0.0;
    for (const float w : sparse.weights) sum += static_cast<double>(w) * static_cast<double>(w);
    return sum;
  };
  CHECK(std::abs(length("where is my card") - 2.0) < 1e-5);
  CHECK(length("where is my zebra") < 1.9);
  CHECK(length("0123 ???") == 0.0);
}

TEST_CASE("an n-gram in too few messages has no row") {
  const std::vector<HashedText> messages{hash_ngrams("card one"), hash_ngrams("card two")};
  CHECK(FeatureSpace::learn(messages, 2).rows() < FeatureSpace::learn(messages, 1).rows());
  CHECK(FeatureSpace::learn(messages, 3).rows() == 0);
}

}  // namespace
}  // namespace payops::support_agent
