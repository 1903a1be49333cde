// The whole protocol on real directories, killed at every point: a copy of the directories as they
// are at that point is what a killed process leaves.
#include <doctest/doctest.h>

#include "memory/folder.h"
#include "payops/memory/audit_verify.h"

namespace payops::memory {
namespace {

constexpr uint64_t kSteps = 12;

struct CalmRun {
  Folder folder;
  std::vector<OutboxEntry> published;
  CalmRun() {
    REQUIRE(run_agent(folder.path(), {.until = kSteps, .file_bytes_max = 4000}, &published));
  }
  std::map<std::string, std::string> log() const { return log_files(folder / "audit"); }
};

void check_ends_as(const CalmRun& calm, const Folder& copy) {
  std::vector<OutboxEntry> published;
  const Status ended =
      run_agent(copy.path(), {.until = kSteps, .file_bytes_max = 4000}, &published);
  CHECK_MESSAGE(ended, (ended ? "" : ended.error().message));
  CHECK(log_files(copy / "audit") == calm.log());
  const auto report = audit_verify(copy / "audit");
  REQUIRE(report);
  CHECK_MESSAGE(report->ok, report->reason);
  // What it published is a tail of what the calm run did, byte for byte.
  REQUIRE(published.size() <= calm.published.size());
  CHECK(std::equal(published.rbegin(), published.rend(), calm.published.rbegin()));
}

TEST_CASE("killed at any point of any step, it ends with the same files, byte for byte") {
  const CalmRun calm;
  const Folder world;
  const Folder copies;
  int taken = 0;
  RunOptions options{.until = kSteps, .file_bytes_max = 4000};
  options.at_point = [&](StepPoint) {
    fs::copy(world.path(), copies / std::to_string(taken++), fs::copy_options::recursive);
  };
  REQUIRE(run_agent(world.path(), options));
  REQUIRE(taken == 4 * static_cast<int>(kSteps));
  for (int i = 0; i < taken; ++i) {
    CAPTURE(i);
    const Folder copy;
    copy.become_copy_of(copies / std::to_string(i));
    check_ends_as(calm, copy);
  }
}

TEST_CASE("whatever a crash tore off the last step's files is written again") {
  const CalmRun calm;
  const Folder world;
  std::map<std::string, std::string> before;
  int point = 0;
  RunOptions options{.until = kSteps - 1, .file_bytes_max = 4000};
  // The folder as it was before the last step's files were touched.
  options.at_point = [&](StepPoint p) {
    if (p == StepPoint::committed && ++point == static_cast<int>(kSteps) - 1) {
      before = log_files(world / "audit");
    }
  };
  REQUIRE(run_agent(world.path(), options));
  const auto after = log_files(world / "audit");
  int torn = 0;
  for (const auto& [name, bytes] : after) {
    if (name == "public_key.hex") continue;
    const std::size_t old = name == "checkpoints.json" ? 0 : before[name].size();
    if (old == bytes.size()) continue;
    for (const double share : {0.0, 0.01, 0.5, 0.99}) {
      CAPTURE(name);
      CAPTURE(share);
      const Folder copy;
      copy.become_copy_of(world.path());
      const std::string path = copy / ("audit/" + name);
      if (name == "checkpoints.json") {
        put_bytes(path, before[name]);  // it is replaced as a whole: the old or the new one
        put_bytes(path + ".tmp", bytes.substr(0, bytes.size() / 2));
      } else {
        const auto keep =
            old + static_cast<std::size_t>(share * static_cast<double>(bytes.size() - old));
        put_bytes(path, bytes.substr(0, keep) + std::string((bytes.size() - keep) / 2, '\0'));
      }
      ++torn;
      check_ends_as(calm, copy);
      fs::remove(path + ".tmp");
    }
  }
  CHECK(torn >= 12);
}

TEST_CASE("two runs of the same input write identical bytes") {
  const CalmRun one;
  const CalmRun two;
  CHECK(one.log() == two.log());
}

TEST_CASE("stopped and started after every step it writes the same as in one go") {
  const CalmRun calm;
  const Folder folder;
  for (uint64_t step = 1; step <= kSteps; ++step) {
    REQUIRE(run_agent(folder.path(), {.until = step, .file_bytes_max = 4000}));
  }
  CHECK(log_files(folder / "audit") == calm.log());
}

std::string refusal(const Folder& folder, RunOptions options = {.until = kSteps + 1}) {
  const Status status = run_agent(folder.path(), options);
  return status ? "none" : status.error().message;
}

TEST_CASE("an audit folder and a state directory that do not belong together are refused") {
  const CalmRun calm;
  const Folder folder;
  const auto log = [&](const char* name) { return folder / ("audit/" + std::string(name)); };
  const auto contains = [](const std::string& text, const char* part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  std::string newest;
  for (const auto& [name, bytes] : calm.log()) {
    if (name.starts_with("audit-")) newest = name;
  }
  folder.become_copy_of(calm.folder.path());
  fs::remove_all(folder / "state");
  contains(refusal(folder), "the state directory is empty");
  CHECK(run_agent(folder.path(), {}).error().code == ErrorCode::config);

  folder.become_copy_of(calm.folder.path());
  put_bytes(log(newest.c_str()), bytes_of(log(newest.c_str())) + "{}\n");
  contains(refusal(folder), "goes on after the last step that the state directory knows");

  folder.become_copy_of(calm.folder.path());
  put_bytes(log("audit-29990101-001.jsonl"), "{}\n");
  contains(refusal(folder), "later than the last step that the state directory knows");

  folder.become_copy_of(calm.folder.path());
  fs::remove_all(folder / "audit");
  contains(refusal(folder), "missing");

  folder.become_copy_of(calm.folder.path());
  contains(refusal(folder, {.until = kSteps + 1, .is_signed = false}), "signed with another key");
}

TEST_CASE("an audit folder has one writer") {
  const Folder folder;
  const auto owner = AuditFiles::open(folder.path());
  REQUIRE(owner);
  const auto second = AuditFiles::open(folder.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().retryable);
  CHECK(second.error().message.find("is in use by process " + std::to_string(::getpid())) !=
        std::string::npos);
}

TEST_CASE("a folder that was let go of does not tell who wrote it, and one in use does") {
  const Folder folder;
  REQUIRE(run_agent(folder.path(), {.until = 2}));
  CHECK(bytes_of(folder / "audit/.owner").empty());
  CHECK(bytes_of(folder / "state/owner").empty());
  auto owner = AuditFiles::open(folder / "audit");
  REQUIRE(owner);
  CHECK(bytes_of(folder / "audit/.owner") == std::to_string(::getpid()) + "\n");
  // Being refused does not wipe the name of who holds it.
  CHECK_FALSE(AuditFiles::open(folder / "audit"));
  CHECK(bytes_of(folder / "audit/.owner") == std::to_string(::getpid()) + "\n");
  owner->reset();
  CHECK(bytes_of(folder / "audit/.owner").empty());
}

}  // namespace
}  // namespace payops::memory
