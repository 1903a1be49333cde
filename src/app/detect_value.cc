#include "detect_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

#include "cli.h"
#include "csv_reader.h"
#include "payops/core/moment.h"
#include "payops/core/text.h"
#include "payops/reasoning/value_detector.h"

namespace payops::app {

const char* const kValueDetectionHelp =
    "Columns timestamp (YYYY-MM-DD HH:MM:SS, or ms since 1970) and value: any single metric.\n"
    "Writes timestamp,value,anomaly_score, a row for each row, the timestamp as it was given.\n"
    "A score is in [0, 1), sees only the rows before it, and is an alarm from 0.5 on; it is high\n"
    "once for an anomaly, when it begins. The first 200 rows are the warm-up, their score is 0;\n"
    "days are learnt after a day and a half, weeks after one. Nothing is to be set. Gaps and\n"
    "repeated timestamps are taken as they come and counted on stderr; time may not go back.";

namespace {

using reasoning::ValueDetector;

constexpr double kValueMost = 1e150;
constexpr int64_t kSecondMs = 1'000, kHourMs = 3'600'000, kDayMs = 86'400'000;
constexpr std::size_t kStepsKept = 1'000;  // from which the usual step is taken
constexpr double kGap = 2.5;               // in usual steps

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};

// The moments of a file in order, and what is worth telling of them.
class Moments {
 public:
  // Errors: usage, of the row the reader stands at.
  [[nodiscard]] Result<int64_t> read(const CsvReader& csv, std::size_t column) {
    const std::string& text = csv.text(column);
    const auto moment = parse_moment(text);
    if (!moment || *moment > kMomentMost || *moment < -kMomentMost) {
      return tl::make_unexpected(csv.wrong(
          column, "\"" + text + "\" is no moment: give YYYY-MM-DD HH:MM:SS or ms since 1970"));
    }
    if (rows_ > 0) {
      const int64_t step = *moment - last_;
      if (step < 0 && !clock_put_back(text, *moment)) {
        return tl::make_unexpected(csv.wrong(column, "time goes backwards: " + text + " after " +
                                                         last_text_ + " in line " +
                                                         std::to_string(last_line_)));
      }
      note(step);
    }
    ++rows_;
    last_ = *moment;
    last_text_ = text;
    last_line_ = csv.line();
    return *moment;
  }

  // "one every 5 min", and "" when nothing else is to be told.
  [[nodiscard]] std::string usual() const {
    const int64_t step = usual_step();
    if (step <= 0) return "without a usual step";
    if (step % 60'000 == 0) return "one every " + std::to_string(step / 60'000) + " min";
    return "one every " + fixed(static_cast<double>(step) / 1e3, step % kSecondMs == 0 ? 0 : 3) +
           " s";
  }
  [[nodiscard]] std::string oddities() const {
    std::vector<std::string> told;
    const std::size_t gaps = count_gaps();
    if (gaps > 0) told.push_back(std::to_string(gaps) + " gaps of more than two usual steps");
    if (repeated_ > 0) told.push_back(std::to_string(repeated_) + " repeated timestamps");
    if (put_back_ > 0) {
      told.push_back(
          "a clock put back by an hour on a Sunday night, taken for the end of summer "
          "time (line " +
          std::to_string(put_back_line_) + ")");
    }
    return join(told, ", ");
  }

 private:
  // Local time has the hour before summer time's end twice. Anything else that goes back is a
  // fault.
  [[nodiscard]] bool clock_put_back(const std::string& text, int64_t moment) {
    constexpr std::size_t kLocal = 19;  // YYYY-MM-DD HH:MM:SS, no zone
    if (text.size() != kLocal || put_back_ > 0 || last_step_ <= 0) return false;
    const int64_t off = moment - (last_ + last_step_ - kHourMs);
    const bool an_hour = last_step_ < kHourMs && off >= -kSecondMs && off <= kSecondMs;
    const int64_t day = (moment - (moment % kDayMs + kDayMs) % kDayMs) / kDayMs;
    const bool sunday = ((day + 4) % 7 + 7) % 7 == 0;  // 1970-01-01 was a Thursday
    const bool night = (moment % kDayMs + kDayMs) % kDayMs < 4 * kHourMs;
    if (!an_hour || !sunday || !night) return false;
    ++put_back_;
    put_back_line_ = last_line_ + 1;
    return true;
  }

  void note(int64_t step) {
    repeated_ += step == 0;
    if (step < 0) return;
    last_step_ = step;
    if (steps_.size() < kStepsKept) {
      steps_.push_back(step);
    } else {
      if (settled_ == 0) settled_ = std::max<int64_t>(1, usual_step());
      later_gaps_ += is_gap(step, settled_);
    }
  }

  [[nodiscard]] static bool is_gap(int64_t step, int64_t usual) {
    return static_cast<double>(step) > kGap * static_cast<double>(usual);
  }
  [[nodiscard]] int64_t usual_step() const {
    if (steps_.empty()) return 0;
    auto sorted = steps_;
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    return *middle;
  }
  [[nodiscard]] std::size_t count_gaps() const {
    const int64_t usual = std::max<int64_t>(1, usual_step());
    const auto early = std::count_if(steps_.begin(), steps_.end(),
                                     [&](int64_t step) { return is_gap(step, usual); });
    return later_gaps_ + static_cast<std::size_t>(early);
  }

