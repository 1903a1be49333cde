#include "value_series.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>

#include "payops/core/random.h"

namespace payops::reasoning::test {
namespace {

constexpr double kDay = 86'400.0;
constexpr int64_t kStartMs = 1'769'990'400'000;  // midnight, a Monday

// What an injected anomaly does. `warp` changes the clock the base series is computed by.
enum class Kind { spike, dip, burst, level, episode, noisy, flat, rhythm, ramp };
constexpr const char* kNames[] = {"spike", "dip",  "burst",  "level", "episode",
                                  "noisy", "flat", "rhythm", "ramp"};

struct Injection {
  Kind kind;
  std::size_t from;
  std::size_t to;  // one past the end; the series' end for a level that stays
  double size;     // in units of the series' spread, signed
};

double hour_of(double t_s) { return std::fmod(t_s, kDay) / 3600.0; }
std::size_t day_of(double t_s) { return static_cast<std::size_t>(t_s / kDay); }
bool weekend(double t_s) { return day_of(t_s) % 7 >= 5; }
double bump(double hour, double centre, double width) {
  double d = std::abs(hour - centre);
  d = std::min(d, 24.0 - d);
  return std::exp(-0.5 * d * d / (width * width));
}

// A base: value at row i, whose (possibly warped) time is t_s. Called in order of rows.
using Base = std::function<double(std::size_t i, double t_s, RandomStream& random)>;
struct Shape {
  std::string name;
  std::size_t rows;
  double step_s;
  Base base;
  double floor = -1e300;  // no value below: counts and shares have one
  bool whole = false;
  double quantum = 0.0;
  double jitter = 0.0;   // of the sampling step, as a share
  double missing = 0.0;  // chance that a gap begins at a row
  bool clocked = false;  // the base follows the time it is given, so that a changed clock shows
};

struct Ar {
  double value = 0.0;
  double next(double phi, double sd, RandomStream& r) {
    return value = phi * value + sd * std::sqrt(1.0 - phi * phi) * r.normal();
  }
};

Shape traffic(RandomStream& r) {
  const double peak = 10.0 + 10.0 * r.uniform(), width = 3.0 + 2.0 * r.uniform();
  const double rest = 0.4 + 0.5 * r.uniform(), noise = 0.03 + 0.07 * r.uniform();
  const double scale = std::pow(10.0, 1.0 + 4.0 * r.uniform());
  const bool half_hours = r.chance(0.5);
  auto ar = std::make_shared<Ar>();
  return {.name = "traffic",
          .rows = half_hours ? 6000 + r.below(4000) : 4032,
          .step_s = half_hours ? 1800.0 : 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double h = hour_of(t);
                const double load = 0.25 + bump(h, peak, width) + 0.5 * bump(h, peak - 8.0, 2.0);
                return scale * load * (weekend(t) ? rest : 1.0) *
                       (1.0 + ar->next(0.8, noise, q) + 0.3 * noise * q.normal());
              },
          .floor = 0.0,
          .clocked = true};
}

Shape cpu_bursts(RandomStream& r) {
  const double low = 2.0 + 20.0 * r.uniform(), noise = 0.02 + 0.1 * r.uniform();
  const double often = 1.0 / (20.0 + 200.0 * r.uniform()), height = 0.3 + 1.5 * r.uniform();
  auto left = std::make_shared<double>(0.0);
  auto level = std::make_shared<double>(0.0);
  return {.name = "cpu_bursts",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double, RandomStream& q) {
                if (*left <= 0.0 && q.chance(often)) {
                  *left = 1.0 + q.exponential() * 3.0;
                  *level = low * height * std::exp(0.5 * q.normal());
                }
                *left -= 1.0;
                return low * (1.0 + noise * q.normal()) + (*left > 0.0 ? *level : 0.0);
              },
          .floor = 0.0,
          .quantum = r.chance(0.5) ? 0.002 : 0.0};
}

