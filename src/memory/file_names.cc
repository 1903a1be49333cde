#include "file_names.h"

#include <algorithm>

#include "payops/core/text.h"

namespace payops::memory {
namespace {

constexpr std::size_t kDateDigits = 8;
constexpr std::size_t kNumberDigits = 3;
constexpr int64_t kYear9999Ms = 253402300799999;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool is_file_name(const FileKind& kind, std::string_view name) {
  if (!name.starts_with(kind.prefix) || !name.ends_with(kind.suffix)) return false;
  if (name.size() != kind.prefix.size() + kDateDigits + 1 + kNumberDigits + kind.suffix.size()) {
    return false;
  }
  name.remove_prefix(kind.prefix.size());
  return all_digits(name.substr(0, kDateDigits)) && name[kDateDigits] == '-' &&
         all_digits(name.substr(kDateDigits + 1, kNumberDigits));
}

std::string next_file_name(const FileKind& kind, const std::string& current, bool full,
                           int64_t ts_ms) {
  std::string date = compact_date(std::clamp<int64_t>(ts_ms, 0, kYear9999Ms));
  int number = 1;
  if (!current.empty()) {
    const std::string current_date = current.substr(kind.prefix.size(), kDateDigits);
    if (date <= current_date) {
      date = current_date;
      number = std::stoi(current.substr(kind.prefix.size() + kDateDigits + 1, kNumberDigits));
      if (full && number < 999) ++number;
    }
  }
  std::string digits = std::to_string(number);
  digits.insert(0, kNumberDigits - digits.size(), '0');
  return std::string(kind.prefix) + date + "-" + digits + std::string(kind.suffix);
}

}  // namespace payops::memory
