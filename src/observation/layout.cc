#include "layout.h"

#include <bit>
#include <cstring>

#include "payops/core/check.h"

namespace payops::observation {
namespace {

constexpr uint32_t bit_of(AttemptField field) { return 1u << static_cast<unsigned>(field); }

std::optional<Fault> malformed() { return Fault{DeadReason::malformed_json}; }

// The strings of action_ids: the first few kept, all counted.
std::optional<Fault> read_actions(JsonCursor& cursor, FieldTokens& out) {
  cursor.next();
  if (cursor.peek() == ']') {
    cursor.next();
    return std::nullopt;
  }
  while (true) {
    std::string_view inside;
    const std::string_view token = cursor.token();
    if (!string_inside(token, inside)) {
      return token.empty() ? malformed() : Fault{DeadReason::wrong_type, AttemptField::action_ids};
    }
    if (out.action_count < out.actions.size()) out.actions[out.action_count] = token;
    ++out.action_count;
    cursor.next();
    const char mark = cursor.peek();
    cursor.next();
    if (mark == ']') return std::nullopt;
    if (mark != ',') return malformed();
  }
}

}  // namespace

Layout::Layout(const FieldMapping& mapping) : nodes_(1) {
  for_each_field(mapping, [&](std::string_view name, const auto& rule) {
    if constexpr (requires { rule.constant; }) {
      if (rule.constant) return;
    }
    if (!rule.path.empty()) add(*parse_enum<AttemptField>(name), rule.path);
  });
  for (Node& node : nodes_) node.predicted.resize(kPredictedKeys);
}

void Layout::add(AttemptField field, const std::string& path) {
  std::size_t node = 0;
  for (std::size_t from = 0;;) {
    const std::size_t dot = path.find('.', from);
    const std::string key = path.substr(from, dot - from);
    std::size_t c = 0;
    while (c < nodes_[node].children.size() && nodes_[node].children[c].key != key) ++c;
    if (c == nodes_[node].children.size()) nodes_[node].children.push_back({key});
    if (dot == std::string::npos) {
      nodes_[node].children[c].fields =
          static_cast<uint16_t>(nodes_[node].children[c].fields | bit_of(field));
      return;
    }
    if (nodes_[node].children[c].node < 0) {
      nodes_[node].children[c].node = static_cast<int16_t>(nodes_.size());
      nodes_.emplace_back();
    }
    node = static_cast<std::size_t>(nodes_[node].children[c].node);
    from = dot + 1;
  }
}

std::optional<Fault> Layout::read(JsonCursor cursor, const uint32_t* end, FieldTokens& out) {
  out.found = 0;
  out.action_count = 0;
  if (cursor.peek() != '{') return malformed();
  if (auto fault = read_object(0, cursor, out)) return fault;
  if (cursor.at != end) return malformed();
  return std::nullopt;
}

inline int16_t Layout::child_at(std::size_t node, std::size_t position, const JsonCursor& cursor) {
  if (position < kPredictedKeys) {
    const Prediction& p = nodes_[node].predicted[position];
    std::array<uint64_t, 2> bits;
    std::memcpy(bits.data(), cursor.here() + 1, sizeof bits);
    if ((((bits[0] ^ p.bits[0]) & p.mask[0]) | ((bits[1] ^ p.bits[1]) & p.mask[1])) == 0 &&
        p.mask[0] != 0) {
      return p.child;
    }
  }
  return look_up(node, position, cursor);
}

// The child whose key begins at the cursor, and remembers it for the next message where the key is
// short enough and has no escapes.
int16_t Layout::look_up(std::size_t node, std::size_t position, const JsonCursor& cursor) {
  std::string_view key;
  if (!string_inside(cursor.token(), key)) return -1;
  const bool escaped = cursor.escapes && key.find('\\') != std::string_view::npos;
  std::string plain;
  if (escaped && key.size() < 256) {
    plain.resize(key.size());
    const int64_t size = unescape(key, plain.data());
    if (size >= 0) key = std::string_view(plain).substr(0, static_cast<std::size_t>(size));
  }
  int16_t found = -1;
  const std::vector<Child>& children = nodes_[node].children;
  for (std::size_t c = 0; c < children.size() && found < 0; ++c) {
    if (children[c].key == key) found = static_cast<int16_t>(c);
  }
  if (!escaped && position < kPredictedKeys && key.size() < kPredictedBytes) {
    Prediction& p = nodes_[node].predicted[position];
    std::array<char, kPredictedBytes> mask{};
    std::memcpy(p.bits.data(), cursor.here() + 1, kPredictedBytes);
    std::memset(mask.data(), 0xFF, key.size() + 1);
    std::memcpy(p.mask.data(), mask.data(), kPredictedBytes);
    p.child = found;
  }
  return found;
}

std::optional<Fault> Layout::read_object(std::size_t node, JsonCursor& cursor, FieldTokens& out) {
  cursor.next();
  if (cursor.peek() == '}') {
    cursor.next();
    return std::nullopt;
  }
  for (std::size_t position = 0; cursor.peek() == '"'; ++position) {
    const int16_t child = child_at(node, position, cursor);
    cursor.next();
    if (cursor.peek() != ':') return malformed();
    cursor.next();
    if (child < 0) {
      if (!skip_value(cursor)) return malformed();
    } else if (auto fault = read_value(nodes_[node].children[static_cast<std::size_t>(child)],
                                       cursor, out)) {
      return fault;
    }
    const char mark = cursor.peek();
    cursor.next();
    if (mark == '}') return std::nullopt;
    if (mark != ',') return malformed();
  }
  return malformed();
}

std::optional<Fault> Layout::read_value(const Child& child, JsonCursor& cursor, FieldTokens& out) {
  const char first = cursor.peek();
  if (child.node >= 0) {
    if (first == '{') return read_object(static_cast<std::size_t>(child.node), cursor, out);
    return skip_value(cursor) ? std::nullopt : malformed();
  }
  if ((out.found & child.fields) != 0) return malformed();  // given twice
  out.found |= child.fields;
  if (first == '[' && child.fields == bit_of(AttemptField::action_ids)) {
    out.token[static_cast<std::size_t>(AttemptField::action_ids)] = "[]";
    return read_actions(cursor, out);
  }
  const auto lowest = static_cast<std::size_t>(std::countr_zero(child.fields));
  if (first == '{' || first == '[') {
    return skip_value(cursor) ? Fault{DeadReason::wrong_type, static_cast<AttemptField>(lowest)}
                              : malformed();
  }
  const std::string_view token = cursor.token();
  if (token.empty()) return malformed();
  cursor.next();
  out.token[lowest] = token;
  for (uint32_t more = child.fields & (child.fields - 1u); more != 0; more &= more - 1) {
    out.token[static_cast<std::size_t>(std::countr_zero(more))] = token;
  }
  return std::nullopt;
}

}  // namespace payops::observation
