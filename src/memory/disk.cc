#include "disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace payops::disk {
namespace {

namespace fs = std::filesystem;

Status unavailable(const std::string& path, const char* what, const std::string& reason) {
  return fail_retryable(ErrorCode::unavailable, path + ": " + what + ": " + reason);
}

}  // namespace

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

void File::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Status File::failed(const char* what) const { return unavailable(path_, what, strerror(errno)); }

Result<File> File::open_or_create(const std::string& path) {
  File file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file.fd_ < 0) return tl::make_unexpected(file.failed("cannot be opened").error());
  return file;
}

Result<File> File::open_to_read(const std::string& path) {
  File file;
  file.path_ = path;
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file.fd_ < 0) return fail(ErrorCode::not_found, path + ": " + strerror(errno));
  return file;
}

Result<uint64_t> File::size() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return tl::make_unexpected(failed("cannot be read").error());
  return static_cast<uint64_t>(status.st_size);
}

Status File::write_at(uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return failed("cannot be written");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Result<std::string> File::read_at(uint64_t offset, std::size_t length) const {
  std::string bytes(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const ssize_t n =
        ::pread(fd_, bytes.data() + done, length - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return tl::make_unexpected(failed("cannot be read").error());
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

Status File::truncate(uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed("cannot be cut");
  return {};
}

Status File::sync() {
  if (::fdatasync(fd_) != 0) return failed("cannot be synced");
  return {};
}

Result<DirectoryLock> DirectoryLock::take(const std::string& directory, const std::string& file,
                                          const std::string& advice) {
  auto opened = File::open_or_create(directory + "/" + file);
  if (!opened) return tl::make_unexpected(opened.error());
  if (::flock(opened->fd_, LOCK_EX | LOCK_NB) != 0) {
    std::string owner = opened->read_at(0, 20).value_or("");
    owner.erase(std::find(owner.begin(), owner.end(), '\n'), owner.end());
    return fail_retryable(
        ErrorCode::unavailable,
        directory + " is in use by process " + (owner.empty() ? "?" : owner) + ": " + advice);
  }
  DirectoryLock lock;
  lock.file_ = std::move(*opened);
  // The name is only for the sentence above: a full disk must not keep the owner out.
  if (lock.file_.truncate(0)) {
    static_cast<void>(lock.file_.write_at(0, std::to_string(::getpid()) + "\n"));
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (file_.is_open()) static_cast<void>(file_.truncate(0));
}

bool DirectoryLock::held(const std::string& directory, const std::string& file) {
  const auto opened = File::open_to_read(directory + "/" + file);
  return opened && ::flock(opened->fd_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Status make_directories(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return unavailable(directory, "cannot be created", error.message());
  return {};
}

Status sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return unavailable(directory, "cannot be opened", strerror(errno));
  const bool synced = ::fsync(fd) == 0;
  const int reason = errno;
  ::close(fd);
  if (!synced) return unavailable(directory, "cannot be synced", strerror(reason));
  return {};
}

Status replace_file(const std::string& path, std::string_view bytes, bool sync) {
  const std::string beside = path + ".tmp";
  auto file = File::open_or_create(beside);
  if (!file) return tl::make_unexpected(file.error());
  if (const Status cut = file->truncate(0); !cut) return cut;
  if (const Status written = file->write_at(0, bytes); !written) return written;
  if (sync) {
    if (const Status synced = file->sync(); !synced) return synced;
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return unavailable(path, "cannot be replaced", strerror(errno));
  }
  return {};
}

Result<std::vector<std::string>> list(const std::string& directory, std::string_view prefix,
                                      std::string_view suffix) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entries(directory, error);
  if (error) return fail(ErrorCode::not_found, directory + ": " + error.message());
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    if (error) return fail(ErrorCode::not_found, directory + ": " + error.message());
    std::string name = entries->path().filename();
    if (name.starts_with(prefix) && name.ends_with(suffix)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace payops::disk
