// What has been found behind past incidents: a Dirichlet distribution over the causes. It begins as
// a team's guesses, worth kGuessIncidents incidents, and moves with every incident whose cause is
// confirmed.
#pragma once

#include <array>

#include "payops/core/fields.h"
#include "payops/model/assessment.h"

namespace payops::reasoning {

inline constexpr std::size_t kCauses = enum_names<Cause>.size();
inline constexpr double kGuessIncidents = 20.0;  // incidents' worth of belief in the guesses
inline constexpr double kRemembered = 200.0;     // incidents; older ones fade beyond them

class CauseCounts {
 public:
  // An incident was of this cause, with this weight; a negative one takes back. REQUIRES: counts().
  void confirm(Cause cause, double weight);
  // How often a cause was confirmed, by weight.
  [[nodiscard]] double confirmed(Cause cause) const;
  [[nodiscard]] double total() const;
  // How often the cause is behind an incident: guesses and counts together. Without counts, the
  // guess; the sum over all causes that count stays what it was.
  [[nodiscard]] double prior(Cause cause) const;
  [[nodiscard]] static double guess(Cause cause);
  // Whether it can be learnt: an announced maintenance is known beforehand, and "none of these" is
  // no finding.
  [[nodiscard]] static bool counts(Cause cause);
  bool operator==(const CauseCounts&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("confirmed", &CauseCounts::confirmed_));
  }

 private:
  std::array<double, kCauses> confirmed_{};
};

}  // namespace payops::reasoning
