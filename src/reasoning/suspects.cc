#include "suspects.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "payops/reasoning/slice_scan.h"

namespace payops::reasoning {
namespace {

constexpr double kProbable = 0.05;  // of the scan, from which a slice is a suspect
constexpr double kAsUsual = 2.5;    // standard deviations that are no excess
constexpr double kStandsOut = 4.0;  // standard deviations above what the paths account for
constexpr std::size_t kNamesMax = 8;
constexpr std::size_t kSuspectsMax = 6;
constexpr std::size_t kCausesMax = 4;
constexpr std::size_t kDepthMax = 3;
constexpr double kVisitsMax = 1e5;         // leaves x combinations of dimensions
constexpr double kDeviant = 1e-6;          // leaves are few and large here: each may say much
constexpr int32_t kFolded = INT32_MAX;     // names put together
constexpr std::size_t kFirstUpstream = 7;  // columns of the scan: see value_of()

// Failures against those that the paths account for.
struct Excess {
  double k = 0.0, e = 0.0, variance = 1.0;
  void add(double failed, double expected, double trials) {
    k += failed;
    e += expected;
    variance += expected * (1.0 - std::min(1.0, expected / trials));
  }
  [[nodiscard]] double deviations() const { return (k - e) / std::sqrt(variance); }
};

Excess& at(std::vector<Excess>& all, std::size_t i) {
  if (i >= all.size()) all.resize(i + 1);
  return all[i];
}

// Those that stand out, the furthest first.
std::vector<int32_t> standing_out(const std::vector<Excess>& all) {
  std::vector<std::pair<double, int32_t>> ranked;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double deviations = all[i].deviations();
    if (deviations > kStandsOut) ranked.emplace_back(-deviations, static_cast<int32_t>(i));
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<int32_t> ids;
  for (const auto& [deviations, id] : ranked) {
    if (ids.size() < kNamesMax) ids.push_back(id);
  }
  return ids;
}

// The place of a name among those told apart; behind them for all others.
std::size_t place_of(const std::vector<int32_t>& kept, int32_t id) {
  return static_cast<std::size_t>(std::find(kept.begin(), kept.end(), id) - kept.begin());
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
  const DetailStore::Since& seen = details.since(from_second);
  Grain grain = grain_of(seen);
  while (!fold(seen, grain, leaves_max)) {
    if (grain.nothing()) return;
    // Half of the names less each time, and amounts at last.
    if (grain.regions.empty() && grain.merchants.empty()) grain.bands = false;
    if (grain.regions.empty() && grain.merchants.empty()) grain.stages = {};
    grain.regions.resize(grain.regions.size() / 2);
    grain.merchants.resize(grain.merchants.size() / 2);
  }
  index();
  bool shared = false;
  for (std::size_t kind = 0; kind < kUpstreamKinds; ++kind) shared = shared || upstreams.any(kind);
  if (!leaves_.empty() && (shared || !grain.nothing())) scan(grain);
}

// A slice is expected to lose what is usual for it, and of the rest the share that its path loses
// now: what is left over is its region's, its merchant's, its amounts' or its stage's.
Suspects::Grain Suspects::grain_of(const DetailStore::Since& seen) {
  std::vector<SliceTotals> by_path(seen.paths.size());
  for (const Active& a : seen.slices) {
    SliceTotals& sum = by_path[a.path];
    sum.n += a.now.trials(0);
    for (std::size_t s = 0; s < kStages; ++s) {
      sum.k += a.now.failed[s];
      sum.e += a.now.trials(s) * a.rate[s];
    }
  }
  std::vector<Excess> regions, merchants, bands, stages(kStages);
  for (const Active& a : seen.slices) {
    const SliceTotals& path = by_path[a.path];
    const double room = std::max(path.n - path.e, 1e-9);
    const double moved = std::clamp((path.k - path.e) / room, 0.0, 1.0);
    const double n = a.now.trials(0);
    double usual = 0.0, failed = 0.0;
    for (std::size_t s = 0; s < kStages; ++s) {
      const double trials = a.now.trials(s);
      if (trials <= 0.0) continue;
      const double own = trials * a.rate[s];
      usual += own;
      failed += a.now.failed[s];
      stages[s].add(a.now.failed[s], own, trials);
    }
    const double expected = std::min(n, usual + std::max(0.0, n - usual) * moved);
    at(regions, a.key.region).add(failed, expected, n);
    at(merchants, a.key.merchant).add(failed, expected, n);
    at(bands, a.key.band).add(failed, expected, n);
  }
  Grain grain{.regions = standing_out(regions),
              .merchants = standing_out(merchants),
              .bands = !standing_out(bands).empty(),
              .stages = {},
              .of_regions = std::max<std::size_t>(1, regions.size()),
              .of_merchants = std::max<std::size_t>(1, merchants.size())};
  for (std::size_t s = 0; s + 1 < kStages; ++s) {
    grain.stages[s] = stages[s].deviations() > kStandsOut;
  }
  return grain;
}

// False, and nothing, when there would be more than `leaves_max`.
bool Suspects::fold(const DetailStore::Since& seen, const Grain& grain, std::size_t leaves_max) {
  leaves_.clear();
  const std::size_t regions = grain.regions.size() + 1, merchants = grain.merchants.size() + 1;
  const std::size_t bands = grain.bands ? kAmountBands : 1;
  constexpr uint32_t kNew = UINT32_MAX;
  std::vector<uint32_t> place(seen.paths.size() * regions * merchants * bands * kStages, kNew);
  for (const Active& a : seen.slices) {
    const DetailStore::PathUsual& path = seen.paths[a.path];
    const std::size_t region = place_of(grain.regions, a.key.region);
    const std::size_t merchant = place_of(grain.merchants, a.key.merchant);
    const std::size_t band = grain.bands ? a.key.band : 0;
    for (std::size_t s = 0; s < kStages; ++s) {
      const double n = a.now.trials(s);
      if (n <= 0.0 || (s + 1 < kStages && !grain.stages[s])) continue;
      uint32_t& at_leaf =
          place[(((a.path * regions + region) * merchants + merchant) * bands + band) * kStages +
                s];
      if (at_leaf == kNew) {
        if (leaves_.size() == leaves_max) {
          leaves_.clear();
          return false;
        }
        at_leaf = static_cast<uint32_t>(leaves_.size());
        leaves_.push_back(
            {.path = a.key.path,
             .region = region + 1 < regions ? grain.regions[region] : kFolded,
             .merchant = merchant + 1 < merchants ? grain.merchants[merchant] : kFolded,
             .band = grain.bands ? static_cast<int32_t>(band) : kFolded,
             .stage = static_cast<int32_t>(s)});
      }
      Leaf& leaf = leaves_[at_leaf];
      leaf.n += n;
      leaf.k += a.now.failed[s];
      leaf.e += n * a.rate[s];
      leaf.e_path += n * path.rate[s];
      leaf.learnt = std::max(leaf.learnt, path.failures[s]);
      if (s + 1 < kStages) continue;
      double usual = 0.0;
      for (std::size_t of = 0; of < kStages; ++of) usual += a.now.trials(of) * a.rate[of];
      for (std::size_t c = 0; c < kFaultClasses; ++c) {
        leaf.k_class[c] += a.by_class[c];
        leaf.e_class[c] += usual * path.class_share[c];
      }
    }
  }
  return true;
}

void Suspects::index() {
  by_issuer_.resize(leaves_.size());
  std::iota(by_issuer_.begin(), by_issuer_.end(), 0U);
  std::stable_sort(by_issuer_.begin(), by_issuer_.end(), [&](uint32_t a, uint32_t b) {
    return leaves_[a].path.issuer < leaves_[b].path.issuer;
  });
}

std::span<const uint32_t> Suspects::leaves_at(const SeriesKey& path) const {
  if (path.issuer == kAny) return by_issuer_;
  const auto before = [&](uint32_t leaf, DimId issuer) {
    return leaves_[leaf].path.issuer < issuer;
  };
  const auto after = [&](DimId issuer, uint32_t leaf) {
    return issuer < leaves_[leaf].path.issuer;
  };
  return {std::lower_bound(by_issuer_.begin(), by_issuer_.end(), path.issuer, before),
          std::upper_bound(by_issuer_.begin(), by_issuer_.end(), path.issuer, after)};
}

void Suspects::weigh() const {
  if (!weights_.empty()) return;
  for (const Leaf& leaf : leaves_)
    weights_.push_back(deviating_evidence(leaf.n, leaf.k, leaf.e, kDeviant));
}

double Suspects::evidence(const DetailSlice& slice, const SeriesKey& own) const {
  weigh();
  const auto add = [&](Grid& sum, uint32_t leaf) {
    for (std::size_t j = 0; j < kGrid; ++j) sum[j] += weights_[leaf][j];
  };
  const auto [known, unknown] = uncovered_evidence_.try_emplace(slice, Grid{});
  if (unknown) {
    for (const uint32_t i : leaves_at(slice.path)) {
      if (is_covered_[i] == 0 && covers(slice, leaves_[i])) add(known->second, i);
    }
  }
  Grid sum = known->second;
  for (const uint32_t i : covered_) {
    if (own.covers(leaves_[i].path) && covers(slice, leaves_[i])) add(sum, i);
  }
  return log_mean(sum);
}

bool Suspects::covers(const DetailSlice& slice, const Leaf& leaf) const {
  return slice.path.covers(leaf.path) && (slice.region == kWhole || slice.region == leaf.region) &&
         (slice.merchant == kWhole || slice.merchant == leaf.merchant) &&
         (slice.band == kWhole || slice.band == leaf.band) &&
         (slice.stage == kWhole || slice.stage == leaf.stage) &&
         (slice.upstream == kWhole || upstreams_.carries(slice.upstream, leaf.path));
}

// What a leaf has in a column of the scan; a path without an upstream stands for its gateway there.
int64_t Suspects::value_of(const Leaf& leaf, std::size_t column) const {
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
      const int32_t upstream = upstreams_.of(leaf.path, column - kFirstUpstream);
      return upstream != kWhole ? upstream : int64_t{1} << 32 | leaf.path.gateway;
    }
  }
}

