#include "payops/memory/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "disk.h"
#include "frame.h"
#include "payops/core/check.h"
#include "payops/core/codec.h"

namespace payops::memory {
namespace {

// Keys: one letter, then big-endian numbers, so that they sort by step.
//   "v"                 schema version
//   "h"                 Head
//   "r"                 StepRecord of the last step, without its packed block
//   "b" step            Block
//   "o" step index      OutboxEntry
//   "s" step            the state after it, packed
//   "t" table NUL key   a row of an agent's own tables
constexpr const char* kVersionKey = "v";
constexpr const char* kHeadKey = "h";
constexpr const char* kRecordKey = "r";

struct Head {
  uint64_t step = 0;
  int64_t ts_ms = 0;
  std::string digest{};
  std::vector<Cursor> cursors{};
  uint64_t snapshot_step = 0;
  static constexpr auto fields() {
    return std::make_tuple(field("step", &Head::step), field("ts_ms", &Head::ts_ms),
                           field("digest", &Head::digest), field("cursors", &Head::cursors),
                           field("snapshot_step", &Head::snapshot_step));
  }
};

struct Block {
  std::string packed;
  std::string digest;
  static constexpr auto fields() {
    return std::make_tuple(field("packed", &Block::packed), field("digest", &Block::digest));
  }
};

std::string key(char letter, uint64_t step) {
  std::string text(9, letter);
  for (std::size_t i = 8; i > 0; --i, step >>= 8) text[i] = static_cast<char>(step);
  return text;
}

std::string outbox_key(uint64_t step, uint64_t index) {
  return key('o', step) + key('o', index).substr(1);
}

std::string row_key(std::string_view table, std::string_view of) {
  std::string text = "t";
  text += table;
  text += '\0';
  text += of;
  return text;
}

uint64_t number_at(const rocksdb::Slice& text, std::size_t from) {
  uint64_t number = 0;
  for (std::size_t i = from; i < from + 8 && i < text.size(); ++i) {
    number = number << 8 | static_cast<uint8_t>(text[i]);
  }
  return number;
}

// RocksDB's own log goes nowhere. Its writer ends the process on the second write to a full disk
// (an assertion that Debian's build keeps), and a reader beside the owner would rename the owner's.
class NoLog final : public rocksdb::Logger {
 public:
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 8 << 20;
  options.max_total_wal_size = 64 << 20;
  options.manifest_preallocation_size = 64 << 10;
  options.max_open_files = 64;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kNoCompression;  // what is large is packed already
  options.info_log = std::make_shared<NoLog>();
  // A torn last record is a commit that never was; damage before it must not be passed over.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return options;
}

Status failed(const std::string& directory, const rocksdb::Status& status) {
  const std::string message = "state directory " + directory + ": " + status.ToString();
  if (status.IsCorruption()) return fail(ErrorCode::corrupt, message);
  return fail_retryable(ErrorCode::unavailable, message);
}

}  // namespace

// The open database and what the next commit needs to know of it.
class RocksStore::Database {
 public:
  explicit Database(std::string directory) : directory_(std::move(directory)) {}

  Status open(bool to_read);
  Result<Stored> load();
  Status commit(const StepCommit& commit);
  Result<std::optional<std::string>> row(std::string_view table, std::string_view of);
  Result<std::vector<TableRow>> rows(const RowRange& range);
  void stage(std::vector<TableRow> rows) { staged_ = std::move(rows); }
  disk::DirectoryLock lock_;

 private:
  [[nodiscard]] std::string path() const { return directory_ + "/db"; }
  Status check_version(bool to_read);
  Status note_contents();
  Result<std::optional<std::string>> get_bytes(const std::string& of) const;
  // The value of a key, decoded; nullopt when there is none. Errors: corrupt, unavailable.
  template <class T>
  Result<std::optional<T>> get(const std::string& of) const;
  // Calls visit(key, value) for every key of a letter, in order.
  Status scan(char letter,
              const std::function<Status(rocksdb::Slice, rocksdb::Slice)>& visit) const;
  Status load_state(Stored& stored);
  [[nodiscard]] Head head_after(const StepCommit& commit) const;
  [[nodiscard]] rocksdb::WriteBatch batch_of(const StepCommit& commit) const;
  Status damaged(const std::string& what) const {
    return fail(ErrorCode::corrupt, "state directory " + directory_ + ": " + what);
  }

