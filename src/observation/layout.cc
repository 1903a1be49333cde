#include "layout.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "numbers.h"
#include "payops/core/check.h"

namespace payops::observation {
namespace {

namespace od = simdjson::ondemand;

constexpr int kMaxDepth = 64;  // of what is walked past

constexpr uint32_t bit_of(AttemptField field) { return 1u << static_cast<unsigned>(field); }

// What a value's first character says it is.
enum class Kind : uint8_t { scalar, string, object, array, none };
constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  const auto set = [&](char first, Kind kind) { kinds[static_cast<unsigned char>(first)] = kind; };
  set('"', Kind::string);
  set('{', Kind::object);
  set('[', Kind::array);
  for (const char mark : {',', ':', ']', '}', '\0'}) set(mark, Kind::none);
  return kinds;
}();
Kind kind_of(std::string_view token) { return kKinds[static_cast<unsigned char>(token[0])]; }

// A value's first token, without the space behind it.
[[gnu::always_inline]] inline std::string_view token_of(od::value& value) {
  std::string_view token = value.raw_json_token();
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (is_space(token.back())) token.remove_suffix(1);
  return token;
}

// Copies the bytes and says whether `wanted` is among them, in one pass.
bool copy_finding(std::string_view bytes, char wanted, char* to) {
  using Block = char __attribute__((vector_size(16)));
  const std::size_t n = bytes.size();
  Block found{};
  const auto block = [&](std::size_t at) {
    Block b;
    std::memcpy(&b, bytes.data() + at, sizeof b);
    std::memcpy(to + at, &b, sizeof b);
    found |= b == wanted;
  };
  if (n < sizeof(Block)) {
    std::memcpy(to, bytes.data(), n);
    return bytes.find(wanted) != std::string_view::npos;
  }
  for (std::size_t at = 0; at + sizeof(Block) <= n; at += sizeof(Block)) block(at);
  block(n - sizeof(Block));
  std::array<uint64_t, 2> any;
  std::memcpy(any.data(), &found, sizeof found);
  return (any[0] | any[1]) != 0;
}

}  // namespace

struct Layout::Reader {
  explicit Reader(std::size_t max_bytes)
      : text(max_bytes + simdjson::SIMDJSON_PADDING),
        unescaped(max_bytes + simdjson::SIMDJSON_PADDING) {
    PAYOPS_CHECK(parser.allocate(max_bytes) == simdjson::SUCCESS);
  }
  od::parser parser;
  std::vector<char> text;
  std::vector<uint8_t> unescaped;
  std::size_t unescaped_used = 0;
};

Layout::Layout(const FieldMapping& mapping, std::size_t max_bytes)
    : nodes_(1), max_bytes_(max_bytes), reader_(std::make_unique<Reader>(max_bytes)) {
  for_each_field(mapping, [&](std::string_view name, const auto& rule) {
    if constexpr (requires { rule.constant; }) {
      if (rule.constant) return;
    }
    if (!rule.path.empty()) add(*parse_enum<AttemptField>(name), rule.path);
  });
}

Layout::~Layout() = default;
Layout::Layout(Layout&&) noexcept = default;
Layout& Layout::operator=(Layout&&) noexcept = default;

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
      target.fields |= bit_of(field);
      target.first = static_cast<uint16_t>(std::countr_zero(target.fields));
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

bool Layout::fail(DeadReason reason, std::optional<AttemptField> field) {
  fault_ = {reason, field};
  return false;
}

inline bool Layout::Prediction::holds(const char* key) const {
  std::array<uint64_t, 2> found;
  std::memcpy(found.data(), key, sizeof found);
  return (((found[0] ^ bits[0]) & mask[0]) | ((found[1] ^ bits[1]) & mask[1])) == 0;
}

// One message. Every value is consumed or found to be a scalar before On-Demand goes on to the
// next: left to itself it skips to the bracket that makes the depth right, whatever lies between.
struct Layout::Walk {
  Layout& layout;
  FieldTokens& out;
  const bool escapes;

