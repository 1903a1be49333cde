// A CUSUM on independent rows as a Markov chain on a fine lattice (Brook and Evans 1972): how often
// it gives a false alarm and how soon a true one, to the lattice's precision and without drawing
// anything. For judging thresholds; too slow for the ingest path (milliseconds).
#pragma once

#include <vector>

namespace payops::reasoning {

// A CUSUM of log-likelihood ratios of p1 against p0, 0 < p0 < p1 < 1, on rows of `row_attempts`.
class CusumChain {
 public:
  CusumChain(double p0, double p1, unsigned row_attempts = 1);

  struct Speed {
    double false_alarms = 0.0;  // per attempt, at rate p0, long after the beginning
    double delay = 0.0;         // mean attempts to the alarm at rate p1, whose change comes then
  };
  // With an alarm as soon as the statistic exceeds `threshold` > 0.
  [[nodiscard]] Speed at(double threshold) const;

  // The delay at so many false alarms per attempt. Where no threshold gives just these, as with
  // few failures to an alarm, between those of the two next to it, linear in their logarithm.
  [[nodiscard]] double delay_at(double false_alarms, double* threshold = nullptr) const;

 private:
  struct Step {
    double climb = 0.0;
    double usual = 0.0;    // its probability at p0
    double changed = 0.0;  // at p1
  };
  unsigned row_attempts_;
  std::vector<Step> steps_;
};

}  // namespace payops::reasoning
