// Rows that an agent keeps beside its state: what people look up by name, and what outlives the
// working set. They are written by a step's own commit, so that they are there exactly when the
// step is; they are read from outside, never by the decision itself, which must replay without
// them.
//
// Narrow enough for a key-value store and for a relational one: a table, a key, a value.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payops/core/fields.h"
#include "payops/core/result.h"

namespace payops {

struct TableRow {
  std::string table{};  // no NUL in it
  std::string key{};
  std::string value{};  // empty = the row goes
  bool operator==(const TableRow&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("table", &TableRow::table), field("key", &TableRow::key),
                           field("value", &TableRow::value));
  }
};

struct RowRange {
  std::string table{};
  std::string prefix{};  // of the keys
  std::string after{};   // only keys behind this one; empty = from the first
  std::size_t limit = 100;
};

// Errors: unavailable, retryable; corrupt.
class Tables {
 public:
  virtual ~Tables() = default;
  // These rows go into the next commit of the store that keeps the tables, which may be tried again
  // until it succeeds. REQUIRES: no commit is pending.
  virtual void put_with_next_commit(std::vector<TableRow> rows) = 0;
  [[nodiscard]] virtual Result<std::optional<std::string>> row(std::string_view table,
                                                               std::string_view key) = 0;
  // In order of key.
  [[nodiscard]] virtual Result<std::vector<TableRow>> rows(const RowRange& range) = 0;
};

}  // namespace payops
