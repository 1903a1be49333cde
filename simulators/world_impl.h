// The inside of World. Three files implement it: world.cc (time), world_payments.cc (a payment's
// life and the books), world_routes.cc (which way an attempt goes, and who is steered).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "outcome.h"
#include "payops/core/random.h"
#include "payops/simulators/latent.h"
#include "payops/simulators/population.h"
#include "payops/simulators/routing.h"
#include "payops/simulators/world.h"

namespace payops::simulators {

// What a random draw is for: the first part of its key. 1 belongs to the population, 2 to drift.
enum DrawKind : uint64_t {
  kDrawArrivals = 3,
  kDrawPayment,
  kDrawAttempt,
  kDrawRetry,
  kDrawSteer,
  kDrawMix,
  kDrawDrop,
  kDrawFraud
};

// In place of an instrument's number: a way offered that is none of the customer's own.
inline constexpr uint8_t kOffered = kMaxInstruments;

struct Covered {
  uint64_t serial = 0;  // of the action
  Arm arm = Arm::none;
};

// A payment under way.
struct Payment {
  uint64_t key = 0;  // of its random draws, ascending with time
  uint64_t id = 0;
  uint32_t customer = 0;
  uint32_t merchant = 0;
  uint8_t instrument = 0;
  uint8_t declined_instruments =
      0;  // bits: declined by the customer's own doing, likely to persist
  bool fraud = false;
  Way way;
  int64_t amount_minor = 0;
  uint32_t attempt_no = 0;
  int64_t started_ms = 0;
  Outcome outcome;
  std::array<Covered, kMaxActionsPerAttempt> covered{};
  uint32_t covered_count = 0;
};

struct Arrival {
  int64_t ms = 0;
  uint64_t key = 0;
  std::size_t fraud_fault = 0;  // 1 + index of the fault that sends it; 0 for an honest customer
};

enum class EventKind : uint8_t { publish, complete, start };

struct Event {
  int64_t ms = 0;
  uint64_t key = 0;
  uint32_t slot = 0;
  EventKind kind = EventKind::start;
};

// Attempts started a second, smoothed, against what an issuer or gateway can bear.
struct LoadMeter {
  double load = 0.0;
  double capacity = 1.0;
  uint32_t started = 0;
  void close_second();
  // The failure probability that this load causes.
  [[nodiscard]] double overload(double sensitivity) const;
};

struct World::Impl {
  Impl(const Scenario& given, uint64_t seed, int64_t start);

  // Time.
  void advance(int64_t until_ms, const Sink& sink);
  void begin_second();
  void arrive(double mean, DrawKind kind, std::size_t fraud_fault);
  void tell_truth();
  void push(const Event& event);
  [[nodiscard]] double rhythm(int64_t ts_ms) const;

  // A payment's life.
  void begin(const Arrival& arrival);
  [[nodiscard]] Payment arriving(const Arrival& arrival) const;
  // Bends the payment as the faults on arrivals want it; false when it does not arrive at all.
  [[nodiscard]] bool bend(Payment& payment) const;
  [[nodiscard]] uint32_t open(const Payment& payment);
  [[nodiscard]] Status inject(Fault fault);
  void start(uint32_t slot, int64_t ms);
  void complete(uint32_t slot, int64_t ms, const Sink& sink);
  void retry(uint32_t slot, int64_t ms);
  void close(uint32_t slot, bool converted);
  void book_attempt(const Payment& payment);
  void publish(const Payment& payment, int64_t ms, const Sink& sink);
  [[nodiscard]] SimulatedAttempt describe(const Payment& payment, int64_t ms) const;

  // Its way.
  void use_instrument(Payment& payment, uint8_t instrument) const;
  void choose_next_way(Payment& payment, double storm, RandomStream& draw) const;
  // Both give false when the customer leaves instead of paying another way.
  [[nodiscard]] bool cover_and_steer(Payment& payment, int64_t ms) const;
  [[nodiscard]] bool steer_again(Payment& payment, int64_t ms) const;
  [[nodiscard]] bool steer(Payment& payment, const AppliedAction& action) const;
  [[nodiscard]] bool offer_another_way(Payment& payment, const AppliedAction& action) const;
  // Those in force that treat the payment.
  template <class Visit>
  void each_treating(const Payment& payment, int64_t ms, Visit&& visit) const {
    for (uint32_t i = 0; i < payment.covered_count; ++i) {
      const Covered& covered = payment.covered[i];
      if (covered.arm != Arm::treated) continue;
      const AppliedAction* action = actions.find(covered.serial);
      if (action != nullptr && actions.reaches(*action, user_id(payment), ms)) visit(*action);
    }
  }

  [[nodiscard]] std::string_view user_id(const Payment& p) const {
    return population[p.customer].user_id();
  }
  [[nodiscard]] const PathHealth& health_of(const Way& way) const {
    return latent[latent.index(way.issuer, way.method, way.gateway)];
  }

  Scenario scenario;
  Random random;
  int64_t start_ms;
  int64_t now_ms;
  int64_t second = 0;  // the next to begin
  Population population;
  Latent latent;
  ActionsInForce actions;
  Shares gateway_shares;
  std::vector<bool> is_upi;                    // by method
  std::vector<Ways> fault_ways;                // by fault
  std::vector<std::vector<Holding>> holdings;  // by fault: whom a traffic_mix brings
  std::vector<LoadMeter> issuer_load, gateway_load;
  std::vector<Arrival> arrivals;  // of the current second
  std::size_t next_arrival = 0;
  std::vector<Event> events;  // a heap, earliest on top
  std::vector<Payment> payments;
  std::vector<uint32_t> free_slots;
  std::map<uint32_t, SimulatedAttempt> withheld;  // by a data_delay
  uint32_t next_withheld = 0;
  Books books;
  std::deque<TruthEvent> truth;
  std::vector<bool> fault_on;
};

}  // namespace payops::simulators
