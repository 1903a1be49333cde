// The console's state as it goes over the wire: six sections of key -> value, each value a JSON
// text. Pure functions: what is known to a state, two states to what changed.
//
//   ConsoleState now = state_of(knowledge);
//   std::string delta = delta_text(diff(before, now), …);   // docs/console-protocol.md
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "payops/api/knowledge.h"

namespace payops::api {

inline constexpr std::array<std::string_view, 6> kSections{"header",        "cells", "incidents",
                                                           "interventions", "graph", "effects"};
enum class Section : uint8_t { header, cells, incidents, interventions, graph, effects };

using Values = std::map<std::string, std::string, std::less<>>;  // key -> JSON text
struct ConsoleState {
  std::array<Values, kSections.size()> sections;
  [[nodiscard]] const Values& of(Section s) const { return sections[static_cast<std::size_t>(s)]; }
  bool operator==(const ConsoleState&) const = default;
};

// Deterministic. Text that is not UTF-8 is mended, so that the result always is.
[[nodiscard]] ConsoleState state_of(const Knowledge& knowledge);

struct Delta {
  std::array<Values, kSections.size()> set;
  std::array<std::vector<std::string>, kSections.size()> remove;
  [[nodiscard]] bool empty() const;
};

// What makes `before` into `after`.
[[nodiscard]] Delta diff(const ConsoleState& before, const ConsoleState& after);
void apply(const Delta& delta, ConsoleState& state);

// The same in one: brings `state`, which is state_of(*before), up to `now`, and gives what changed.
// Costs only what may have changed: parts that both share are not looked at.
[[nodiscard]] Delta advance(ConsoleState& state, const Knowledge* before, const Knowledge& now);

// A single value of the section: what history gives is what was shown.
[[nodiscard]] std::string incident_text(const IncidentView& view);
[[nodiscard]] std::string intervention_text(const InterventionView& view);

// Messages of the protocol. Times in ms UTC.
[[nodiscard]] std::string state_text(const ConsoleState& state);  // the object STATE alone
[[nodiscard]] std::string snapshot_text(const ConsoleState& state, std::string_view epoch,
                                        uint64_t seq, int64_t server_ms);
[[nodiscard]] std::string delta_text(const Delta& delta, uint64_t seq, int64_t server_ms);
[[nodiscard]] std::string hello_text(std::string_view epoch, int heartbeat_ms, int stale_after_ms);
[[nodiscard]] std::string heartbeat_text(uint64_t seq, int64_t server_ms, int64_t watermark_ms);

}  // namespace payops::api
