#include "payops/memory/rocks_store.h"

#include <doctest/doctest.h>
#include <rocksdb/db.h>

#include "memory/folder.h"
#include "payops/core/codec.h"
#include "payops/core/random.h"

namespace payops::memory {
namespace {

// What a stepper would commit as step `step`, with everything in it that a step may have.
StepCommit commit_of(uint64_t step, AuditFiles& files, const std::vector<std::string>& settled,
                     bool snapshot, std::size_t outbox_size) {
  StepCommit commit;
  commit.block = "block " + std::to_string(step) + std::string(step * 10, 'x');
  commit.record = {.step = step,
                   .place = files.place(commit.block, 1),
                   .audit_lines = {"line " + std::to_string(step)},
                   .checkpoint = {.seq = step, .hash = "h", .ts_ms = 1, .sig = "s"}};
  commit.ts_ms = static_cast<int64_t>(step) * 1000;
  commit.digest = "digest " + std::to_string(step);
  commit.cursors = counting_cursors(step);
  for (std::size_t i = 0; i < outbox_size; ++i) {
    commit.outbox.push_back({.id = std::to_string(step) + "/" + std::to_string(i), .topic = "t"});
  }
  commit.settled = settled;
  if (snapshot) commit.snapshot = "state after " + std::to_string(step);
  return commit;
}

void check_same(const Stored& got, const Stored& wanted) {
  CHECK(got.step == wanted.step);
  CHECK(got.ts_ms == wanted.ts_ms);
  CHECK(got.digest == wanted.digest);
  CHECK(got.cursors == wanted.cursors);
  CHECK(got.outbox == wanted.outbox);
  CHECK(got.snapshot_step == wanted.snapshot_step);
  CHECK(got.snapshot == wanted.snapshot);
  REQUIRE(got.blocks.size() == wanted.blocks.size());
  for (std::size_t i = 0; i < got.blocks.size(); ++i) {
    CHECK(got.blocks[i].block == wanted.blocks[i].block);
    CHECK(got.blocks[i].digest == wanted.blocks[i].digest);
  }
  REQUIRE(got.record.has_value() == wanted.record.has_value());
  if (got.record) CHECK(encode(*got.record) == encode(*wanted.record));
}

struct Packer {
  Folder folder;
  std::unique_ptr<AuditFiles> files = std::move(*AuditFiles::open(folder.path()));
  Packer() { REQUIRE(files->recover(std::nullopt)); }
};

TEST_CASE("an empty directory is created and holds nothing") {
  const Folder folder;
  auto store = RocksStore::open(folder / "deep/state");
  REQUIRE(store);
  check_same(*(*store)->load(), Stored{});
}

TEST_CASE("whatever is committed reads back as from the store in memory, also when opened anew") {
  Packer packer;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    RandomStream random = Random(seed).at(0);
    const Folder folder;
    auto store = RocksStore::open(folder.path());
    REQUIRE(store);
    InMemoryStore expected;
    const uint64_t steps = 1 + random.below(12);
    for (uint64_t step = 1; step <= steps; ++step) {
      const Stored before = *expected.load();
      std::vector<std::string> settled;
      for (const OutboxEntry& entry : before.outbox) {
        if (random.chance(0.75)) settled.push_back(entry.id);
      }
      const StepCommit commit =
          commit_of(step, *packer.files, settled, random.chance(0.3), random.below(4));
      for (uint64_t times = 1 + random.below(2); times > 0; --times) {
        REQUIRE((*store)->commit(commit));
        REQUIRE(expected.commit(commit));
      }
      if (random.chance(0.3)) {
        store->reset();
        store = RocksStore::open(folder.path());
        REQUIRE(store);
      }
      const auto loaded = (*store)->load();
      REQUIRE(loaded);
      check_same(*loaded, *expected.load());
    }
  }
}

TEST_CASE("blocks and snapshots of before the last snapshot are gone from the disk") {
  Packer packer;
  const Folder folder;
  {
    auto store = RocksStore::open(folder.path());
    REQUIRE(store);
    for (uint64_t step = 1; step <= 30; ++step) {
      REQUIRE((*store)->commit(commit_of(step, *packer.files, {}, step % 10 == 0, 0)));
    }
  }
  rocksdb::DB* db = nullptr;
  REQUIRE(rocksdb::DB::OpenForReadOnly({}, folder / "db", &db).ok());
  const std::unique_ptr<rocksdb::DB> owner(db);
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator({}));
  std::string letters;
  for (it->SeekToFirst(); it->Valid(); it->Next()) letters += it->key()[0];
  CHECK(letters == "bhrsv");  // the last step's block is kept for its files
}

TEST_CASE("a second opener is refused and told who owns the directory") {
  const Folder folder;
  auto owner = RocksStore::open(folder.path());
  REQUIRE(owner);
  const auto second = RocksStore::open(folder.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::unavailable);
  CHECK(second.error().retryable);
  CHECK(second.error().message ==
        folder.path() + " is in use by process " + std::to_string(::getpid()) +
            ": a state directory belongs to one process; stop that one or use another directory");
  owner->reset();
  CHECK(RocksStore::open(folder.path()));
}

TEST_CASE("others may peek beside the owner, and see the last commit") {
  Packer packer;
  const Folder folder;
  const auto nothing = RocksStore::peek(folder.path());
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().code == ErrorCode::not_found);
  auto owner = RocksStore::open(folder.path());
  REQUIRE(owner);
  for (uint64_t step = 1; step <= 3; ++step) {
    REQUIRE((*owner)->commit(commit_of(step, *packer.files, {}, step == 2, 1)));
    const auto seen = RocksStore::peek(folder.path());
    REQUIRE(seen);
    check_same(*seen, *(*owner)->load());
  }
}

TEST_CASE("a directory of a newer schema is refused with both versions") {
  const Folder folder;
  REQUIRE(RocksStore::open(folder.path()));
  {
    rocksdb::DB* db = nullptr;
    REQUIRE(rocksdb::DB::Open({}, folder / "db", &db).ok());
    const std::unique_ptr<rocksdb::DB> owner(db);
    REQUIRE(db->Put({}, "v", encode(uint64_t{kSchemaVersion + 1})).ok());
  }
  const auto refused = RocksStore::open(folder.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::limit);
  CHECK_FALSE(refused.error().retryable);
  CHECK(refused.error().message.find("was written by a newer payops (schema 2, this one knows up "
                                     "to 1): upgrade") != std::string::npos);
  CHECK_FALSE(RocksStore::peek(folder.path()));
}

TEST_CASE("damage in the middle of what was committed is an error and not an older state") {
  Packer packer;
  const Folder folder;
  {
    auto store = RocksStore::open(folder.path());
    REQUIRE(store);
    for (uint64_t step = 1; step <= 20; ++step) {
      REQUIRE((*store)->commit(commit_of(step, *packer.files, {}, false, 2)));
    }
  }
  for (const auto& entry : fs::directory_iterator(folder / "db")) {
    if (entry.path().extension() != ".log" || entry.file_size() == 0) continue;
    std::string wal = bytes_of(entry.path());
    wal[wal.size() / 2] = static_cast<char>(wal[wal.size() / 2] ^ 1);
    put_bytes(entry.path(), wal);
  }
  const auto refused = RocksStore::open(folder.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::corrupt);
}

}  // namespace
}  // namespace payops::memory
