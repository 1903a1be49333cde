// Every slice of a table of leaves, combination of dimensions by combination, with its evidence.
#pragma once

#include <cstdint>
#include <vector>

#include "slice_scan_model.h"

namespace payops::reasoning::slice_scan {

struct Slice {
  uint32_t dimensions = 0;  // fixed ones, a bit each
  uint32_t leaf = 0;        // one of its leaves: holds the values
  uint32_t leaves = 0;      // how many
  uint64_t cover = 0;       // sum of its leaves' marks: the same for slices that cover the same
  double score = 0.0;       // ln evidence of the best effect, its prior included
};

class Lattice {
 public:
  // `counts` must outlive it.
  Lattice(const SliceCounts& counts, const SliceScanOptions& options);

  // ln prior of a slice: what its depth, its choice of dimensions and its values cost.
  [[nodiscard]] double log_prior(uint32_t dimensions) const;
  // The leaves of a slice, rising.
  [[nodiscard]] std::vector<uint32_t> leaves_of(const Slice& slice) const;
  [[nodiscard]] bool covers(const Slice& slice, std::size_t leaf) const;
  // The same for leaves of the same slice over these dimensions, and for no others.
  [[nodiscard]] uint64_t key(uint32_t dimensions, std::size_t leaf) const;
  // The slice with its number of leaves and its cover, from its dimensions and one of its leaves.
  [[nodiscard]] Slice described(Slice slice) const;

  // The best `limit` slices with a score above `floor`, by score; of slices that cover the same
  // leaves the one of highest prior. `evidence` is each leaf's for each effect of the grid.
  [[nodiscard]] std::vector<Slice> best(const std::vector<Evidence>& evidence, std::size_t limit,
                                        double floor) const;
  [[nodiscard]] std::size_t depth_max() const { return depth_max_; }

 private:
  struct Search;
  const SliceCounts& counts_;
  std::vector<uint64_t> cardinality_;
  std::vector<uint64_t> marks_;  // by leaf
  std::size_t depth_max_ = 0;
};

}  // namespace payops::reasoning::slice_scan