Shape mentions(RandomStream& r) {
  const double mean = std::exp(std::log(2.0) + 3.5 * r.uniform());
  const double shape = 1.0 + 4.0 * r.uniform(), viral = 1.0 / (150.0 + 500.0 * r.uniform());
  auto excess = std::make_shared<double>(0.0);
  return {.name = "mentions",
          .rows = 15800,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                *excess *= 0.8;
                if (q.chance(viral)) *excess += std::min(12.0, std::pow(1.0 - q.uniform(), -0.6));
                const double day = 0.5 + bump(hour_of(t), 17.0, 4.5);
                const double rate = mean * (day * q.gamma(shape) / shape + *excess);
                return static_cast<double>(q.poisson(rate));
              },
          .floor = 0.0,
          .whole = true,
          .missing = 0.0005,
          .clocked = true};
}

Shape drifting(RandomStream& r) {
  const double walk = 0.02 + 0.1 * r.uniform(), noise = 0.2 + 0.5 * r.uniform();
  const double back = r.chance(0.5) ? 0.0 : 0.003;
  auto x = std::make_shared<double>(0.0);
  return {.name = "drifting",
          .rows = 3000 + r.below(3000),
          .step_s = 300.0,
          .base = [=](std::size_t, double, RandomStream& q) {
            *x += walk * q.normal() - back * *x;
            return 100.0 + 5.0 * (*x + noise * q.normal());
          }};
}

Shape sensor(RandomStream& r) {
  const double daily = 2.0 * r.uniform(), noise = 0.02 + 0.2 * r.uniform();
  auto slow = std::make_shared<Ar>();
  auto mid = std::make_shared<Ar>();
  const double reach = 1.0 + 3.0 * r.uniform();
  return {.name = "sensor",
          .rows = 7000 + r.below(9000),
          .step_s = 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                return 85.0 + daily * bump(hour_of(t), 15.0, 4.0) + slow->next(0.9995, reach, q) +
                       mid->next(0.98, 0.4 * reach, q) + noise * q.normal();
              },
          .quantum = 0.01};
}

Shape jobs(RandomStream& r) {
  const double periods[] = {12.0, 36.0, 48.0, 100.0, 144.0, 288.0};
  const double period = periods[r.below(6)], busy = 0.05 + 0.3 * r.uniform();
  const double low = 5.0 + 20.0 * r.uniform(), height = 10.0 + 50.0 * r.uniform();
  const double noise = 0.2 + 2.0 * r.uniform();
  return {.name = "jobs",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double phase = std::fmod(t / 300.0, period) / period;
                const bool on = phase < busy;
                return low + (on ? height * (1.0 + 0.05 * q.normal()) : 0.0) + noise * q.normal();
              },
          .floor = 0.0,
          .clocked = true};
}

Shape near_constant(RandomStream& r) {
  const double level = std::pow(10.0, 3.0 * r.uniform()), noise = 0.005 + 0.04 * r.uniform();
  const double odd = 1.0 / (80.0 + 600.0 * r.uniform());
  return {.name = "near_constant",
          .rows = 4032 + r.below(2) * 700,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double, RandomStream& q) {
                const double spike = q.chance(odd) ? 8.0 * noise * q.exponential() : 0.0;
                return level * (1.0 + noise * q.normal() + spike);
              },
          .floor = 0.0,
          .quantum = r.chance(0.5) ? level / 500.0 : 0.0,
          .missing = r.chance(0.3) ? 0.002 : 0.0};
}

Shape road(RandomStream& r) {
  const double noise = 2.0 + 5.0 * r.uniform(), jam = 15.0 + 20.0 * r.uniform();
  auto ar = std::make_shared<Ar>();
  return {.name = "road",
          .rows = 1500 + r.below(1500),
          .step_s = 600.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double h = hour_of(t);
                const double rush = weekend(t) ? 0.1 : bump(h, 8.0, 1.0) + bump(h, 17.5, 1.3);
                return 70.0 - jam * rush + ar->next(0.6, noise, q) - (q.chance(0.01) ? 15.0 : 0.0);
              },
          .floor = 0.0,
          .whole = true,
          .jitter = 0.8,
          .missing = 0.004,
          .clocked = true};
}

// The held-out half.

