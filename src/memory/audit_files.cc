#include "payops/memory/audit_files.h"

#include <algorithm>

#include "disk.h"
#include "file_names.h"
#include "frame.h"
#include "payops/core/check.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/memory/checkpoints.h"

namespace payops::memory {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line;
    text += '\n';
  }
  return text;
}

}  // namespace

class AuditFiles::Folder {
 public:
  Folder(std::string directory, AuditFilesOptions options)
      : directory_(std::move(directory)), options_(std::move(options)) {}

  Status recover(const std::optional<StepRecord>& last);
  StepPlace place(std::string_view block, int64_t ts_ms) const;
  Status append(const StepRecord& record);
  disk::DirectoryLock lock_;

 private:
  // A growing file: its name, what of it is committed, and the descriptor while it works.
  struct Tail {
    FileKind kind;
    std::string name{};
    uint64_t end = 0;
    disk::File file{};
  };
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  Status corrupt(const std::string& name, const std::string& what) const {
    return fail(ErrorCode::corrupt, path(name) + ": " + what);
  }
  // The file at `offset` with exactly `bytes` after it: written again whatever is there.
  Status write(Tail& tail, const std::string& name, uint64_t offset, std::string_view bytes);
  // As write(), after a look at whether the file is the one that the store knows.
  Status repair(Tail& tail, const std::string& name, uint64_t offset, std::string_view bytes);
  Status check_link(const StepRecord& record) const;
  Status check_untouched() const;
  Status keep_public_key() const;
  Status write_checkpoint(const StepRecord& record);

  std::string directory_;
  AuditFilesOptions options_;
  Tail inputs_{.kind = kInputsKind};
  Tail audit_{.kind = kAuditKind};
  Checkpoints checkpoints_;
  bool ready_ = false;
};

StepPlace AuditFiles::Folder::place(std::string_view block, int64_t ts_ms) const {
  PAYOPS_CHECK(ready_);
  const auto where = [&](const Tail& tail) {
    return next_file_name(tail.kind, tail.name, tail.end >= options_.file_bytes_max, ts_ms);
  };
  StepPlace place{.inputs_file = where(inputs_), .packed = pack_frame(block)};
  place.sha256 = sha256_hex(place.packed);
  place.offset = place.inputs_file == inputs_.name ? inputs_.end : 0;
  place.audit_file = where(audit_);
  place.audit_offset = place.audit_file == audit_.name ? audit_.end : 0;
  return place;
}

Status AuditFiles::Folder::write(Tail& tail, const std::string& name, uint64_t offset,
                                 std::string_view bytes) {
  const auto attempt = [&]() -> Status {
    if (!tail.file.is_open() || tail.file.path() != path(name)) {
      auto opened = disk::File::open_or_create(path(name));
      if (!opened) return tl::make_unexpected(opened.error());
      tail.file = std::move(*opened);
      if (options_.sync && offset == 0) {
        if (const Status synced = disk::sync_directory(directory_); !synced) return synced;
      }
    }
    if (const Status written = tail.file.write_at(offset, bytes); !written) return written;
    return options_.sync ? tail.file.sync() : Status();
  };
  if (const Status written = attempt(); !written) {
    // Readers shall not see half a step, and after a failed sync nothing cached is to be believed:
    // the next try opens the file again and writes all of it.
    if (tail.file.is_open()) static_cast<void>(tail.file.truncate(offset));
    tail.file.close();
    return written;
  }
  tail.name = name;
  tail.end = offset + bytes.size();
  return {};
}

Status AuditFiles::Folder::append(const StepRecord& record) {
  PAYOPS_CHECK(ready_ && !record.audit_lines.empty());
  const StepPlace& place = record.place;
  if (const Status inputs = write(inputs_, place.inputs_file, place.offset, place.packed);
      !inputs) {
    return inputs;
  }
  if (const Status audit =
          write(audit_, place.audit_file, place.audit_offset, joined(record.audit_lines));
      !audit) {
    return audit;
  }
  return write_checkpoint(record);
}

Status AuditFiles::Folder::write_checkpoint(const StepRecord& record) {
  const FileCheckpoint now{.file = record.place.audit_file,
                           .seq = record.checkpoint.seq,
                           .hash = record.checkpoint.hash,
                           .ts_ms = record.checkpoint.ts_ms,
                           .sig = record.checkpoint.sig};
  Checkpoints next = checkpoints_;
  next.public_key = options_.public_key_hex;
  auto& list = next.checkpoints;
  std::erase_if(list, [&](const FileCheckpoint& old) { return old.file >= now.file; });
  list.push_back(now);
  if (list.size() > kCheckpointsMax) list.erase(list.begin());
  if (const Status replaced =
          disk::replace_file(path(kCheckpointsFile), checkpoints_text(next), options_.sync);
      !replaced) {
    return replaced;
  }
  checkpoints_ = std::move(next);
  return {};
}

Status AuditFiles::Folder::check_untouched() const {
  for (const FileKind& kind : {kAuditKind, kInputsKind}) {
    const auto names = disk::list(directory_, kind.prefix, kind.suffix);
    if (!names) return tl::make_unexpected(names.error());
    if (!names->empty()) {
      return fail(ErrorCode::config,
                  directory_ + " holds a log (" + names->back() +
                      ") and the state directory is empty: give the state that belongs to it, or "
                      "an empty audit folder");
    }
  }
  return {};
}

