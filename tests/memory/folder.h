// Real directories for the memory tests, and an agent's whole run in one.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "payops/core/sign.h"
#include "payops/core/text.h"
#include "payops/memory/audit_files.h"
#include "payops/memory/rocks_store.h"
#include "payops/runtime/in_memory.h"
#include "runtime/counting_agent.h"

namespace payops::memory {

namespace fs = std::filesystem;

// Where there is room in memory: no test can observe what a sync did, only wait for it.
inline fs::path place_for_tests() {
  std::error_code error;
  const fs::path memory = "/dev/shm";
  const fs::space_info space = fs::space(memory, error);
  const bool fits = !error && space.available > (uint64_t{512} << 20);
  return fits ? memory : fs::temp_directory_path();
}

// A directory that goes when the test does.
class Folder {
 public:
  Folder() {
    std::string pattern = (place_for_tests() / "payops-memory-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }
  void become_copy_of(const std::string& other) const {
    fs::remove_all(path_);
    fs::copy(other, path_, fs::copy_options::recursive);
  }

 private:
  std::string path_;
};

inline std::string bytes_of(const std::string& path) { return read_file(path).value_or(""); }

inline void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The folder's audit, inputs and checkpoint files by name.
inline std::map<std::string, std::string> log_files(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (name[0] != '.') files[name] = bytes_of(entry.path());
  }
  return files;
}

inline const KeyPair& test_key() {
  static const KeyPair key = *key_pair_from_seed(std::string(64, '7'));
  return key;
}

struct RunOptions {
  uint64_t until = 14;
  uint64_t file_bytes_max = uint64_t{64} << 20;
  int64_t snapshot_every_ms = 40'000;
  bool is_signed = true;
  std::function<void(StepPoint)> at_point = [](StepPoint) {};
};

inline StepperOptions stepper_options(const RunOptions& options) {
  StepperOptions stepper{.snapshot_every_ms = options.snapshot_every_ms};
  stepper.at_point = options.at_point;
  if (options.is_signed) {
    stepper.sign = [](std::string_view text) {
      return *sign_text(text, test_key().secret_key_hex);
    };
  }
  return stepper;
}

// One process: opens <root>/state and <root>/audit, recovers and goes on to step `until`.
inline Status run_agent(const std::string& root, const RunOptions& options,
                        std::vector<OutboxEntry>* published = nullptr) {
  auto store = RocksStore::open(root + "/state");
  if (!store) return tl::make_unexpected(store.error());
  auto files = AuditFiles::open(
      root + "/audit",
      {.file_bytes_max = options.file_bytes_max,
       .public_key_hex = options.is_signed ? test_key().public_key_hex : std::string()});
  if (!files) return tl::make_unexpected(files.error());
  CountingAgent agent;
  CollectingOutbox outbox([&](const OutboxEntry& entry) {
    if (published != nullptr) published->push_back(entry);
  });
  Stepper stepper(agent, **store, **files, outbox, {}, stepper_options(options));
  if (const Status recovered = stepper.recover(); !recovered) return recovered;
  while (stepper.step() < options.until) {
    if (const Status taken = take_counting_step(stepper, agent); !taken) return taken;
  }
  return {};
}

}  // namespace payops::memory
