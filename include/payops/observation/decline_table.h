// What a decline code says: who caused the failure, and whether trying again can help. Read from
// config/decline_codes.yaml: ISO 8583 response codes, UPI codes, network and gateway codes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"
#include "payops/model/attempt.h"

namespace payops::observation {

struct DeclineRule {
  DeclineClass decline_class = DeclineClass::unknown;
  Hardness hardness = Hardness::soft;
  std::string meaning;
  static constexpr auto fields() {
    return std::make_tuple(field("class", &DeclineRule::decline_class),
                           field("hardness", &DeclineRule::hardness),
                           field("meaning", &DeclineRule::meaning));
  }
};

// The file: one section per family of codes; a code stands in one section only, since an attempt
// carries the code alone.
struct DeclineCodes {
  std::map<std::string, DeclineRule> iso8583;
  std::map<std::string, DeclineRule> upi;
  std::map<std::string, DeclineRule> network;
  std::map<std::string, DeclineRule> gateway;
  static constexpr auto fields() {
    return std::make_tuple(
        field("iso8583", &DeclineCodes::iso8583), field("upi", &DeclineCodes::upi),
        field("network", &DeclineCodes::network), field("gateway", &DeclineCodes::gateway));
  }
  // Errors: config: a code in two sections.
  [[nodiscard]] Status validate() const;
};

struct DeclineMeaning {
  DeclineClass decline_class = DeclineClass::unknown;
  Hardness hardness = Hardness::soft;
};

// Immutable after construction; lookup allocates nothing.
class DeclineTable {
 public:
  DeclineTable() = default;  // knows no code
  explicit DeclineTable(const DeclineCodes& codes);
  // Reads the YAML file. Errors: not_found; config, with file, line and key.
  [[nodiscard]] static Result<DeclineTable> load(const std::string& file);

  // Codes match byte for byte.
  [[nodiscard]] std::optional<DeclineMeaning> find(std::string_view code) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string code;
    DeclineMeaning meaning;
  };
  std::vector<Entry> entries_;
  std::vector<uint16_t> slots_;  // open addressing over entries_, 0 = empty, else index + 1
};

}  // namespace payops::observation
