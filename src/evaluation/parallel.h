// Work on numbered items by several threads, with a result that does not depend on how many.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace payops::evaluation {

// Calls work(i) once for every i in `order`, items taken in that order by `jobs` threads (at least
// one, the caller's among them); returns when all are done. `progress` is called from the threads,
// one at a time.
void in_parallel(unsigned jobs, const std::vector<std::size_t>& order,
                 const std::function<void(std::size_t i)>& work,
                 const std::function<void(std::size_t done, std::size_t all)>& progress);

// 0, 1 … count − 1.
[[nodiscard]] std::vector<std::size_t> in_order(std::size_t count);

}  // namespace payops::evaluation