void Suspects::fix(DetailSlice& slice, std::size_t column, int32_t id) {
  const std::array<DimId*, 3> path{&slice.path.issuer, &slice.path.method, &slice.path.gateway};
  const std::array<int32_t*, 4> rest{&slice.region, &slice.merchant, &slice.band, &slice.stage};
  if (column < path.size()) {
    *path[column] = static_cast<DimId>(id);
  } else if (column < kFirstUpstream) {
    *rest[column - path.size()] = id;
  } else {
    slice.upstream = id;
  }
}

void Suspects::scan(const Grain& grain) {
  SliceCounts counts;
  std::vector<std::size_t> columns;
  std::vector<std::vector<int64_t>> names;  // by column, rising
  std::vector<std::vector<int64_t>> values;
  for (std::size_t c = 0; c < kFirstUpstream + kUpstreamKinds; ++c) {
    if (c >= kFirstUpstream && !upstreams_.any(c - kFirstUpstream)) continue;
    std::vector<int64_t> column;
    for (const Leaf& leaf : leaves_) column.push_back(value_of(leaf, c));
    std::vector<int64_t> known = column;
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    if (known.size() < 2) continue;
    columns.push_back(c);
    names.push_back(std::move(known));
    values.push_back(std::move(column));
  }
  if (columns.empty()) return;
  counts.dimensions = columns.size();
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    for (std::size_t d = 0; d < columns.size(); ++d) {
      const auto at = std::lower_bound(names[d].begin(), names[d].end(), values[d][i]);
      counts.values.push_back(static_cast<uint32_t>(at - names[d].begin()));
    }
    counts.attempts.push_back(leaves_[i].n);
    counts.failures.push_back(leaves_[i].k);
    counts.rates.push_back(leaves_[i].e / leaves_[i].n);
    counts.rate_failures.push_back(leaves_[i].learnt);
  }
  const SliceScan found = scan_slices(counts, {.causes_max = kCausesMax,
                                               .depth_max = kDepthMax,
                                               .visits_max = kVisitsMax,
                                               .candidates_max = 2 * kSuspectsMax,
                                               .quick = true});
  std::vector<SeriesKey> gateways;  // that fail, as the scan fits it, each by itself
  for (const SliceFinding& finding : found.candidates) {
    if (finding.probability < kProbable || finding.excess <= 0.0) continue;
    Suspect suspect{.slice = {}, .probability = finding.probability, .choices = 1.0};
    bool tellable = true;
    for (std::size_t d = 0; d < columns.size(); ++d) {
      if (finding.values[d] == kAnyValue) continue;
      const int64_t value = names[d][static_cast<std::size_t>(finding.values[d])];
      suspect.choices *= static_cast<double>(columns[d] < 3    ? 1
                                             : columns[d] == 3 ? grain.of_regions
                                             : columns[d] == 4 ? grain.of_merchants
                                                               : names[d].size());
      tellable = tellable && value != kFolded && value >> 32 == 0;
      fix(suspect.slice, columns[d], static_cast<int32_t>(value));
    }
    // That what fails fails at the issuer is nothing new.
    if (suspect.slice.stage + 1 == static_cast<int32_t>(kStages)) suspect.slice.stage = kWhole;
    // Names that are not kept apart are nobody's.
    tellable = tellable && suspect.slice.region != kOther && suspect.slice.merchant != kOther;
    if (tellable && suspect.slice.detailed() && list_.size() < kSuspectsMax) {
      list_.push_back(suspect);
    }
    const SeriesKey& path = suspect.slice.path;
    const bool gateway = path.gateway != kAny && path.depth() == 1 && !suspect.slice.detailed();
    if (tellable && gateway) gateways.push_back(path);
  }
  suspect_shared(gateways);
}

