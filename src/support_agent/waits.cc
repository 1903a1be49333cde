#include "payops/support_agent/waits.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace payops::support_agent {
namespace {

constexpr int64_t kLongestMs = 500'000'000;  // six days; longer ones count as that

int64_t bound_of(int64_t waited_ms) {
  for (int64_t decade = 1; decade < kLongestMs; decade *= 10) {
    for (const int64_t step : {1, 2, 5}) {
      if (waited_ms <= step * decade) return step * decade;
    }
  }
  return kLongestMs;
}

}  // namespace

void count_wait(std::map<std::string, int64_t>& counts, std::string_view kind, int64_t waited_ms) {
  ++counts[std::string(kind) + std::to_string(bound_of(waited_ms))];
}

std::optional<int64_t> wait_within(const std::map<std::string, int64_t>& counts,
                                   std::string_view kind, double share) {
  std::map<int64_t, int64_t> by_bound;
  int64_t all = 0;
  for (auto it = counts.lower_bound(std::string(kind));
       it != counts.end() && it->first.starts_with(kind); ++it) {
    int64_t bound = 0;
    const char* end = it->first.data() + it->first.size();
    if (std::from_chars(it->first.data() + kind.size(), end, bound).ec != std::errc()) continue;
    by_bound[bound] += it->second;
    all += it->second;
  }
  const auto wanted = static_cast<int64_t>(std::ceil(share * static_cast<double>(all)));
  int64_t seen = 0;
  for (const auto& [bound, count] : by_bound) {
    seen += count;
    if (seen >= wanted) return bound;
  }
  return std::nullopt;
}

}  // namespace payops::support_agent
