#include "detect_rate.h"

#include <cstdio>

#include "cli.h"
#include "csv_reader.h"
#include "narrate.h"
#include "payops/core/json_fields.h"
#include "payops/core/text.h"
#include "terminal.h"

namespace payops::app {

const char* const kRateDetectionHelp =
    "Columns ts_ms (ms since 1970), attempts, failures: a row for each attempt, or for each "
    "bucket\n"
    "of them. Tells where the failure rate rose, by the detector the agent has for every series: "
    "it\n"
    "learns the usual rate from the rows before, follows its drift (up to 20 % over a day), and\n"
    "gives --target-false-alarms false alarms per attempt at most. The first 100 attempts are\n"
    "learnt from only. `row` counts from 0 without the header and is the first at which the alarm\n"
    "was known; `rate` is that since the change, `baseline` the usual one, `z` the EWMA z-score "
    "over\n"
    "the last fifty attempts or so, `score` the detector's statistic over its threshold, "
    "`end_row`\n"
    "where the rate was back, gone on to a larger change, or after two hours the new normal "
    "(null:\n"
    "not by the end of the file).";

namespace {

using reasoning::RateAlarm;
using reasoning::RateDetector;

constexpr int64_t kAttemptsMost = 1'000'000'000'000;  // a row; keeps sums exact

struct RateRow {
  int64_t ts_ms = 0, attempts = 0, failures = 0;
};

class RateFile {
 public:
  [[nodiscard]] static Result<RateFile> open(const std::string& path) {
    auto csv = CsvReader::open(path);
    if (!csv) return tl::make_unexpected(csv.error());
    RateFile file(std::move(*csv));
    for (const auto& [name, column] : {std::pair{"ts_ms", &file.ts_ms_},
                                       {"attempts", &file.attempts_},
                                       {"failures", &file.failures_}}) {
      const auto found = file.csv_.column(name);
      if (!found) return tl::make_unexpected(found.error());
      *column = *found;
    }
    return file;
  }

  // False at the end. Errors: usage, with line and column.
  [[nodiscard]] Result<bool> next(RateRow& row) {
    const auto more = csv_.next();
    if (!more || !*more) return more;
    for (const auto& [column, value] :
         {std::pair{ts_ms_, &row.ts_ms}, {attempts_, &row.attempts}, {failures_, &row.failures}}) {
      const auto number = csv_.whole(column, 0);
      if (!number) return tl::make_unexpected(number.error());
      *value = *number;
    }
    if (row.ts_ms > kMomentMost) {
      return tl::make_unexpected(csv_.wrong(ts_ms_, csv_.text(ts_ms_) + " is no time in ms"));
    }
    if (row.attempts > kAttemptsMost) {
      return tl::make_unexpected(
          csv_.wrong(attempts_, csv_.text(attempts_) + " is more than a row can hold"));
    }
    if (row.failures > row.attempts) {
      return tl::make_unexpected(
          csv_.wrong(failures_, csv_.text(failures_) + " failures of " + csv_.text(attempts_) +
                                    " attempts: there cannot be more failures than attempts"));
    }
    if (rows_ > 0 && row.ts_ms < last_.ts_ms) {
      return tl::make_unexpected(csv_.wrong(ts_ms_, "time goes backwards: " + csv_.text(ts_ms_) +
                                                        " after " + std::to_string(last_.ts_ms) +
                                                        " in line " + std::to_string(last_line_)));
    }
    note(row);
    return true;
  }

  // What only the whole file shows. Errors: usage.
  [[nodiscard]] Status whole(const std::string& path) const {
    const auto wrong = [&](std::size_t line, const char* column, const std::string& what) {
      return fail(ErrorCode::usage,
                  path + ":" + std::to_string(line) + ": column \"" + column + "\": " + what);
    };
    if (rows_ == 0) return wrong(1, "failures", "no row");
    if (rows_ == 1) {
      return wrong(first_line_, "failures", "one row only: a row is judged by those before it");
    }
    if (!time_moves_) {
      return wrong(first_line_, "ts_ms",
                   "is constant, " + std::to_string(first_.ts_ms) +
                       ": how fast the rate may drift is a matter of time");
    }
    if (!failures_vary_) {
      return wrong(first_line_, "failures",
                   "is constant, " + std::to_string(first_.failures) +
                       ": without any change there is nothing to detect");
    }
    return {};
  }

