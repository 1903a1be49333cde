// How long customers wait for an answer, counted by upper bounds (1, 2, 5, 10, … ms): what a
// manager's figures are made of, at a few numbers instead of one a message.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace payops::support_agent {

inline constexpr std::string_view kReplyWaits = "wait.agent.";  // from written to answered
inline constexpr std::string_view kPersonWaits =
    "wait.person.";  // from handover to a person's reply

// Counts a wait; one below 0, of clocks that disagree, as 0.
void count_wait(std::map<std::string, int64_t>& counts, std::string_view kind, int64_t waited_ms);

// The bound, in ms, that a share in (0, 1] of the waits kept to; nothing where none was counted.
[[nodiscard]] std::optional<int64_t> wait_within(const std::map<std::string, int64_t>& counts,
                                                 std::string_view kind, double share);

}  // namespace payops::support_agent