  bool malformed() { return layout.fail(DeadReason::malformed_json); }
  [[nodiscard]] bool object(Node& node, od::object& from);
  [[nodiscard]] bool inner(const Target& target, Kind kind, od::value& value);
  [[nodiscard]] bool actions(od::value& value);
  [[nodiscard]] bool look_up(Node& node, std::size_t position, od::field& field, Target& target);
  // Checks a value of any kind that nothing is wanted of.
  [[nodiscard]] bool pass(od::value& value, int depth);
  [[nodiscard]] bool escapes_right(std::string_view inside);
};

// The hot loop: one round a key. Values that are neither wanted scalars nor plain strings to pass
// take the slower ways.
bool Layout::Walk::object(Node& node, od::object& from) {
  od::object_iterator at;
  if (from.begin().get(at) != simdjson::SUCCESS) return malformed();
  const od::object_iterator end;
  const Prediction* predicted = node.predicted.data();
  const Prediction* const last = predicted + kPredictedKeys;
  for (; at != end; ++at, predicted += predicted != last ? 1 : 0) {
    auto member = *at;
    if (member.error() != simdjson::SUCCESS) return malformed();
    od::field& field = member.value_unsafe();  // in place: a copy is read before it is written
    Target target;
    if (predicted != last && predicted->holds(field.key().raw())) {
      target = predicted->target;
    } else {
      const auto position = static_cast<std::size_t>(predicted - node.predicted.data());
      if (!look_up(node, position, field, target)) return malformed();
    }
    od::value& value = field.value();
    const std::string_view token = token_of(value);
    const Kind kind = kind_of(token);
    if (kind == Kind::none) return malformed();
    if (kind == Kind::string && value.get_raw_json_string().error() != simdjson::SUCCESS) {
      return malformed();
    }
    if (target.fields != 0 && kind <= Kind::string) {
      if ((out.found & target.fields) != 0) return malformed();
      out.found |= target.fields;
      out.token[target.first] = token;
      for (uint32_t more = target.fields & (target.fields - 1u); more != 0; more &= more - 1) {
        out.token[static_cast<std::size_t>(std::countr_zero(more))] = token;
      }
    } else if (kind != Kind::string || escapes) {
      if (!inner(target, kind, value)) return false;
    }
  }
  return true;
}

bool Layout::Walk::inner(const Target& target, Kind kind, od::value& value) {
  if (target.node >= 0 && kind == Kind::object) {
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return malformed();
    return this->object(layout.nodes_[static_cast<std::size_t>(target.node)], object);
  }
  if (target.fields == bit_of(AttemptField::action_ids) && kind == Kind::array) {
    if ((out.found & target.fields) != 0) return malformed();
    out.found |= target.fields;
    out.token[target.first] = "[]";
    return actions(value);
  }
  if (!pass(value, 0)) return malformed();
  if (target.fields == 0) return true;
  return layout.fail(DeadReason::wrong_type, static_cast<AttemptField>(target.first));
}

// The strings of action_ids: the first few kept, all counted.
bool Layout::Walk::actions(od::value& value) {
  od::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return malformed();
  for (auto item : array) {
    od::value id;
    if (std::move(item).get(id) != simdjson::SUCCESS) return malformed();
    std::string_view inside;
    const std::string_view token = token_of(id);
    if (!string_inside(token, inside)) {
      return layout.fail(DeadReason::wrong_type, AttemptField::action_ids);
    }
    if (id.get_raw_json_string().error() != simdjson::SUCCESS) return malformed();
    if (out.action_count < out.actions.size()) out.actions[out.action_count] = token;
    ++out.action_count;
  }
  return true;
}

