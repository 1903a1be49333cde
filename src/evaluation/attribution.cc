#include "payops/evaluation/attribution.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"
#include "payops/evaluation/attribution_worlds.h"

namespace payops::evaluation {
namespace {

constexpr std::size_t kProbabilityBins = 10;

// What was said of one world, and whether it was so.
struct Judged {
  std::size_t leaves = 0;
  std::size_t causes = 0;
  std::size_t asserted = 0;
  std::size_t right = 0;
  double seconds = 0.0;
  std::vector<std::pair<double, bool>> candidates;
};

Judged judge(const WorldFamily& family, uint64_t seed, const AttributionDraw& draw) {
  const World world = draw_world(family, seed);
  const auto is_cause = [&](const reasoning::SliceFinding& finding) {
    return std::find(world.causes.begin(), world.causes.end(), finding.values) !=
           world.causes.end();
  };
  const double begun = draw.cpu_seconds();
  const reasoning::SliceScan scan = reasoning::scan_slices(world.counts, {});
  Judged judged{.leaves = world.counts.leaves(),
                .causes = world.causes.size(),
                .asserted = scan.causes.size(),
                .right = 0,
                .seconds = draw.cpu_seconds() - begun,
                .candidates = {}};
  for (const auto& cause : scan.causes) judged.right += is_cause(cause) ? 1 : 0;
  for (const auto& candidate : scan.candidates) {
    judged.candidates.emplace_back(candidate.probability, is_cause(candidate));
  }
  return judged;
}

void count(const Judged& judged, AttributionFamily& family) {
  if (family.worlds == 0) family.leaves = judged.leaves;
  ++family.worlds;
  family.causes += judged.causes;
  family.asserted += judged.asserted;
  family.right += judged.right;
  family.false_alarms += judged.causes == 0 && judged.asserted > 0 ? 1 : 0;
  family.seconds_mean += judged.seconds;  // a sum until it is closed
  family.seconds_max = std::max(family.seconds_max, judged.seconds);
}

void close(AttributionFamily& family) {
  const auto share = [](uint64_t part, uint64_t all) {
    return all == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(all);
  };
  family.precision = share(family.right, family.asserted);
  family.recall = share(family.right, family.causes);
  family.f1 = share(2 * family.right, family.asserted + family.causes);
  if (family.worlds > 0) family.seconds_mean /= static_cast<double>(family.worlds);
}

void fill_bins(const std::vector<Judged>& all, AttributionFigures& figures) {
  figures.bins.resize(kProbabilityBins);
  std::size_t said = 0;
  for (std::size_t b = 0; b < kProbabilityBins; ++b) {
    figures.bins[b].low = static_cast<double>(b) / kProbabilityBins;
    figures.bins[b].high = static_cast<double>(b + 1) / kProbabilityBins;
  }
  for (const Judged& judged : all) {
    for (const auto& [probability, right] : judged.candidates) {
      const auto b =
          std::min(kProbabilityBins - 1, static_cast<std::size_t>(probability * kProbabilityBins));
      ReliabilityBin& bin = figures.bins[b];
      ++bin.said;
      bin.mean_probability += probability;  // sums until closed
      bin.right += right ? 1.0 : 0.0;
      ++said;
    }
  }
  for (ReliabilityBin& bin : figures.bins) {
    if (bin.said == 0) continue;
    const auto n = static_cast<double>(bin.said);
    figures.expected_calibration_error +=
        std::abs(bin.mean_probability - bin.right) / static_cast<double>(said);
    bin.mean_probability /= n;
    bin.right /= n;
  }
}

}  // namespace

AttributionFigures measure_attribution(const AttributionDraw& draw) {
  const std::vector<WorldFamily>& families = world_families();
  const auto worlds = static_cast<std::size_t>(draw.worlds);
  std::vector<Judged> all(families.size() * worlds);
  in_parallel(
      draw.jobs, in_order(all.size()),
      [&](std::size_t i) { all[i] = judge(families[i / worlds], draw.seed + i % worlds, draw); },
      draw.progress);
  AttributionFigures figures;
  figures.tuning.name = "tuning families, pooled";
  figures.held_out.name = "held-out families, pooled";
  figures.held_out.held_out = true;
  for (std::size_t f = 0; f < families.size(); ++f) {
    AttributionFamily& family = figures.families.emplace_back();
    family.name = families[f].name;
    family.held_out = families[f].held_out;
    AttributionFamily& pooled = family.held_out ? figures.held_out : figures.tuning;
    for (std::size_t w = 0; w < worlds; ++w) {
      count(all[f * worlds + w], family);
      count(all[f * worlds + w], pooled);
    }
    close(family);
  }
  close(figures.tuning);
  close(figures.held_out);
  fill_bins(all, figures);
  return figures;
}

}  // namespace payops::evaluation