Shape ad_cost(RandomStream& r) {
  const double noise = 0.15 + 0.25 * r.uniform(), daily = 0.5 * r.uniform();
  const double scale = 0.05 + 2.0 * r.uniform();
  auto ar = std::make_shared<Ar>();
  return {.name = "ad_cost",
          .rows = 1550 + r.below(150),
          .step_s = 3600.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                return scale * std::exp(daily * std::cos((hour_of(t) - 14.0) / 3.82) +
                                        ar->next(0.5, noise, q) + 0.5 * noise * q.normal());
              },
          .floor = 0.0,
          .missing = 0.002,
          .clocked = true};
}

Shape latency(RandomStream& r) {
  const double daily = 0.6 * r.uniform(), tail = 0.01 + 0.03 * r.uniform();
  return {.name = "latency",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double load = 1.0 + daily * bump(hour_of(t), 14.0, 4.0);
                return 45.0 * load * (0.7 + 0.3 * q.gamma(6.0) / 6.0) +
                       (q.chance(tail) ? 20.0 * q.exponential() : 0.0);
              },
          .floor = 0.0,
          .clocked = true};
}

Shape regimes(RandomStream& r) {
  const double a = 5.0 + 10.0 * r.uniform(), b = 40.0 + 40.0 * r.uniform();
  const double leave_a = 1.0 / (60.0 + 200.0 * r.uniform());
  const double leave_b = 1.0 / (10.0 + 80.0 * r.uniform());
  auto high = std::make_shared<bool>(false);
  return {.name = "regimes",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double, RandomStream& q) {
                if (q.chance(*high ? leave_b : leave_a)) *high = !*high;
                return *high ? b * (1.0 + 0.05 * q.normal()) : a * (1.0 + 0.08 * q.normal());
              },
          .floor = 0.0};
}

Shape sawtooth(RandomStream& r) {
  const double climb = 0.05 + 0.3 * r.uniform(), noise = 0.1 + 0.4 * r.uniform();
  const double top = 70.0 + 20.0 * r.uniform(), spread = 3.0 * r.uniform();
  auto x = std::make_shared<double>(20.0);
  auto limit = std::make_shared<double>(top);
  return {.name = "sawtooth",
          .rows = 4032 + r.below(4000),
          .step_s = 300.0,
          .base =
              [=](std::size_t, double, RandomStream& q) {
                *x += climb * (0.5 + q.uniform());
                if (*x > *limit) {
                  *x = 18.0 + 4.0 * q.uniform();
                  *limit = top + spread * q.normal();
                }
                return *x + noise * q.normal();
              },
          .floor = 0.0};
}

Shape requests(RandomStream& r) {
  const double mean = 0.3 + 8.0 * r.uniform(), job = 20.0 + 60.0 * r.uniform();
  const bool hourly = r.chance(0.6);
  return {.name = "requests",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t i, double t, RandomStream& q) {
                const double day = 0.4 + 1.2 * bump(hour_of(t), 13.0, 4.0);
                const double extra = hourly && i % 12 == 0 ? job * (0.6 + 0.4 * q.uniform()) : 0.0;
                return static_cast<double>(q.poisson(mean * day * q.gamma(3.0) / 3.0 + extra));
              },
          .floor = 0.0,
          .whole = true,
          .clocked = true};
}

Shape room(RandomStream& r) {
  const double daily = 1.0 + 3.0 * r.uniform(), weather = 1.0 + 2.0 * r.uniform();
  auto front = std::make_shared<Ar>();
  auto fast = std::make_shared<Ar>();
  return {.name = "room",
          .rows = 6000 + r.below(1500),
          .step_s = 3600.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double season = 4.0 * std::sin(2.0 * std::numbers::pi * t / (365.0 * kDay));
                return 70.0 + season + daily * bump(hour_of(t), 15.0, 3.5) +
                       front->next(0.99, weather, q) + fast->next(0.7, 0.6, q);
              },
          .missing = 0.003,
          .clocked = true};
}