  std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  Head head_;
  std::vector<uint64_t> blocks_;                    // steps whose block is stored
  std::vector<uint64_t> snapshots_;                 // steps whose snapshot is stored
  std::multimap<std::string, std::string> outbox_;  // keys by id
  std::vector<TableRow> staged_;                    // for the next commit
};

Status RocksStore::Database::open(bool to_read) {
  db_.reset();
  rocksdb::Options options = database_options();
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (to_read) {
    options.create_if_missing = false;
    status = rocksdb::DB::OpenForReadOnly(options, path(), &db);
  } else {
    status = rocksdb::DB::Open(options, path(), &db);
  }
  db_.reset(db);
  if (!status.ok()) return failed(directory_, status);
  if (const Status version = check_version(to_read); !version) {
    db_.reset();
    return version;
  }
  return note_contents();
}

Status RocksStore::Database::check_version(bool to_read) {
  const auto version = get<uint64_t>(kVersionKey);
  if (!version) return tl::make_unexpected(version.error());
  if (!*version) {
    if (to_read) return fail(ErrorCode::not_found, directory_ + " holds no state");
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const rocksdb::Status put = db_->Put(synced, kVersionKey, encode(kSchemaVersion));
    return put.ok() ? Status() : failed(directory_, put);
  }
  if (**version > kSchemaVersion) {
    return fail(ErrorCode::limit,
                "state directory " + directory_ + " was written by a newer payops (schema " +
                    std::to_string(**version) + ", this one knows up to " +
                    std::to_string(kSchemaVersion) + "): upgrade, or use another directory");
  }
  return {};
}

Result<std::optional<std::string>> RocksStore::Database::get_bytes(const std::string& of) const {
  std::string bytes;
  const rocksdb::Status status = db_->Get({}, of, &bytes);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return tl::make_unexpected(failed(directory_, status).error());
  return std::optional<std::string>(std::move(bytes));
}

template <class T>
Result<std::optional<T>> RocksStore::Database::get(const std::string& of) const {
  const auto bytes = get_bytes(of);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (!*bytes) return std::optional<T>();
  auto value = decode<T>(**bytes);
  if (!value) return tl::make_unexpected(damaged("\"" + of + "\" does not decode").error());
  return std::optional<T>(std::move(*value));
}

Status RocksStore::Database::scan(
    char letter, const std::function<Status(rocksdb::Slice, rocksdb::Slice)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
  const std::string prefix(1, letter);
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    if (const Status visited = visit(it->key(), it->value()); !visited) return visited;
  }
  return it->status().ok() ? Status() : failed(directory_, it->status());
}

Status RocksStore::Database::note_contents() {
  auto head = get<Head>(kHeadKey);
  if (!head) return tl::make_unexpected(head.error());
  head_ = head->value_or(Head{});
  blocks_.clear();
  snapshots_.clear();
  outbox_.clear();
  const auto note = [](std::vector<uint64_t>& steps) {
    return [&steps](rocksdb::Slice at, rocksdb::Slice) -> Status {
      steps.push_back(number_at(at, 1));
      return {};
    };
  };
  if (const Status status = scan('b', note(blocks_)); !status) return status;
  if (const Status status = scan('s', note(snapshots_)); !status) return status;
  return scan('o', [&](rocksdb::Slice at, rocksdb::Slice value) -> Status {
    const auto entry = decode<OutboxEntry>(value.ToStringView());
    if (!entry) return damaged("an outbox entry does not decode");
    outbox_.emplace(entry->id, at.ToString());
    return {};
  });
}

