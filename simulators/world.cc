#include "payops/simulators/world.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "world_impl.h"

namespace payops::simulators {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr double kLoadMemoryS = 15.0;
constexpr double kMaxOverload = 0.9;
constexpr std::size_t kFaultsMax = 255;  // an index has eight bits in a payment's key

// For a heap whose top is the earliest; ties by what does not depend on interventions.
bool later(const Event& a, const Event& b) {
  if (a.ms != b.ms) return a.ms > b.ms;
  if (a.key != b.key) return a.key > b.key;
  return a.kind > b.kind;
}

template <class Spec>
Shares shares_of(const std::vector<Spec>& specs) {
  std::vector<double> weights;
  for (const Spec& spec : specs) weights.push_back(spec.share);
  return Shares(weights);
}

// One meter for each issuer or gateway, at its nominal load.
template <class Spec>
std::vector<LoadMeter> meters(const std::vector<Spec>& specs, const Scenario& scenario,
                              double headroom) {
  const Shares shares = shares_of(specs);
  std::vector<LoadMeter> meters;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const double nominal = scenario.rate_tps * shares.share(i);
    meters.push_back(
        {.load = nominal, .capacity = nominal * (1.0 + scenario.rhythm.amplitude) * headroom});
  }
  return meters;
}

}  // namespace

void LoadMeter::close_second() {
  load += (started - load) * (1.0 - std::exp(-1.0 / kLoadMemoryS));
  started = 0;
}

double LoadMeter::overload(double sensitivity) const {
  return std::min(kMaxOverload, sensitivity * std::max(0.0, load / capacity - 1.0));
}

World::Impl::Impl(const Scenario& given, uint64_t seed, int64_t start)
    : scenario(given),
      random(seed),
      start_ms(start),
      now_ms(start),
      population(scenario, seed),
      latent(scenario, seed),
      actions(scenario),
      gateway_shares(shares_of(scenario.gateways)),
      holdings(scenario.faults.size()),
      issuer_load(meters(scenario.issuers, scenario, scenario.load.issuer_headroom)),
      gateway_load(meters(scenario.gateways, scenario, scenario.load.gateway_headroom)),
      fault_on(scenario.faults.size(), false) {
  for (const MethodSpec& method : scenario.methods) is_upi.push_back(method.name == "upi");
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    fault_ways.push_back(resolve(scenario.faults[i].scope, scenario));
    if (scenario.faults[i].kind != FaultKind::traffic_mix) continue;
    holdings[i] = population.holdings(scenario.faults[i].scope, scenario);
  }
}

void World::Impl::advance(int64_t until_ms, const Sink& sink) {
  constexpr int64_t kNever = INT64_MAX;
  for (;;) {
    const int64_t tick = start_ms + second * kSecondMs;
    const int64_t event = events.empty() ? kNever : events.front().ms;
    const int64_t arrival = next_arrival < arrivals.size() ? arrivals[next_arrival].ms : kNever;
    const int64_t next = std::min({tick, event, arrival});
    if (next >= until_ms) break;
    if (tick == next) {
      begin_second();
    } else if (event != next) {
      begin(arrivals[next_arrival++]);
    } else {
      std::pop_heap(events.begin(), events.end(), later);
      const Event due = events.back();
      events.pop_back();
      if (due.kind == EventKind::complete) {
        complete(due.slot, due.ms, sink);
      } else if (due.kind == EventKind::start) {
        start(due.slot, due.ms);
      } else {
        sink(withheld.at(due.slot));
        withheld.erase(due.slot);
      }
    }
  }
  now_ms = std::max(now_ms, until_ms);
}

Status World::Impl::inject(Fault fault) {
  if (scenario.faults.size() >= kFaultsMax) return fail(ErrorCode::limit, "too many faults");
  fault.start_s = static_cast<double>(second);
  if (Status valid = fault.validate(); !valid) return valid;
  Scenario with = scenario;
  with.faults.push_back(fault);
  if (Status valid = with.validate(); !valid) return valid;
  scenario.faults.push_back(fault);
  latent.add_fault(fault);
  fault_ways.push_back(resolve(fault.scope, scenario));
  holdings.emplace_back();
  if (fault.kind == FaultKind::traffic_mix) {
    holdings.back() = population.holdings(fault.scope, scenario);
  }
  fault_on.push_back(false);
  return {};
}

void World::Impl::push(const Event& event) {
  events.push_back(event);
  std::push_heap(events.begin(), events.end(), later);
}

double World::Impl::rhythm(int64_t ts_ms) const {
  const double hour = static_cast<double>(ts_ms) / 3'600'000.0 + scenario.rhythm.utc_offset_h;
  const double phase = 2.0 * std::numbers::pi * (hour - scenario.rhythm.peak_hour) / 24.0;
  return 1.0 + scenario.rhythm.amplitude * std::cos(phase);
}

