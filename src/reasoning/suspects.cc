#include "suspects.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "payops/reasoning/slice_scan.h"

namespace payops::reasoning {
namespace {

constexpr double kProbable = 0.05;  // of the scan, from which a slice is a suspect
constexpr std::size_t kSuspectsMax = 6;
constexpr std::size_t kCausesMax = 4;
constexpr std::size_t kDepthMax = 3;
constexpr double kVisitsMax = 2e5;  // leaves x combinations of dimensions, within a cycle's budget
constexpr int32_t kFolded = INT32_MAX;  // names put together

using Active = DetailStore::Active;

// The names of one kind by how far their failures lie above what is usual, the furthest first.
template <class IdOf>
std::vector<int32_t> standing_out(const std::vector<Active>& active, IdOf&& id_of) {
  std::map<int32_t, SliceTotals> sums;
  for (const Active& a : active) {
    SliceTotals& sum = sums[id_of(a)];
    for (std::size_t s = 0; s < kStages; ++s) {
      sum.k += a.now.failed[s];
      sum.e += a.now.trials(s) * a.rate[s];
    }
  }
  std::vector<std::pair<double, int32_t>> ranked;
  for (const auto& [id, sum] : sums) {
    ranked.emplace_back(-(sum.k - sum.e) / std::sqrt(sum.e + 1.0), id);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<int32_t> ids;
  for (const auto& [score, id] : ranked) ids.push_back(id);
  return ids;
}

int32_t kept_or_folded(const std::vector<int32_t>& ranked, std::size_t kept, int32_t id) {
  if (kept >= ranked.size()) return id;
  const auto last = ranked.begin() + static_cast<std::ptrdiff_t>(kept);
  return std::find(ranked.begin(), last, id) != last ? id : kFolded;
}

}  // namespace

UpstreamIds::UpstreamIds(const Topology& topology, const Dictionary& dictionary) {
  for (const Upstream& upstream : topology.upstreams) {
    Known& known = upstreams_.emplace_back();
    known.kind = static_cast<std::size_t>(upstream.kind);
    for (const std::string& gateway : upstream.gateways) {
      const DimId id = dictionary.of(Dimension::gateway).find(gateway);
      if (id != kOther) known.gateways.push_back(id);
    }
    for (const Scope& scope : upstream.paths) {
      const SeriesKey key = dictionary.key(scope);
      const bool seen = key.issuer != kOther && key.method != kOther && key.gateway != kOther;
      if (seen) known.paths.push_back(key);
    }
    any_[known.kind] = true;
  }
}

bool UpstreamIds::carries(int32_t upstream, const SeriesKey& path) const {
  const Known& known = upstreams_[static_cast<std::size_t>(upstream)];
  return std::find(known.gateways.begin(), known.gateways.end(), path.gateway) !=
             known.gateways.end() ||
         std::any_of(known.paths.begin(), known.paths.end(),
                     [&](const SeriesKey& scope) { return scope.covers(path); });
}

int32_t UpstreamIds::of(const SeriesKey& path, std::size_t kind) const {
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    const auto upstream = static_cast<int32_t>(i);
    if (upstreams_[i].kind == kind && carries(upstream, path)) return upstream;
  }
  return kWhole;
}

Suspects::Suspects(const DetailStore& details, int64_t from_second, std::size_t leaves_max,
                   const UpstreamIds& upstreams)
    : upstreams_(upstreams) {
  const std::vector<Active> active = details.since(from_second);
  constexpr std::array<Grain, 5> kGrains{{{.merchants = 12, .regions = 12, .bands = true},
                                          {.merchants = 6, .regions = 6, .bands = true},
                                          {.merchants = 6, .regions = 6, .bands = false},
                                          {.merchants = 3, .regions = 2, .bands = false},
                                          {.merchants = 1, .regions = 0, .bands = false}}};
  for (const Grain& grain : kGrains) {
    if (fold(active, grain, leaves_max)) break;
  }
  if (!leaves_.empty()) scan(upstreams);
}

// False, and nothing, when there would be more than `leaves_max`.
bool Suspects::fold(const std::vector<Active>& active, const Grain& grain, std::size_t leaves_max) {
  leaves_.clear();
  const auto regions = standing_out(active, [](const Active& a) { return a.key.region; });
  const auto merchants = standing_out(active, [](const Active& a) { return a.key.merchant; });
  std::array<bool, kStages> lost{};
  for (const Active& a : active) {
    for (std::size_t s = 0; s < kStages; ++s) lost[s] = lost[s] || a.now.failed[s] > 0.0;
  }
  std::map<std::tuple<SeriesKey, int32_t, int32_t, int32_t, int32_t>, std::size_t> place;
  for (const Active& a : active) {
    const int32_t region = kept_or_folded(regions, grain.regions, a.key.region);
    const int32_t merchant = kept_or_folded(merchants, grain.merchants, a.key.merchant);
    const int32_t band = grain.bands ? a.key.band : kFolded;
    for (std::size_t s = 0; s < kStages; ++s) {
      const double n = a.now.trials(s);
      if (!lost[s] || n <= 0.0) continue;
      const auto stage = static_cast<int32_t>(s);
      const auto [it, added] =
          place.try_emplace({a.key.path, region, merchant, band, stage}, leaves_.size());
      if (added) {
        if (leaves_.size() == leaves_max) {
          leaves_.clear();
          return false;
        }
        leaves_.push_back({.path = a.key.path,
                           .region = region,
                           .merchant = merchant,
                           .band = band,
                           .stage = stage});
      }
      Leaf& leaf = leaves_[it->second];
      leaf.n += n;
      leaf.k += a.now.failed[s];
      leaf.e += n * a.rate[s];
      leaf.e_path += n * a.path_rate[s];
      leaf.learnt = std::max(leaf.learnt, a.failures[s]);
    }
  }
  for (Leaf& leaf : leaves_) leaf.llr = deviating_evidence(leaf.n, leaf.k, leaf.e);
  return true;
}

bool Suspects::covers(const DetailSlice& slice, const Leaf& leaf) const {
  return slice.path.covers(leaf.path) && (slice.region == kWhole || slice.region == leaf.region) &&
         (slice.merchant == kWhole || slice.merchant == leaf.merchant) &&
         (slice.band == kWhole || slice.band == leaf.band) &&
         (slice.stage == kWhole || slice.stage == leaf.stage) &&
         (slice.upstream == kWhole || upstreams_.carries(slice.upstream, leaf.path));
}

void Suspects::scan(const UpstreamIds& upstreams) {
  constexpr std::size_t kColumns = 7 + kUpstreamKinds;
  // What a leaf has in every dimension; a path without an upstream stands for its gateway there.
  const auto value_of = [&](const Leaf& leaf, std::size_t column) -> int64_t {
    switch (column) {
      case 0:
        return leaf.path.issuer;
      case 1:
        return leaf.path.method;
      case 2:
        return leaf.path.gateway;
      case 3:
        return leaf.region;
      case 4:
        return leaf.merchant;
      case 5:
        return leaf.band;
      case 6:
        return leaf.stage;
      default: {
        const int32_t upstream = upstreams.of(leaf.path, column - 7);
        return upstream != kWhole ? upstream : int64_t{1} << 32 | leaf.path.gateway;
      }
    }
  };
  SliceCounts counts;
  std::vector<std::size_t> columns;
  std::vector<std::vector<int64_t>> names;
  for (std::size_t c = 0; c < kColumns; ++c) {
    if (c >= 7 && !upstreams.any(c - 7)) continue;
    std::vector<int64_t> values;
    for (const Leaf& leaf : leaves_) values.push_back(value_of(leaf, c));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (values.size() < 2) continue;
    columns.push_back(c);
    names.push_back(std::move(values));
  }
  if (columns.empty()) return;
  counts.dimensions = columns.size();
  for (const Leaf& leaf : leaves_) {
    for (std::size_t d = 0; d < columns.size(); ++d) {
      const auto& known = names[d];
      const auto at = std::lower_bound(known.begin(), known.end(), value_of(leaf, columns[d]));
      counts.values.push_back(static_cast<uint32_t>(at - known.begin()));
    }
    counts.attempts.push_back(leaf.n);
    counts.failures.push_back(leaf.k);
    counts.rates.push_back(leaf.e / leaf.n);
    counts.rate_failures.push_back(leaf.learnt);
  }
  const SliceScan found = scan_slices(counts, {.causes_max = kCausesMax,
                                               .depth_max = kDepthMax,
                                               .visits_max = kVisitsMax,
                                               .candidates_max = 2 * kSuspectsMax});
  for (const SliceFinding& finding : found.candidates) {
    if (finding.probability < kProbable || finding.excess <= 0.0) continue;
    Suspect suspect{.slice = {}, .probability = finding.probability, .choices = 1.0};
    bool tellable = true;
    for (std::size_t d = 0; d < columns.size(); ++d) {
      if (finding.values[d] == kAnyValue) continue;
      const int64_t value = names[d][static_cast<std::size_t>(finding.values[d])];
      if (columns[d] > 2) suspect.choices *= static_cast<double>(names[d].size());
      tellable = tellable && value != kFolded && value >> 32 == 0;
      const auto id = static_cast<int32_t>(value);
      switch (columns[d]) {
        case 0:
          suspect.slice.path.issuer = static_cast<DimId>(id);
          break;
        case 1:
          suspect.slice.path.method = static_cast<DimId>(id);
          break;
        case 2:
          suspect.slice.path.gateway = static_cast<DimId>(id);
          break;
        case 3:
          suspect.slice.region = id;
          break;
        case 4:
          suspect.slice.merchant = id;
          break;
        case 5:
          suspect.slice.band = id;
          break;
        case 6:
          suspect.slice.stage = id;
          break;
        default:
          suspect.slice.upstream = id;
      }
    }
    // That what fails fails at the issuer is nothing new.
    if (suspect.slice.stage + 1 == static_cast<int32_t>(kStages)) suspect.slice.stage = kWhole;
    // Names that are not kept apart are nobody's.
    tellable = tellable && suspect.slice.region != kOther && suspect.slice.merchant != kOther;
    if (tellable && suspect.slice.detailed() && list_.size() < kSuspectsMax) {
      list_.push_back(suspect);
    }
  }
}

SliceTotals Suspects::totals(const DetailSlice& slice, bool complement) const {
  SliceTotals sum;
  for (const Leaf& leaf : leaves_) {
    if (covers(slice, leaf) == complement) continue;
    // A payment is a trial of every stage it comes to: those of the first are the payments.
    if (leaf.stage + 1 == static_cast<int32_t>(kStages) || slice.stage != kWhole) sum.n += leaf.n;
    sum.k += leaf.k;
    sum.e += leaf.e;
    sum.e_path += leaf.e_path;
  }
  return sum;
}

double Suspects::mix_evidence(const SeriesKey& scope) const {
  std::map<std::pair<SeriesKey, int32_t>, SliceTotals> paths;
  for (const Leaf& leaf : leaves_) {
    if (!scope.covers(leaf.path)) continue;
    SliceTotals& sum = paths[{leaf.path, leaf.stage}];
    sum.n += leaf.n;
    sum.k += leaf.k;
    sum.e += leaf.e;
    sum.e_path += leaf.e_path;
  }
  double evidence = 0.0;
  for (const auto& [key, sum] : paths) {
    evidence += sum.k * std::log(sum.e / sum.e_path) +
                (sum.n - sum.k) * std::log((sum.n - sum.e) / (sum.n - sum.e_path));
  }
  return evidence;
}

}  // namespace payops::reasoning
