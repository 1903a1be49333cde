// Where the fields of an attempt lie in an event: a tree of keys compiled from a mapping. Reading
// predicts that the keys come in the order of the message before, so a stream of one producer costs
// one comparison a key; any other order is looked up and becomes the next prediction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json_cursor.h"
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

class Layout {
 public:
  // REQUIRES: mapping.validate().
  explicit Layout(const FieldMapping& mapping);
  // Reads the one object of the message and checks its grammar to the end; false: see fault().
  [[nodiscard]] bool read(JsonCursor cursor, const uint32_t* end, FieldTokens& out);
  [[nodiscard]] const Fault& fault() const { return fault_; }

 private:
  static constexpr std::size_t kPredictedKeys = 48;  // of one object; later ones are looked up
  static constexpr std::size_t kPredictedBytes = 16;

  // What a key's value is for: an object that holds fields, one or more fields, or nothing.
  struct Target {
    int16_t node = -1;
    uint16_t fields = 0;  // bit per AttemptField
    uint8_t first = 0;    // the lowest of them
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

  void add(AttemptField field, const std::string& path);
  [[nodiscard]] Target look_up(Node& node, std::size_t position, const JsonCursor& cursor);
  [[nodiscard]] bool read_object(Node& node, JsonCursor& cursor, FieldTokens& out);
  [[nodiscard]] bool read_inner(const Target& target, JsonCursor& cursor, FieldTokens& out);
  [[nodiscard]] bool read_actions(JsonCursor& cursor, FieldTokens& out);
  [[nodiscard]] bool fail(DeadReason reason, std::optional<AttemptField> field = {});

  std::vector<Node> nodes_;
  Fault fault_{};
};

}  // namespace payops::observation
