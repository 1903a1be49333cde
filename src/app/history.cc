#include "history.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>
#include <vector>

#include "csv_reader.h"
#include "payops/core/json_fields.h"
#include "payops/streaming/consumer.h"

namespace payops::app {
namespace {

using observation::AttemptField;
using observation::FieldMapping;

constexpr std::size_t kBatch = 2048;
constexpr std::string_view kPaymentsTopic = "payments.transactions";
constexpr auto kGiveUpAfter = std::chrono::seconds(60);

double file_size_of(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error || bytes == 0 ? 1.0 : static_cast<double>(bytes);
}

class JsonLines final : public History {
 public:
  JsonLines(std::ifstream file, const std::string& path, const FieldMapping& mapping)
      : file_(std::move(file)), path_(path), bytes_(file_size_of(path)), mapping_(mapping) {}

  Result<bool> next(const Take& take, const AtEnd& at_end) override {
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (!std::getline(file_, line_)) {
        if (file_.bad()) {
          return fail(ErrorCode::usage, path_ + ":" + std::to_string(lines_ + 1) +
                                            ": cannot be read on: " + std::strerror(errno));
        }
        at_end(0);
        return false;
      }
      ++lines_;
      read_ += static_cast<double>(line_.size()) + 1.0;
      if (line_.find_first_not_of(" \t\r") != std::string::npos) take(0, lines_, line_);
    }
    return true;
  }
  [[nodiscard]] int32_t slots() const override { return 1; }
  [[nodiscard]] const FieldMapping& mapping() const override { return mapping_; }
  [[nodiscard]] double done_share() const override { return std::min(1.0, read_ / bytes_); }

 private:
  std::ifstream file_;
  std::string path_;
  double bytes_;
  FieldMapping mapping_;
  std::string line_;
  int64_t lines_ = 0;
  double read_ = 0.0;
};

// Turns rows into flat events whose members bear the fields' own names, every value a text.
class CsvEvents final : public History {
 public:
  struct Column {
    std::size_t column = 0;
    std::string member;
    bool bare = false;  // a number that the mapping cannot read from a text
  };
  CsvEvents(CsvReader csv, std::vector<Column> columns, FieldMapping mapping, double rows)
      : csv_(std::move(csv)),
        columns_(std::move(columns)),
        mapping_(std::move(mapping)),
        rows_(rows) {}

  Result<bool> next(const Take& take, const AtEnd& at_end) override {
    for (std::size_t i = 0; i < kBatch; ++i) {
      auto more = csv_.next();
      if (!more) return more;
      if (!*more) {
        at_end(0);
        return false;
      }
      Json event = Json::object();
      for (const Column& c : columns_) {
        const std::string& cell = csv_.text(c.column);
        if (cell.empty()) continue;
        if (c.bare) {
          const auto value = csv_.number(c.column);
          if (!value) return tl::make_unexpected(value.error());
          event[c.member] = *value;
        } else {
          event[c.member] = cell;
        }
      }
      // Bytes that are no UTF-8 show as such in the report.
      line_ = event.dump(-1, ' ', false, Json::error_handler_t::replace);
      take(0, static_cast<int64_t>(csv_.line()), line_);
    }
    return true;
  }
  [[nodiscard]] int32_t slots() const override { return 1; }
  [[nodiscard]] const FieldMapping& mapping() const override { return mapping_; }
  [[nodiscard]] double done_share() const override {
    return std::min(1.0, static_cast<double>(csv_.line()) / rows_);
  }

 private:
  CsvReader csv_;
  std::vector<Column> columns_;
  FieldMapping mapping_;
  double rows_;
  std::string line_;
};

// Finds the columns of a mapping and rewrites it for flat events of texts.
class CsvMapping {
 public:
  CsvMapping(const CsvReader& csv, const FieldMapping& from) : csv_(csv), mapping(from) {
    text(mapping.attempt_id, AttemptField::attempt_id);
    text(mapping.payment_id, AttemptField::payment_id);
    text(mapping.issuer, AttemptField::issuer);
    text(mapping.method, AttemptField::method);
    text(mapping.gateway, AttemptField::gateway);
    text(mapping.merchant_id, AttemptField::merchant_id);
    text(mapping.stage, AttemptField::stage);
    text(mapping.region, AttemptField::region);
    text(mapping.currency, AttemptField::currency);
    text(mapping.status, AttemptField::status);
    text(mapping.decline_code, AttemptField::decline_code);
    text(mapping.arm, AttemptField::arm);
    counted(mapping.attempt_no, AttemptField::attempt_no);
    counted(mapping.latency_ms, AttemptField::latency_ms);
    place(mapping.ts_ms.path, AttemptField::ts_ms, true);
    mapping.ts_ms.quoted = true;
    place(mapping.amount_minor.path, AttemptField::amount_minor, true);
    mapping.amount_minor.quoted = true;
    place(mapping.propensity.path, AttemptField::propensity, false, true);
    mapping.action_ids.path = name_of(AttemptField::action_ids);  // a list fits no cell
  }

