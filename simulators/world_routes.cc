#include <algorithm>

#include "world_impl.h"

namespace payops::simulators {
namespace {

constexpr double kOwnFault = 3.0;  // how much likelier another instrument after one's own decline
constexpr double kNewMethodFriction = 4.0;  // a method not held loses so many times more customers

}  // namespace

void World::Impl::use_instrument(Payment& payment, uint8_t instrument) const {
  const Instrument& held = population[payment.customer].instruments[instrument];
  payment.instrument = instrument;
  payment.way.issuer = held.issuer;
  payment.way.method = held.method;
}

// The way of the next attempt, as customers choose it. Three draws, whatever is chosen.
void World::Impl::choose_next_way(Payment& payment, double storm, RandomStream& draw) const {
  const double choice = draw.uniform(), which_gateway = draw.uniform(), which = draw.uniform();
  const bool own_fault = payment.outcome.cause == DeclineClass::customer;
  const uint8_t count = population[payment.customer].instrument_count;
  const double calm = 1.0 - storm;  // a storm is software that hammers the same path
  const double other = count > 1 && !payment.fraud
                           ? scenario.retry.other_instrument * calm * (own_fault ? kOwnFault : 1.0)
                           : 0.0;
  const double gateway =
      gateway_shares.size() > 1 && !own_fault ? scenario.retry.other_gateway * calm : 0.0;
  const double point = choice * (scenario.retry.same_path + other + gateway);
  if (point < other) {
    uint8_t next = static_cast<uint8_t>(which * (payment.instrument < count ? count - 1 : count));
    if (payment.instrument < count && next >= payment.instrument) ++next;
    use_instrument(payment, next);
  } else if (point < other + gateway) {
    payment.way.gateway =
        static_cast<uint8_t>(gateway_shares.pick_without(which_gateway, payment.way.gateway));
  }
}

bool World::Impl::cover_and_steer(Payment& payment, int64_t ms) const {
  const std::string_view user = user_id(payment);
  for (const AppliedAction* action : actions.ranked()) {
    if (payment.covered_count == payment.covered.size()) break;
    if (!action->covers(payment.way) || !actions.reaches(*action, user, ms)) continue;
    const Arm arm = action->arm_of(user);
    if (arm == Arm::none) continue;
    payment.covered[payment.covered_count++] = {action->serial, arm};
    if (arm == Arm::treated && !steer(payment, *action)) return false;
  }
  return true;
}

bool World::Impl::steer_again(Payment& payment, int64_t ms) const {
  bool stays = true;
  each_treating(payment, ms, [&](const AppliedAction& action) {
    if (stays && action.covers(payment.way)) stays = steer(payment, action);
  });
  return stays;
}

bool World::Impl::steer(Payment& payment, const AppliedAction& action) const {
  if (action.effect == Effect::reroute) {
    payment.way.gateway = *action.to_gateway;
    return true;
  }
  if (action.effect != Effect::suppress) return true;
  if (!action.ways.gateway || gateway_shares.size() == 1) return offer_another_way(payment, action);
  RandomStream draw = random.at(kDrawSteer, payment.key, payment.attempt_no + 1);
  payment.way.gateway =
      static_cast<uint8_t>(gateway_shares.pick_without(draw.uniform(), payment.way.gateway));
  return true;
}

// Another instrument of the customer's own first; else, where only a method is to be avoided,
// another method of the same issuer. Either costs some customers.
bool World::Impl::offer_another_way(Payment& payment, const AppliedAction& action) const {
  RandomStream draw = random.at(kDrawSteer, payment.key, payment.attempt_no + 1);
  const double reluctance = draw.uniform();
  const Customer& customer = population[payment.customer];
  for (uint8_t i = 0; i < customer.instrument_count && !payment.fraud; ++i) {
    const Instrument& held = customer.instruments[i];
    if (action.ways.cover({held.issuer, held.method, payment.way.gateway})) continue;
    use_instrument(payment, i);
    return reluctance >= scenario.steering.friction;
  }
  if (!action.ways.method || scenario.methods.size() == 1) return false;
  const auto next = static_cast<uint8_t>(draw.below(scenario.methods.size() - 1));
  payment.way.method = static_cast<uint8_t>(next + (next >= payment.way.method ? 1 : 0));
  payment.instrument = kOffered;
  return reluctance >= std::min(1.0, kNewMethodFriction * scenario.steering.friction);
}

}  // namespace payops::simulators
