#include "slice_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "csv_reader.h"
#include "payops/core/moment.h"
#include "payops/core/text.h"

namespace payops::app {
namespace {

constexpr double kSecondsBelow = 1e11;  // the year 5138 in seconds, 1973 in ms
constexpr std::size_t kPeriodsMax = 10'000;
constexpr std::size_t kDimensionsMax = 24;

enum class TimeForm { iso, seconds, ms };

struct Moment {
  TimeForm form = TimeForm::iso;
  int64_t ts_ms = 0;
};

std::optional<Moment> read_moment(const std::string& text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!std::isfinite(number) || std::abs(number) > 1e15) return std::nullopt;
    const bool seconds = std::abs(number) < kSecondsBelow;
    return Moment{seconds ? TimeForm::seconds : TimeForm::ms,
                  std::llround(seconds ? number * 1000.0 : number)};
  }
  const auto ts_ms = parse_iso8601(text);
  if (!ts_ms) return std::nullopt;
  return Moment{TimeForm::iso, *ts_ms};
}

std::string form_name(TimeForm form) {
  return form == TimeForm::iso       ? "a date and time"
         : form == TimeForm::seconds ? "seconds since 1970"
                                     : "ms since 1970";
}

// "60", "60s", "5m", "1h", "1d", "500ms" as ms.
std::optional<int64_t> read_step(const std::string& text) {
  static const std::map<std::string, double> units{{"", 1000.0},     {"ms", 1.0},  {"s", 1000.0},
                                                   {"m", 60'000.0},  {"h", 3.6e6}, {"d", 8.64e7},
                                                   {"min", 60'000.0}};
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = units.find(std::string(end, text.data() + text.size()));
  if (error != std::errc() || unit == units.end() || !std::isfinite(number)) return std::nullopt;
  const double ms = number * unit->second;
  if (ms < 1.0 || ms > 1e12) return std::nullopt;
  return std::llround(ms);
}

class Reading {
 public:
  explicit Reading(const SliceTableSpec& spec) : spec_(spec) {}
  Result<SliceTable> read();

 private:
  struct Leaf {
    double attempts = 0.0;
    double failures = 0.0;
    std::vector<double> past_attempts;
    std::vector<double> past_failures;
  };

  [[nodiscard]] Status open();
  [[nodiscard]] Status open_time();
  [[nodiscard]] Status take_row();
  // Which period a row is of: 0 now, 1 the one before it …; none when outside.
  [[nodiscard]] Result<std::optional<std::size_t>> period_of_row() const;
  [[nodiscard]] Leaf& leaf_of_row();
  [[nodiscard]] Status check_periods() const;
  [[nodiscard]] Result<SliceTable> finish();
  [[nodiscard]] bool has_time() const { return !spec_.time.empty(); }

  const SliceTableSpec& spec_;
  std::optional<CsvReader> csv_;
  std::size_t attempts_ = 0;  // columns
  std::size_t failures_ = 0;
  std::size_t time_ = 0;
  std::vector<std::size_t> dimensions_;
  Moment at_;
  int64_t step_ms_ = 0;
  std::optional<int64_t> first_ms_;
  std::optional<int64_t> last_ms_;
  std::vector<std::unordered_map<std::string, uint32_t>> codes_;
  std::vector<std::vector<std::string>> values_;
  std::unordered_map<std::string, std::size_t> place_;
  std::vector<Leaf> leaves_;
  std::vector<uint32_t> leaf_values_;
  std::set<std::size_t> periods_seen_;
  std::size_t rows_ = 0;
};

Status Reading::open_time() {
  const auto column = csv_->column(spec_.time);
  if (!column) return tl::make_unexpected(column.error());
  time_ = *column;
  if (spec_.at.empty() || spec_.step.empty() || spec_.baseline == 0) {
    return fail(ErrorCode::usage,
                "--time needs --at, --step and --baseline: which period is looked at, its length, "
                "and how many before it are its baseline");
  }
  if (spec_.baseline > kPeriodsMax) {
    return fail(ErrorCode::usage,
                "--baseline: at most " + std::to_string(kPeriodsMax) + " periods");
  }
  const auto at = read_moment(spec_.at);
  if (!at) {
    return fail(ErrorCode::usage, "--at \"" + spec_.at +
                                      "\" is no time: \"2026-03-01 12:00:00\" (UTC), or seconds or "
                                      "ms since 1970");
  }
  at_ = *at;
  const auto step = read_step(spec_.step);
  if (!step) {
    return fail(ErrorCode::usage,
                "--step \"" + spec_.step + "\" is no length of time: 60, 60s, 5m, 1h, 1d or 500ms");
  }
  step_ms_ = *step;
  return {};
}

Status Reading::open() {
  auto csv = CsvReader::open(spec_.file);
  if (!csv) return tl::make_unexpected(csv.error());
  csv_.emplace(std::move(*csv));
  std::set<std::string> used;
  const auto find = [&](const std::string& name, std::size_t& column) -> Status {
    const auto found = csv_->column(name);
    if (!found) return tl::make_unexpected(found.error());
    if (!used.insert(name).second) {
      return fail(ErrorCode::usage, spec_.file + ":1: column \"" + name + "\" is named twice");
    }
    column = *found;
    return {};
  };
  if (Status s = find(spec_.attempts, attempts_); !s) return s;
  if (Status s = find(spec_.failures, failures_); !s) return s;
  if (spec_.dimensions.empty() || spec_.dimensions.size() > kDimensionsMax) {
    return fail(ErrorCode::usage,
                "--dimensions: one to " + std::to_string(kDimensionsMax) + " columns");
  }
  for (const std::string& name : spec_.dimensions) {
    if (Status s = find(name, dimensions_.emplace_back()); !s) return s;
  }
  codes_.resize(dimensions_.size());
  values_.resize(dimensions_.size());
  if (has_time()) {
    if (used.contains(spec_.time)) {
      return fail(ErrorCode::usage,
                  spec_.file + ":1: column \"" + spec_.time + "\" is named twice");
    }
    return open_time();
  }
  if (!spec_.at.empty() || !spec_.step.empty() || spec_.baseline != 0) {
    return fail(ErrorCode::usage,
                "--at, --step and --baseline need --time: the column they are of");
  }
  return {};
}

Result<std::optional<std::size_t>> Reading::period_of_row() const {
  if (!has_time()) return std::optional<std::size_t>(0);
  const auto moment = read_moment(csv_->text(time_));
  if (!moment) {
    return tl::make_unexpected(csv_->wrong(
        time_, "\"" + csv_->text(time_) +
                   "\" is no time: \"2026-03-01 12:00:00\" (UTC), or seconds or ms since 1970"));
  }
  if (moment->form != at_.form) {
    return tl::make_unexpected(csv_->wrong(time_, "\"" + csv_->text(time_) + "\" reads as " +
                                                      form_name(moment->form) + ", but --at \"" +
                                                      spec_.at + "\" as " + form_name(at_.form)));
  }
  const int64_t after = moment->ts_ms - at_.ts_ms;
  if (after >= step_ms_) return std::optional<std::size_t>();
  if (after >= 0) return std::optional<std::size_t>(0);
  const auto back = static_cast<std::size_t>((-after - 1) / step_ms_ + 1);
  if (back > spec_.baseline) return std::optional<std::size_t>();
  return std::optional<std::size_t>(back);
}

Reading::Leaf& Reading::leaf_of_row() {
  std::string key;
  std::vector<uint32_t> codes;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const std::string& text = csv_->text(dimensions_[d]);
    const auto [it, added] = codes_[d].try_emplace(text, static_cast<uint32_t>(values_[d].size()));
    if (added) values_[d].push_back(text);
    codes.push_back(it->second);
    key.append(reinterpret_cast<const char*>(&it->second), sizeof(uint32_t));
  }
  const auto [it, added] = place_.try_emplace(key, leaves_.size());
  if (added) {
    Leaf& leaf = leaves_.emplace_back();
    leaf.past_attempts.resize(spec_.baseline);
    leaf.past_failures.resize(spec_.baseline);
    leaf_values_.insert(leaf_values_.end(), codes.begin(), codes.end());
  }
  return leaves_[it->second];
}

Status Reading::take_row() {
  const auto period = period_of_row();
  if (!period) return tl::make_unexpected(period.error());
  const auto attempts = csv_->number(attempts_);
  if (!attempts) return tl::make_unexpected(attempts.error());
  const auto failures = csv_->number(failures_);
  if (!failures) return tl::make_unexpected(failures.error());
  if (*attempts < 0.0) {
    return tl::make_unexpected(csv_->wrong(attempts_, csv_->text(attempts_) + " is less than 0"));
  }
  if (*failures < 0.0) {
    return tl::make_unexpected(csv_->wrong(failures_, csv_->text(failures_) + " is less than 0"));
  }
  if (*failures > *attempts * (1.0 + 1e-9)) {
    return tl::make_unexpected(csv_->wrong(failures_, csv_->text(failures_) +
                                                          " failures are more than the " +
                                                          csv_->text(attempts_) + " attempts"));
  }
  if (has_time()) {
    const int64_t ts_ms = read_moment(csv_->text(time_))->ts_ms;
    first_ms_ = std::min(first_ms_.value_or(ts_ms), ts_ms);
    last_ms_ = std::max(last_ms_.value_or(ts_ms), ts_ms);
  }
  if (!*period) return {};
  ++rows_;
  periods_seen_.insert(**period);
  Leaf& leaf = leaf_of_row();
  if (**period == 0) {
    leaf.attempts += *attempts;
    leaf.failures += std::min(*failures, *attempts);
  } else {
    leaf.past_attempts[**period - 1] += *attempts;
    leaf.past_failures[**period - 1] += std::min(*failures, *attempts);
  }
  return {};
}

Status Reading::check_periods() const {
  const std::string column = spec_.file + ":1: column \"" + spec_.time + "\": ";
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::usage, column + what + "; it goes from " + iso_time(*first_ms_) +
                                      " to " + iso_time(*last_ms_));
  };
  if (!periods_seen_.contains(0)) {
    return wrong("no row in the " + spec_.step + " from --at " + spec_.at + " on");
  }
  const std::size_t past = periods_seen_.size() - 1;
  if (past < spec_.baseline) {
    std::size_t missing = 1;
    while (periods_seen_.contains(missing)) ++missing;
    return wrong("rows for only " + std::to_string(past) + " of the " +
                 std::to_string(spec_.baseline) + " periods of " + spec_.step +
                 " before --at; the first one missing begins at " +
                 iso_time(at_.ts_ms - static_cast<int64_t>(missing) * step_ms_));
  }
  return {};
}