Shape autoscaled(RandomStream& r) {
  const double on = 7.0 + 3.0 * r.uniform(), off = 17.0 + 3.0 * r.uniform();
  const double low = 20.0, high = 60.0 + 30.0 * r.uniform(), noise = 0.5 + 8.0 * r.uniform();
  const double rest = r.chance(0.5) ? 1.0 : 0.0;
  return {.name = "autoscaled",
          .rows = 4032,
          .step_s = 300.0,
          .base =
              [=](std::size_t, double t, RandomStream& q) {
                const double h = hour_of(t);
                const bool busy = h >= on && h < off && (rest == 0.0 || !weekend(t));
                return (busy ? high : low) + noise * (q.uniform() - 0.5);
              },
          .floor = 0.0,
          .clocked = true};
}

Shape network(RandomStream& r) {
  const double every = 24.0 + 60.0 * r.uniform(), scale = std::pow(10.0, 4.0 + 3.0 * r.uniform());
  auto due = std::make_shared<double>(every);
  return {.name = "network",
          .rows = 4032 + r.below(700),
          .step_s = 300.0,
          .base =
              [=](std::size_t, double, RandomStream& q) {
                *due -= 1.0;
                double value = scale * std::exp(0.25 * q.normal());
                if (*due <= 0.0) {
                  *due = every * (0.9 + 0.2 * q.uniform());
                  value += scale * 6.0 * std::exp(0.4 * q.normal());
                }
                return value;
              },
          .floor = 0.0};
}

Shape shape_of(bool held_out, std::size_t family, RandomStream& r) {
  using Maker = Shape (*)(RandomStream&);
  constexpr Maker kTuning[kFamilies] = {traffic, cpu_bursts, mentions,      drifting,
                                        sensor,  jobs,       near_constant, road};
  constexpr Maker kHeldOut[kFamilies] = {ad_cost,  latency, regimes,    sawtooth,
                                         requests, room,    autoscaled, network};
  return (held_out ? kHeldOut : kTuning)[family](r);
}

// Where and what: a few anomalies well apart, after the rows that are not judged.
std::vector<Injection> injections(std::size_t rows, bool clocked, RandomStream& r) {
  const double weights[] = {0.12, 0.88};
  const std::size_t count = r.chance(weights[0]) ? 0 : 1 + r.below(3);
  std::vector<Injection> found;
  const double first = 0.2 * static_cast<double>(rows), span = 0.75 * static_cast<double>(rows);
  for (std::size_t k = 0; k < count; ++k) {
    const double share =
        (static_cast<double>(k) + 0.1 + 0.7 * r.uniform()) / static_cast<double>(count);
    Injection one{.kind = static_cast<Kind>(r.below(9)),
                  .from = static_cast<std::size_t>(first + span * share),
                  .to = 0,
                  .size = (2.0 + 5.0 * r.uniform()) * (r.chance(0.65) ? 1.0 : -1.0)};
    if (one.kind == Kind::rhythm && !clocked) one.kind = Kind::noisy;
    std::size_t length = 1;
    switch (one.kind) {
      case Kind::spike:
      case Kind::dip:
        length = 1 + r.below(3);
        break;
      case Kind::burst:
        length = 6 + r.below(25);
        break;
      case Kind::level:
        length = rows;
        break;
      case Kind::episode:
        length = 40 + r.below(120);
        break;
      case Kind::noisy:
      case Kind::flat:
      case Kind::rhythm:
        length = 50 + r.below(200);
        break;
      case Kind::ramp:
        length = 60 + r.below(200);
        break;
    }
    if (one.kind == Kind::spike) one.size = std::abs(one.size);
    if (one.kind == Kind::dip) one.size = -std::abs(one.size);
    one.to = std::min(rows, one.from + length);
    found.push_back(one);
  }
  return found;
}

double spread_of(std::vector<double> values) {
  const auto at = [&](double q) {
    const auto k = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + k, values.end());
    return values[static_cast<std::size_t>(k)];
  };
  const double high = at(0.95), low = at(0.05);
  return std::max(1e-9, (high - low) / 3.29);
}

