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

struct Fault {
  DeadReason reason;
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
  // Reads the one object of the message and checks its grammar to the end.
  [[nodiscard]] std::optional<Fault> read(JsonCursor cursor, const uint32_t* end, FieldTokens& out);

 private:
  static constexpr std::size_t kPredictedKeys = 48;  // of one object; later ones are looked up
  static constexpr std::size_t kPredictedBytes = 16;

  struct Child {
    std::string key;
    int16_t node = -1;    // an object that holds fields, or -1
    uint16_t fields = 0;  // bit per AttemptField that is this value itself
  };
  // A key with its closing quote, compared as two words under masks.
  struct Prediction {
    std::array<uint64_t, 2> bits{};
    std::array<uint64_t, 2> mask{};
    int16_t child = -1;  // -1: a key that no field needs
  };
  struct Node {
    std::vector<Child> children;
    std::vector<Prediction> predicted;
  };

  void add(AttemptField field, const std::string& path);
  [[nodiscard]] int16_t child_at(std::size_t node, std::size_t position, const JsonCursor& cursor);
  [[nodiscard]] int16_t look_up(std::size_t node, std::size_t position, const JsonCursor& cursor);
  [[nodiscard]] std::optional<Fault> read_object(std::size_t node, JsonCursor& cursor,
                                                 FieldTokens& out);
  [[nodiscard]] std::optional<Fault> read_value(const Child& child, JsonCursor& cursor,
                                                FieldTokens& out);

  std::vector<Node> nodes_;
};

}  // namespace payops::observation
