// Tables of text with a header line (RFC 4180, parsed by libcsv), read a row at a time. Whatever
// is wrong is said with file, line and column.
//
//   auto csv = CsvReader::open("failures.csv");
//   const auto attempts = csv->column("attempts");
//   while (true) { auto more = csv->next(); if (!more || !*more) break; csv->number(*attempts); }
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/result.h"

namespace payops::app {

// The farthest moment a table may hold, in ms either way: differences stay in range.
inline constexpr int64_t kMomentMost = 1'000'000'000'000'000;

class CsvReader {
 public:
  // Reads the header. Errors: not_found; usage for an empty file, a nameless or repeated column, or
  // bytes that are no CSV.
  [[nodiscard]] static Result<CsvReader> open(const std::string& path);
  ~CsvReader();
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;

  [[nodiscard]] const std::vector<std::string>& header() const;
  // Errors: usage, naming the columns there are.
  [[nodiscard]] Result<std::size_t> column(const std::string& name) const;

  // Moves to the next row; false at the end. Empty lines are skipped. Errors: usage for a row with
  // fewer or more fields than the header, or that is no CSV.
  [[nodiscard]] Result<bool> next();

  // Of the row that next() moved to.
  [[nodiscard]] std::size_t row() const;   // from 0, the header not counted
  [[nodiscard]] std::size_t line() const;  // in the file, from 1
  [[nodiscard]] const std::string& text(std::size_t column) const;
  // A finite number. Errors: usage.
  [[nodiscard]] Result<double> number(std::size_t column) const;
  // A whole number from `least` up. Errors: usage.
  [[nodiscard]] Result<int64_t> whole(std::size_t column, int64_t least = INT64_MIN) const;
  // An error of this row: "FILE:LINE: column "NAME": WHAT".
  [[nodiscard]] Error wrong(std::size_t column, const std::string& what) const;

 private:
  struct Impl;
  explicit CsvReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace payops::app
