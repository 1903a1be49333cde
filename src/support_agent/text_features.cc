#include "payops/support_agent/text_features.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "payops/core/check.h"
#include "payops/core/random.h"

namespace payops::support_agent {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
// How many words after a negation it reaches, unless the clause ends before.
constexpr int kNegationReach = 3;
constexpr uint32_t kNoRow = std::numeric_limits<uint32_t>::max();

// Takes one code point off the front; an invalid or overlong sequence gives one U+FFFD for a byte.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  std::size_t size = 1;
  char32_t value = first;
  if (first >= 0x80) {
    size = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    if (first >= 0xF5) size = 0;
    value = size == 4 ? first & 0x07U : size == 3 ? first & 0x0FU : first & 0x1FU;
    bool good = size > 0 && text.size() >= size;
    for (std::size_t i = 1; good && i < size; ++i) {
      good = (byte(i) & 0xC0) == 0x80;
      value = (value << 6) | (byte(i) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    good = good && value >= kLeast[size] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
    if (!good) {
      size = 1;
      value = kReplacement;
    }
  }
  text.remove_prefix(size);
  return value;
}

char32_t fold(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if ((c >= 0xC0 && c <= 0xDE && c != 0xD7)) return c + 32;  // Latin-1 capitals
  if (c == 0x2018 || c == 0x2019 || c == 0x02BC || c == U'`') return U'\'';
  if (c == 0x201C || c == 0x201D) return U'"';
  if (c == U'\t' || c == U'\n' || c == U'\r' || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) ||
      c == 0x3000) {
    return U' ';
  }
  return c;
}

bool invisible(char32_t c) {
  return c < 0x20 || c == 0x7F || (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F) ||
         c == 0xFEFF;
}

bool is_letter(char32_t c) { return (c >= U'a' && c <= U'z') || c >= 0x80; }
bool is_word(char32_t c) { return is_letter(c) || (c >= U'0' && c <= U'9'); }
bool ends_clause(char32_t c) {
  return c == U'.' || c == U',' || c == U'!' || c == U'?' || c == U';' || c == U':';
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18));
    put(0x80 | ((c >> 12) & 0x3F));
    put(0x80 | ((c >> 6) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

// What a word with a negation in it stands for: "didnt" (its apostrophe gone) is did, not.
struct Contraction {
  std::string_view word, verb;
};
constexpr std::array<Contraction, 22> kContractions{
    {{"aint", "is"},       {"arent", "are"},   {"cannot", "can"},  {"cant", "can"},
     {"couldnt", "could"}, {"didnt", "did"},   {"dint", "did"},    {"doesnt", "does"},
     {"dont", "do"},       {"hadnt", "had"},   {"hasnt", "has"},   {"havent", "have"},
     {"isnt", "is"},       {"mustnt", "must"}, {"neednt", "need"}, {"shouldnt", "should"},
     {"wasnt", "was"},     {"werent", "were"}, {"wont", "will"},   {"wouldnt", "would"},
     {"couldn", "could"},  {"shan", "shall"}}};
constexpr std::array<std::string_view, 7> kNots{"nahi",  "nahin", "nai", "nhi",
                                                "nahee", "mat",   "nt"};

void push_word(std::vector<std::string>& words, std::string word) {
  for (const Contraction& c : kContractions) {
    if (c.word == word) {
      words.emplace_back(c.verb);
      words.emplace_back("not");
      return;
    }
  }
  if (std::find(kNots.begin(), kNots.end(), word) != kNots.end()) word = "not";
  words.push_back(std::move(word));
}

std::vector<std::string> split_words(const std::u32string& text) {
  std::vector<std::string> words;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) push_word(words, std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const bool within = !word.empty() && i + 1 < text.size() && is_word(text[i + 1]);
    if (is_word(c)) {
      append_utf8(word, c);
    } else if (c == U'\'' && within) {
      continue;  // don't and dont are one word
    } else {
      flush();
      if (ends_clause(c) && !words.empty() && words.back() != ".") words.emplace_back(".");
    }
  }
  flush();
  return words;
}

bool negates(std::string_view word) {
  return word == "not" || word == "never" || word == "no" || word == "without";
}

uint32_t hash_word(std::string_view word, uint64_t salt) {
  uint64_t h = salt;
  for (const char c : word) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001B3ULL;
  return static_cast<uint32_t>(mix64(h) >> 32);
}
uint32_t hash_pair(uint32_t a, uint32_t b) {
  return static_cast<uint32_t>(mix64(uint64_t{a} << 32 | b) >> 32);
}

constexpr uint64_t kWordSalt = 0xCBF29CE484222325ULL;
constexpr uint64_t kNegatedSalt = 0x84222325CBF29CE4ULL;

std::vector<HashedNgram> counted(std::vector<uint32_t> hashes) {
  std::sort(hashes.begin(), hashes.end());
  std::vector<HashedNgram> out;
  out.reserve(hashes.size());
  for (const uint32_t h : hashes) {
    if (!out.empty() && out.back().hash == h) {
      ++out.back().count;
    } else {
      out.push_back({h, 1});
    }
  }
  return out;
}

std::vector<uint32_t> word_hashes(const std::u32string& text) {
  std::vector<uint32_t> hashes;
  uint32_t before = 0;
  bool has_before = false;
  int negated = 0;  // words the last negation still reaches
  for (const std::string& word : split_words(text)) {
    if (word == ".") {
      negated = 0;
      continue;
    }
    const uint32_t h = hash_word(word, kWordSalt);
    hashes.push_back(h);
    if (has_before) hashes.push_back(hash_pair(before, h));
    if (negated > 0) {
      hashes.push_back(hash_word(word, kNegatedSalt));
      --negated;
    }
    if (negates(word)) negated = kNegationReach;
    before = h;
    has_before = true;
  }
  return hashes;
}

// N-grams of two to four characters within each blank-separated word, a blank at either end.
std::vector<uint32_t> character_hashes(const std::u32string& text) {
  std::vector<uint32_t> hashes;
  hashes.reserve(3 * text.size() + 8);
  std::u32string padded;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t blank = std::min(text.find(U' ', from), text.size());
    padded.assign(1, U' ');
    padded.append(text, from, blank - from);
    padded.push_back(U' ');
    from = blank + 1;
    if (padded.size() == 2) continue;
    for (std::size_t i = 0; i + 1 < padded.size(); ++i) {
      uint64_t h = padded[i];
      for (std::size_t n = 2; n <= 4 && i + n <= padded.size(); ++n) {
        h = (h << 21 | h >> 43) ^ padded[i + n - 1];
        hashes.push_back(static_cast<uint32_t>(mix64(h + n) >> 32));
      }
    }
  }
  return hashes;
}