 private:
  void text(observation::TextRule& rule, AttemptField field) {
    if (rule.constant) return;
    place(rule.path, field, rule.required);
    rule.number = false;
  }
  template <class Rule>
  void counted(Rule& rule, AttemptField field) {
    if (rule.constant) return;
    // Defaults exist for both: a table without the column is fine.
    rule.required = false;
    place(rule.path, field, false);
    rule.quoted = true;
  }
  void place(std::string& path, AttemptField field, bool required, bool bare = false) {
    const auto column = csv_.column(path);
    if (column) {
      columns.push_back({*column, std::string(name_of(field)), bare});
    } else if (required && problem.message.empty()) {
      problem = column.error();
      problem.message += " (mapping." + std::string(name_of(field)) + " asks for it)";
    }
    path = name_of(field);
  }

  const CsvReader& csv_;

 public:
  FieldMapping mapping;
  std::vector<CsvEvents::Column> columns;
  Error problem{.code = ErrorCode::usage, .retryable = false, .message = ""};
};

class TopicStretch final : public History {
 public:
  TopicStretch(std::unique_ptr<streaming::Consumer> consumer,
               std::vector<streaming::Watermarks> stretch, FieldMapping mapping)
      : consumer_(std::move(consumer)), stretch_(std::move(stretch)), mapping_(std::move(mapping)) {
    for (const auto& s : stretch_) all_ += static_cast<double>(s.end - s.begin);
  }

  Result<bool> next(const Take& take, const AtEnd& at_end) override {
    if (consumer_->has_read_to(stretch_)) {
      for (const auto& s : stretch_) at_end(s.partition);
      return false;
    }
    const streaming::Batch batch = consumer_->poll(100);
    const auto now = std::chrono::steady_clock::now();
    if (!batch.records.empty()) heard_ = now;
    if (now - heard_ > kGiveUpAfter) {
      return fail(ErrorCode::unavailable,
                  "Kafka has given nothing for a minute " + consumer_->trouble());
    }
    for (const streaming::Record& r : batch.records) {
      const auto slot = static_cast<std::size_t>(r.partition);
      if (slot >= stretch_.size() || r.offset >= stretch_[slot].end) continue;
      read_ += 1.0;
      take(r.partition, r.offset, r.payload);
    }
    for (const auto& s : stretch_) {
      if (consumer_->position(0, s.partition) >= s.end) at_end(s.partition);
    }
    return true;
  }
  [[nodiscard]] int32_t slots() const override { return static_cast<int32_t>(stretch_.size()); }
  [[nodiscard]] const FieldMapping& mapping() const override { return mapping_; }
  [[nodiscard]] double done_share() const override { return all_ > 0 ? read_ / all_ : 1.0; }

 private:
  std::unique_ptr<streaming::Consumer> consumer_;
  std::vector<streaming::Watermarks> stretch_;  // by partition
  FieldMapping mapping_;
  double all_ = 0.0;
  double read_ = 0.0;
  std::chrono::steady_clock::time_point heard_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<std::unique_ptr<History>> open_history_file(const std::string& path,
                                                   const FieldMapping& mapping) {
  if (!path.ends_with(".csv")) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorCode::not_found, path + ": " + std::strerror(errno));
    if (std::filesystem::is_directory(path)) {
      return fail(ErrorCode::usage, path + ": is a folder, not a file");
    }
    return std::make_unique<JsonLines>(std::move(file), path, mapping);
  }
  auto csv = CsvReader::open(path);
  if (!csv) return tl::make_unexpected(csv.error());
  CsvMapping made(*csv, mapping);
  if (!made.problem.message.empty()) return tl::make_unexpected(made.problem);
  constexpr double kRowBytes = 150.0;  // for the progress shown, no more
  return std::make_unique<CsvEvents>(std::move(*csv), std::move(made.columns),
                                     std::move(made.mapping), file_size_of(path) / kRowBytes + 1.0);
}

Result<std::unique_ptr<History>> open_history_topic(streaming::StreamingConfig streaming,
                                                    const std::string& topic,
                                                    std::optional<int64_t> from_ms,
                                                    std::optional<int64_t> to_ms,
                                                    const FieldMapping& mapping) {
  if (!topic.empty()) {
    streaming.topic_prefix.clear();
    streaming.topics[std::string(kPaymentsTopic)].name = topic;
  }
  if (Status valid = streaming.validate(); !valid) return tl::make_unexpected(valid.error());
  auto consumer = streaming::Consumer::open(streaming, {std::string(kPaymentsTopic)});
  if (!consumer) return tl::make_unexpected(consumer.error());
  auto stretch = (*consumer)->stretch(from_ms.value_or(std::numeric_limits<int64_t>::min()),
                                      to_ms.value_or(std::numeric_limits<int64_t>::max()));
  if (!stretch) return tl::make_unexpected(stretch.error());
  std::vector<streaming::Position> from;
  for (const auto& s : *stretch) {
    if (s.begin < s.end) from.push_back({s.topic, s.partition, s.begin});
  }
  if (Status assigned = (*consumer)->assign(from); !assigned) {
    return tl::make_unexpected(assigned.error());
  }
  return std::make_unique<TopicStretch>(std::move(*consumer), std::move(*stretch), mapping);
}

}  // namespace payops::app
