#include "series_history.h"

#include <algorithm>
#include <cmath>

#include "payops/core/json_fields.h"
#include "payops/core/text.h"

namespace payops::api {
namespace {

constexpr int64_t kFineS = 5;
constexpr int64_t kCoarseS = 60;
constexpr std::size_t kFineKept = 720;     // an hour
constexpr std::size_t kCoarseKept = 1440;  // a day

SeriesPoint point_of(const Cell& cell, int64_t ts_ms, float usual) {
  return {.ts_ms = ts_ms,
          .attempts = cell.attempts,
          .first_attempts = cell.first_attempts,
          .first_approvals = cell.first_approvals,
          .declines = cell.first_failures,
          .p50_ms = static_cast<float>(cell.latency.quantile_ms(0.5)),
          .p95_ms = static_cast<float>(cell.latency.quantile_ms(0.95)),
          .p99_ms = static_cast<float>(cell.latency.quantile_ms(0.99)),
          .usual = usual};
}

double share(uint32_t part, uint32_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}
double rounded(double value) { return std::round(value * 1e4) / 1e4; }
double success_of(const SeriesPoint& p) { return share(p.first_approvals, p.first_attempts); }
double retries_of(const SeriesPoint& p) { return share(p.attempts - p.first_attempts, p.attempts); }
double sd_of(const SeriesPoint& p) {
  const double usual = std::clamp(static_cast<double>(p.usual), 0.0, 1.0);
  return p.first_attempts == 0
             ? 0.0
             : std::sqrt(usual * (1.0 - usual) / static_cast<double>(p.first_attempts));
}

}  // namespace

void SeriesHistory::Tier::add(const Cell& cell, int64_t slot, int64_t slot_ms, std::size_t keep,
                              float usual) {
  if (open_slot >= 0 && slot > open_slot) {
    done.push_back(point_of(open, open_slot * slot_ms, usual));
    const int64_t oldest = slot - static_cast<int64_t>(keep);
    while (!done.empty() && done.front().ts_ms < oldest * slot_ms) done.pop_front();
    open = Cell{};
  }
  open_slot = std::max(open_slot, slot);
  open += cell;
}

void SeriesHistory::add(const SeriesKey& key, int64_t second, const Cell& cell) {
  auto it = series_.find(key.packed());
  if (it == series_.end()) {
    if (series_.size() >= series_max_) return;
    it = series_.try_emplace(key.packed()).first;
  }
  Series& s = it->second;
  s.fine.add(cell, second / kFineS, kFineS * 1000, kFineKept, s.usual);
  s.coarse.add(cell, second / kCoarseS, kCoarseS * 1000, kCoarseKept, s.usual);
}

void SeriesHistory::add(const ClosedBucket& bucket) {
  const int64_t second = std::max<int64_t>(0, bucket.second);
  newest_second_ = std::max(newest_second_, second);
  for (const LeafCell& leaf : bucket.cells) {
    for (const SeriesKey& key : series_of_leaf(leaf.key.path)) add(key, second, leaf.cell);
  }
}

void SeriesHistory::usual(const CellsView& cells) {
  for (const CellView& cell : cells.cells) {
    const auto it = series_.find(cell.reading.key.packed());
    if (it == series_.end()) continue;
    const bool known = !cell.reading.warming_up || cell.reading.success_baseline > 0.0;
    it->second.usual = known ? static_cast<float>(cell.reading.success_baseline) : -1.0F;
  }
}

SeriesValues SeriesHistory::of(const SeriesKey& key, int64_t from_ms, int64_t to_ms) const {
  const auto it = series_.find(key.packed());
  if (it == series_.end()) return {};
  const int64_t fine_from_ms = (newest_second_ - kFineS * static_cast<int64_t>(kFineKept)) * 1000;
  const bool fine = from_ms >= fine_from_ms;
  const Tier& tier = fine ? it->second.fine : it->second.coarse;
  SeriesValues values{.slot_ms = (fine ? kFineS : kCoarseS) * 1000, .points = {}};
  if (tier.done.empty()) return values;
  auto next = std::lower_bound(tier.done.begin(), tier.done.end(), from_ms,
                               [](const SeriesPoint& p, int64_t ms) { return p.ts_ms < ms; });
  const int64_t end_ms = std::min(to_ms, newest_second_ * 1000 / values.slot_ms * values.slot_ms);
  if (next == tier.done.end()) return values;
  for (int64_t ms = next->ts_ms; ms < end_ms; ms += values.slot_ms) {
    if (next != tier.done.end() && next->ts_ms == ms) {
      values.points.push_back(*next++);
    } else {
      values.points.push_back({.ts_ms = ms});
    }
  }
  return values;
}

std::string series_text(const SeriesValues& values) {
  Json points = Json::array();
  for (const SeriesPoint& p : values.points) {
    Json declines = Json::object();
    for (std::size_t c = 0; c < kDeclineClasses; ++c) {
      if (p.declines[c] > 0) {
        declines[std::string(name_of(static_cast<DeclineClass>(c)))] = p.declines[c];
      }
    }
    const bool known = p.usual >= 0.0F;
    points.push_back({{"ts_ms", p.ts_ms},
                      {"attempts", p.attempts},
                      {"success", p.first_attempts > 0 ? Json(rounded(success_of(p))) : Json()},
                      {"baseline", known ? Json(rounded(p.usual)) : Json()},
                      {"sd", known ? Json(rounded(sd_of(p))) : Json()},
                      {"p50_ms", std::lround(p.p50_ms)},
                      {"p95_ms", std::lround(p.p95_ms)},
                      {"p99_ms", std::lround(p.p99_ms)},
                      {"retry_rate", rounded(retries_of(p))},
                      {"declines", std::move(declines)}});
  }
  return dump(Json{{"slot_ms", values.slot_ms}, {"points", std::move(points)}});
}

std::string series_csv(const SeriesValues& values) {
  std::string text = "time,ts_ms,attempts,success,baseline,sd,p50_ms,p95_ms,p99_ms,retry_rate";
  for (std::size_t c = 0; c < kDeclineClasses; ++c) {
    text.append(",").append(name_of(static_cast<DeclineClass>(c)));
  }
  text += "\r\n";
  for (const SeriesPoint& p : values.points) {
    const bool known = p.usual >= 0.0F;
    text += iso_time(p.ts_ms) + "," + std::to_string(p.ts_ms) + "," + std::to_string(p.attempts);
    text += "," + (p.first_attempts > 0 ? fixed(success_of(p), 4) : "");
    text += "," + (known ? fixed(p.usual, 4) : "") + "," + (known ? fixed(sd_of(p), 4) : "");
    for (const float ms : {p.p50_ms, p.p95_ms, p.p99_ms}) text += "," + fixed(ms, 0);
    text += "," + fixed(retries_of(p), 4);
    for (const uint32_t count : p.declines) text += "," + std::to_string(count);
    text += "\r\n";
  }
  return text;
}

}  // namespace payops::api
