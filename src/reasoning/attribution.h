// Which slice of the traffic explains an excess: the evidence of every scope of the lattice that
// all its paths lost one common share of their attempts, and the others none.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
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
  std::array<double, 4> classes{};
  [[nodiscard]] double score() const { return log_evidence + log_prior; }
  // The share of attempts that the fault takes, by moments; within [0, 0.99].
  [[nodiscard]] double moved() const;
};

// Of the paths that rows are of: the scopes that they span, in the order in which they are met.
struct Lattice {
  using Scopes = std::array<uint32_t, 8>;  // of a path, as series_of_leaf
  std::vector<SeriesKey> paths;
  std::vector<Scopes> scopes_of;   // by path
  std::vector<ScopeScore> scopes;  // with their priors, and no counts
  std::unordered_map<uint64_t, uint32_t> index;
};

// What one signal's rows say since one moment, path by path and by scope: worked out once for all
// the tables that a cycle asks of it. Paths may deviate from their scope's fault with a small
// probability, so that one odd path neither makes nor breaks an explanation.
class RowEvidence {
 public:
  // `known`: of other rows, used if these are of the same paths.
  RowEvidence(std::vector<Row> rows, RowKind kind, std::shared_ptr<const Lattice> known = nullptr);
  [[nodiscard]] const std::shared_ptr<const Lattice>& lattice() const { return lattice_; }

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] RowKind kind() const { return kind_; }
  [[nodiscard]] const Lattice::Scopes& scopes_of(std::size_t row) const {
    return lattice_->scopes_of[row];
  }
  [[nodiscard]] const Grid& grid(std::size_t row) const { return grids_[row]; }
  // Of the row on its own, perhaps affected.
  [[nodiscard]] double unstructured(std::size_t row) const { return unstructured_[row]; }
  // Works out what a table needs, if none has yet.
  void weigh() const;
  // Every scope that some row belongs to, with the sums over all rows and without evidence.
  [[nodiscard]] const std::vector<ScopeScore>& scopes() const { return scopes_; }
  [[nodiscard]] const ScopeScore* find(const SeriesKey& scope) const;  // nullptr when unseen
  static constexpr uint32_t kUnseen = UINT32_MAX;
  [[nodiscard]] uint32_t index(const SeriesKey& scope) const;

 private:
  RowKind kind_;
  std::vector<Row> rows_;
  mutable std::vector<Grid> grids_;  // once a table asks for them, as the next
  mutable std::vector<double> unstructured_;
  std::shared_ptr<const Lattice> lattice_;
  std::vector<ScopeScore> scopes_;
};

// How well every scope explains some of the rows. A table of few rows more than another takes that
// as its base and costs what the further rows do.
class ScopeTable {
 public:
  explicit ScopeTable(const std::vector<Row>& rows, RowKind kind);
  // Of the rows that `in` admits. REQUIRES: the evidence outlives it, as a base does.
  template <class In>
  ScopeTable(const RowEvidence& evidence, In&& in) : evidence_(&evidence) {
    evidence.weigh();
    scores_ = evidence.scopes();
    for (ScopeScore& score : scores_) clear(score);
    grids_.resize(scores_.size());
    for (std::size_t row = 0; row < evidence.rows().size(); ++row) {
      if (in(row)) add(row);
    }
    weigh();
  }
  ScopeTable(const ScopeTable& base, const std::vector<uint32_t>& further_rows);
  ScopeTable(ScopeTable&&) = default;

  // nullptr when no row of the table is in it.
  [[nodiscard]] const ScopeScore* find(const SeriesKey& scope) const;
  // Of all scopes of the evidence, the number-th; without attempts where no row is in it.
  [[nodiscard]] std::size_t size() const { return evidence_->scopes().size(); }
  [[nodiscard]] const ScopeScore& at(std::size_t number) const;
  // The scope of highest score among those no deeper, of any pattern or of each (bit 0 issuer, 1
  // method, 2 gateway); nullptr when there is none.
  [[nodiscard]] const ScopeScore* best(int max_depth = 3) const;
  using Leaders = std::array<const ScopeScore*, 8>;
  [[nodiscard]] Leaders best_by_pattern() const;
  // Evidence of the unstructured explanation: every path on its own, a few of them affected.
  [[nodiscard]] double unstructured() const { return unstructured_; }

 private:
  explicit ScopeTable(std::unique_ptr<RowEvidence> own);
  static void clear(ScopeScore& score);
  static void challenge(Leaders& leaders, const ScopeScore& one);
  void add(std::size_t row);
  void weigh();

  std::unique_ptr<RowEvidence> own_;  // where nobody else keeps it
  const RowEvidence* evidence_;
  const ScopeTable* base_ = nullptr;
  std::vector<uint32_t> place_;  // with a base: by scope, where it differs; kUnseen elsewhere
  std::vector<ScopeScore> scores_;
  std::vector<Grid> grids_;  // sums of ln evidence, of each of scores_
  double unstructured_ = 0.0;
  mutable std::optional<Leaders> leaders_;  // once a table of few rows more asks for them
};

}  // namespace payops::reasoning
