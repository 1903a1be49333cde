// Where the fields of an attempt lie in an event: a tree of keys compiled from a mapping, and the
// walk along it with simdjson's On-Demand. Reading predicts that the keys come in the order of the
// message before, so a stream of one producer costs one comparison a key; any other order is looked
// up and becomes the next prediction.
//
// On-Demand checks what it is asked for and skips the rest unseen. Here nothing is skipped unseen:
// objects and arrays that no field lies in are iterated, their scalars checked, so that what is
// read is one JSON object to its end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/model/attempt.h"
#include "payops/observation/field_mapping.h"
#include "payops/observation/ingest.h"

namespace payops::observation {

// Why a message is refused. On the hot path functions answer true or false and leave the fault
// aside: an optional returned by value costs a stalled load each time.
struct Fault {
  DeadReason reason = DeadReason::empty;
  std::optional<AttemptField> field{};
};

// The raw tokens of the fields that are there; they point into the message.
struct FieldTokens {
  uint32_t found = 0;  // bit per AttemptField
  std::array<std::string_view, kAttemptFields> token{};
  std::array<std::string_view, kMaxActionsPerAttempt> actions{};  // string tokens of action_ids
  uint32_t action_count = 0;  // in the message, may exceed actions.size()

  [[nodiscard]] bool has(AttemptField f) const {
    return (found >> static_cast<unsigned>(f) & 1) != 0;
  }
  [[nodiscard]] std::string_view of(AttemptField f) const {
    return token[static_cast<std::size_t>(f)];
  }
};

// A string token's inside, quotes off. False when the token is no string.
[[nodiscard]] inline bool string_inside(std::string_view token, std::string_view& inside) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  inside = token.substr(1, token.size() - 2);
  return true;
}

class Layout {
 public:
  // REQUIRES: mapping.validate().
  Layout(const FieldMapping& mapping, std::size_t max_bytes);
  ~Layout();
  Layout(Layout&&) noexcept;
  Layout& operator=(Layout&&) noexcept;

  // Reads the one object of the message and checks its grammar to the end; false: see fault().
  // Tokens point into a copy that lives until the next read; kTokenPadding bytes can be read behind
  // each. Their scalars are complete but not yet checked.
  [[nodiscard]] bool read(std::string_view bytes, FieldTokens& out);
  [[nodiscard]] const Fault& fault() const { return fault_; }
  // Whether the message has a backslash anywhere.
  [[nodiscard]] bool escapes() const { return escapes_; }
  // The text that the inside of a string token of the message stands for, kept until the next read,
  // kTokenPadding bytes readable behind it. False when an escape is wrong (malformed_json), or when
  // more than the length of a longest message has been asked for (unusable_text): see fault().
  [[nodiscard]] bool unescape(std::string_view inside, std::string_view& out);

 private:
  static constexpr std::size_t kPredictedKeys = 48;  // of one object; later ones are looked up
  static constexpr std::size_t kPredictedBytes = 16;

  // What a key's value is for: an object that holds fields, one or more fields, or nothing.
  struct Target {
    uint32_t fields = 0;  // bit per AttemptField
    int16_t node = -1;
    uint16_t first = 0;  // the lowest of them; with it, one word to copy
  };
  struct Child {
    std::string key;
    Target target{};
  };
  // A key with its closing quote, compared as two words under masks. At first one that no key
  // equals, since none has a zero byte.
  struct Prediction {
    std::array<uint64_t, 2> bits{};
    std::array<uint64_t, 2> mask{~uint64_t{0}, ~uint64_t{0}};
    Target target{};
    [[nodiscard]] bool holds(const char* key) const;
  };
  struct Node {
    std::vector<Child> children;
    std::array<Prediction, kPredictedKeys> predicted{};
  };
  struct Reader;  // simdjson's parser and the buffers
  struct Walk;

  void add(AttemptField field, const std::string& path);
  bool fail(DeadReason reason, std::optional<AttemptField> field = {});

  std::vector<Node> nodes_;
  std::size_t max_bytes_;
  std::unique_ptr<Reader> reader_;
  bool escapes_ = false;
  Fault fault_{};
};

}  // namespace payops::observation
