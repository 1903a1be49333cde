// Which explanations an intervention would help under, and how far they are believed: what a
// decision weighs its value by, and what the gate holds it against.
#pragma once

#include <string_view>
#include <vector>

#include "payops/model/assessment.h"

namespace payops {

// Does every payment of `inner` belong to `outer`?
[[nodiscard]] bool scope_covers(const Scope& outer, const Scope& inner);

// Would an intervention of this type on `scope` help if `h` were true? Moving payments between
// gateways mends nothing where an issuer or a method fails on all of them; whatever keeps payments
// off a place helps when the place is down; a storm is answered by fewer or later retries.
// `answered` is the hypothesis the intervention was made for, of whatever cause it is.
[[nodiscard]] bool would_help(std::string_view type, const Scope& scope, const Hypothesis& h,
                              std::string_view answered);

// How far a hypothesis is believed, given the alarm that it explains: several alarms share the
// posterior, and what is certain of one is no less so because there is another.
[[nodiscard]] double belief(const Hypothesis& h);

// Belief in all that it would help under, in [0, 1].
[[nodiscard]] double helpful_belief(const std::vector<Hypothesis>& hypotheses,
                                    std::string_view type, const Scope& scope,
                                    std::string_view answered);

}  // namespace payops
