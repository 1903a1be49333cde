// One explanation of an alarm while it is weighed, by ids; and how it is told, in names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "payops/model/assessment.h"
#include "payops/model/topology.h"
#include "suspects.h"

namespace payops::reasoning {

struct Candidate {
  Cause cause = Cause::none_of_these;
  SeriesKey scope;
  DetailSlice slice{};
  double log_prior = 0.0;
  double log_likelihood = 0.0;
  double explained = 0.0;  // excess inside the scope
  double probability = 0.0;
  double prior = 0.0;
  std::vector<std::string> evidence_for;
  std::vector<std::string> evidence_against;
};

// The explanation's place in words.
[[nodiscard]] std::string name_in_words(const Candidate& c, const Dictionary& dictionary,
                                        const Topology& topology);
// What a belief in it is remembered by.
[[nodiscard]] uint64_t belief_scope(const Candidate& c);
// What speaks for the leader and against the loser, in a sentence.
[[nodiscard]] std::string why_not(const Candidate& leader, const Candidate& loser,
                                  const Dictionary& dictionary, const Topology& topology);
// `weight`: the alarm's share of all alarms.
[[nodiscard]] Hypothesis to_hypothesis(const Candidate& c, const Dictionary& dictionary,
                                       const Topology& topology, double weight);

}  // namespace payops::reasoning