 private:
  explicit RateFile(CsvReader csv) : csv_(std::move(csv)) {}
  void note(const RateRow& row) {
    if (rows_ == 0) {
      first_ = row;
      first_line_ = csv_.line();
    }
    time_moves_ = time_moves_ || row.ts_ms != first_.ts_ms;
    failures_vary_ = failures_vary_ || row.failures != first_.failures;
    last_ = row;
    last_line_ = csv_.line();
    ++rows_;
  }

  CsvReader csv_;
  std::size_t ts_ms_ = 0, attempts_ = 0, failures_ = 0;
  std::size_t rows_ = 0, first_line_ = 0, last_line_ = 0;
  RateRow first_, last_;
  bool time_moves_ = false, failures_vary_ = false;
};

Json findings_json(const RateFindings& found) {
  Json alarms = Json::array();
  for (const RateAlarm& a : found.alarms) {
    alarms.push_back({{"row", a.row},
                      {"ts_ms", a.ts_ms},
                      {"rate", a.rate},
                      {"baseline", a.baseline},
                      {"z", a.z},
                      {"score", a.score},
                      {"end_row", a.end_row ? Json(*a.end_row) : Json()}});
  }
  return {{"alarms", alarms}, {"rows", found.rows}, {"attempts", found.attempts}};
}

std::string table(const RateFindings& found) {
  std::string text = std::to_string(found.rows) + " rows, " + std::to_string(found.attempts) +
                     " attempts, " + std::to_string(found.alarms.size()) +
                     (found.alarms.size() == 1 ? " alarm\n" : " alarms\n");
  if (found.alarms.empty()) return text;
  text += pad_left("ROW", 10) + "  " + pad("TIME (UTC)", 26) + pad_left("RATE", 8) +
          pad_left("BASELINE", 10) + pad_left("Z", 7) + pad_left("SCORE", 7) +
          pad_left("END ROW", 11) + "\n";
  for (const RateAlarm& a : found.alarms) {
    text += pad_left(std::to_string(a.row), 10) + "  " + pad(iso_time(a.ts_ms), 26) +
            pad_left(percent(a.rate), 8) + pad_left(percent(a.baseline), 10) +
            pad_left(fixed(a.z, 1), 7) + pad_left(fixed(a.score, 2), 7) +
            pad_left(a.end_row ? std::to_string(*a.end_row) : "still", 11) + "\n";
  }
  return text;
}

}  // namespace

Result<RateFindings> find_rate_alarms(const RateDetection& options) {
  auto file = RateFile::open(options.file);
  if (!file) return tl::make_unexpected(file.error());
  RateDetector detector({.target_false_alarms = options.target_false_alarms});
  RateFindings found;
  const auto ends = [&] {
    if (!found.alarms.empty() && !found.alarms.back().end_row) {
      found.alarms.back().end_row = found.rows;
    }
  };
  for (RateRow row;; ++found.rows) {
    const auto more = file->next(row);
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) break;
    found.attempts += row.attempts;
    const auto event = detector.observe(row.ts_ms, static_cast<double>(row.attempts),
                                        static_cast<double>(row.failures));
    if (event != RateDetector::Event::none) ends();
    if (event == RateDetector::Event::raised) found.alarms.push_back(detector.alarm());
  }
  if (Status s = file->whole(options.file); !s) return tl::make_unexpected(s.error());
  return found;
}

int detect_rate(const RateDetection& options) {
  const auto found = find_rate_alarms(options);
  if (!found) return report(found.error());
  std::fputs(options.json ? (dump(findings_json(*found)) + "\n").c_str() : table(*found).c_str(),
             stdout);
  return kExitDone;
}

}  // namespace payops::app