  std::size_t rows_ = 0;
  int64_t last_ = 0, last_step_ = 0;
  std::string last_text_;
  std::size_t last_line_ = 0;
  std::vector<int64_t> steps_;
  int64_t settled_ = 0;
  std::size_t later_gaps_ = 0, repeated_ = 0, put_back_ = 0, put_back_line_ = 0;
};

struct Tally {
  std::size_t rows = 0, alarms = 0;
  std::size_t first_line = 0, first_alarm_line = 0;
  std::string first_value, first_alarm;
  bool constant = false;
};

auto cannot_take() { return fail(ErrorCode::unavailable, "the scores could not be written"); }

// Errors: usage for what is wrong in the file, unavailable when `out` takes no more.
Status score_rows(CsvReader& csv, const std::string& file, std::FILE* out, Moments& moments,
                  Tally& tally) {
  const auto timestamp = csv.column("timestamp");
  if (!timestamp) return tl::make_unexpected(timestamp.error());
  const auto value = csv.column("value");
  if (!value) return tl::make_unexpected(value.error());
  ValueDetector detector;
  std::string line = "timestamp,value,anomaly_score\n";
  while (true) {
    if (std::fwrite(line.data(), 1, line.size(), out) != line.size()) {
      return cannot_take();
    }
    const auto more = csv.next();
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) break;
    const auto ts_ms = moments.read(csv, *timestamp);
    if (!ts_ms) return tl::make_unexpected(ts_ms.error());
    const auto number = csv.number(*value);
    if (!number) return tl::make_unexpected(number.error());
    if (*number > kValueMost || *number < -kValueMost) {
      return tl::make_unexpected(csv.wrong(*value, csv.text(*value) + " is beyond ±1e150"));
    }
    const double score = detector.score(*ts_ms, *number);
    if (tally.rows++ == 0) {
      tally.first_line = csv.line();
      tally.first_value = csv.text(*value);
    }
    if (score >= ValueDetector::kAlarm && tally.alarms++ == 0) {
      tally.first_alarm_line = csv.line();
      tally.first_alarm = csv.text(*timestamp);
    }
    line = csv.text(*timestamp) + "," + csv.text(*value) + "," + fixed(score, 6) + "\n";
  }
  tally.constant = detector.constant();
  if (tally.rows > 1) return {};
  const bool none = tally.rows == 0;
  return fail(ErrorCode::usage, file + ":" + std::to_string(none ? 1 : tally.first_line) +
                                    ": column \"value\": " + (none ? "no row" : "one row only") +
                                    ": a value is judged by those before it");
}

std::vector<std::string> told_of(const Moments& moments, const Tally& tally) {
  std::vector<std::string> told;
  std::string rows = std::to_string(tally.rows) + " rows, " + moments.usual();
  const std::string warm_up = std::to_string(ValueDetector::kWarmUpRows);
  if (tally.rows <= ValueDetector::kWarmUpRows) {
    told.push_back(rows + "; all within the warm-up of " + warm_up +
                   " rows, so that every score is 0");
  } else {
    rows += "; the first " + warm_up + " are the warm-up, their score is 0; " +
            std::to_string(tally.alarms) + " scores of " + fixed(ValueDetector::kAlarm, 1) +
            " or more";
    if (tally.alarms > 0) {
      rows += ", the first in line " + std::to_string(tally.first_alarm_line) + " (" +
              tally.first_alarm + ")";
    }
    told.push_back(rows);
  }
  if (const std::string odd = moments.oddities(); !odd.empty()) {
    told.push_back(odd + ": taken as they come, nothing is filled in");
  }
  if (tally.constant) {
    told.push_back("column \"value\" is constant, " + tally.first_value + " from line " +
                   std::to_string(tally.first_line) +
                   " on: nothing stands out, and every score is 0");
  }
  return told;
}

}  // namespace

Result<std::vector<std::string>> score_values(const ValueDetection& options) {
  auto csv = CsvReader::open(options.file);
  if (!csv) return tl::make_unexpected(csv.error());
  // A file is there whole or not at all; what is no plain file (a pipe, a device, a link) is
  // written to as it is.
  std::error_code none;
  const auto kind = std::filesystem::symlink_status(options.out, none).type();
  const bool plain =
      kind == std::filesystem::file_type::not_found || kind == std::filesystem::file_type::regular;
  if (std::filesystem::equivalent(options.file, options.out, none)) {
    return fail(ErrorCode::usage, options.out + ": is what is read: give --out another file");
  }
  const std::string part = plain ? options.out + ".part" : options.out;
  std::unique_ptr<std::FILE, CloseFile> out(options.out.empty() ? stdout
                                                                : std::fopen(part.c_str(), "wb"));
  const auto cannot_write = [&] {
    return fail(ErrorCode::usage,
                options.out + ": cannot be written: give --out a file in a folder that can");
  };
  if (out == nullptr) return cannot_write();
  Moments moments;
  Tally tally;
  Status done = score_rows(*csv, options.file, out.get(), moments, tally);
  if (done && std::fflush(out.get()) != 0) done = cannot_take();
  out.reset();
  if (!done) {
    if (!options.out.empty() && plain) std::remove(part.c_str());
    return tl::make_unexpected(done.error());
  }
  if (!options.out.empty() && plain && std::rename(part.c_str(), options.out.c_str()) != 0) {
    std::remove(part.c_str());
    return cannot_write();
  }
  return told_of(moments, tally);
}

int detect_value(const ValueDetection& options) {
  const auto told = score_values(options);
  if (!told) return report(told.error());
  for (const std::string& sentence : *told) {
    std::fprintf(stderr, "payops: %s: %s\n", options.file.c_str(), sentence.c_str());
  }
  return kExitDone;
}

}  // namespace payops::app
