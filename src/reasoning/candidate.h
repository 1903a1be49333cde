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

// A slice in names; an upstream that the topology no longer has is left out.
[[nodiscard]] Slice slice_of(const DetailSlice& slice, const Dictionary& dictionary,
                             const Topology& topology);
// The explanation's place in words.
[[nodiscard]] std::string name_in_words(const Candidate& c, const Dictionary& dictionary,
                                        const Topology& topology);
// What a belief in it is remembered by.
[[nodiscard]] uint64_t belief_scope(const Candidate& c);
// What speaks for the leader and against the loser, in a sentence.
[[nodiscard]] std::string why_not(const Candidate& leader, const Candidate& loser,
                                  const Dictionary& dictionary, const Topology& topology);
// One alarm's explanations, never without "none of these", and what the alarm weighs.
struct Explained {
  std::vector<Candidate> candidates;
  double weight = 1.0;
};
[[nodiscard]] const Candidate& leading(const std::vector<Candidate>& candidates);
// Keeps every alarm's leading explanation and of the others the likeliest, `told_max` in all where
// there are so many; the others' probability goes to their alarm's "none of these". Many alarms at
// once have hundreds of explanations of a thousandth each, which nobody reads and nothing is done
// for.
void fold_unlikely(std::vector<Explained>& explained, std::size_t told_max);
// All of them, the likeliest first: those of one cause at one place are one. Alarms share the
// probability by their weight.
[[nodiscard]] std::vector<Hypothesis> to_hypotheses(const std::vector<Explained>& explained,
                                                    const Dictionary& dictionary,
                                                    const Topology& topology);

}  // namespace payops::reasoning