Status RocksStore::Database::load_state(Stored& stored) {
  if (head_.snapshot_step > 0) {
    const auto packed = get_bytes(key('s', head_.snapshot_step));
    if (!packed) return tl::make_unexpected(packed.error());
    if (!*packed) return damaged("the snapshot is missing");
    auto bytes = unpack_frame(**packed);
    if (!bytes) return damaged("the snapshot: " + bytes.error().message);
    stored.snapshot = std::move(*bytes);
  }
  uint64_t expected = head_.snapshot_step;
  const Status blocks = scan('b', [&](rocksdb::Slice at, rocksdb::Slice value) -> Status {
    const uint64_t step = number_at(at, 1);
    auto block = decode<Block>(value.ToStringView());
    if (!block) return damaged("the block of step " + std::to_string(step) + " does not decode");
    if (stored.record && step == stored.record->step) stored.record->place.packed = block->packed;
    if (step <= head_.snapshot_step) return {};
    if (step != ++expected)
      return damaged("the block of step " + std::to_string(expected) + " is missing");
    auto bytes = unpack_frame(block->packed);
    if (!bytes)
      return damaged("the block of step " + std::to_string(step) + ": " + bytes.error().message);
    stored.blocks.push_back({.block = std::move(*bytes), .digest = std::move(block->digest)});
    return {};
  });
  if (!blocks) return blocks;
  if (expected != head_.step) return damaged("the last block is missing");
  return {};
}

Result<Stored> RocksStore::Database::load() {
  if (db_ == nullptr) {
    if (const Status opened = open(false); !opened) return tl::make_unexpected(opened.error());
  }
  Stored stored;
  auto record = get<StepRecord>(kRecordKey);
  if (!record) return tl::make_unexpected(record.error());
  stored.record = std::move(*record);
  if (stored.record.has_value() != (head_.step > 0)) {
    return tl::make_unexpected(damaged("head and record do not belong together").error());
  }
  stored.step = head_.step;
  stored.ts_ms = head_.ts_ms;
  stored.digest = head_.digest;
  stored.cursors = head_.cursors;
  stored.snapshot_step = head_.snapshot_step;
  if (const Status state = load_state(stored); !state) return tl::make_unexpected(state.error());
  const Status outbox = scan('o', [&](rocksdb::Slice, rocksdb::Slice value) -> Status {
    auto entry = decode<OutboxEntry>(value.ToStringView());
    if (!entry) return damaged("an outbox entry does not decode");
    stored.outbox.push_back(std::move(*entry));
    return {};
  });
  if (!outbox) return tl::make_unexpected(outbox.error());
  return stored;
}

Head RocksStore::Database::head_after(const StepCommit& commit) const {
  return {.step = commit.record.step,
          .ts_ms = commit.ts_ms,
          .digest = commit.digest,
          .cursors = commit.cursors,
          .snapshot_step = commit.snapshot ? commit.record.step : head_.snapshot_step};
}

rocksdb::WriteBatch RocksStore::Database::batch_of(const StepCommit& commit) const {
  rocksdb::WriteBatch batch;
  const uint64_t step = commit.record.step;
  const Head head = head_after(commit);
  batch.Put(kHeadKey, encode(head));
  StepRecord record = commit.record;
  const Block block{.packed = std::move(record.place.packed), .digest = commit.digest};
  record.place.packed.clear();
  batch.Put(kRecordKey, encode(record));
  batch.Put(key('b', step), encode(block));
  for (const std::string& id : commit.settled) {
    const auto [first, last] = outbox_.equal_range(id);
    for (auto at = first; at != last; ++at) batch.Delete(at->second);
  }
  for (std::size_t i = 0; i < commit.outbox.size(); ++i) {
    batch.Put(outbox_key(step, i), encode(commit.outbox[i]));
  }
  for (const TableRow& row : staged_) {
    const std::string at = row_key(row.table, row.key);
    row.value.empty() ? batch.Delete(at) : batch.Put(at, row.value);
  }
  if (commit.snapshot) {
    batch.Put(key('s', step), pack_frame(*commit.snapshot));
    for (const uint64_t old : snapshots_) {
      if (old != step) batch.Delete(key('s', old));
    }
  }
  for (const uint64_t old : blocks_) {
    if (old <= head.snapshot_step && old != step) batch.Delete(key('b', old));
  }
  return batch;
}

