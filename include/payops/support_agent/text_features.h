// What the intent network sees of a message: hashed n-grams, weighted by sublinear tf-idf.
//
// Two blocks, each with hashes of its own and normalised to length 1: words (one and two at a
// time) and characters within words (two to four at a time), which carry typing errors and
// romanised Hinglish. Negation is read on the way: "didn't", "didnt" and "nahi" become "not", and
// the words after one are also marked as negated.
//
// Pure functions of the bytes; any bytes are text (what is no UTF-8 counts as U+FFFD).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/result.h"

namespace payops::support_agent {

// A message is read up to here; the rest of a longer one is not looked at.
inline constexpr std::size_t kMaxCodePoints = 1000;

// Lower case, white space as single blanks, curly quotes as straight ones, a letter repeated more
// than twice as two, control characters left out.
[[nodiscard]] std::u32string normalise(std::string_view text);

// The words of a message, negations spelled out: "I didn't pay" is i, did, not, pay. A sentence end
// or comma is a word ".", which ends the reach of a negation.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text);

// A hash of an n-gram and how often it stands in the text. Sorted by hash, each hash once.
struct HashedNgram {
  uint32_t hash;
  uint32_t count;
};
enum class FeatureBlock { words, characters };
inline constexpr std::size_t kFeatureBlocks = 2;
using HashedText = std::array<std::vector<HashedNgram>, kFeatureBlocks>;
[[nodiscard]] HashedText hash_ngrams(std::string_view text);

// A sparse vector: rows of the network's first layer with their weights.
struct SparseText {
  std::vector<uint32_t> rows;
  std::vector<float> weights;
};

// Which n-grams have a row, and what each weighs. Learnt from the training messages.
class FeatureSpace {
 public:
  FeatureSpace() = default;
  // Rows for all n-grams that stand in at least `least_messages` of the messages, in order of block
  // and hash. Weight of one that stands in d of n messages: ln((1 + n) / (1 + d)) + 1.
  static FeatureSpace learn(std::span<const HashedText> messages, uint32_t least_messages);
  // From what a model file holds: ascending hashes by block, weights in the same order.
  // Errors: corrupt.
  static Result<FeatureSpace> restore(std::array<std::vector<uint32_t>, kFeatureBlocks> hashes,
                                      std::vector<float> weights, float unseen_weight);

  // Weight (1 + ln count) × idf, each block scaled to length 1. N-grams without a row have none,
  // but count in the length: a message of unknown words is a short vector, and the answer unsure.
  [[nodiscard]] SparseText vectorise(const HashedText& text) const;

  [[nodiscard]] std::size_t rows() const { return weights_.size(); }
  [[nodiscard]] const std::vector<uint32_t>& hashes(FeatureBlock block) const {
    return hashes_[static_cast<std::size_t>(block)];
  }
  [[nodiscard]] const std::vector<float>& weights() const { return weights_; }
  [[nodiscard]] float unseen_weight() const { return unseen_weight_; }

 private:
  void index();
  [[nodiscard]] uint32_t find(std::size_t block, uint32_t hash) const;

  std::array<std::vector<uint32_t>, kFeatureBlocks> hashes_;
  std::vector<float> weights_;
  float unseen_weight_ = 1.0F;
  std::array<std::vector<uint32_t>, kFeatureBlocks> slots_;  // open addressing: 0 or row + 1
};

}  // namespace payops::support_agent
