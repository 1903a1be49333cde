#include "payops/memory/audit_reader.h"

#include <algorithm>

#include "disk.h"
#include "file_names.h"
#include "frame.h"
#include "payops/core/digest.h"
#include "payops/core/text.h"
#include "payops/memory/checkpoints.h"

namespace payops::memory {
namespace {

constexpr std::size_t kChunkBytes = 256 << 10;

}  // namespace

class AuditReader::Files {
 public:
  Files(std::string directory, std::vector<std::string> names)
      : directory_(std::move(directory)), names_(std::move(names)) {}

  Result<bool> next(LogLine& line) {
    line.text.clear();
    line.torn = false;
    for (;;) {
      if (!file_.is_open()) {
        if (at_ == names_.size()) return false;
        auto opened = disk::File::open_to_read(directory_ + "/" + names_[at_]);
        if (!opened) return tl::make_unexpected(opened.error());
        file_ = std::move(*opened);
        offset_ = 0;
        number_ = 0;
      }
      if (taken_ == chunk_.size()) {
        auto chunk = file_.read_at(offset_, kChunkBytes);
        if (!chunk) return tl::make_unexpected(chunk.error());
        chunk_ = std::move(*chunk);
        taken_ = 0;
        offset_ += chunk_.size();
        if (chunk_.empty()) {
          file_.close();
          ++at_;
          if (line.text.empty()) continue;
          return found(line, names_[at_ - 1], true);
        }
      }
      const std::size_t end = std::min(chunk_.find('\n', taken_), chunk_.size());
      line.text.append(chunk_, taken_, end - taken_);
      taken_ = end;
      if (line.text.size() > kAuditLineBytesMax) {
        return fail(ErrorCode::corrupt, names_[at_] + ":" + std::to_string(number_ + 1) +
                                            ": longer than a line may be");
      }
      if (end == chunk_.size()) continue;
      ++taken_;
      return found(line, names_[at_], false);
    }
  }

 private:
  bool found(LogLine& line, const std::string& name, bool torn) {
    line.file = name;
    line.number = ++number_;
    line.torn = torn;
    return true;
  }

  std::string directory_;
  std::vector<std::string> names_;
  std::size_t at_ = 0;
  disk::File file_;
  uint64_t offset_ = 0;
  uint64_t number_ = 0;
  std::string chunk_;
  std::size_t taken_ = 0;
};

AuditReader::AuditReader(std::unique_ptr<Files> files) : files_(std::move(files)) {}
AuditReader::AuditReader(AuditReader&&) noexcept = default;
AuditReader& AuditReader::operator=(AuditReader&&) noexcept = default;
AuditReader::~AuditReader() = default;

Result<AuditReader> AuditReader::open(const std::string& directory) {
  auto names = disk::list(directory, kAuditKind.prefix, kAuditKind.suffix);
  if (!names) return tl::make_unexpected(names.error());
  if (names->empty()) {
    return fail(ErrorCode::not_found, directory + ": no audit-*.jsonl file there");
  }
  return AuditReader(std::make_unique<Files>(directory, std::move(*names)));
}

Result<bool> AuditReader::next(LogLine& line) { return files_->next(line); }

bool holds_log(const std::string& directory) {
  for (const FileKind& kind : {kAuditKind, kInputsKind, FileKind{kCheckpointsFile, ""}}) {
    const auto names = disk::list(directory, kind.prefix, kind.suffix);
    if (names && !names->empty()) return true;
  }
  return false;
}

Result<std::string> read_block(const std::string& directory, const StepHead& head) {
  const std::string where = head.inputs + " at byte " + std::to_string(head.offset);
  if (!is_file_name(kInputsKind, head.inputs)) {
    return fail(ErrorCode::corrupt, "\"" + head.inputs + "\" is not the name of an inputs file");
  }
  const auto file = disk::File::open_to_read(directory + "/" + head.inputs);
  if (!file) return tl::make_unexpected(file.error());
  const auto size = file->size();
  if (!size) return tl::make_unexpected(size.error());
  if (head.offset > *size || head.length > *size - head.offset) {
    return fail(ErrorCode::corrupt, where + ": the recorded input was cut off");
  }
  const auto packed = file->read_at(head.offset, static_cast<std::size_t>(head.length));
  if (!packed) return tl::make_unexpected(packed.error());
  if (sha256_hex(*packed) != head.sha256) {
    return fail(ErrorCode::corrupt, where + ": the recorded input was altered");
  }
  auto block = unpack_frame(*packed);
  if (!block) return fail(ErrorCode::corrupt, where + ": " + block.error().message);
  return block;
}

Status audit_export_csv(const std::string& directory,
                        const std::function<void(std::string_view)>& write) {
  auto reader = AuditReader::open(directory);
  if (!reader) return tl::make_unexpected(reader.error());
  write("seq,time,ts_ms,kind,record\r\n");
  LogLine line;
  std::string row;
  for (;;) {
    const auto more = reader->next(line);
    if (!more) return tl::make_unexpected(more.error());
    if (!*more) return {};
    const auto parts = parse_line(line.text);
    if (!parts) {
      return fail(ErrorCode::corrupt,
                  line.file + ":" + std::to_string(line.number) + ": " + parts.error().message);
    }
    row = std::to_string(parts->seq) + "," + iso_time(parts->ts_ms) + "," +
          std::to_string(parts->ts_ms) + "," + std::string(parts->kind) + ",\"{";
    for (const char c : parts->body) {
      if (c == '"') row += '"';
      row += c;
    }
    row += "}\"\r\n";
    write(row);
  }
}

}  // namespace payops::memory
