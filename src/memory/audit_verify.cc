#include "payops/memory/audit_verify.h"

#include <algorithm>

#include "disk.h"
#include "file_names.h"
#include "payops/core/sign.h"
#include "payops/core/text.h"
#include "payops/memory/audit_reader.h"

namespace payops::memory {
namespace {

// The walk over one folder. Each check gives false once something is wrong and noted.
class Verification {
 public:
  Verification(const std::string& directory, const VerifyOptions& options)
      : directory_(directory), options_(options) {}

  Result<VerifyReport> run() {
    auto reader = AuditReader::open(directory_);
    if (!reader) {
      if (!is_removed()) return tl::make_unexpected(reader.error());
      return report_;
    }
    if (const auto good = check_lines(*reader); !good)
      return tl::make_unexpected(good.error());
    else if (!*good)
      return report_;
    if (const auto good = check_input_files(); !good)
      return tl::make_unexpected(good.error());
    else if (!*good)
      return report_;
    report_.ok = true;
    return report_;
  }

 private:
  bool bad(const std::string& file, uint64_t line, const std::string& reason) {
    report_.bad_file = file;
    report_.bad_line = line;
    report_.reason = reason;
    return false;
  }
  bool bad(const LogLine& line, const std::string& reason) {
    return bad(line.file, line.number, reason);
  }

  // No audit file, but something that tells of one.
  bool is_removed() {
    if (!disk::list(directory_, "", "")) return false;  // no folder: a slip of the pen, not a loss
    const auto checkpoints = read_checkpoints(directory_);
    if (checkpoints && !checkpoints->checkpoints.empty()) {
      const FileCheckpoint& last = checkpoints->checkpoints.back();
      bad(last.file, 0,
          "missing, though " + std::string(kCheckpointsFile) + " knows it up to seq " +
              std::to_string(last.seq) + ": the log was removed");
    } else if (options_.checkpoint) {
      bad("audit-*.jsonl", 0,
          "missing, though the given checkpoint is at seq " +
              std::to_string(options_.checkpoint->seq) + ": the log was removed");
    } else if (holds_log(directory_)) {
      bad("audit-*.jsonl", 0, "missing, though what belongs to it is there: the log was removed");
    } else {
      return false;
    }
    return true;
  }

  // The chain first and the checkpoints with it; what is wrong with checkpoints.json itself is
  // said only when every line is right.
  Result<bool> check_lines(AuditReader& reader) {
    auto checkpoints = read_checkpoints(directory_);
    if (checkpoints) expected_ = checkpoints->checkpoints;
    if (options_.checkpoint) {
      const Checkpoint& given = *options_.checkpoint;
      outside_ = FileCheckpoint{
          .seq = given.seq, .hash = given.hash, .ts_ms = given.ts_ms, .sig = given.sig};
    }
    LogLine line;
    for (;;) {
      const auto more = reader.next(line);
      if (!more && more.error().code == ErrorCode::corrupt) {
        return bad(line.file, line.number + 1, more.error().message);
      }
      if (!more) return tl::make_unexpected(more.error());
      if (!*more) break;
      const auto good = check_line(line);
      if (!good || !*good) return good;
    }
    if (!checkpoints) return bad(kCheckpointsFile, 0, checkpoints.error().message);
    return check_ends() && check_signatures(*checkpoints);
  }

  Result<bool> check_line(const LogLine& line) {
    if (!is_file_name(kAuditKind, line.file)) return bad(line.file, 0, "not an audit file's name");
    if (line.torn) return bad(line, "the file ends within this line");
    const auto parts = parse_line(line.text);
    if (!parts) return bad(line, parts.error().message);
    if (parts->seq != report_.last_seq + 1) {
      return bad(line, "seq is " + std::to_string(parts->seq) + " where " +
                           std::to_string(report_.last_seq + 1) +
                           " belongs: lines are missing, moved or repeated");
    }
    if (parts->prev != (report_.lines == 0 ? kNoHash : std::string_view(report_.last_hash))) {
      return bad(line, "prev is not the hash of the line before");
    }
    if (report_.files == 0 || line.file != last_file_) ++report_.files;
    last_file_ = line.file;
    ++report_.lines;
    report_.last_seq = parts->seq;
    report_.last_hash = std::string(parts->hash);
    report_.last_ts_ms = parts->ts_ms;
    if (!check_checkpoint(line)) return false;
    if (parts->kind == "step") return check_step(line, *parts);
    return true;
  }

  bool check_checkpoint(const LogLine& line) {
    const auto matches = [&](const FileCheckpoint& checkpoint) {
      return checkpoint.hash == report_.last_hash && checkpoint.ts_ms == report_.last_ts_ms;
    };
    if (outside_ && outside_->seq == report_.last_seq) {
      if (!matches(*outside_)) return bad(line, "not the line that the given checkpoint names");
      outside_.reset();
      outside_met_ = true;
    }
    while (next_ < expected_.size() && expected_[next_].seq == report_.last_seq) {
      if (!matches(expected_[next_]) || expected_[next_].file != line.file) {
        return bad(line, "not the line that checkpoints.json names");
      }
      ++next_;
    }
    return true;
  }