void World::Impl::begin_second() {
  const int64_t ts_ms = start_ms + second * kSecondMs;
  latent.step(second);
  actions.prune(ts_ms);
  if (second > 0) {
    for (LoadMeter& meter : issuer_load) meter.close_second();
    for (LoadMeter& meter : gateway_load) meter.close_second();
  }
  tell_truth();
  arrivals.clear();
  next_arrival = 0;
  const double mean = scenario.rate_tps * rhythm(ts_ms);
  arrive(mean, kDrawArrivals, 0);
  for (const ArrivalFault& fault : latent.arrival_faults()) {
    if (fault.kind == FaultKind::fraud_burst)
      arrive(mean * fault.share, kDrawFraud, fault.fault + 1);
  }
  std::sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) {
    return a.ms != b.ms ? a.ms < b.ms : a.key < b.key;
  });
  ++second;
}

// Keys hold the second, which fault sends the payment, and its number in the second.
void World::Impl::arrive(double mean, DrawKind kind, std::size_t fraud_fault) {
  RandomStream draw = random.at(kind, static_cast<uint64_t>(second), fraud_fault);
  const uint64_t count = draw.poisson(mean);
  for (uint64_t i = 0; i < count; ++i) {
    const auto ms = static_cast<int64_t>(draw.below(kSecondMs));
    const uint64_t key = static_cast<uint64_t>(second) << 32 | uint64_t{fraud_fault} << 24 | i;
    arrivals.push_back({start_ms + second * kSecondMs + ms, key, fraud_fault});
  }
}

void World::Impl::tell_truth() {
  const int64_t ts_ms = start_ms + second * kSecondMs;
  for (std::size_t i = 0; i < scenario.faults.size(); ++i) {
    const Fault& fault = scenario.faults[i];
    const double t = static_cast<double>(second) - fault.start_s;
    const bool on = t >= 0.0 && t < fault.duration_s;
    if (on == fault_on[i]) continue;
    fault_on[i] = on;
    TruthEvent& event = truth.emplace_back();
    event.ts_ms = ts_ms;
    event.kind = on ? TruthKind::fault_began : TruthKind::fault_ended;
    event.fault_no = static_cast<uint32_t>(i + 1);
    event.fault = std::string(name_of(fault.kind));
    event.scope = fault.scope;
    event.region = fault.region;
    event.merchant = fault.merchant;
    event.upstream = fault.upstream;
    event.stage = fault.stage;
    event.severity = fault.severity;
  }
  const auto every = static_cast<int64_t>(scenario.truth_every_s);
  if (every > 0 && second % every == 0) {
    TruthEvent& event = truth.emplace_back();
    event.ts_ms = ts_ms;
    for (std::size_t i = 0; i < latent.size(); ++i) {
      const PathHealth& health = latent[i];
      event.paths.push_back(
          {latent.scope(i), health.success_now(), health.latency_ms, health.retry});
    }
  }
  while (truth.size() > kMaxTruthEvents) truth.pop_front();
}

World::World(const Scenario& scenario, uint64_t seed, int64_t start_ms,
             std::optional<double> rate_tps) {
  Scenario chosen = scenario;
  chosen.rate_tps = rate_tps.value_or(scenario.rate_tps);
  impl_ = std::make_unique<Impl>(chosen, seed, start_ms);
}

World::~World() = default;
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;

void World::advance(int64_t until_ms, const Sink& sink) { impl_->advance(until_ms, sink); }
void World::apply(const Action& action) { impl_->actions.apply(action, impl_->now_ms); }
void World::end(const std::string& key) { impl_->actions.end(key, impl_->now_ms); }
Status World::inject(Fault fault) { return impl_->inject(std::move(fault)); }
void World::set_rate_tps(double rate_tps) { impl_->scenario.rate_tps = rate_tps; }
int64_t World::now_ms() const { return impl_->now_ms; }
std::string World::latent_bytes() const { return impl_->latent.bytes(); }
const Scenario& World::scenario() const { return impl_->scenario; }

double World::overload(const Scope& path) const {
  const Ways ways = resolve(path, impl_->scenario);
  if (ways.unknown || !ways.issuer || !ways.gateway) return 0.0;
  const double sensitivity = impl_->scenario.load.sensitivity;
  const double issuer = impl_->issuer_load[*ways.issuer].overload(sensitivity);
  const double gateway = impl_->gateway_load[*ways.gateway].overload(sensitivity);
  return 1.0 - (1.0 - issuer) * (1.0 - gateway);
}

Books World::books() const {
  Books books = impl_->books;
  books.in_flight = impl_->payments.size() - impl_->free_slots.size();
  return books;
}

std::vector<TruthEvent> World::take_truth() {
  std::vector<TruthEvent> taken(std::make_move_iterator(impl_->truth.begin()),
                                std::make_move_iterator(impl_->truth.end()));
  impl_->truth.clear();
  return taken;
}

Books books_without_actions(const Scenario& scenario, uint64_t seed, int64_t start_ms,
                            int64_t until_ms, std::optional<double> rate_tps) {
  World world(scenario, seed, start_ms, rate_tps);
  world.advance(until_ms, [](const SimulatedAttempt&) {});
  return world.books();
}

}  // namespace payops::simulators