Result<SliceTable> Reading::finish() {
  SliceTable table;
  std::vector<std::size_t> kept;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    if (values_[d].size() < 2) {
      table.constant.push_back(spec_.dimensions[d]);
      continue;
    }
    kept.push_back(d);
    table.dimensions.push_back(spec_.dimensions[d]);
    table.values.push_back(values_[d]);
    std::sort(table.values.back().begin(), table.values.back().end());
  }
  // Values are numbered by name, so that the order of rows does not show in the findings.
  const auto number_of = [&](std::size_t column, uint32_t code) {
    const std::vector<std::string>& names = table.values[column];
    const auto at = std::lower_bound(names.begin(), names.end(), values_[kept[column]][code]);
    return static_cast<uint32_t>(at - names.begin());
  };
  reasoning::SliceCounts& counts = table.counts;
  counts.dimensions = kept.size();
  counts.periods = spec_.baseline;
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    const Leaf& leaf = leaves_[i];
    if (leaf.attempts <= 0.0) continue;
    for (std::size_t c = 0; c < kept.size(); ++c) {
      counts.values.push_back(number_of(c, leaf_values_[i * dimensions_.size() + kept[c]]));
    }
    counts.attempts.push_back(leaf.attempts);
    counts.failures.push_back(leaf.failures);
    counts.past_attempts.insert(counts.past_attempts.end(), leaf.past_attempts.begin(),
                                leaf.past_attempts.end());
    counts.past_failures.insert(counts.past_failures.end(), leaf.past_failures.begin(),
                                leaf.past_failures.end());
  }
  table.rows = rows_;
  if (counts.leaves() == 0) {
    return fail(ErrorCode::usage, spec_.file + ":1: column \"" + spec_.attempts +
                                      "\": no attempts" + (has_time() ? " at " + spec_.at : ""));
  }
  if (counts.leaves() == 1) {
    return fail(ErrorCode::usage, spec_.file + ":1: columns \"" + join(spec_.dimensions, "\", \"") +
                                      "\": one combination has attempts" +
                                      (has_time() ? " at " + spec_.at : "") +
                                      ": there is nothing to compare it with");
  }
  return table;
}

Result<SliceTable> Reading::read() {
  if (Status s = open(); !s) return tl::make_unexpected(s.error());
  std::size_t rows = 0;
  while (true) {
    const auto more = csv_->next();
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) break;
    ++rows;
    if (Status s = take_row(); !s) return tl::make_unexpected(s.error());
  }
  if (rows == 0) {
    return fail(ErrorCode::usage,
                spec_.file + ":1: column \"" + spec_.attempts + "\": no rows below the header");
  }
  if (rows == 1) {
    return fail(ErrorCode::usage, spec_.file + ":2: column \"" + spec_.attempts +
                                      "\": the only row; there is nothing to compare it with");
  }
  if (has_time()) {
    if (Status s = check_periods(); !s) return tl::make_unexpected(s.error());
  }
  return finish();
}

}  // namespace

Result<SliceTable> read_slice_table(const SliceTableSpec& spec) { return Reading(spec).read(); }

}  // namespace payops::app
