#include "attribution.h"

#include <algorithm>
#include <cmath>

#include "payops/reasoning/cusum.h"

namespace payops::reasoning {
namespace {

constexpr double kDeviant = 0.02;   // a path that does not follow its scope
constexpr double kAffected = 0.10;  // a path with a fault of its own, where nothing is structured

double log_add(double a, double b) {
  const double high = std::max(a, b);
  return high + std::log1p(std::exp(std::min(a, b) - high));
}

Grid row_evidence(const Row& row, RowKind kind) {
  Grid llr{};
  const double p0 = kind == RowKind::share ? std::clamp(row.e / row.n, 1e-4, 0.98) : 0.0;
  for (std::size_t j = 0; j < kGrid; ++j) {
    llr[j] = kind == RowKind::share ? share_llr(row.n, row.k, p0, kMovedGrid[j])
                                    : drop_llr(row.k, row.e, kMovedGrid[j]);
  }
  return llr;
}

// Prior of a fault at each depth pattern (bit 0 issuer, 1 method, 2 gateway), shared by the scopes
// of that pattern. Issuers and gateways break as wholes most often; a single path seldom.
constexpr std::array<double, 8> kScopePrior{0.04, 0.34, 0.12, 0.06, 0.28, 0.06, 0.06, 0.04};

std::size_t pattern_of(const SeriesKey& key) {
  return (key.issuer != kAny ? 1u : 0u) | (key.method != kAny ? 2u : 0u) |
         (key.gateway != kAny ? 4u : 0u);
}

}  // namespace

double log_mean(const Grid& values) {
  const double high = *std::max_element(values.begin(), values.end());
  double sum = 0.0;
  for (const double v : values) sum += std::exp(v - high);
  return high + std::log(sum / static_cast<double>(values.size()));
}

Grid deviating_evidence(double n, double k, double e, double deviant) {
  Grid llr = row_evidence({.path = {}, .n = n, .k = k, .e = e}, RowKind::share);
  const double own = log_mean(llr);
  const double idle = log_add(std::log1p(-deviant), std::log(deviant) + own);
  for (double& v : llr) {
    v = log_add(std::log1p(-deviant) + v, std::log(deviant) + own) - idle;
  }
  return llr;
}

double ScopeScore::moved() const {
  if (kind == RowKind::drop) return e > 0.0 ? std::clamp(1.0 - k / e, 0.0, 0.99) : 0.0;
  const double room = n - e;
  return room > 0.0 ? std::clamp((k - e) / room, 0.0, 0.99) : 0.0;
}

ScopeTable::ScopeTable(const std::vector<Row>& rows, RowKind kind, int max_depth) {
  std::vector<Grid> sums;
  for (const Row& row : rows) {
    if (row.n <= 0.0) continue;
    Grid llr = row_evidence(row, kind);
    const double own = log_mean(llr);
    // Relative to "no fault, but paths may deviate".
    const double idle = log_add(std::log1p(-kDeviant), std::log(kDeviant) + own);
    for (double& v : llr) {
      v = log_add(std::log1p(-kDeviant) + v, std::log(kDeviant) + own) - idle;
    }
    unstructured_ += log_add(std::log1p(-kAffected), std::log(kAffected) + own) - idle;
    for (const SeriesKey& key : series_of_leaf(row.path)) {
      if (key.depth() > max_depth) continue;
      const auto [it, added] =
          index_.try_emplace(key.packed(), static_cast<uint32_t>(scopes_.size()));
      if (added) {
        scopes_.push_back({.scope = key, .kind = kind});
        sums.emplace_back();
      }
      ScopeScore& scope = scopes_[it->second];
      scope.n += row.n;
      scope.k += row.k;
      scope.e += row.e;
      for (std::size_t j = 0; j < kGrid; ++j) sums[it->second][j] += llr[j];
    }
  }
  std::array<double, 8> count{};
  for (const ScopeScore& scope : scopes_) ++count[pattern_of(scope.scope)];
  for (std::size_t i = 0; i < scopes_.size(); ++i) {
    const std::size_t pattern = pattern_of(scopes_[i].scope);
    scopes_[i].log_evidence = log_mean(sums[i]);
    scopes_[i].log_prior = std::log(kScopePrior[pattern] / count[pattern]);
  }
}

const ScopeScore* ScopeTable::find(const SeriesKey& scope) const {
  const auto it = index_.find(scope.packed());
  return it == index_.end() ? nullptr : &scopes_[it->second];
}

const ScopeScore* ScopeTable::best() const {
  const ScopeScore* best = nullptr;
  for (const ScopeScore& scope : scopes_) {
    if (best == nullptr || scope.score() > best->score()) best = &scope;
  }
  return best;
}

const ScopeScore* ScopeTable::best_at(bool issuer, bool method, bool gateway) const {
  const std::size_t pattern = (issuer ? 1u : 0u) | (method ? 2u : 0u) | (gateway ? 4u : 0u);
  const ScopeScore* best = nullptr;
  for (const ScopeScore& scope : scopes_) {
    if (pattern_of(scope.scope) != pattern) continue;
    if (best == nullptr || scope.score() > best->score()) best = &scope;
  }
  return best;
}

}  // namespace payops::reasoning
