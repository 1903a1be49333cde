#include "layout.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "payops/core/check.h"

namespace payops::observation {
namespace {

constexpr std::size_t kMaxKeyBytes = 256;

constexpr uint32_t bit_of(AttemptField field) { return 1u << static_cast<unsigned>(field); }

}  // namespace

Layout::Layout(const FieldMapping& mapping) : nodes_(1) {
  for_each_field(mapping, [&](std::string_view name, const auto& rule) {
    if constexpr (requires { rule.constant; }) {
      if (rule.constant) return;
    }
    if (!rule.path.empty()) add(*parse_enum<AttemptField>(name), rule.path);
  });
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
      Target& target = nodes_[node].children[c].target;
      target.fields = static_cast<uint16_t>(target.fields | bit_of(field));
      target.first = static_cast<uint8_t>(std::countr_zero(target.fields));
      return;
    }
    if (nodes_[node].children[c].target.node < 0) {
      nodes_[node].children[c].target.node = static_cast<int16_t>(nodes_.size());
      nodes_.emplace_back();
    }
    node = static_cast<std::size_t>(nodes_[node].children[c].target.node);
    from = dot + 1;
  }
}

bool Layout::read(JsonCursor cursor, const uint32_t* end, FieldTokens& out) {
  out.found = 0;
  out.action_count = 0;
  if (cursor.peek() != '{') return fail(DeadReason::malformed_json);
  if (!read_object(nodes_[0], cursor, out)) return false;
  return cursor.at == end || fail(DeadReason::malformed_json);
}

bool Layout::fail(DeadReason reason, std::optional<AttemptField> field) {
  fault_ = {reason, field};
  return false;
}

// The strings of action_ids: the first few kept, all counted.
bool Layout::read_actions(JsonCursor& cursor, FieldTokens& out) {
  cursor.next();
  if (cursor.peek() == ']') {
    cursor.next();
    return true;
  }
  while (true) {
    std::string_view inside;
    const std::string_view token = cursor.token();
    if (token.empty()) return fail(DeadReason::malformed_json);
    if (!string_inside(token, inside)) {
      return fail(DeadReason::wrong_type, AttemptField::action_ids);
    }
    if (out.action_count < out.actions.size()) out.actions[out.action_count] = token;
    ++out.action_count;
    cursor.next();
    const char mark = cursor.peek();
    cursor.next();
    if (mark == ']') return true;
    if (mark != ',') return fail(DeadReason::malformed_json);
  }
}

inline bool Layout::Prediction::holds(const char* key) const {
  std::array<uint64_t, 2> found;
  std::memcpy(found.data(), key, sizeof found);
  return (((found[0] ^ bits[0]) & mask[0]) | ((found[1] ^ bits[1]) & mask[1])) == 0;
}

// What the key at the cursor is for. It is remembered for the next message where it is short enough
// and has no escapes.
Layout::Target Layout::look_up(Node& node, std::size_t position, const JsonCursor& cursor) {
  std::string_view key;
  if (!string_inside(cursor.token(), key)) return {};
  const bool escaped = cursor.escapes && key.find('\\') != std::string_view::npos;
  std::array<char, kMaxKeyBytes> plain;
  if (escaped && key.size() <= plain.size()) {
    const int64_t size = unescape(key, plain.data());
    if (size >= 0) key = {plain.data(), static_cast<std::size_t>(size)};
  }
  const auto known = std::find_if(node.children.begin(), node.children.end(),
                                  [&](const Child& child) { return child.key == key; });
  const Target target = known == node.children.end() ? Target{} : known->target;
  if (!escaped && position < kPredictedKeys && key.size() < kPredictedBytes) {
    Prediction& p = node.predicted[position];
    std::array<char, kPredictedBytes> mask{};
    std::memcpy(p.bits.data(), cursor.here() + 1, kPredictedBytes);
    std::memset(mask.data(), 0xFF, key.size() + 1);
    std::memcpy(p.mask.data(), mask.data(), kPredictedBytes);
    p.target = target;
  }
  return target;
}

// The hot loop: one round a key. Values that are neither wanted scalars nor plain strings to skip
// take the slower ways.
bool Layout::read_object(Node& node, JsonCursor& cursor, FieldTokens& out) {
  const char* const text = cursor.text;
  const uint32_t* at = cursor.at + 1;
  char mark = text[*at];
  if (mark == '}') ++at;
  const Prediction* predicted = node.predicted.data();
  const Prediction* const last = predicted + kPredictedKeys;
  for (; mark != '}'; predicted += predicted != last ? 1 : 0) {
    const char* const key = text + *at;
    if (*key != '"' || text[at[1]] != ':') return fail(DeadReason::malformed_json);
    Target target;
    if (predicted != last && predicted->holds(key + 1)) {
      target = predicted->target;
    } else {
      cursor.at = at;
      target = look_up(node, static_cast<std::size_t>(predicted - node.predicted.data()), cursor);
    }
    at += 2;
    const char first = text[*at];
    if (target.fields != 0 && first != '{' && first != '[') {
      if ((out.found & target.fields) != 0 || at[1] <= *at) return fail(DeadReason::malformed_json);
      uint32_t end = at[1];
      while (JsonCursor::is_space(text[end - 1])) --end;
      out.found |= target.fields;
      out.token[target.first] = {text + *at, end - *at};
      for (uint32_t more = target.fields & (target.fields - 1u); more != 0; more &= more - 1) {
        out.token[static_cast<std::size_t>(std::countr_zero(more))] = out.token[target.first];
      }
      ++at;
    } else if (target.fields == 0 && target.node < 0 && first == '"' && !cursor.escapes) {
      ++at;
    } else {
      cursor.at = at;
      if (!read_inner(target, cursor, out)) return false;
      at = cursor.at;
    }
    mark = text[*at++];
    if (mark != ',' && mark != '}') return fail(DeadReason::malformed_json);
  }
  cursor.at = at;
  return true;
}

bool Layout::read_inner(const Target& target, JsonCursor& cursor, FieldTokens& out) {
  if (target.node >= 0 && cursor.peek() == '{') {
    return read_object(nodes_[static_cast<std::size_t>(target.node)], cursor, out);
  }
  if (target.fields == bit_of(AttemptField::action_ids) && cursor.peek() == '[') {
    if ((out.found & target.fields) != 0) return fail(DeadReason::malformed_json);
    out.found |= target.fields;
    out.token[target.first] = "[]";
    return read_actions(cursor, out);
  }
  if (!skip_value(cursor)) return fail(DeadReason::malformed_json);
  if (target.fields == 0) return true;
  return fail(DeadReason::wrong_type, static_cast<AttemptField>(target.first));
}

}  // namespace payops::observation
