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
  if (kind == RowKind::drop) {
    for (std::size_t j = 0; j < kGrid; ++j) llr[j] = drop_llr(row.k, row.e, kMovedGrid[j]);
    return llr;
  }
  static const Grid success = [] {
    Grid logs{};
    for (std::size_t j = 0; j < kGrid; ++j) logs[j] = std::log1p(-kMovedGrid[j]);
    return logs;
  }();
  const double p0 = std::clamp(row.e / row.n, 1e-4, 0.98), room = (1.0 - p0) / p0;
  for (std::size_t j = 0; j < kGrid; ++j) {
    llr[j] = (row.n - row.k) * success[j];
    if (row.k > 0.0) llr[j] += row.k * std::log(1.0 + kMovedGrid[j] * room);
  }
  return llr;
}

// Prior of a fault at each depth pattern (bit 0 issuer, 1 method, 2 gateway), shared by the scopes
// of that pattern. Issuers and gateways break as wholes most often; a single path seldom.
constexpr std::array<double, 8> kScopePrior{0.04, 0.34, 0.12, 0.06, 0.28, 0.06, 0.06, 0.04};

void add_row(ScopeScore& scope, const Row& row) {
  scope.n += row.n;
  scope.k += row.k;
  scope.e += row.e;
  for (std::size_t c = 0; c < row.classes.size(); ++c) scope.classes[c] += row.classes[c];
}

std::size_t pattern_of(const SeriesKey& key) {
  return (key.issuer != kAny ? 1u : 0u) | (key.method != kAny ? 2u : 0u) |
         (key.gateway != kAny ? 4u : 0u);
}

}  // namespace

namespace {

// Turns a row's evidence into what it says relative to "no fault, but it may deviate", where it may
// deviate from the fault too.
struct Deviating {
  double own;   // ln evidence of a fault of its own
  double idle;  // ln evidence of none, perhaps deviating
};
Deviating deviate(Grid& llr, double deviant) {
  const double high = *std::max_element(llr.begin(), llr.end());
  double mean = 0.0;
  for (double& v : llr) mean += v = v - high < -40.0 ? 0.0 : std::exp(v - high);
  mean /= static_cast<double>(llr.size());
  const double own = high + std::log(mean);
  const double idle = log_add(std::log1p(-deviant), std::log(deviant) + own);
  const double none = high + std::log(deviant * mean) - idle;
  for (double& v : llr) {
    v = v == 0.0 ? none : high + std::log((1.0 - deviant) * v + deviant * mean) - idle;
  }
  return {own, idle};
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
  deviate(llr, deviant);
  return llr;
}

double ScopeScore::moved() const {
  if (kind == RowKind::drop) return e > 0.0 ? std::clamp(1.0 - k / e, 0.0, 0.99) : 0.0;
  const double room = n - e;
  return room > 0.0 ? std::clamp((k - e) / room, 0.0, 0.99) : 0.0;
}

namespace {

bool same_paths(const Lattice& lattice, const std::vector<Row>& rows) {
  return std::equal(rows.begin(), rows.end(), lattice.paths.begin(), lattice.paths.end(),
                    [](const Row& row, const SeriesKey& path) { return row.path == path; });
}

std::shared_ptr<const Lattice> lattice_of(const std::vector<Row>& rows) {
  auto lattice = std::make_shared<Lattice>();
  std::array<double, 8> count{};
  for (const Row& row : rows) {
    lattice->paths.push_back(row.path);
    Lattice::Scopes& scopes = lattice->scopes_of.emplace_back();
    const auto keys = series_of_leaf(row.path);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto [it, added] = lattice->index.try_emplace(
          keys[i].packed(), static_cast<uint32_t>(lattice->scopes.size()));
      if (added) {
        lattice->scopes.push_back({.scope = keys[i]});
        ++count[pattern_of(keys[i])];
      }
      scopes[i] = it->second;
    }
  }
  for (ScopeScore& scope : lattice->scopes) {
    const std::size_t pattern = pattern_of(scope.scope);
    scope.log_prior = std::log(kScopePrior[pattern] / count[pattern]);
  }
  return lattice;
}

}  // namespace

RowEvidence::RowEvidence(std::vector<Row> rows, RowKind kind, std::shared_ptr<const Lattice> known)
    : kind_(kind), rows_(std::move(rows)), lattice_(std::move(known)) {
  std::erase_if(rows_, [](const Row& row) { return row.n <= 0.0; });
  if (lattice_ == nullptr || !same_paths(*lattice_, rows_)) lattice_ = lattice_of(rows_);
  scopes_ = lattice_->scopes;
  for (ScopeScore& scope : scopes_) scope.kind = kind;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    for (const uint32_t scope : scopes_of(row)) add_row(scopes_[scope], rows_[row]);
  }
}