// What several failing gateways stand on is a suspect too, even where the scan fits two of them
// better, since they fail a little unlike: two things rarely break at once.
void Suspects::suspect_shared(const std::vector<SeriesKey>& gateways) {
  for (int32_t u = 0; u < upstreams_.count(); ++u) {
    const auto on_it = [&](const SeriesKey& gateway) { return upstreams_.carries(u, gateway); };
    if (std::count_if(gateways.begin(), gateways.end(), on_it) < 2) continue;
    DetailSlice slice;
    slice.upstream = u;
    const bool known =
        std::any_of(list_.begin(), list_.end(), [&](const Suspect& s) { return s.slice == slice; });
    if (known || list_.size() >= kSuspectsMax) continue;
    list_.push_back({.slice = slice,
                     .probability = kProbable,
                     .choices = static_cast<double>(upstreams_.count())});
  }
}

SliceTotals Suspects::totals(const DetailSlice& slice, bool complement) const {
  if (complement) return sum_of(slice, true);
  const auto known = totals_.find(slice);
  if (known != totals_.end()) return known->second;
  return totals_.emplace(slice, sum_of(slice, false)).first->second;
}

SliceTotals Suspects::sum_of(const DetailSlice& slice, bool complement) const {
  SliceTotals sum;
  const auto all = complement ? std::span<const uint32_t>(by_issuer_) : leaves_at(slice.path);
  for (const uint32_t i : all) {
    const Leaf& leaf = leaves_[i];
    if (covers(slice, leaf) == complement) continue;
    // A payment is a trial of every stage it comes to: those of the first are the payments.
    if (leaf.stage + 1 == static_cast<int32_t>(kStages) || slice.stage != kWhole) sum.n += leaf.n;
    sum.k += leaf.k;
    sum.e += leaf.e;
    sum.e_path += leaf.e_path;
  }
  return sum;
}

