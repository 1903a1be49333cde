// Runs a fuzz target without libFuzzer: on every file of the folders given, and on mutations of
// them from a fixed seed, so that each build tests it a little and always in the same way.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "payops/core/random.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, std::size_t size);

namespace {

constexpr int kMutationsPerInput = 500;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// One to four edits: a byte changed, a piece cut out, a piece doubled.
std::string mutated(std::string input, payops::RandomStream random) {
  for (uint64_t edits = 1 + random.below(4); edits > 0; --edits) {
    if (input.empty()) input.push_back('0');
    const std::size_t at = random.below(input.size());
    const std::size_t length = 1 + random.below(std::min<std::size_t>(input.size() - at, 16));
    switch (random.below(3)) {
      case 0:
        input[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        input.erase(at, length);
        break;
      default:
        input.insert(at, std::string(input, at, length));
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> inputs{""};
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) continue;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry);
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
      std::ifstream in(file, std::ios::binary);
      inputs.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
  }
  const payops::Random random(1);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    run(inputs[i]);
    for (uint64_t n = 0; n < kMutationsPerInput; ++n) run(mutated(inputs[i], random.at(i, n)));
  }
  std::printf("%zu inputs, %d mutations of each\n", inputs.size(), kMutationsPerInput);
}
