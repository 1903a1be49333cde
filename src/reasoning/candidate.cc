#include "candidate.h"

#include <algorithm>
#include <array>

#include "payops/core/digest.h"
#include "payops/core/random.h"
#include "payops/core/text.h"

namespace payops::reasoning {
namespace {

// A slice in names.
Slice slice_of(const DetailSlice& s, const Dictionary& dictionary, const Topology& topology) {
  constexpr std::array<std::string_view, kAmountBands> kAmounts{"smallest", "small", "large",
                                                                "largest"};
  Slice slice;
  const auto id = [](int32_t of) { return static_cast<std::size_t>(of); };
  if (s.region != kWhole) {
    slice.region = dictionary.of(Detail::region).name(static_cast<DimId>(s.region));
  }
  if (s.merchant != kWhole) {
    slice.merchant = dictionary.of(Detail::merchant).name(static_cast<DimId>(s.merchant));
  }
  if (s.band != kWhole) slice.amount = kAmounts[id(s.band)];
  if (s.stage != kWhole) slice.stage = name_of(static_cast<AttemptStage>(s.stage));
  if (s.upstream != kWhole) slice.upstream = topology.upstreams[id(s.upstream)].name;
  return slice;
}

}  // namespace

std::string name_in_words(const Candidate& c, const Dictionary& dictionary,
                          const Topology& topology) {
  return describe(dictionary.scope(c.scope), slice_of(c.slice, dictionary, topology));
}

uint64_t belief_scope(const Candidate& c) {
  if (!c.slice.detailed()) return c.scope.packed();
  std::string text;
  Encoder out(text);
  for (const int32_t id :
       {c.slice.region, c.slice.merchant, c.slice.band, c.slice.stage, c.slice.upstream}) {
    out.put(id);
  }
  return mix64(c.scope.packed(), hash64(text));
}

std::string why_not(const Candidate& leader, const Candidate& loser, const Dictionary& dictionary,
                    const Topology& topology) {
  const auto name = [&](const Candidate& c) {
    return std::string(name_of(c.cause)) + " at " + name_in_words(c, dictionary, topology);
  };
  const std::string lead = name(leader);
  if (loser.cause == Cause::none_of_these) return lead + " explains what is seen better";
  const double gap = leader.log_likelihood - loser.log_likelihood;
  if (leader.explained > loser.explained + 1.0) {
    return lead + " explains " + fixed(leader.explained, 0) + " of what is in excess, this only " +
           fixed(std::max(0.0, loser.explained), 0);
  }
  if ((loser.scope != leader.scope || leader.slice.detailed()) &&
      loser.scope.covers(leader.scope)) {
    return "it would touch more than " + name_in_words(leader, dictionary, topology) +
           ", and the rest is as usual";
  }
  if (gap > 0.0) return lead + " makes what is seen e^" + fixed(gap, 1) + " times likelier";
  return lead + " is the commoner cause";
}

Hypothesis to_hypothesis(const Candidate& c, const Dictionary& dictionary, const Topology& topology,
                         double weight) {
  const Scope scope = dictionary.scope(c.scope);
  const Slice slice = slice_of(c.slice, dictionary, topology);
  std::string identity = std::string(name_of(c.cause)) + "|" + to_string(scope);
  if (c.slice.detailed()) identity += "|" + describe(scope, slice);
  return {.id = "hyp-" + hex64(hash64(identity)),
          .cause = c.cause,
          .scope = scope,
          .slice = slice,
          .prior = weight * c.prior,
          .posterior = weight * c.probability,
          .certainty = c.probability,
          .log_likelihood = c.log_likelihood,
          .evidence_for = c.evidence_for,
          .evidence_against = c.evidence_against,
          .why_not = {}};
}

}  // namespace payops::reasoning