Status AuditFiles::Folder::keep_public_key() const {
  const auto there = read_file(path(kPublicKeyFile));
  const std::string wanted = options_.public_key_hex.empty() ? "" : options_.public_key_hex + "\n";
  if (there && *there == wanted) return {};
  if (there && !there->empty()) {
    return fail(ErrorCode::config, path(kPublicKeyFile) +
                                       ": this log is signed with another key; give that one, or "
                                       "an empty audit folder");
  }
  if (wanted.empty()) return {};
  if (const Status key = disk::replace_file(path(kPublicKeyFile), wanted, options_.sync); !key) {
    return key;
  }
  return options_.sync ? disk::sync_directory(directory_) : Status();
}

Status AuditFiles::Folder::repair(Tail& tail, const std::string& name, uint64_t offset,
                                  std::string_view bytes) {
  const auto names = disk::list(directory_, tail.kind.prefix, tail.kind.suffix);
  if (!names) return tl::make_unexpected(names.error());
  if (!names->empty() && names->back() > name) {
    return corrupt(names->back(), "later than the last step that the state directory knows (" +
                                      name + "): the two do not belong together");
  }
  uint64_t present = 0;
  if (std::binary_search(names->begin(), names->end(), name)) {
    auto opened = disk::File::open_or_create(path(name));
    if (!opened) return tl::make_unexpected(opened.error());
    tail.file = std::move(*opened);
    const auto size = tail.file.size();
    if (!size) return tl::make_unexpected(size.error());
    present = *size;
  }
  if (present < offset) {
    return corrupt(name, "holds " + std::to_string(present) + " bytes where the steps before the " +
                             "last one left " + std::to_string(offset) +
                             ": restore the audit folder from where it is kept");
  }
  if (present > offset + bytes.size()) {
    return corrupt(name, "goes on after the last step that the state directory knows, at byte " +
                             std::to_string(offset + bytes.size()) +
                             ": the two do not belong together");
  }
  if (present > offset) {
    if (const Status cut = tail.file.truncate(offset); !cut) return cut;
  }
  return write(tail, name, offset, bytes);
}

// The last step's first line must continue the file as it is, or it is another log's.
Status AuditFiles::Folder::check_link(const StepRecord& record) const {
  const auto first = parse_line(record.audit_lines.front());
  if (!first) return corrupt(record.place.audit_file, "the stored line: " + first.error().message);
  std::string name = record.place.audit_file;
  uint64_t end = record.place.audit_offset;
  if (end == 0) {
    const auto names = disk::list(directory_, kAuditKind.prefix, kAuditKind.suffix);
    if (!names) return tl::make_unexpected(names.error());
    const auto after = std::lower_bound(names->begin(), names->end(), name);
    if (after == names->begin()) {
      return first->seq == 1 ? Status() : corrupt(name, "the audit files before it are missing");
    }
    name = *std::prev(after);
  }
  auto file = disk::File::open_to_read(path(name));
  if (!file) return corrupt(name, "missing, though the state directory says it was written");
  if (end == 0) {
    const auto size = file->size();
    if (!size) return tl::make_unexpected(size.error());
    end = *size;
  }
  const uint64_t tail_bytes = kHashTailBytes + 1;
  const auto tail = file->read_at(end < tail_bytes ? 0 : end - tail_bytes, tail_bytes);
  if (!tail) return tl::make_unexpected(tail.error());
  if (*tail != ",\"hash\":\"" + std::string(first->prev) + "\"}\n") {
    return corrupt(name,
                   "the line before the last step is not the one that its hash names: the "
                   "log was altered, or is not this state's");
  }
  return {};
}

Status AuditFiles::Folder::recover(const std::optional<StepRecord>& last) {
  ready_ = false;
  if (const Status key = keep_public_key(); !key) return key;
  if (!last) {
    if (const Status untouched = check_untouched(); !untouched) return untouched;
    ready_ = true;
    return {};
  }
  if (const Status link = check_link(*last); !link) return link;
  const StepPlace& place = last->place;
  if (const Status inputs = repair(inputs_, place.inputs_file, place.offset, place.packed);
      !inputs) {
    return inputs;
  }
  if (const Status audit =
          repair(audit_, place.audit_file, place.audit_offset, joined(last->audit_lines));
      !audit) {
    return audit;
  }
  auto checkpoints = read_checkpoints(directory_);
  if (!checkpoints && checkpoints.error().code != ErrorCode::not_found) {
    return tl::make_unexpected(checkpoints.error());
  }
  checkpoints_ = std::move(checkpoints).value_or(Checkpoints{});
  if (const Status checkpoint = write_checkpoint(*last); !checkpoint) return checkpoint;
  ready_ = true;
  return {};
}

AuditFiles::AuditFiles(std::unique_ptr<Folder> folder) : folder_(std::move(folder)) {}
AuditFiles::~AuditFiles() = default;

Result<std::unique_ptr<AuditFiles>> AuditFiles::open(const std::string& directory,
                                                     AuditFilesOptions options) {
  if (const Status made = disk::make_directories(directory); !made) {
    return tl::make_unexpected(made.error());
  }
  auto lock = disk::DirectoryLock::take(directory, kOwnerFile,
                                        "an audit folder is written by one process; stop that one "
                                        "or use another folder");
  if (!lock) return tl::make_unexpected(lock.error());
  auto folder = std::make_unique<Folder>(directory, std::move(options));
  folder->lock_ = std::move(*lock);
  return std::unique_ptr<AuditFiles>(new AuditFiles(std::move(folder)));
}

Status AuditFiles::recover(const std::optional<StepRecord>& last) { return folder_->recover(last); }
StepPlace AuditFiles::place(std::string_view block, int64_t ts_ms) {
  return folder_->place(block, ts_ms);
}
Status AuditFiles::append(const StepRecord& record) { return folder_->append(record); }

}  // namespace payops::memory
