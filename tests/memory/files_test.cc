#include <doctest/doctest.h>
#include <sys/mount.h>

#include "memory/folder.h"
#include "payops/core/random.h"
#include "payops/memory/audit_reader.h"
#include "payops/memory/audit_verify.h"

namespace payops::memory {
namespace {

std::vector<std::string> names_in(const std::string& directory, const std::string& prefix) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : log_files(directory)) {
    if (name.starts_with(prefix)) names.push_back(name);
  }
  return names;
}

// A step with one line and a block of its own, straight into the files.
void append_step(AuditFiles& files, StepRecord& record, int64_t ts_ms) {
  const std::string block = "block of step " + std::to_string(record.step + 1);
  record.step += 1;
  record.place = files.place(block, ts_ms);
  const StepHead head{.step = record.step,
                      .inputs = record.place.inputs_file,
                      .offset = record.place.offset,
                      .length = record.place.packed.size(),
                      .sha256 = record.place.sha256};
  const std::string previous =
      record.checkpoint.seq == 0 ? std::string(kNoHash) : record.checkpoint.hash;
  record.audit_lines = {chain_line(step_records(head, {.ts_ms = ts_ms}, std::nullopt).front(),
                                   record.step, previous)};
  record.checkpoint = {.seq = record.step,
                       .hash = std::string(line_hash(record.audit_lines.back())),
                       .ts_ms = ts_ms};
  REQUIRE(files.append(record));
}

constexpr int64_t kDayMs = 86'400'000;

TEST_CASE("files are named for the day of event time, which never goes back, and sort by seq") {
  const Folder folder;
  const auto files = AuditFiles::open(folder.path(), {.file_bytes_max = 900});
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  StepRecord record;
  for (const int64_t day : {10, 10, 10, 10, 11, 9, -40'000, 5'000'000, 10}) {
    append_step(**files, record, day * kDayMs);
  }
  CHECK(names_in(folder.path(), "audit-") ==
        std::vector<std::string>{"audit-19700111-001.jsonl", "audit-19700111-002.jsonl",
                                 "audit-19700112-001.jsonl", "audit-99991231-001.jsonl"});
  const auto report = audit_verify(folder.path());
  REQUIRE(report);
  CHECK_MESSAGE(report->ok, report->reason);
  CHECK(report->steps == 9);
}

TEST_CASE("checkpoints.json keeps the last line of the last 32 files") {
  const Folder folder;
  const auto files = AuditFiles::open(folder.path(), {.file_bytes_max = 1, .sync = false});
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  StepRecord record;
  for (int i = 0; i < 40; ++i) append_step(**files, record, kDayMs);
  const auto checkpoints = read_checkpoints(folder.path());
  REQUIRE(checkpoints);
  CHECK(checkpoints->checkpoints.size() == kCheckpointsMax);
  CHECK(checkpoints->checkpoints.front().seq == 9);
  CHECK(checkpoints->checkpoints.back().seq == 40);
  CHECK(audit_verify(folder.path())->ok);
}

TEST_CASE("a block reads back, and a name that leads out of the folder is refused") {
  const Folder folder;
  const auto files = AuditFiles::open(folder / "audit");
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  StepRecord record;
  append_step(**files, record, kDayMs);
  StepHead head{.step = 1,
                .inputs = record.place.inputs_file,
                .offset = 0,
                .length = record.place.packed.size(),
                .sha256 = record.place.sha256};
  CHECK(read_block(folder / "audit", head) == std::string("block of step 1"));
  head.inputs = "../audit/" + head.inputs;
  CHECK_FALSE(read_block(folder / "audit", head));
}

// A file system of a few MiB; where it may not be mounted the tests that need it say so.
class SmallDisk {
 public:
  SmallDisk() { mounted_ = ::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=64m") == 0; }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
  }
  [[nodiscard]] bool mounted() const {
    if (!mounted_) MESSAGE("no right to mount a small file system: the full disk is not tried");
    return mounted_;
  }
  [[nodiscard]] const Folder& folder() const { return folder_; }
  void fill() const {
    std::ofstream out(folder_ / "filler", std::ios::binary);
    const std::string chunk(4096, 'x');
    while (out.write(chunk.data(), 4096).flush()) {
    }
  }
  void make_room() const { fs::remove(folder_ / "filler"); }

 private:
  Folder folder_;
  bool mounted_ = false;
};

TEST_CASE("a full disk under the audit files stops the step, and it goes on when there is room") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const Folder calm;
  REQUIRE(run_agent(calm.path(), {.until = 6}));

  const Folder& folder = disk.folder();
  InMemoryStore store;
  const auto files =
      AuditFiles::open(folder / "audit", {.public_key_hex = test_key().public_key_hex});
  REQUIRE(files);
  CountingAgent agent;
  CollectingOutbox outbox([](const OutboxEntry&) {});
  Stepper stepper(agent, store, **files, outbox, {}, stepper_options({}));
  REQUIRE(stepper.recover());
  while (stepper.step() < 5) REQUIRE(take_counting_step(stepper, agent));
  disk.fill();
  Status status;
  while (status && stepper.step() < 200) status = take_counting_step(stepper, agent);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK(status.error().retryable);
  CHECK(status.error().message.find("No space left on device") != std::string::npos);
  for (int i = 0; i < 3; ++i) CHECK_FALSE(stepper.retry());
  const uint64_t stopped_at = stepper.step();
  disk.make_room();
  REQUIRE(stepper.retry());
  REQUIRE(take_counting_step(stepper, agent));
  const auto report = audit_verify(folder / "audit");
  REQUIRE(report);
  CHECK_MESSAGE(report->ok, report->reason);
  CHECK(report->steps == stopped_at + 1);
}