int32_t Suspects::decline_of(const DetailSlice& slice) const {
  std::array<double, kFaultClasses> k{}, e{};
  DetailSlice payments = slice;
  payments.stage = kWhole;
  for (const uint32_t i : leaves_at(slice.path)) {
    const Leaf& leaf = leaves_[i];
    if (!covers(payments, leaf)) continue;
    for (std::size_t c = 0; c < kFaultClasses; ++c) {
      k[c] += leaf.k_class[c];
      e[c] += leaf.e_class[c];
    }
  }
  std::size_t top = 0;
  double rest_k = 0.0, rest_e = 0.0;
  for (std::size_t c = 0; c < kFaultClasses; ++c) {
    if (k[c] - e[c] > k[top] - e[top]) top = c;
    rest_k += k[c];
    rest_e += e[c];
  }
  rest_k -= k[top];
  rest_e -= e[top];
  const bool stands_out = k[top] - e[top] > kStandsOut * std::sqrt(e[top] + 1.0);
  const bool rest_as_usual = rest_k - rest_e < kAsUsual * std::sqrt(rest_e + 1.0);
  return stands_out && rest_as_usual ? static_cast<int32_t>(top) : kWhole;
}

double Suspects::mix_evidence(const SeriesKey& scope) const {
  std::map<std::pair<SeriesKey, int32_t>, SliceTotals> paths;
  for (const uint32_t i : leaves_at(scope)) {
    const Leaf& leaf = leaves_[i];
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
