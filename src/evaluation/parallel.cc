#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <thread>

namespace payops::evaluation {

void in_parallel(unsigned jobs, const std::vector<std::size_t>& order,
                 const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t, std::size_t)>& progress) {
  std::atomic<std::size_t> next = 0;
  std::mutex told;
  std::size_t done = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      work(order[i]);
      const std::lock_guard lock(told);
      progress(++done, order.size());
    }
  };
  std::vector<std::jthread> threads;
  const auto useful = std::min<std::size_t>(std::max(1U, jobs), order.size());
  for (std::size_t i = 1; i < useful; ++i) threads.emplace_back(take);
  take();
}

std::vector<std::size_t> in_order(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

}  // namespace payops::evaluation
