// Randomness from counters: every draw is a pure function of (seed, key...), so the same draw is
// the same number wherever and in whatever order it is asked for. No state, no global generator.
//
//   Random r(seed);
//   double u = r.at(customer, attempt, kDrawRoute).uniform();
//
// Philox-4x32-10 (Salmon et al. 2011) underneath; the distributions are our own so that they do
// not vary with the standard library.
#pragma once

#include <cstdint>

namespace payops {

// A stream of numbers belonging to one key: each call takes the next of them. Cheap to copy.
class RandomStream {
 public:
  RandomStream(uint64_t key, uint64_t counter) : key_(key), counter_(counter) {}

  uint64_t next();                  // 64 uniform bits
  double uniform();                 // [0, 1)
  double normal();                  // mean 0, variance 1
  double exponential();             // mean 1
  double gamma(double shape);       // scale 1; shape > 0 (Marsaglia and Tsang 2000)
  double beta(double a, double b);  // a, b > 0
  uint64_t poisson(double mean);    // mean >= 0
  uint64_t below(uint64_t n);       // [0, n), n > 0
  bool chance(double p) { return uniform() < p; }

 private:
  uint64_t key_;
  uint64_t counter_;
  uint64_t index_ = 0;
  uint64_t spare_ = 0;
  bool has_spare_ = false;
};

class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}
  // The stream of a key of up to four parts.
  [[nodiscard]] RandomStream at(uint64_t a, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0) const;
  [[nodiscard]] uint64_t seed() const { return seed_; }

 private:
  uint64_t seed_;
};

// A well-mixed 64-bit function of its arguments (splitmix64 finaliser, Steele et al. 2014).
[[nodiscard]] uint64_t mix64(uint64_t x);
[[nodiscard]] inline uint64_t mix64(uint64_t a, uint64_t b) { return mix64(mix64(a) ^ b); }

}  // namespace payops
