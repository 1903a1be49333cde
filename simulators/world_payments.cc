#include <algorithm>
#include <cmath>

#include "world_impl.h"

namespace payops::simulators {
namespace {

constexpr double kFirstInstrument = 0.72, kSecondInstrument = 0.92;  // cumulative use
constexpr double kPersistingDecline = 0.8;  // an empty account is still empty a minute later
constexpr double kFraudCaught = 0.75;
constexpr double kFraudAmount = 0.1;  // of an honest one: cards are tested with small sums
constexpr double kMinRetryDelayMs = 300.0, kMaxRetryDelayMs = 120'000.0;
constexpr double kStormHurry = 0.8;     // how much of the delay a full storm takes away
constexpr uint32_t kStormAttempts = 6;  // more attempts that a full storm makes

// How the reason of a failure changes the wish to try again.
double patience(DeclineClass cause) {
  switch (cause) {
    case DeclineClass::customer:
      return 0.7;
    case DeclineClass::issuer_policy:
      return 0.6;
    case DeclineClass::fraud:
      return 0.1;
    default:
      return 1.0;
  }
}

}  // namespace

Payment World::Impl::arriving(const Arrival& arrival) const {
  RandomStream draw = random.at(kDrawPayment, arrival.key);
  Payment p;
  p.key = arrival.key;
  p.id = mix64(mix64(random.seed()) ^ arrival.key);
  p.fraud = arrival.fraud_fault != 0;
  const std::size_t honest = population.honest();
  p.customer = static_cast<uint32_t>(p.fraud ? honest + draw.below(population.size() - honest)
                                             : draw.below(honest));
  const double use = draw.uniform();
  const uint8_t wanted = use < kFirstInstrument ? 0 : use < kSecondInstrument ? 1 : 2;
  use_instrument(p, wanted < population[p.customer].instrument_count ? wanted : uint8_t{0});
  const double size = std::exp(scenario.economics.amount_spread * draw.normal());
  const double median = scenario.economics.amount_median_minor * (p.fraud ? kFraudAmount : 1.0);
  p.amount_minor = std::max<int64_t>(100, std::llround(median * size));
  const double popularity = draw.uniform();  // squared: a few merchants have most of the trade
  p.merchant = static_cast<uint32_t>(popularity * popularity * scenario.merchants);
  p.way.gateway = static_cast<uint8_t>(gateway_shares.pick(draw.uniform()));
  if (p.fraud) {
    const Ways& target = fault_ways[arrival.fraud_fault - 1];
    p.way = {target.issuer.value_or(p.way.issuer), target.method.value_or(p.way.method),
             target.gateway.value_or(p.way.gateway)};
    p.instrument = kOffered;
  }
  return p;
}

bool World::Impl::bend(Payment& payment) const {
  for (const ArrivalFault& fault : latent.arrival_faults()) {
    const Ways& target = fault_ways[fault.fault];
    if (fault.kind == FaultKind::volume_drop && target.cover(payment.way)) {
      if (random.at(kDrawDrop, payment.key, fault.fault).chance(fault.share)) return false;
    }
    if (fault.kind != FaultKind::traffic_mix || holdings[fault.fault].empty()) continue;
    RandomStream draw = random.at(kDrawMix, payment.key, fault.fault);
    if (!draw.chance(fault.share)) continue;
    const auto& crowd = holdings[fault.fault];
    const Holding& holding = crowd[static_cast<std::size_t>(draw.below(crowd.size()))];
    payment.customer = holding.customer;
    use_instrument(payment, holding.instrument);
    payment.way.gateway = target.gateway.value_or(payment.way.gateway);
  }
  return true;
}

void World::Impl::begin(const Arrival& arrival) {
  Payment payment = arriving(arrival);
  if (!payment.fraud && !bend(payment)) return;
  ++books.payments;
  const bool stays = cover_and_steer(payment, arrival.ms);
  const uint32_t slot = open(payment);
  if (stays) {
    start(slot, arrival.ms);
  } else {
    ++books.deflected;
    close(slot, false);
  }
}

uint32_t World::Impl::open(const Payment& payment) {
  if (free_slots.empty()) {
    payments.push_back(payment);
    return static_cast<uint32_t>(payments.size() - 1);
  }
  const uint32_t slot = free_slots.back();
  free_slots.pop_back();
  payments[slot] = payment;
  return slot;
}

void World::Impl::start(uint32_t slot, int64_t ms) {
  Payment& p = payments[slot];
  if (p.attempt_no > 0 && !steer_again(p, ms)) return close(slot, false);
  ++p.attempt_no;
  p.started_ms = ms;
  LoadMeter& issuer = issuer_load[p.way.issuer];
  LoadMeter& gateway = gateway_load[p.way.gateway];
  ++issuer.started;
  ++gateway.started;
  const bool declined_before = (p.declined_instruments >> p.instrument & 1) != 0;
  const Burden burden{.issuer_overload = issuer.overload(scenario.load.sensitivity),
                      .gateway_overload = gateway.overload(scenario.load.sensitivity),
                      .persisting_decline = declined_before ? kPersistingDecline : 0.0,
                      .fraud_screen = p.fraud ? kFraudCaught : 0.0,
                      .upi_codes = is_upi[p.way.method],
                      .region = population[p.customer].region,
                      .merchant = p.merchant};
  p.outcome = draw_outcome(health_of(p.way), burden, scenario.latency,
                           random.at(kDrawAttempt, p.key, p.attempt_no));
  push({ms + p.outcome.latency_ms, p.key, slot, EventKind::complete});
}

void World::Impl::complete(uint32_t slot, int64_t ms, const Sink& sink) {
  const Payment& p = payments[slot];
  book_attempt(p);
  publish(p, ms, sink);
  if (p.outcome.status == AttemptStatus::approved) return close(slot, true);
  retry(slot, ms);
}

void World::Impl::retry(uint32_t slot, int64_t ms) {
  Payment& p = payments[slot];
  const PathHealth& health = health_of(p.way);
  if (p.outcome.cause == DeclineClass::customer) {
    p.declined_instruments = static_cast<uint8_t>(p.declined_instruments | 1U << p.instrument);
  }
  uint32_t limit = scenario.retry.max_attempts +
                   static_cast<uint32_t>(std::lround(health.storm * kStormAttempts));
  double spacing_ms = 0.0;
  each_treating(p, ms, [&](const AppliedAction& action) {
    if (action.effect == Effect::reduce_retry) limit = std::min(limit, action.max_attempts);
    if (action.effect == Effect::adjust_retry) spacing_ms = action.delay_ms;
  });
  RandomStream draw = random.at(kDrawRetry, p.key, p.attempt_no);
  const bool willing = draw.chance(health.retry * patience(p.outcome.cause));
  if (!willing || p.attempt_no >= limit) return close(slot, false);
  const double natural_ms =
      scenario.retry.delay_ms * draw.exponential() * (1.0 - kStormHurry * health.storm);
  const double jitter = 0.75 + 0.5 * draw.uniform();
  const double delay_ms = std::clamp(spacing_ms > 0.0 ? spacing_ms * jitter : natural_ms,
                                     kMinRetryDelayMs, kMaxRetryDelayMs);
  choose_next_way(p, health.storm, draw);
  push({ms + static_cast<int64_t>(delay_ms), p.key, slot, EventKind::start});
}

void World::Impl::close(uint32_t slot, bool converted) {
  const Payment& p = payments[slot];
  if (!converted) {
    ++books.lost;
    books.lost_minor += p.fraud ? 0 : p.amount_minor;
  } else {
    ++books.converted;
    const auto amount = static_cast<double>(p.amount_minor);
    const double bps = scenario.gateways[p.way.gateway].fee_bps;
    books.fees_minor += std::llround(amount * bps / 10'000.0);
    if (p.fraud) {
      books.fraud_loss_minor += p.amount_minor;
    } else {
      books.converted_minor += p.amount_minor;
      books.revenue_minor += std::llround(amount * scenario.economics.margin_share);
    }
  }
  free_slots.push_back(slot);
}

void World::Impl::book_attempt(const Payment& payment) {
  ++books.attempts;
  books.fees_minor += scenario.gateways[payment.way.gateway].fee_minor;
  if (payment.attempt_no == 1) return;
  ++books.retries;
  books.retry_fees_minor += scenario.economics.retry_fee_minor;
}

void World::Impl::publish(const Payment& payment, int64_t ms, const Sink& sink) {
  SimulatedAttempt attempt = describe(payment, ms);
  const int64_t delay_ms = health_of(payment.way).publish_delay_ms;
  attempt.published_ms = ms + delay_ms;
  if (delay_ms == 0) return sink(attempt);
  const uint32_t slot = next_withheld++;
  withheld.emplace(slot, attempt);
  push({attempt.published_ms, payment.key, slot, EventKind::publish});
}

SimulatedAttempt World::Impl::describe(const Payment& p, int64_t ms) const {
  SimulatedAttempt a;
  a.payment = p.id;
  a.attempt_no = p.attempt_no;
  a.started_ms = p.started_ms;
  a.ts_ms = ms;
  a.issuer = scenario.issuers[p.way.issuer].name;
  a.method = scenario.methods[p.way.method].name;
  a.gateway = scenario.gateways[p.way.gateway].name;
  a.currency = scenario.currency;
  a.region = kRegions[population[p.customer].region];
  a.user_id = user_id(p);
  a.decline_code = p.outcome.code;
  a.merchant = p.merchant;
  a.amount_minor = p.amount_minor;
  a.status = p.outcome.status;
  a.latency_ms = p.outcome.latency_ms;
  a.stage = p.outcome.stage;
  a.cause = p.outcome.cause;
  a.fraud = p.fraud;
  for (uint32_t i = 0; i < p.covered_count; ++i) {
    const Covered& covered = p.covered[i];
    const AppliedAction* action = actions.find(covered.serial);
    if (action == nullptr) continue;
    if (a.action_count == 0) {
      a.arm = covered.arm;
      a.propensity = action->propensity(covered.arm);
    }
    if (covered.arm == a.arm) a.action_ids[a.action_count++] = action->action.action_id;
  }
  return a;
}

}  // namespace payops::simulators
