// Which slice of the traffic explains an excess: the evidence of every scope of the lattice that
// all its paths lost one common share of their attempts, and the others none.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "payops/model/dimensions.h"

namespace payops::reasoning {

// One path's counts: k of n moved where e were expected; for volume, k arrivals of e expected.
struct Row {
  SeriesKey path;
  double n = 0.0;
  double k = 0.0;
  double e = 0.0;
  double first = 0.0;
  double approved = 0.0;
  std::array<double, 4> classes{};  // technical failures by class
};

inline constexpr std::size_t kGrid = 7;
inline constexpr std::array<double, kGrid> kMovedGrid{0.04, 0.08, 0.15, 0.26, 0.42, 0.65, 0.94};

using Grid = std::array<double, kGrid>;  // ln evidence by the size of the fault
// ln of the mean over the sizes.
[[nodiscard]] double log_mean(const Grid& values);
// Of one row, relative to no fault; on either side it may deviate with probability `deviant`, which
// bounds what a row can say to ln(1/deviant).
[[nodiscard]] Grid deviating_evidence(double n, double k, double e, double deviant);

// Whether rows lose a share of n attempts to a fault, or arrivals fall short of those expected.
enum class RowKind : uint8_t { share, drop };

// A scope and how well it explains the rows.
struct ScopeScore {
  SeriesKey scope;
  RowKind kind = RowKind::share;
  // ln of (evidence that the scope's paths share a fault ÷ evidence that none has one); the size of
  // the fault is averaged over kMovedGrid, so that a freer explanation pays for its freedom.
  double log_evidence = 0.0;
  double log_prior = 0.0;  // share of its level's prior
  double n = 0.0;
  double k = 0.0;
  double e = 0.0;
  [[nodiscard]] double score() const { return log_evidence + log_prior; }
  // The share of attempts that the fault takes, by moments; within [0, 0.99].
  [[nodiscard]] double moved() const;
};

class ScopeTable {
 public:
  // `max_depth` leaves deeper scopes out. Paths may deviate from their scope's fault with a small
  // probability, so that one odd path neither makes nor breaks an explanation.
  ScopeTable(const std::vector<Row>& rows, RowKind kind, int max_depth = 3);
  [[nodiscard]] const std::vector<ScopeScore>& scopes() const { return scopes_; }
  [[nodiscard]] const ScopeScore* find(const SeriesKey& scope) const;  // nullptr when unseen
  // The scope of highest score, of the given depth pattern or of any; nullptr when there is none.
  [[nodiscard]] const ScopeScore* best() const;
  [[nodiscard]] const ScopeScore* best_at(bool issuer, bool method, bool gateway) const;
  // Evidence of the unstructured explanation: every path on its own, a few of them affected.
  [[nodiscard]] double unstructured() const { return unstructured_; }

 private:
  std::vector<ScopeScore> scopes_;
  std::unordered_map<uint64_t, uint32_t> index_;
  double unstructured_ = 0.0;
};

}  // namespace payops::reasoning