void RowEvidence::weigh() const {
  if (!grids_.empty()) return;
  grids_.reserve(rows_.size());
  unstructured_.reserve(rows_.size());
  for (const Row& row : rows_) {
    Grid& llr = grids_.emplace_back(row_evidence(row, kind_));
    const auto [own, idle] = deviate(llr, kDeviant);
    unstructured_.push_back(log_add(std::log1p(-kAffected), std::log(kAffected) + own) - idle);
  }
}

uint32_t RowEvidence::index(const SeriesKey& scope) const {
  const auto it = lattice_->index.find(scope.packed());
  return it == lattice_->index.end() ? kUnseen : it->second;
}

const ScopeScore* RowEvidence::find(const SeriesKey& scope) const {
  const uint32_t at = index(scope);
  return at == kUnseen ? nullptr : &scopes_[at];
}

ScopeTable::ScopeTable(const std::vector<Row>& rows, RowKind kind)
    : ScopeTable(std::make_unique<RowEvidence>(rows, kind)) {}

ScopeTable::ScopeTable(std::unique_ptr<RowEvidence> own)
    : ScopeTable(*own, [](std::size_t) { return true; }) {
  own_ = std::move(own);
}

ScopeTable::ScopeTable(const ScopeTable& base, const std::vector<uint32_t>& further_rows)
    : evidence_(base.evidence_),
      base_(&base),
      place_(base.size(), RowEvidence::kUnseen),
      unstructured_(base.unstructured_) {
  for (const uint32_t row : further_rows) add(row);
  weigh();
}

void ScopeTable::clear(ScopeScore& score) {
  score.n = score.k = score.e = 0.0;
  score.classes = {};
}

void ScopeTable::add(std::size_t row) {
  unstructured_ += evidence_->unstructured(row);
  const Grid& grid = evidence_->grid(row);
  for (const uint32_t scope : evidence_->scopes_of(row)) {
    std::size_t at = scope;
    if (base_ != nullptr) {
      if (place_[scope] == RowEvidence::kUnseen) {
        place_[scope] = static_cast<uint32_t>(scores_.size());
        scores_.push_back(base_->scores_[scope]);
        grids_.push_back(base_->grids_[scope]);
      }
      at = place_[scope];
    }
    add_row(scores_[at], evidence_->rows()[row]);
    for (std::size_t j = 0; j < kGrid; ++j) grids_[at][j] += grid[j];
  }
}

void ScopeTable::weigh() {
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    if (scores_[i].n > 0.0) scores_[i].log_evidence = log_mean(grids_[i]);
  }
}

const ScopeScore& ScopeTable::at(std::size_t number) const {
  if (base_ == nullptr) return scores_[number];
  const uint32_t place = place_[number];
  return place == RowEvidence::kUnseen ? base_->scores_[number] : scores_[place];
}

const ScopeScore* ScopeTable::find(const SeriesKey& scope) const {
  const uint32_t number = evidence_->index(scope);
  if (number == RowEvidence::kUnseen) return nullptr;
  const ScopeScore& score = at(number);
  return score.n > 0.0 ? &score : nullptr;
}

const ScopeScore* ScopeTable::best(int max_depth) const {
  const ScopeScore* best = nullptr;
  for (const ScopeScore* one : best_by_pattern()) {
    if (one == nullptr || one->scope.depth() > max_depth) continue;
    if (best == nullptr || one->score() > best->score()) best = one;
  }
  return best;
}

void ScopeTable::challenge(Leaders& leaders, const ScopeScore& one) {
  const ScopeScore*& leader = leaders[pattern_of(one.scope)];
  if (one.n > 0.0 && (leader == nullptr || one.score() > leader->score())) leader = &one;
}

ScopeTable::Leaders ScopeTable::best_by_pattern() const {
  Leaders best{};
  if (base_ == nullptr) {
    for (const ScopeScore& one : scores_) challenge(best, one);
    return best;
  }
  // The base's, where it stands as it was there; else all of its pattern have to be asked.
  if (!base_->leaders_) base_->leaders_ = base_->best_by_pattern();
  std::array<bool, best.size()> open{};
  for (std::size_t p = 0; p < best.size(); ++p) {
    const ScopeScore* leader = (*base_->leaders_)[p];
    if (leader == nullptr) continue;
    const auto number = static_cast<std::size_t>(leader - base_->scores_.data());
    const ScopeScore& here = at(number);
    open[p] = here.score() < leader->score();
    best[p] = &here;
  }
  for (const ScopeScore& changed : scores_) challenge(best, changed);
  if (std::none_of(open.begin(), open.end(), [](bool is) { return is; })) return best;
  for (std::size_t i = 0; i < size(); ++i) {
    const ScopeScore& one = at(i);
    if (open[pattern_of(one.scope)]) challenge(best, one);
  }
  return best;
}

}  // namespace payops::reasoning