Status RocksStore::Database::commit(const StepCommit& commit) {
  if (db_ == nullptr) {
    if (const Status opened = open(false); !opened) return opened;
  }
  const uint64_t step = commit.record.step;
  PAYOPS_CHECK(step == head_.step + 1 || step == head_.step);
  rocksdb::WriteBatch batch = batch_of(commit);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (const rocksdb::Status written = db_->Write(synced, &batch); !written.ok()) {
    db_.reset();
    // Corrupt or not, the batch may be tried again on a database opened anew.
    return fail_retryable(ErrorCode::unavailable,
                          "state directory " + directory_ + ": " + written.ToString());
  }
  staged_.clear();
  head_ = head_after(commit);
  for (const std::string& id : commit.settled) outbox_.erase(id);
  for (std::size_t i = 0; i < commit.outbox.size(); ++i) {
    outbox_.emplace(commit.outbox[i].id, outbox_key(step, i));
  }
  if (commit.snapshot) snapshots_ = {step};
  std::erase_if(blocks_, [&](uint64_t old) { return old <= head_.snapshot_step || old == step; });
  blocks_.push_back(step);
  return {};
}

Result<std::optional<std::string>> RocksStore::Database::row(std::string_view table,
                                                             std::string_view of) {
  if (db_ == nullptr) {
    if (const Status opened = open(false); !opened) return tl::make_unexpected(opened.error());
  }
  return get_bytes(row_key(table, of));
}

Result<std::vector<TableRow>> RocksStore::Database::rows(const RowRange& range) {
  if (db_ == nullptr) {
    if (const Status opened = open(false); !opened) return tl::make_unexpected(opened.error());
  }
  const std::string table = row_key(range.table, "");
  const std::string prefix = table + range.prefix;
  std::vector<TableRow> found;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}));
  it->Seek(table + std::max(range.prefix, range.after));
  for (; it->Valid() && it->key().starts_with(prefix) && found.size() < range.limit; it->Next()) {
    std::string of = it->key().ToString().substr(table.size());
    if (of > range.after || range.after.empty()) {
      found.push_back({range.table, std::move(of), it->value().ToString()});
    }
  }
  if (!it->status().ok()) return tl::make_unexpected(failed(directory_, it->status()).error());
  return found;
}

RocksStore::RocksStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksStore::~RocksStore() = default;

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& directory) {
  if (const Status made = disk::make_directories(directory); !made) {
    return tl::make_unexpected(made.error());
  }
  auto lock = disk::DirectoryLock::take(directory, "owner",
                                        "a state directory belongs to one process; stop that one "
                                        "or use another directory");
  if (!lock) return tl::make_unexpected(lock.error());
  auto database = std::make_unique<Database>(directory);
  database->lock_ = std::move(*lock);
  if (const Status opened = database->open(false); !opened) {
    return tl::make_unexpected(opened.error());
  }
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

Result<Stored> RocksStore::peek(const std::string& directory) {
  if (!std::filesystem::exists(directory + "/db/CURRENT")) {
    return fail(ErrorCode::not_found, directory + " holds no state");
  }
  Database database(directory);
  if (const Status opened = database.open(true); !opened)
    return tl::make_unexpected(opened.error());
  return database.load();
}

Result<Stored> RocksStore::load() { return database_->load(); }
Status RocksStore::commit(const StepCommit& commit) { return database_->commit(commit); }
void RocksStore::put_with_next_commit(std::vector<TableRow> rows) {
  database_->stage(std::move(rows));
}
Result<std::optional<std::string>> RocksStore::row(std::string_view table, std::string_view key) {
  return database_->row(table, key);
}
Result<std::vector<TableRow>> RocksStore::rows(const RowRange& range) {
  return database_->rows(range);
}

}  // namespace payops::memory
