// The customers: each has one to three instruments (an issuer and a method), a region, and a name
// that is all the world outside learns. A function of scenario and seed alone.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "payops/simulators/scenario.h"

namespace payops::simulators {

struct Instrument {
  uint8_t issuer = 0;
  uint8_t method = 0;
  bool operator==(const Instrument&) const = default;
};

inline constexpr std::size_t kMaxInstruments = 3;

struct Customer {
  std::array<char, 8> id{};  // "u0001234"
  std::array<Instrument, kMaxInstruments> instruments{};
  uint8_t instrument_count = 1;
  uint8_t region = 0;
  [[nodiscard]] std::string_view user_id() const { return {id.data(), id.size()}; }
};

// A customer's instrument, as traffic_mix picks them.
struct Holding {
  uint32_t customer = 0;
  uint8_t instrument = 0;
};

class Population {
 public:
  Population(const Scenario& scenario, uint64_t seed);
  // Honest customers come first, then fraudsters, whom nothing marks.
  [[nodiscard]] std::size_t honest() const { return honest_; }
  [[nodiscard]] std::size_t size() const { return customers_.size(); }
  [[nodiscard]] const Customer& operator[](std::size_t i) const { return customers_[i]; }
  // Instruments of honest customers whose issuer and method lie in `scope`.
  [[nodiscard]] std::vector<Holding> holdings(const Scope& scope, const Scenario& scenario) const;

 private:
  std::size_t honest_;
  std::vector<Customer> customers_;
};

// Draws an index by weights. REQUIRES: weights not empty, sum > 0.
class Shares {
 public:
  explicit Shares(const std::vector<double>& weights);
  [[nodiscard]] std::size_t pick(double u) const;
  // As pick(u), never `without`. REQUIRES: at least two entries with weight.
  [[nodiscard]] std::size_t pick_without(double u, std::size_t without) const;
  [[nodiscard]] double share(std::size_t i) const;
  [[nodiscard]] std::size_t size() const { return cumulative_.size(); }

 private:
  std::vector<double> cumulative_;
};

}  // namespace payops::simulators