  Result<bool> check_step(const LogLine& line, const AuditLine& parts) {
    const auto head = parse_step_head(parts.body);
    if (!head) return bad(line, head.error().message);
    if (head->step != report_.steps + 1) {
      return bad(line, "step is " + std::to_string(head->step) + " where " +
                           std::to_string(report_.steps + 1) + " belongs");
    }
    ++report_.steps;
    if (head->inputs != inputs_file_) {
      if (head->inputs < inputs_file_) return bad(line, "its input lies in an earlier file");
      if (const auto good = check_inputs_end(); !good || !*good) return good;
      inputs_file_ = head->inputs;
      inputs_end_ = 0;
      input_files_.push_back(inputs_file_);
    }
    if (head->offset != inputs_end_) return bad(line, "its input does not follow the one before");
    inputs_end_ = head->offset + head->length;
    report_.input_bytes += head->length;
    if (const auto block = read_block(directory_, *head); !block) {
      if (block.error().code == ErrorCode::unavailable) return tl::make_unexpected(block.error());
      return bad(line, block.error().message);
    }
    return true;
  }

  Result<uint64_t> size_of(const std::string& name) const {
    const auto file = disk::File::open_to_read(directory_ + "/" + name);
    if (!file) return tl::make_unexpected(file.error());
    return file->size();
  }

  // Nothing may lie in the inputs file after the last input that a line names.
  Result<bool> check_inputs_end() {
    if (inputs_file_.empty()) return true;
    const auto size = size_of(inputs_file_);
    if (!size) return bad(inputs_file_, 0, size.error().message);
    if (*size == inputs_end_) return true;
    return bad(inputs_file_, 0,
               "goes on after its last recorded input, at byte " + std::to_string(inputs_end_) +
                   ": no line of the log names the " + std::to_string(*size - inputs_end_) +
                   " bytes there (an agent that was killed leaves some until it starts again)");
  }

  bool check_ends() {
    if (next_ < expected_.size()) {
      const FileCheckpoint& missed = expected_[next_];
      return bad(last_file_, 0,
                 "the log ends at seq " + std::to_string(report_.last_seq) + ", but " +
                     kCheckpointsFile + " knows seq " + std::to_string(missed.seq) + " in " +
                     missed.file + ": the tail was cut off");
    }
    if (expected_.empty()) return bad(kCheckpointsFile, 0, "holds no checkpoint");
    if (outside_) {
      return bad(last_file_, 0,
                 "the log ends at seq " + std::to_string(report_.last_seq) +
                     ", but the given checkpoint is at seq " + std::to_string(outside_->seq) +
                     ": the tail was cut off");
    }
    return true;
  }

  // The key in the folder, in checkpoints.json and the trusted one must be the same, and every
  // checkpoint signed with it.
  bool check_signatures(const Checkpoints& checkpoints) {
    const auto text = read_file(directory_ + "/" + kPublicKeyFile);
    std::string key = text.value_or("");
    if (text && (key.empty() || key.back() != '\n')) {
      return bad(kPublicKeyFile, 0, "not a key and a newline");
    }
    if (!key.empty()) key.pop_back();
    if (!options_.public_key_hex.empty() && key != options_.public_key_hex) {
      return bad(kPublicKeyFile, 0, "not the key that was given");
    }
    if (checkpoints.public_key != key) {
      return bad(kCheckpointsFile, 0, "names another public key than public_key.hex");
    }
    if (key.empty()) return true;
    for (const FileCheckpoint& checkpoint : checkpoints.checkpoints) {
      if (const Status signature = verify_text(checkpoint.hash, checkpoint.sig, {key});
          !signature) {
        return bad(kCheckpointsFile, 0,
                   "seq " + std::to_string(checkpoint.seq) + ": " + signature.error().message);
      }
    }
    if (outside_met_ && !options_.checkpoint->sig.empty()) {
      const Checkpoint& given = *options_.checkpoint;
      if (const Status signature = verify_text(given.hash, given.sig, {key}); !signature) {
        return bad(last_file_, 0, "the given checkpoint: " + signature.error().message);
      }
    }
    report_.signature_checked = true;
    return true;
  }

  // An inputs file that no line names: removed lines leave one. A running agent is at work behind
  // the last line.
  Result<bool> check_input_files() {
    const bool at_work = disk::DirectoryLock::held(directory_, kOwnerFile);
    if (!at_work) {
      if (const auto good = check_inputs_end(); !good || !*good) return good;
    }
    const auto names = disk::list(directory_, kInputsKind.prefix, kInputsKind.suffix);
    if (!names) return tl::make_unexpected(names.error());
    for (const std::string& name : *names) {
      if (at_work && name > inputs_file_) continue;
      if (!std::binary_search(input_files_.begin(), input_files_.end(), name)) {
        return bad(name, 0, "no line of the log names it");
      }
    }
    return true;
  }

  std::string directory_;
  VerifyOptions options_;
  VerifyReport report_;
  std::vector<FileCheckpoint> expected_;
  std::size_t next_ = 0;
  std::optional<FileCheckpoint> outside_;
  bool outside_met_ = false;
  std::string last_file_;
  std::string inputs_file_;
  uint64_t inputs_end_ = 0;
  std::vector<std::string> input_files_;
};

}  // namespace

Result<VerifyReport> audit_verify(const std::string& directory, const VerifyOptions& options) {
  return Verification(directory, options).run();
}

}  // namespace payops::memory
