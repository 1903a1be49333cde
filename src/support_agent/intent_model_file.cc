#include <algorithm>
#include <cmath>
#include <set>

#include "half_float.h"
#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/support_agent/intent_model.h"

namespace payops::support_agent {
namespace {

constexpr std::string_view kMagic = "PAYOPSIM";
constexpr uint32_t kVersion = 1;
constexpr std::size_t kDigestChars = 32;
constexpr std::size_t kHeaderBytes = 8 + 4 + kDigestChars;
constexpr uint32_t kMaxHidden = 4096;
constexpr std::size_t kMaxIntents = 4096;

// What lies behind the header, in the order of the codec. Arrays are little-endian bytes.
struct Stored {
  std::vector<Intent> intents;
  std::string word_hashes, character_hashes;  // 4 bytes each
  std::string weights;                        // floats
  double unseen_weight = 1.0;
  uint32_t hidden = 0;
  std::string w1;          // halves
  std::string b1, w2, b2;  // floats
  IntentCalibration calibration;
  static constexpr auto fields() {
    return std::make_tuple(
        field("intents", &Stored::intents), field("word_hashes", &Stored::word_hashes),
        field("character_hashes", &Stored::character_hashes), field("weights", &Stored::weights),
        field("unseen_weight", &Stored::unseen_weight), field("hidden", &Stored::hidden),
        field("w1", &Stored::w1), field("b1", &Stored::b1), field("w2", &Stored::w2),
        field("b2", &Stored::b2), field("calibration", &Stored::calibration));
  }
};

template <class Word>
void put_word(std::string& out, Word value) {
  for (std::size_t i = 0; i < sizeof(Word); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
template <class Word>
Word word_at(std::string_view bytes, std::size_t index) {
  Word value = 0;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[index * sizeof(Word) + i]);
    value = static_cast<Word>(value | static_cast<Word>(static_cast<Word>(byte) << (8 * i)));
  }
  return value;
}

std::string pack(const std::vector<uint32_t>& values) {
  std::string out;
  for (const uint32_t v : values) put_word(out, v);
  return out;
}
std::string pack(const std::vector<float>& values) {
  std::string out;
  for (const float v : values) put_word(out, std::bit_cast<uint32_t>(v));
  return out;
}
std::string pack_halves(const std::vector<float>& values) {
  std::string out;
  out.reserve(2 * values.size());
  for (const float v : values) put_word(out, to_half(v));
  return out;
}
std::vector<uint32_t> unpack_words(std::string_view bytes) {
  std::vector<uint32_t> out(bytes.size() / 4);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = word_at<uint32_t>(bytes, i);
  return out;
}
std::vector<float> unpack_floats(std::string_view bytes) {
  std::vector<float> out(bytes.size() / 4);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::bit_cast<float>(word_at<uint32_t>(bytes, i));
  }
  return out;
}
std::vector<float> unpack_halves(std::string_view bytes) {
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = from_half(word_at<uint16_t>(bytes, i));
  return out;
}

bool finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

std::string digest_of(std::string_view bytes) {
  StateDigest digest;
  digest.add(bytes);
  return digest.hex();
}

bool good_names(const std::vector<Intent>& intents) {
  std::set<std::string> names;
  for (const Intent& intent : intents) names.insert(intent.name);
  return intents.size() >= 2 && intents.size() <= kMaxIntents && names.size() == intents.size();
}

bool good_calibration(const IntentCalibration& c) {
  return std::isfinite(c.temperature) && c.temperature > 0.0 && std::isfinite(c.threshold) &&
         c.threshold >= 0.0 && c.threshold <= 1.0;
}

// The network of the stored arrays, or one with no rows when their sizes or values do not agree.
IntentNetwork network_of(const Stored& stored, std::size_t rows) {
  IntentNetwork network{.rows = static_cast<uint32_t>(rows),
                        .hidden = stored.hidden,
                        .outputs = static_cast<uint32_t>(stored.intents.size())};
  const std::size_t hidden = stored.hidden, width = network.width();
  const bool sized = hidden > 0 && hidden <= kMaxHidden && hidden % 8 == 0 &&
                     stored.w1.size() == 2 * rows * hidden && stored.b1.size() == 4 * hidden &&
                     stored.w2.size() == 4 * hidden * width && stored.b2.size() == 4 * width;
  if (!sized) return {};
  network.w1 = unpack_halves(stored.w1);
  network.b1 = unpack_floats(stored.b1);
  network.w2 = unpack_floats(stored.w2);
  network.b2 = unpack_floats(stored.b2);
  const bool sane =
      finite(network.w1) && finite(network.b1) && finite(network.w2) && finite(network.b2);
  return sane ? network : IntentNetwork{};
}

}  // namespace

std::string IntentModel::to_bytes() const {
  const Stored stored{.intents = intents_,
                      .word_hashes = pack(features_.hashes(FeatureBlock::words)),
                      .character_hashes = pack(features_.hashes(FeatureBlock::characters)),
                      .weights = pack(features_.weights()),
                      .unseen_weight = static_cast<double>(features_.unseen_weight()),
                      .hidden = network_.hidden,
                      .w1 = pack_halves(network_.w1),
                      .b1 = pack(network_.b1),
                      .w2 = pack(network_.w2),
                      .b2 = pack(network_.b2),
                      .calibration = calibration_};
  const std::string payload = encode(stored);
  std::string out(kMagic);
  put_word(out, kVersion);
  return out + digest_of(payload) + payload;
}

Result<IntentModel> IntentModel::from_bytes(std::string_view bytes, const std::string& file) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::corrupt, file + ": " + why);
  };
  if (!bytes.starts_with(kMagic)) {
    return refuse("is no intent model; `payops intents train` writes one");
  }
  if (bytes.size() < kHeaderBytes) return refuse("the intent model is cut off; train it again");
  const auto version = word_at<uint32_t>(bytes.substr(kMagic.size()), 0);
  if (version != kVersion) {
    return refuse("an intent model of version " + std::to_string(version) +
                  "; this program reads " + std::to_string(kVersion) + ", so train it again");
  }
  const std::string_view payload = bytes.substr(kHeaderBytes);
  if (bytes.substr(kMagic.size() + 4, kDigestChars) != digest_of(payload)) {
    return refuse("the intent model is damaged (its checksum differs); train it again");
  }
  const auto stored = decode<Stored>(payload);
  if (!stored) return refuse("the intent model does not decode; train it again");
  auto features = FeatureSpace::restore(
      {unpack_words(stored->word_hashes), unpack_words(stored->character_hashes)},
      unpack_floats(stored->weights), static_cast<float>(stored->unseen_weight));
  if (!features) return refuse("the intent model: " + features.error().message);
  IntentModel model;
  model.network_ = network_of(*stored, features->rows());
  if (!good_names(stored->intents) || !good_calibration(stored->calibration) ||
      model.network_.rows == 0) {
    return refuse("the intent model contradicts itself; train it again");
  }
  model.intents_ = stored->intents;
  model.features_ = std::move(*features);
  model.calibration_ = stored->calibration;
  return model;
}

}  // namespace payops::support_agent
