// Which slices beyond issuer, method and gateway may be behind the failures of the alarms in force:
// the scan of slice_scan.h over the details since the alarms began, and the evidence of any slice
// on the same leaves.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "attribution.h"
#include "details.h"
#include "payops/model/assessment.h"
#include "payops/model/topology.h"

namespace payops::reasoning {

inline constexpr int32_t kWhole = -1;

// A part of the payments, by ids; kWhole where it does not look.
struct DetailSlice {
  SeriesKey path;
  int32_t region = kWhole;
  int32_t merchant = kWhole;
  int32_t band = kWhole;
  int32_t stage = kWhole;
  int32_t upstream = kWhole;  // index in the topology
  int32_t decline = kWhole;   // index in kFaults: of its failures, not of its payments
  auto operator<=>(const DetailSlice&) const = default;
  // Whether it is more than issuer, method and gateway can say.
  [[nodiscard]] bool detailed() const {
    return region != kWhole || merchant != kWhole || band != kWhole || stage != kWhole ||
           upstream != kWhole;
  }
  [[nodiscard]] int detail_depth() const {
    return (region != kWhole) + (merchant != kWhole) + (band != kWhole) + (stage != kWhole) +
           (upstream != kWhole);
  }
  static constexpr auto fields() {
    return std::make_tuple(field("path", &DetailSlice::path), field("region", &DetailSlice::region),
                           field("merchant", &DetailSlice::merchant),
                           field("band", &DetailSlice::band), field("stage", &DetailSlice::stage),
                           field("upstream", &DetailSlice::upstream),
                           field("decline", &DetailSlice::decline));
  }
};

// What stands on what, by the ids of a dictionary.
class UpstreamIds {
 public:
  UpstreamIds(const Topology& topology, const Dictionary& dictionary);
  // The upstream of a kind that carries the path, or kWhole.
  [[nodiscard]] int32_t of(const SeriesKey& path, std::size_t kind) const;
  [[nodiscard]] bool carries(int32_t upstream, const SeriesKey& path) const;
  [[nodiscard]] bool any(std::size_t kind) const { return any_[kind]; }
  [[nodiscard]] int32_t count() const { return static_cast<int32_t>(upstreams_.size()); }

 private:
  struct Known {
    std::size_t kind = 0;
    std::vector<DimId> gateways;
    std::vector<SeriesKey> paths;
  };
  std::vector<Known> upstreams_;
  std::array<bool, kUpstreamKinds> any_{};
};

// Counts of one slice of the leaves: k of n lost where e were usual.
struct SliceTotals {
  double n = 0.0, k = 0.0, e = 0.0;
  double e_path = 0.0;  // where all payments of a path were alike
};

struct Suspect {
  DetailSlice slice;
  double probability = 0.0;  // by the scan
  double choices = 1.0;      // slices of the same dimensions, among which it was chosen
};

class Suspects {
 public:
  // `from_second` is when the alarms began. Only names, bands and stages whose failures the paths'
  // own failing does not account for are told apart, and no more than make `leaves_max` leaves.
  Suspects(const DetailStore& details, int64_t from_second, std::size_t leaves_max,
           const UpstreamIds& upstreams);

  // Slices beyond the path that may be a cause, likeliest first; few.
  [[nodiscard]] const std::vector<Suspect>& list() const { return list_; }
  // Tells which paths some alarm answers for.
  template <class Covered>
  void note_covered(Covered&& covered) {
    covered_.clear();
    is_covered_.assign(leaves_.size(), 0);
    uncovered_evidence_.clear();
    for (uint32_t i = 0; i < leaves_.size(); ++i) {
      if (!covered(leaves_[i].path)) continue;
      covered_.push_back(i);
      is_covered_[i] = 1;
    }
  }
  // ln of (evidence that the slice's leaves share a fault / that none has one), as ScopeScore's, on
  // the leaves of paths that are `own` or that no alarm answers for. REQUIRES: note_covered().
  [[nodiscard]] double evidence(const DetailSlice& slice, const SeriesKey& own) const;
  [[nodiscard]] SliceTotals totals(const DetailSlice& slice, bool complement = false) const;
  // The class (index in kFaults) that alone explains the slice's excess, all other failures of it
  // being as many as usual; kWhole when there is none.
  [[nodiscard]] int32_t decline_of(const DetailSlice& slice) const;
  // How much likelier the failures of a scope are for what its details make usual than for what
  // its paths do, in ln: what a change of mix explains.
  [[nodiscard]] double mix_evidence(const SeriesKey& scope) const;

 private:
  using Active = DetailStore::Active;
  struct Leaf {
    SeriesKey path;
    int32_t region = kWhole, merchant = kWhole, band = kWhole;
    int32_t stage = 0;
    double n = 0.0, k = 0.0, e = 0.0, e_path = 0.0;
    double learnt = 0.0;                                     // past failures behind e
    std::array<double, kFaultClasses> k_class{}, e_class{};  // in the leaf of the last stage
  };
  // What is told apart.
  struct Grain {
    std::vector<int32_t> regions, merchants;
    bool bands = false;
    std::array<bool, kStages> stages{};
    std::size_t of_regions = 1, of_merchants = 1;  // names there were to choose from
    [[nodiscard]] bool nothing() const {
      return regions.empty() && merchants.empty() && !bands && !stages[0] && !stages[1];
    }
  };
  [[nodiscard]] static Grain grain_of(const DetailStore::Since& seen);
  [[nodiscard]] bool fold(const DetailStore::Since& seen, const Grain& grain,
                          std::size_t leaves_max);
  [[nodiscard]] bool covers(const DetailSlice& slice, const Leaf& leaf) const;
  void scan(const Grain& grain);
  void suspect_shared(const std::vector<SeriesKey>& gateways);
  [[nodiscard]] int64_t value_of(const Leaf& leaf, std::size_t column) const;
  static void fix(DetailSlice& slice, std::size_t column, int32_t id);
  void weigh() const;
  void index();
  // Of the path's issuer, or all.
  [[nodiscard]] std::span<const uint32_t> leaves_at(const SeriesKey& path) const;
  [[nodiscard]] SliceTotals sum_of(const DetailSlice& slice, bool complement) const;

  const UpstreamIds& upstreams_;
  std::vector<Leaf> leaves_;
  std::vector<uint32_t> by_issuer_;                         // leaves
  std::vector<uint32_t> covered_;                           // leaves
  std::vector<uint8_t> is_covered_;                         // by leaf
  mutable std::map<DetailSlice, Grid> uncovered_evidence_;  // of slices, as asked for
  mutable std::map<DetailSlice, SliceTotals> totals_;       // that have been asked for
  mutable std::vector<Grid> weights_;  // of the leaves, once they are asked for
  std::vector<Suspect> list_;
};

}  // namespace payops::reasoning
