// Terms that the pre-mortem, the mitigation and the gate share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "payops/safety/safety.h"

namespace payops::safety {

inline constexpr double kSlack = 1e-9;  // rounding allowed in comparing shares
inline constexpr int64_t kHourMs = 3'600'000;

// True when every payment of `inner` is one of `outer`; true when they can have one in common.
[[nodiscard]] bool covers(const Scope& outer, const Scope& inner);
[[nodiscard]] bool overlaps(const Scope& a, const Scope& b);

[[nodiscard]] std::string key_of(const Option& option);  // as Action::key()
// True for types that take traffic off a path (all but advisory and retry types).
[[nodiscard]] bool is_diverting(std::string_view type);
// The gateway that traffic is moved to, or empty.
[[nodiscard]] std::string target_gateway(const std::map<std::string, std::string>& params);

// Approved or active, not an inverse, not expired at ts_ms.
[[nodiscard]] bool in_force(const Intervention& i, int64_t ts_ms);
// Was, or is about to be, on the topic: in force, ended or rolled back; not an inverse.
[[nodiscard]] bool was_issued(const Intervention& i);
// Made things worse, or a person's no.
[[nodiscard]] bool failed(const Intervention& i);

// P(X < 0) for a normal X. With sigma 0: 0, 1/2 or 1.
[[nodiscard]] double normal_below_zero(double mean, double sigma);
// P(X < n) for a Poisson X.
[[nodiscard]] double poisson_below(double mean, uint64_t n);

// Live payments per second and value per second of a path; 0 when they are not numbers.
[[nodiscard]] double live_tps(const PathStats& path);
[[nodiscard]] double live_value(const PathStats& path);

// Live payments per second of where the traffic goes: the target gateway, or else the issuer's
// paths outside the scope, or else all paths outside it.
[[nodiscard]] double target_tps(const Option& option, const Assessment& assessment);

// Blast radius of the others in force: not on `key`, alerts aside.
[[nodiscard]] double concurrent_blast(const std::vector<Intervention>& ledger,
                                      const std::string& key, int64_t ts_ms);
// Issued in the last hour on other keys, the largest per key.
[[nodiscard]] double hourly_blast(const std::vector<Intervention>& ledger, const std::string& key,
                                  int64_t ts_ms);
// The smallest share of any live path of the scope that the others in force leave on it.
[[nodiscard]] double residual_of_others(const Option& option,
                                        const std::vector<Intervention>& ledger,
                                        const Evidence& evidence);

// Empty, or what makes the option's numbers and names impossible.
[[nodiscard]] std::string invalid_because(const Option& option, const Limits& limits);

[[nodiscard]] std::string percent(double share);

}  // namespace payops::safety