std::vector<uint32_t> frequent(std::span<const HashedText> messages, std::size_t block,
                               uint32_t least, std::vector<float>& weights) {
  std::unordered_map<uint32_t, uint32_t> found_in;
  for (const HashedText& text : messages) {
    for (const HashedNgram& gram : text[block]) ++found_in[gram.hash];
  }
  std::vector<std::pair<uint32_t, uint32_t>> kept;
  for (const auto& [hash, n] : found_in) {
    if (n >= least) kept.emplace_back(hash, n);
  }
  std::sort(kept.begin(), kept.end());
  std::vector<uint32_t> hashes;
  for (const auto& [hash, n] : kept) {
    hashes.push_back(hash);
    weights.push_back(static_cast<float>(
        std::log((1.0 + static_cast<double>(messages.size())) / (1.0 + static_cast<double>(n))) +
        1.0));
  }
  return hashes;
}

}  // namespace

std::u32string normalise(std::string_view text) {
  std::u32string out;
  while (!text.empty() && out.size() < kMaxCodePoints) {
    const char32_t c = fold(take_code_point(text));
    if (invisible(c)) continue;
    const std::size_t n = out.size();
    if (c == U' ' && (n == 0 || out.back() == U' ')) continue;
    if (is_letter(c) && n >= 2 && out[n - 1] == c && out[n - 2] == c) continue;
    out.push_back(c);
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  return out;
}

std::vector<std::string> words_of(std::string_view text) { return split_words(normalise(text)); }

HashedText hash_ngrams(std::string_view text) {
  const std::u32string normal = normalise(text);
  return {counted(word_hashes(normal)), counted(character_hashes(normal))};
}

FeatureSpace FeatureSpace::learn(std::span<const HashedText> messages, uint32_t least_messages) {
  FeatureSpace space;
  for (std::size_t block = 0; block < kFeatureBlocks; ++block) {
    space.hashes_[block] = frequent(messages, block, least_messages, space.weights_);
  }
  space.unseen_weight_ =
      static_cast<float>(std::log(1.0 + static_cast<double>(messages.size())) + 1.0);
  space.index();
  return space;
}

Result<FeatureSpace> FeatureSpace::restore(std::array<std::vector<uint32_t>, kFeatureBlocks> hashes,
                                           std::vector<float> weights, float unseen_weight) {
  FeatureSpace space;
  std::size_t rows = 0;
  for (const auto& block : hashes) {
    rows += block.size();
    if (std::adjacent_find(block.begin(), block.end(), std::greater_equal<>()) != block.end()) {
      return fail(ErrorCode::corrupt, "n-grams out of order");
    }
  }
  const auto sane = [](float w) { return std::isfinite(w) && w >= 0.0F; };
  if (rows != weights.size() || !sane(unseen_weight) ||
      !std::all_of(weights.begin(), weights.end(), sane)) {
    return fail(ErrorCode::corrupt, "n-grams and weights do not agree");
  }
  space.hashes_ = std::move(hashes);
  space.weights_ = std::move(weights);
  space.unseen_weight_ = unseen_weight;
  space.index();
  return space;
}

void FeatureSpace::index() {
  uint32_t row = 0;
  for (std::size_t block = 0; block < kFeatureBlocks; ++block) {
    std::size_t room = 16;
    while (room < 2 * hashes_[block].size()) room *= 2;
    slots_[block].assign(room, 0);
    for (std::size_t i = 0; i < hashes_[block].size(); ++i) {
      std::size_t at = hashes_[block][i] & (room - 1);
      while (slots_[block][at] != 0) at = (at + 1) & (room - 1);
      slots_[block][at] = ++row;
    }
  }
}

uint32_t FeatureSpace::find(std::size_t block, uint32_t hash) const {
  const std::vector<uint32_t>& slots = slots_[block];
  if (slots.empty()) return kNoRow;
  const std::size_t first = block == 0 ? 0 : hashes_[0].size();
  for (std::size_t at = hash & (slots.size() - 1); slots[at] != 0;
       at = (at + 1) & (slots.size() - 1)) {
    if (hashes_[block][slots[at] - 1 - first] == hash) return slots[at] - 1;
  }
  return kNoRow;
}

SparseText FeatureSpace::vectorise(const HashedText& text) const {
  SparseText out;
  out.rows.reserve(text[0].size() + text[1].size());
  out.weights.reserve(text[0].size() + text[1].size());
  for (std::size_t block = 0; block < kFeatureBlocks; ++block) {
    const std::size_t begin = out.rows.size();
    double length = 0.0;
    for (const HashedNgram& gram : text[block]) {
      const uint32_t row = find(block, gram.hash);
      const float idf = row == kNoRow ? unseen_weight_ : weights_[row];
      const float often = gram.count == 1 ? 1.0F : 1.0F + std::log(static_cast<float>(gram.count));
      const float weight = often * idf;
      length += static_cast<double>(weight) * static_cast<double>(weight);
      if (row == kNoRow) continue;
      out.rows.push_back(row);
      out.weights.push_back(weight);
    }
    if (length <= 0.0) continue;
    const auto scale = static_cast<float>(1.0 / std::sqrt(length));
    for (std::size_t i = begin; i < out.weights.size(); ++i) out.weights[i] *= scale;
  }
  return out;
}

}  // namespace payops::support_agent
