// A table of attempts and failures by dimension values, read for attribution.
#pragma once

#include <string>
#include <vector>

#include "payops/core/result.h"
#include "payops/reasoning/slice_scan.h"

namespace payops::app {

struct SliceTableSpec {
  std::string file;
  std::string attempts;  // names of columns
  std::string failures;
  std::vector<std::string> dimensions;
  std::string time;          // empty: the whole file is one period without a history
  std::string at;            // the present period begins here, written as the column is
  std::string step;          // its length: seconds, or 500ms, 60s, 5m, 1h, 1d
  std::size_t baseline = 0;  // periods before it
};

struct SliceTable {
  std::vector<std::string> dimensions;           // those with more than one value
  std::vector<std::vector<std::string>> values;  // by dimension, by code
  reasoning::SliceCounts counts;
  std::vector<std::string> constant;  // dimensions left out: one value can explain nothing
  std::size_t rows = 0;               // that were counted
};

// Rows of the same values are added up; combinations without attempts now are left out. A time is
// ISO 8601 text (UTC unless it says otherwise) or a number since 1970, of seconds below 10¹¹ and ms
// from there on; all of a column and --at are written alike.
//
// Errors: usage, not_found: a sentence with file, line and column for a missing or repeated column,
// what is no number, negative counts, more failures than attempts, no attempts, a single
// combination, a time without rows, missing periods.
[[nodiscard]] Result<SliceTable> read_slice_table(const SliceTableSpec& spec);

}  // namespace payops::app