void inject(std::vector<double>& values, const Injection& one, double spread, RandomStream& r) {
  const double held = values[one.from];
  const auto length = static_cast<double>(one.to - one.from);
  for (std::size_t i = one.from; i < one.to; ++i) {
    const double along = static_cast<double>(i - one.from) / length;
    switch (one.kind) {
      case Kind::spike:
      case Kind::dip:
      case Kind::burst:
        values[i] += 1.6 * one.size * spread * (0.9 + 0.2 * r.uniform());
        break;
      case Kind::level:
        values[i] += 0.7 * one.size * spread;
        break;
      case Kind::episode:
        values[i] += one.size * spread;
        break;
      case Kind::noisy:
        values[i] += 0.5 * std::abs(one.size) * spread * r.normal();
        break;
      case Kind::flat:
        values[i] = held;
        break;
      case Kind::rhythm:
        break;  // done by the clock
      case Kind::ramp:
        values[i] += 1.5 * one.size * spread * along;
        break;
    }
  }
}

// Windows as wide as the Numenta benchmark's: together a tenth of the rows, centred on the onset.
void label(LabelledSeries& series, const std::vector<Injection>& found) {
  const std::size_t rows = series.rows.size();
  for (const Injection& one : found) {
    const std::size_t half = std::max<std::size_t>(10, rows / 20 / found.size());
    const std::size_t onset = one.from;
    series.windows.push_back({.first = std::max(probation(rows), onset - std::min(onset, half)),
                              .last = std::min(rows - 1, onset + half),
                              .onset = onset,
                              .kind = kNames[static_cast<std::size_t>(one.kind)]});
  }
}

}  // namespace

std::size_t probation(std::size_t rows) { return std::min<std::size_t>(rows * 15 / 100, 750); }

LabelledSeries labelled_series(bool held_out, std::size_t family, uint64_t seed, bool anomalous) {
  const Random random(seed);
  RandomStream shaping = random.at(1, held_out, family);
  RandomStream noise = random.at(2, held_out, family);
  RandomStream placing = random.at(3, held_out, family);
  RandomStream oddities = random.at(4, held_out, family);
  const Shape shape = shape_of(held_out, family, shaping);
  const std::vector<Injection> found =
      anomalous ? injections(shape.rows, shape.clocked, placing) : std::vector<Injection>{};

  LabelledSeries series{.family = shape.name, .rows = {}, .windows = {}};
  std::vector<double> values;
  double t = 0.0, warp = 0.0;
  for (std::size_t i = 0; i < shape.rows; ++i) {
    for (const Injection& one : found) {
      if (one.kind != Kind::rhythm || i < one.from || i >= one.to) continue;
      // Time stands still or runs at nearly twice its speed, and the phase stays shifted.
      warp += (one.size > 0.0 ? 0.9 : -0.8) * shape.step_s;
    }
    values.push_back(shape.base(i, std::max(0.0, t + warp), noise));
    const double shift = shape.jitter * shape.step_s * (oddities.uniform() - 0.5);
    series.rows.push_back({kStartMs + static_cast<int64_t>((t + shift + shape.step_s) * 1e3), 0.0});
    t += shape.step_s;
    if (shape.missing > 0.0 && oddities.chance(shape.missing)) {
      t += shape.step_s * (1.0 + std::floor(oddities.exponential() * 8.0));
    }
  }
  // What nobody would label: a few oddities no larger than what the series does anyway.
  const double spread = spread_of(values);
  for (std::size_t n = 0; n < 6; ++n) {
    const std::size_t at = oddities.below(values.size());
    const double size = spread * (oddities.uniform() * 2.5 - 1.0);
    for (std::size_t i = at; i < std::min(values.size(), at + 1 + n); ++i) values[i] += size;
  }
  for (const Injection& one : found) inject(values, one, spread, placing);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double v = std::max(values[i], shape.floor);
    if (shape.whole) v = std::round(v);
    if (shape.quantum > 0.0) v = std::round(v / shape.quantum) * shape.quantum;
    series.rows[i].value = v;
  }
  label(series, found);
  return series;
}

}  // namespace payops::reasoning::test
