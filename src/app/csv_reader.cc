#include "csv_reader.h"

#include <csv.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

#include "payops/core/text.h"

namespace payops::app {
namespace {

constexpr std::size_t kMaxLineBytes = 1U << 20;

using Row = std::vector<std::string>;

}  // namespace

struct CsvReader::Impl {
  Impl() { csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL); }
  ~Impl() { csv_free(&parser); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  csv_parser parser{};
  std::string path;
  std::ifstream file;
  std::size_t lines = 0;  // read so far
  Row header;
  Row fields;
  Row pending;            // of the row being parsed
  bool complete = false;  // a row has been parsed
  bool ended = false;
  std::size_t row = 0;
  std::size_t line = 0;
  bool begun = false;

  [[nodiscard]] Error wrong_at(std::size_t at, const std::string& what) const {
    return {.code = ErrorCode::usage,
            .retryable = false,
            .message = path + ":" + std::to_string(at) + ": " + what};
  }
  [[nodiscard]] Result<bool> read(Row& out);
};

// A line at a time, so that the line of a fault is known. A row goes over several lines when a
// quoted field holds a newline.
Result<bool> CsvReader::Impl::read(Row& out) {
  const auto on_field = [](void* text, std::size_t size, void* self) {
    static_cast<Impl*>(self)->pending.emplace_back(static_cast<const char*>(text), size);
  };
  const auto on_row = [](int, void* self) { static_cast<Impl*>(self)->complete = true; };
  pending.clear();
  complete = false;
  line = lines + 1;
  bool begun_row = false;
  std::string text;
  while (!complete) {
    if (!std::getline(file, text)) {
      if (file.bad()) return tl::make_unexpected(wrong_at(lines + 1, "cannot be read on"));
      if (ended) return false;
      ended = true;
      if (csv_fini(&parser, on_field, on_row, this) != 0) {
        return tl::make_unexpected(wrong_at(line, "a quoted field begins here and never ends"));
      }
      if (!complete) return false;
      break;
    }
    ++lines;
    if (!begun_row) line = lines;
    if (text.size() > kMaxLineBytes) {
      return tl::make_unexpected(wrong_at(lines, "the line is longer than 1 MiB"));
    }
    if (lines == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    if (!text.empty() && text.back() == '\r') text.pop_back();
    begun_row = begun_row || !text.empty();
    text += '\n';
    if (csv_parse(&parser, text.data(), text.size(), on_field, on_row, this) != text.size()) {
      return tl::make_unexpected(
          wrong_at(lines, std::string("not CSV: ") + csv_strerror(csv_error(&parser))));
    }
  }
  out = std::exchange(pending, {});
  return true;
}

Result<CsvReader> CsvReader::open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->file.open(path, std::ios::binary);
  if (!impl->file) return fail(ErrorCode::not_found, path + ": " + std::strerror(errno));
  auto read = impl->read(impl->header);
  if (!read) return tl::make_unexpected(read.error());
  if (!*read) return tl::make_unexpected(impl->wrong_at(1, "empty: a header line is needed"));
  std::set<std::string> names;
  for (const std::string& name : impl->header) {
    if (name.empty()) return tl::make_unexpected(impl->wrong_at(1, "a column has no name"));
    if (!names.insert(name).second) {
      return tl::make_unexpected(impl->wrong_at(1, "two columns are named \"" + name + "\""));
    }
  }
  return CsvReader(std::move(impl));
}

CsvReader::CsvReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CsvReader::~CsvReader() = default;
CsvReader::CsvReader(CsvReader&&) noexcept = default;
CsvReader& CsvReader::operator=(CsvReader&&) noexcept = default;

const std::vector<std::string>& CsvReader::header() const { return impl_->header; }

Result<std::size_t> CsvReader::column(const std::string& name) const {
  for (std::size_t i = 0; i < impl_->header.size(); ++i) {
    if (impl_->header[i] == name) return i;
  }
  return tl::make_unexpected(impl_->wrong_at(1, "no column \"" + name + "\"" +
                                                    did_you_mean(name, impl_->header) +
                                                    "; there are " + join(impl_->header, ", ")));
}

Result<bool> CsvReader::next() {
  auto read = impl_->read(impl_->fields);
  if (!read || !*read) return read;
  impl_->row = impl_->begun ? impl_->row + 1 : 0;
  impl_->begun = true;
  if (impl_->fields.size() != impl_->header.size()) {
    return tl::make_unexpected(impl_->wrong_at(
        impl_->line, std::to_string(impl_->fields.size()) + " fields where the header has " +
                         std::to_string(impl_->header.size())));
  }
  return true;
}

std::size_t CsvReader::row() const { return impl_->row; }
std::size_t CsvReader::line() const { return impl_->line; }
const std::string& CsvReader::text(std::size_t column) const { return impl_->fields.at(column); }

Error CsvReader::wrong(std::size_t column, const std::string& what) const {
  return impl_->wrong_at(impl_->line, "column \"" + impl_->header.at(column) + "\": " + what);
}

Result<double> CsvReader::number(std::size_t column) const {
  const std::string& cell = text(column);
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) {
    return tl::make_unexpected(wrong(column, "\"" + cell + "\" is no number"));
  }
  return value;
}

Result<int64_t> CsvReader::whole(std::size_t column, int64_t least) const {
  const std::string& cell = text(column);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    return tl::make_unexpected(wrong(column, "\"" + cell + "\" is no whole number"));
  }
  if (value < least) {
    return tl::make_unexpected(wrong(column, cell + " is less than " + std::to_string(least)));
  }
  return value;
}

}  // namespace payops::app
