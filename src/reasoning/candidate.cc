#include "candidate.h"

#include <algorithm>
#include <array>

#include "payops/core/digest.h"
#include "payops/core/random.h"
#include "payops/core/text.h"

namespace payops::reasoning {

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
  if (s.upstream != kWhole && id(s.upstream) < topology.upstreams.size())
    slice.upstream = topology.upstreams[id(s.upstream)].name;
  if (s.decline != kWhole) slice.decline = name_of(kFaults[id(s.decline)]);
  return slice;
}

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

namespace {

constexpr double kFolded = -1.0;  // the probability of one that is to go

// `weight`: the alarm's share of all alarms.
Hypothesis to_hypothesis(const Candidate& c, const Dictionary& dictionary, const Topology& topology,
                         double weight) {
  const Scope scope = dictionary.scope(c.scope);
  const Slice slice = slice_of(c.slice, dictionary, topology);
  std::string identity = std::string(name_of(c.cause)) + "|" + to_string(scope);
  if (c.slice.detailed()) {
    Slice payments = slice;
    payments.decline = "*";
    identity += "|" + describe(scope, payments);
  }
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

}  // namespace

const Candidate& leading(const std::vector<Candidate>& candidates) {
  return *std::max_element(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.probability < b.probability; });
}

void fold_unlikely(std::vector<Explained>& explained, std::size_t told_max) {
  struct Place {
    double posterior;
    std::size_t alarm, at;
  };
  std::vector<Place> others;
  for (std::size_t i = 0; i < explained.size(); ++i) {
    const std::vector<Candidate>& all = explained[i].candidates;
    const Candidate& leader = leading(all);
    for (std::size_t j = 0; j < all.size(); ++j) {
      if (all[j].cause == Cause::none_of_these || &all[j] == &leader) continue;
      others.push_back({explained[i].weight * all[j].probability, i, j});
    }
  }
  const std::size_t room = told_max - std::min(told_max, explained.size());
  if (others.size() <= room) return;
  std::stable_sort(others.begin(), others.end(),
                   [](const Place& a, const Place& b) { return a.posterior > b.posterior; });
  std::vector<std::vector<std::size_t>> gone(explained.size());
  for (std::size_t k = room; k < others.size(); ++k) gone[others[k].alarm].push_back(others[k].at);
  for (std::size_t i = 0; i < explained.size(); ++i) {
    std::vector<Candidate>& all = explained[i].candidates;
    const auto none = std::find_if(
        all.begin(), all.end(), [](const Candidate& c) { return c.cause == Cause::none_of_these; });
    for (const std::size_t at : gone[i]) {
      none->probability += all[at].probability;
      none->prior += all[at].prior;
      all[at].probability = kFolded;
    }
    std::erase_if(all, [](const Candidate& c) { return c.probability == kFolded; });
  }
}

std::vector<Hypothesis> to_hypotheses(const std::vector<Explained>& explained,
                                      const Dictionary& dictionary, const Topology& topology) {
  std::vector<Hypothesis> all;
  double total = 0.0;
  for (const Explained& of : explained) total += of.weight;
  for (const Explained& of : explained) {
    const Candidate& leader = leading(of.candidates);
    for (const Candidate& c : of.candidates) {
      Hypothesis h = to_hypothesis(c, dictionary, topology, of.weight / total);
      if (&c != &leader) h.why_not = why_not(leader, c, dictionary, topology);
      const auto same = std::find_if(all.begin(), all.end(), [&](const Hypothesis& other) {
        return other.cause == h.cause && other.scope == h.scope && other.slice == h.slice;
      });
      if (same == all.end()) {
        all.push_back(std::move(h));
        continue;
      }
      // The alarm it explains better has the better evidence.
      const double prior = same->prior + h.prior, posterior = same->posterior + h.posterior;
      const double certainty = std::max(same->certainty, h.certainty);
      if (h.posterior > same->posterior) *same = std::move(h);
      same->prior = prior;
      same->posterior = posterior;
      same->certainty = certainty;
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return a.posterior > b.posterior;
  });
  return all;
}

}  // namespace payops::reasoning