TEST_CASE(
    "where files find no room the step waits, nothing goes out, and all is whole afterwards") {
  const Folder calm;
  REQUIRE(run_agent(calm.path(), {.until = 6, .file_bytes_max = 1}));
  for (const char* kind : {"inputs-20231114-003.zst", "audit-20231114-003.jsonl"}) {
    const Folder folder;
    InMemoryStore store;
    const auto files = AuditFiles::open(
        folder / "audit", {.file_bytes_max = 1, .public_key_hex = test_key().public_key_hex});
    REQUIRE(files);
    CountingAgent agent;
    std::size_t published = 0;
    CollectingOutbox outbox([&](const OutboxEntry&) { ++published; });
    Stepper stepper(agent, store, **files, outbox, {}, stepper_options({}));
    REQUIRE(stepper.recover());
    while (stepper.step() < 2) REQUIRE(take_counting_step(stepper, agent));
    // The third step's file: every write to it ends with ENOSPC.
    fs::create_symlink("/dev/full", folder / ("audit/" + std::string(kind)));
    const std::size_t before = published;
    const Status refused = take_counting_step(stepper, agent);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().retryable);
    CHECK(refused.error().message.find("No space left on device") != std::string::npos);
    for (int i = 0; i < 3; ++i) CHECK_FALSE(stepper.retry());
    CHECK(published == before);
    fs::remove(folder / ("audit/" + std::string(kind)));
    REQUIRE(stepper.retry());
    CHECK(published > before);
    while (stepper.step() < 6) REQUIRE(take_counting_step(stepper, agent));
    const auto report = audit_verify(folder / "audit");
    REQUIRE(report);
    CHECK_MESSAGE(report->ok, report->reason);
    CHECK(report->steps == 6);
    CHECK((log_files(folder / "audit") == log_files(calm / "audit")));
  }
}

TEST_CASE("a full disk under the state directory refuses the commit until there is room") {
  const SmallDisk disk;
  if (!disk.mounted()) return;
  const Folder elsewhere;
  const auto files = AuditFiles::open(elsewhere.path());
  REQUIRE(files);
  REQUIRE((*files)->recover(std::nullopt));
  auto store = RocksStore::open(disk.folder() / "state");
  REQUIRE(store);
  StepCommit commit;
  commit.record.audit_lines = {"line"};
  commit.block.resize(12 << 20);
  RandomStream random = Random(1).at(1);
  for (char& byte : commit.block) byte = static_cast<char>(random.next());
  commit.record.step = 1;
  commit.record.place = (*files)->place("small", 1);
  StepCommit small = commit;
  small.block = "small";
  REQUIRE((*store)->commit(small));
  commit.record.step = 2;
  commit.record.place = (*files)->place(commit.block, 1);
  disk.fill();
  for (int i = 0; i < 10; ++i) {
    const Status refused = (*store)->commit(commit);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().retryable);
  }
  disk.make_room();
  const Status done = (*store)->commit(commit);
  REQUIRE_MESSAGE(done, done.error().message);
  store->reset();
  store = RocksStore::open(disk.folder() / "state");
  REQUIRE_MESSAGE(store, store.error().message);
  const auto stored = (*store)->load();
  REQUIRE(stored);
  CHECK(stored->step == 2);
  REQUIRE(stored->blocks.size() == 2);
  CHECK(stored->blocks[0].block == "small");
  CHECK(stored->blocks[1].block == commit.block);
}

}  // namespace
}  // namespace payops::memory