// What a key is for. It is remembered for the next message where it is short enough and has no
// escapes. False when an escape is wrong.
bool Layout::Walk::look_up(Node& node, std::size_t position, od::field& field, Target& target) {
  const char* const raw = field.key().raw();
  std::string_view key;
  if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
  const auto known = std::find_if(node.children.begin(), node.children.end(),
                                  [&](const Child& child) { return child.key == key; });
  target = known == node.children.end() ? Target{} : known->target;
  const bool escaped = std::memcmp(raw, key.data(), key.size()) != 0 || raw[key.size()] != '"';
  if (escaped || position >= kPredictedKeys || key.size() >= kPredictedBytes) return true;
  Prediction& p = node.predicted[position];
  std::array<char, kPredictedBytes> mask{};
  std::memcpy(p.bits.data(), raw, kPredictedBytes);
  std::memset(mask.data(), 0xFF, key.size() + 1);
  std::memcpy(p.mask.data(), mask.data(), kPredictedBytes);
  p.target = target;
  return true;
}

bool Layout::Walk::escapes_right(std::string_view inside) {
  if (!escapes || inside.find('\\') == std::string_view::npos) return true;
  uint8_t* scratch = layout.reader_->unescaped.data();
  const od::raw_json_string raw(reinterpret_cast<const uint8_t*>(inside.data()));
  return layout.reader_->parser.unescape(raw, scratch).error() == simdjson::SUCCESS;
}

bool Layout::Walk::pass(od::value& value, int depth) {
  const std::string_view token = token_of(value);
  switch (kind_of(token)) {
    case Kind::none:
      return false;
    case Kind::scalar:
      return token == "null" || token == "true" || token == "false" || is_number(token);
    case Kind::string: {
      // Done already where the value is a member's.
      std::string_view inside;
      return value.get_raw_json_string().error() == simdjson::SUCCESS &&
             string_inside(token, inside) && escapes_right(inside);
    }
    case Kind::object: {
      od::object object;
      if (depth >= kMaxDepth || value.get_object().get(object) != simdjson::SUCCESS) return false;
      for (auto member : object) {
        od::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS) return false;
        if (escapes && field.unescaped_key().error() != simdjson::SUCCESS) return false;
        if (!pass(field.value(), depth + 1)) return false;
      }
      return true;
    }
    case Kind::array: {
      od::array array;
      if (depth >= kMaxDepth || value.get_array().get(array) != simdjson::SUCCESS) return false;
      for (auto item : array) {
        od::value element;
        if (std::move(item).get(element) != simdjson::SUCCESS) return false;
        if (!pass(element, depth + 1)) return false;
      }
      return true;
    }
  }
  return false;
}

bool Layout::read(std::string_view bytes, FieldTokens& out) {
  out.found = 0;
  out.action_count = 0;
  if (bytes.empty()) return fail(DeadReason::empty);
  if (bytes.size() > max_bytes_) return fail(DeadReason::too_large);
  Reader& reader = *reader_;
  reader.unescaped_used = 0;
  escapes_ = copy_finding(bytes, '\\', reader.text.data());
  reader.text[bytes.size()] = '\0';
  od::document document;
  const auto error =
      reader.parser.iterate(reader.text.data(), bytes.size(), reader.text.size()).get(document);
  if (error == simdjson::UTF8_ERROR) return fail(DeadReason::invalid_utf8);
  od::object object;
  if (error != simdjson::SUCCESS || document.get_object().get(object) != simdjson::SUCCESS) {
    return fail(DeadReason::malformed_json);
  }
  Walk walk{*this, out, escapes_};
  if (!walk.object(nodes_[0], object)) return false;
  const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  return at_end || fail(DeadReason::malformed_json);
}

bool Layout::unescape(std::string_view inside, std::string_view& out) {
  Reader& reader = *reader_;
  // Room enough: the texts of a message, each read once or twice, are shorter than it; when a path
  // serves several fields the buffer may run out, and the text counts as too long.
  if (reader.unescaped_used + inside.size() > max_bytes_) return fail(DeadReason::unusable_text);
  uint8_t* place = reader.unescaped.data() + reader.unescaped_used;
  const od::raw_json_string raw(reinterpret_cast<const uint8_t*>(inside.data()));
  if (reader.parser.unescape(raw, place).get(out) != simdjson::SUCCESS) {
    return fail(DeadReason::malformed_json);
  }
  reader.unescaped_used += out.size();
  return true;
}

}  // namespace payops::observation
